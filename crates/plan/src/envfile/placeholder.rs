//! Values that nobody filled in.

use super::EnvFile;

/// Whether `value` is what the example says, or what people write where a secret should stand.
pub(super) fn is_placeholder(key: &str, value: &str, example: Option<&EnvFile>) -> bool {
    let in_example =
        |file: &EnvFile| file.assignments.iter().chain(&file.commented).any(|one| one.key == key && one.value.reveal() == value);
    example.is_some_and(in_example) || looks_unfilled(value)
}

fn looks_unfilled(value: &str) -> bool {
    let lower = value.to_ascii_lowercase().replace('_', "-");
    (lower.starts_with('<') && lower.ends_with('>'))
        || ["your-", "replace-", "replaceme", "insert-"].iter().any(|start| lower.starts_with(start))
        || ["changeme", "change-me"].iter().any(|word| lower.contains(word))
        || lower.ends_with("...")
        || lower.ends_with('…')
        || (!lower.is_empty() && lower.chars().all(|c| c == 'x'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_filled_in_is_seen() {
        let example = EnvFile::parse("A=postgres://USER:PASSWORD@HOST/DB\n#B=abc", ".env.example");
        for (key, value, want) in [
            ("A", "postgres://USER:PASSWORD@HOST/DB", true),
            ("B", "abc", true),
            ("B", "postgres://USER:PASSWORD@HOST/DB", false),
            ("C", "<your key>", true),
            ("C", "your_api_key_here", true),
            ("C", "sk-...", true),
            ("C", "xxxx", true),
            ("C", "CHANGE_ME_PLEASE", true),
            ("C", "sk-proj-1234", false),
            ("C", "yours", false),
        ] {
            assert_eq!(is_placeholder(key, value, Some(&example)), want, "{value}");
        }
        assert!(!is_placeholder("B", "abc", None));
    }
}
