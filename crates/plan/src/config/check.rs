//! Whether a value is what its rule asks for. What is said about it never holds the value.

use super::environment::Check;
use super::names;

impl Check {
    /// What passes, as the object of "write": `a value that begins with …`.
    pub fn describe(&self) -> String {
        match self {
            Self::PostgresUrl => format!("a URL such as {POSTGRES_FORM}"),
            Self::Url => "a URL that begins with `https://` or `http://`".to_owned(),
            Self::MinLength(least) => format!("at least {least} characters"),
            Self::Prefix(prefix) => format!("a value that begins with `{prefix}`"),
            Self::OneOf(choices) => format!("one of {}", choices.join(", ")),
        }
    }

    /// `Err` says what to write instead.
    pub fn test(&self, value: &str) -> Result<(), String> {
        match self {
            Self::PostgresUrl => postgres(value).map(|_| ()),
            Self::Url => web(value),
            Self::MinLength(least) => {
                let length = value.chars().count();
                if length < *least { Err(format!("write {}: it has {length}", self.describe())) } else { Ok(()) }
            }
            Self::Prefix(prefix) if value.starts_with(prefix.as_str()) && value.len() > prefix.len() => Ok(()),
            Self::OneOf(choices) if choices.iter().any(|choice| choice == value) => Ok(()),
            Self::Prefix(_) | Self::OneOf(_) => Err(format!("write {}", self.describe())),
        }
    }
}

const POSTGRES_FORM: &str = "`postgresql://USER:PASSWORD@HOST:5432/DATABASE`";

/// The parts of a URL that the checks look at; nothing of it is a secret.
struct Address<'a> {
    host: &'a str,
    path: &'a str,
}

/// `[user[:password]@]host[:port][/path][?query]`.
fn address(rest: &str) -> Option<Address<'_>> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let host = if let Some(v6) = place.strip_prefix('[') {
        let (host, port) = v6.split_once(']')?;
        if !(port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
            return None;
        }
        host
    } else {
        match place.split_once(':') {
            Some((host, port)) if is_port(port) => host,
            Some(_) => return None,
            None => place,
        }
    };
    let path = tail.strip_prefix('/').unwrap_or_default();
    Some(Address { host, path: path.split(['?', '#']).next().unwrap_or_default() })
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// The host of a `PostgreSQL` URL.
pub(crate) fn postgres(value: &str) -> Result<&str, String> {
    let Some((scheme, rest)) = value.split_once("://") else { return Err(format!("write a URL of PostgreSQL: {POSTGRES_FORM}")) };
    // Drivers are named with `+`, as SQLAlchemy does; the frontend's driver does not know that form.
    if scheme.starts_with("postgres") && scheme.contains('+') {
        return Err(format!("leave the driver (`+…`) out of the URL: {POSTGRES_FORM}"));
    }
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(format!("begin with `postgresql://`: {POSTGRES_FORM}"));
    }
    if value.contains(char::is_whitespace) {
        return Err("remove the spaces, or write them as `%20`".to_owned());
    }
    let Some(found) = address(rest) else {
        return Err(format!("write the port as a number, and special characters of the password as `%..`: {POSTGRES_FORM}"));
    };
    if found.host.is_empty() {
        return Err(format!("write the host: {POSTGRES_FORM}"));
    }
    if found.path.is_empty() {
        return Err(format!("write the database's name after the host: {POSTGRES_FORM}"));
    }
    Ok(found.host)
}

fn web(value: &str) -> Result<(), String> {
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let host = rest.and_then(address).map(|found| found.host);
    let plain = |host: &str| names::is_host(&host.to_ascii_lowercase()) || host.parse::<std::net::Ipv6Addr>().is_ok();
    if host.is_some_and(plain) && !value.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err("write a URL that begins with `https://` or `http://` and has a host".to_owned())
    }
}

/// Whether inside the cluster this host would be the pod itself.
pub(crate) fn is_local(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.starts_with("127.") || matches!(host, "::1" | "0.0.0.0")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_pass_or_hear_what_to_write() {
        for (check, good, bad) in [
            (
                "postgres-url",
                &["postgresql://u:p@h:5432/d", "postgres://h/d?sslmode=require", "postgresql://u:p%40@[::1]:5432/d"][..],
                &[
                    "mysql://h/d",
                    "h/d",
                    "postgresql+psycopg://h/d",
                    "postgresql:///d",
                    "postgresql://h",
                    "postgresql://h/",
                    "postgresql://h:x/d",
                    "postgresql://h:0/d",
                    "postgresql://h/d d",
                    "",
                ][..],
            ),
            (
                "url",
                &["https://api.openai.com/v1", "http://10.0.0.1:8080", "http://[::1]:1/"],
                &["api.openai.com", "https://", "ftp://a", "https://a b"],
            ),
            ("min-length:4", &["abcd", "äöüß"], &["abc", ""]),
            ("prefix:sk-", &["sk-1"], &["sk-", "pk-1", ""]),
            ("one-of:a, b", &["a", "b"], &["", "c", "a,b"]),
        ] {
            let check = Check::parse(check).unwrap();
            for value in good {
                assert_eq!(check.test(value), Ok(()), "{value}");
            }
            for value in bad {
                assert!(check.test(value).is_err(), "{value}");
            }
        }
        for text in ["", "length:3", "min-length", "min-length:0", "min-length:x", "prefix:", "one-of:", "one-of:a,", "url:1"] {
            assert_eq!(Check::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_host_of_this_machine_is_known() {
        for (url, local) in [
            ("postgres://u:p@localhost/d", true),
            ("postgres://127.0.0.1:5/d", true),
            ("postgres://[::1]/d", true),
            ("postgres://db.local/d", false),
        ] {
            assert_eq!(is_local(postgres(url).unwrap()), local, "{url}");
        }
    }

    proptest! {
        #[test]
        fn what_is_said_never_holds_the_value(value in "[a-z]{1,4}(://)?[A-Z0-9@:/?]{12,20}") {
            for check in [Check::PostgresUrl, Check::Url, Check::MinLength(64), Check::Prefix("sk-".into())] {
                if let Err(said) = check.test(&value) {
                    prop_assert!(!said.contains(&value));
                }
            }
        }
    }
}
