//! Versions of tools and the ranges that xtask.toml asks for.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// `MAJOR.MINOR[.PATCH]`, as tools print it. What follows (`-rc.1`, `+k3s1`) is kept for people and not compared.
#[derive(Clone, Debug, Serialize)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number, where it was given.
    pub patch: Option<u32>,
    /// What follows the numbers, with its `-` or `+`; not compared.
    pub suffix: String,
}

impl Version {
    /// A version of three numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch: Some(patch), suffix: String::new() }
    }

    const fn numbers(&self) -> (u32, u32, u32) {
        let patch = match self.patch {
            Some(patch) => patch,
            None => 0,
        };
        (self.major, self.minor, patch)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.numbers() == other.numbers()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.numbers().cmp(&other.numbers())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if let Some(patch) = self.patch {
            write!(f, ".{patch}")?;
        }
        f.write_str(&self.suffix)
    }
}

/// Not a version, or not a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAVersion(String);

impl fmt::Display for NotAVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotAVersion {}

impl FromStr for Version {
    type Err = NotAVersion;

    /// `1.38.1`, `v1.36.2`, `28.2`, `v3.22.0+g1234`.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let bare = text.trim();
        let bare = bare.strip_prefix('v').unwrap_or(bare);
        let end = bare.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(bare.len());
        let (numbers, suffix) = bare.split_at(end);
        let wrong = || NotAVersion(format!("`{}` is not a version like `1.38.1`", text.trim()));
        if !(suffix.is_empty() || suffix.starts_with(['-', '+'])) {
            return Err(wrong());
        }
        let numbers: Vec<u32> = numbers.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
        match numbers[..] {
            [major, minor] => Ok(Self { major, minor, patch: None, suffix: suffix.to_owned() }),
            [major, minor, patch] => Ok(Self { major, minor, patch: Some(patch), suffix: suffix.to_owned() }),
            _ => Err(wrong()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Relation {
    AtLeast,
    Above,
    AtMost,
    Below,
    Exactly,
}

impl Relation {
    const SIGNS: [(&'static str, Self); 5] =
        [(">=", Self::AtLeast), ("<=", Self::AtMost), (">", Self::Above), ("<", Self::Below), ("=", Self::Exactly)];

    const fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::Above => ">",
            Self::AtMost => "<=",
            Self::Below => "<",
            Self::Exactly => "=",
        }
    }
}

/// `>=3.12, <5`: every part has to hold. A bound may leave out the later numbers: `<5` is `<5.0.0`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionRange {
    bounds: Vec<(Relation, Version)>,
}

impl VersionRange {
    /// `>=MAJOR.MINOR`.
    pub fn at_least(major: u32, minor: u32) -> Self {
        let bound = Version { major, minor, patch: None, suffix: String::new() };
        Self { bounds: vec![(Relation::AtLeast, bound)] }
    }

    /// `>=MAJOR.MINOR, <MAJOR.MINOR`.
    pub fn between(least: (u32, u32), below: (u32, u32)) -> Self {
        let bound = |(major, minor)| Version { major, minor, patch: None, suffix: String::new() };
        Self { bounds: vec![(Relation::AtLeast, bound(least)), (Relation::Below, bound(below))] }
    }

    /// Whether `version` is in the range; what follows its numbers does not count.
    pub fn contains(&self, version: &Version) -> bool {
        self.bounds.iter().all(|(relation, bound)| match relation {
            Relation::AtLeast => version >= bound,
            Relation::Above => version > bound,
            Relation::AtMost => version <= bound,
            Relation::Below => version < bound,
            // `=1.36` takes every patch of it.
            Relation::Exactly => {
                (version.major, version.minor) == (bound.major, bound.minor)
                    && bound.patch.is_none_or(|p| version.patch == Some(p))
            }
        })
    }

    /// The lowest version that the range names with `>=`, for "install at least …".
    pub fn least(&self) -> Option<&Version> {
        self.bounds.iter().filter(|(relation, _)| *relation == Relation::AtLeast).map(|(_, version)| version).max()
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (relation, bound)) in self.bounds.iter().enumerate() {
            write!(f, "{}{}{bound}", if i == 0 { "" } else { ", " }, relation.sign())?;
        }
        Ok(())
    }
}

impl FromStr for VersionRange {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let mut bounds = Vec::new();
        for part in text.split(',').map(str::trim) {
            let wrong = || NotAVersion(format!("`{part}` is not a bound like `>=1.32`"));
            let (relation, rest) = Relation::SIGNS
                .iter()
                .find_map(|(sign, relation)| part.strip_prefix(sign).map(|rest| (*relation, rest.trim())))
                .ok_or_else(wrong)?;
            let bare = rest.strip_prefix('v').unwrap_or(rest);
            // `<5`: a bound may name the first number only.
            let full =
                if !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit()) { format!("{bare}.0") } else { bare.to_owned() };
            bounds.push((relation, full.parse().map_err(|_| wrong())?));
        }
        Ok(Self { bounds })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_as_tools_print_them() {
        for (text, want) in [
            ("1.38.1", "1.38.1"),
            ("v1.36.2", "1.36.2"),
            ("28.2", "28.2"),
            ("v3.22.0+g1234", "3.22.0+g1234"),
            (" 1.37.0-beta.0\n", "1.37.0-beta.0"),
            ("v1.31.5+k3s1", "1.31.5+k3s1"),
        ] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), want);
        }
        for text in ["", "v", "1", "1.", "1.2.3.4", "one", "1.2x", "1..2", "-1.2", "99999999999.1"] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_hold_what_they_say() {
        for (range, version, want) in [
            (">=3.12, <5", "v3.22.0", true),
            (">=3.12, <5", "3.11.9", false),
            (">=3.12, <5", "4.0.0", true),
            (">=3.12, <5", "5.0.0", false),
            (">=24", "28.2.2", true),
            (">= 1.32", "1.32.0", true),
            (">1.32", "1.32.0", false),
            ("<=1.32", "1.32.0", true),
            ("=1.36", "1.36.2", true),
            ("=1.36.1", "1.36.2", false),
            (">=v1.28", "1.28", true),
        ] {
            assert_eq!(range.parse::<VersionRange>().unwrap().contains(&version.parse().unwrap()), want, "{version} in {range}");
        }
        for range in ["", "3", "~3", ">=", ">=3,", ">=x", ">=1.2.3.4", "<<3"] {
            assert!(range.parse::<VersionRange>().is_err(), "{range}");
        }
        assert_eq!(">=3.12,<5".parse::<VersionRange>().unwrap().to_string(), ">=3.12, <5.0");
        assert_eq!(">=3.12,<5".parse::<VersionRange>().unwrap().least().unwrap().to_string(), "3.12");
    }

    proptest! {
        #[test]
        fn never_panics_and_prints_what_it_read(text in ".{0,20}") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string().parse::<Version>().unwrap(), version);
            }
            if let Ok(range) = text.parse::<VersionRange>() {
                prop_assert_eq!(range.to_string().parse::<VersionRange>().unwrap(), range);
            }
        }
    }
}
