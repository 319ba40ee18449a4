//! Durations and sizes as people write them in xtask.toml and read them in reports.

use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = KIB << 10;
const GIB: u64 = MIB << 10;

/// The units of sizes: name in lower case and bytes. Decimal and binary ones are different things, and people write both;
/// `m` and `g` alone mean either, by tool, and are refused.
const SIZES: [(&str, u64); 13] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", KIB),
    ("mib", MIB),
    ("gib", GIB),
    ("tib", GIB << 10),
    ("ki", KIB),
    ("mi", MIB),
    ("gi", GIB),
    ("ti", GIB << 10),
];

/// What to write where a size is expected.
pub const SIZE_HINT: &str = "write a number and a unit, such as `300MB` or `8GiB`";
/// What to write where a duration is expected.
pub const DURATION_HINT: &str = "write a number and a unit, such as `90s`, `5m` or `1m30s`";

/// Bytes of `300MB`, `8GiB`, `1.5 GiB`, `512Mi`. `None` where it is no size, has no unit, or is beyond 2^63.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(split);
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = SIZES.iter().find(|(name, _)| *name == unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 6 || fraction.contains('.') {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(*factor)?;
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(*factor) / scale;
    let bytes = whole.checked_add(u64::try_from(part).ok()?)?;
    (bytes < 1 << 63).then_some(bytes)
}

/// `5m`, `90s`, `1h30m`, `500ms`. `None` where it is no duration, has no unit, is zero, or is over 24 hours.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    // Each unit once, from large to small.
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let letters = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        let millis = match &unit[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        if millis >= last {
            return None;
        }
        last = millis;
        total = total.checked_add(number.checked_mul(millis)?)?;
        rest = unit[letters..].trim_start();
    }
    (1..=24 * 3_600_000).contains(&total).then(|| Duration::from_millis(total))
}

/// Binary, as memory and disks of clusters are counted: `8 GiB`, `1800 MiB`, `5.9 GiB`.
pub fn binary_size(bytes: u64) -> String {
    match bytes {
        0..KIB => format!("{bytes} B"),
        // Below 2 GiB in MiB: minikube's least is `1800 MiB`.
        _ if bytes < 2 * GIB && !bytes.is_multiple_of(GIB) => format!("{} MiB", (bytes + MIB / 2) / MIB),
        _ => tenths(bytes, GIB, "GiB"),
    }
}

/// As Kubernetes takes it, exactly: the largest binary unit without a fraction, `1Gi`, `1800Mi`, `1000`.
pub fn quantity(bytes: u64) -> String {
    for (unit, factor) in [("Ti", GIB << 10), ("Gi", GIB), ("Mi", MIB), ("Ki", KIB)] {
        if bytes > 0 && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}

/// As xtask.toml takes it, exactly: `8GiB`, `1800MiB`, `1000B`.
pub fn written_size(bytes: u64) -> String {
    format!("{}B", quantity(bytes))
}

/// With one decimal place, unless it is zero.
fn tenths(bytes: u64, unit: u64, name: &str) -> String {
    let tenths = (u128::from(bytes) * 10 + u128::from(unit) / 2) / u128::from(unit);
    if tenths % 10 == 0 { format!("{} {name}", tenths / 10) } else { format!("{}.{} {name}", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, want) in [
            ("300MB", Some(300_000_000)),
            ("8GiB", Some(8 * GIB)),
            ("8 gib", Some(8 * GIB)),
            ("1.5GiB", Some(3 * GIB / 2)),
            ("512Mi", Some(512 * MIB)),
            ("10kB", Some(10_000)),
            ("0.5b", Some(0)),
            ("300", None),
            ("8g", None),
            ("MB", None),
            ("-1MB", None),
            ("1.2.3MB", None),
            ("1.MB", None),
            (".5MB", None),
            ("99999999TiB", None),
            ("", None),
        ] {
            assert_eq!(parse_size(text), want, "{text}");
        }
    }

    #[test]
    fn durations_as_people_write_them() {
        for (text, want) in [
            ("5m", Some(300_000)),
            ("90s", Some(90_000)),
            ("1m30s", Some(90_000)),
            ("1h 30m", Some(5_400_000)),
            ("500ms", Some(500)),
            ("10min", Some(600_000)),
            ("5", None),
            ("0s", None),
            ("30s1m", None),
            ("1m1m", None),
            ("5 minutes", None),
            ("25h", None),
            ("", None),
            ("m", None),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_millis()), want, "{text}");
        }
    }

    #[test]
    fn sizes_as_people_read_them() {
        for (bytes, want) in [
            (8 * GIB, "8 GiB"),
            (1800 * MIB, "1800 MiB"),
            (6_335_076_761, "5.9 GiB"),
            (GIB, "1 GiB"),
            (512, "512 B"),
            (20 * GIB, "20 GiB"),
        ] {
            assert_eq!(binary_size(bytes), want);
        }
        assert_eq!(written_size(1800 * MIB), "1800MiB");
        for (bytes, want) in [(GIB, "1Gi"), (1800 * MIB, "1800Mi"), (1000, "1000"), (0, "0")] {
            assert_eq!(quantity(bytes), want);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,12}") {
            parse_size(&text);
            parse_duration(&text);
        }

        #[test]
        fn a_quantity_is_read_back_exactly(bytes in 1_u64..1 << 50) {
            let text = quantity(bytes);
            let text = if text.ends_with('i') { text } else { format!("{text}B") };
            prop_assert_eq!(parse_size(&text), Some(bytes));
        }

        #[test]
        fn any_number_can_be_shown(bytes: u64) {
            prop_assert!(!binary_size(bytes).is_empty());
        }
    }
}
