//! Kubernetes quantities (`100m`, `1.5Gi`), only as far as CPU and memory need them.

/// The quantity in thousandths, so that `100m` is exact; `None` for what is not a quantity.
pub(crate) fn milli(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let factor: i128 = match suffix {
        "m" => 1,
        "" => 1_000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "Ki" => 1_000 << 10,
        "Mi" => 1_000 << 20,
        "Gi" => 1_000 << 30,
        "Ti" => 1_000 << 40,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut value = whole.parse::<i128>().ok()? * factor;
    let mut unit = factor;
    for digit in fraction.chars() {
        unit /= 10;
        value += i128::from(digit.to_digit(10)?) * unit;
    }
    Some(value)
}

/// `1.5 CPU`, `512 MiB`: thousandths of `resource` for people.
pub(crate) fn show(resource: &str, milli: i128) -> String {
    if resource == "cpu" {
        let tenths = (milli + 50) / 100;
        return if milli % 1_000 == 0 {
            format!("{} CPU", milli / 1_000)
        } else {
            format!("{}.{} CPU", tenths / 10, tenths % 10)
        };
    }
    let mebibytes = milli / (1_000 << 20);
    if mebibytes >= 10 * 1_024 { format!("{} GiB", mebibytes / 1_024) } else { format!("{mebibytes} MiB") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_exact() {
        for (text, expected) in [
            ("64", Some(64_000)),
            ("100m", Some(100)),
            ("1.5", Some(1_500)),
            ("1Ki", Some(1_024_000)),
            ("0.5Gi", Some(536_870_912_000)),
            ("8125704Ki", Some(8_320_720_896_000)),
            ("lots", None),
            ("", None),
        ] {
            assert_eq!(milli(text), expected, "{text}");
        }
        assert_eq!(show("cpu", 64_000), "64 CPU");
        assert_eq!(show("cpu", 850), "0.9 CPU");
        assert_eq!(show("memory", 536_870_912_000), "512 MiB");
    }
}
