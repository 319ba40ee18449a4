//! Takes registered secrets out of every line that leaves this crate for a person or a file.

use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calls::invocation::Secret;

/// What stands where a secret stood.
pub const PLACEHOLDER: &str = "<secret>";

/// A secret shorter than this (bytes) is not looked for: it would take ordinary words out of every line.
const SHORTEST: usize = 4;

/// The secrets of this run, in each form in which a tool could print them.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    forms: RwLock<Vec<Secret>>,
}

impl Redactor {
    /// Registers a secret: as it is, base64 (whole, as in a Secret object), percent-encoded, JSON-escaped, each line of a longer
    /// text, and the password inside a URL.
    pub(super) fn register(&self, secret: &Secret) {
        let mut new = Vec::new();
        add_forms(secret.reveal(), &mut new);
        if let Some(password) = url_password(secret.reveal()) {
            add_forms(password, &mut new);
            add_forms(&percent_decode(password), &mut new);
        }
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for form in new {
            if form.len() >= SHORTEST && !forms.iter().any(|known| known.reveal() == form) {
                forms.push(Secret::new(form));
            }
        }
        // The longest first: a URL is replaced whole before the password inside it.
        forms.sort_by_key(|form| std::cmp::Reverse(form.reveal().len()));
    }

    /// `text` without any registered secret.
    pub(super) fn redact(&self, text: &str) -> String {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut out = text.to_owned();
        for form in forms.iter() {
            if out.contains(form.reveal()) {
                out = out.replace(form.reveal(), PLACEHOLDER);
            }
        }
        out
    }
}

fn add_forms(text: &str, forms: &mut Vec<String>) {
    let text = text.trim_end_matches(['\r', '\n']);
    forms.push(text.to_owned());
    forms.push(STANDARD.encode(text));
    forms.push(STANDARD.encode(format!("{text}\n")));
    forms.push(percent_encode(text));
    // Inside the quotes of a JSON string.
    let json = serde_json::Value::from(text).to_string();
    forms.push(json.trim_matches('"').to_owned());
    if text.contains('\n') {
        // Short lines of a longer secret (braces, PEM headers) say nothing and would match everywhere.
        forms.extend(text.lines().map(str::trim).filter(|l| l.len() >= 16 && !l.starts_with("-----")).map(str::to_owned));
    }
}

/// The password of `scheme://user:password@host`, as it stands there.
fn url_password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user_info, _) = authority.rsplit_once('@')?;
    let (_, password) = user_info.split_once(':')?;
    (!password.is_empty()).then_some(password)
}

fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
            out.push(char::from(b));
        } else {
            // Writing to a String can't fail.
            write!(out, "%{b:02X}").unwrap_or_default();
        }
        out
    })
}

fn percent_decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'%').then(|| tail.get(..2)).flatten();
        if let Some(byte) = hex.and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok()) {
            out.push(byte);
            rest = &tail[2..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(secret: &str) -> Redactor {
        let redactor = Redactor::default();
        redactor.register(&Secret::new(secret));
        redactor
    }

    #[test]
    fn every_form_of_a_secret_is_taken_out() {
        let r = redactor("p@ss w\"rd/1");
        for (line, want) in [
            ("password: p@ss w\"rd/1.", "password: <secret>."),
            ("data: cEBzcyB3InJkLzE=", "data: <secret>"),
            ("url: p%40ss%20w%22rd%2F1", "url: <secret>"),
            (r#"{"a":"p@ss w\"rd/1"}"#, r#"{"a":"<secret>"}"#),
            ("nothing here", "nothing here"),
        ] {
            assert_eq!(r.redact(line), want);
        }
    }

    #[test]
    fn the_password_of_a_url_is_a_secret_too() {
        let r = redactor("postgresql://todo:s3cr%2Bt-pw@db.example.com:5432/todo?sslmode=require");
        assert_eq!(r.redact("postgresql://todo:s3cr%2Bt-pw@db.example.com:5432/todo?sslmode=require"), "<secret>");
        assert_eq!(r.redact("auth failed: s3cr%2Bt-pw"), "auth failed: <secret>");
        assert_eq!(r.redact("auth failed: s3cr+t-pw"), "auth failed: <secret>");
        assert_eq!(r.redact("db.example.com:5432"), "db.example.com:5432");
    }

    #[test]
    fn lines_of_a_longer_secret_and_no_short_ones() {
        let r = redactor("-----BEGIN KEY-----\nMIGHAgEAMBMGByqGSM49\n}\n-----END KEY-----\n");
        assert_eq!(r.redact("MIGHAgEAMBMGByqGSM49"), "<secret>");
        assert_eq!(r.redact("}"), "}");
        assert_eq!(redactor("abc").redact("abc"), "abc");
    }
}
