use serde_json::Value;

use crate::action::Action;
use crate::desired::SecretObject;
use crate::snapshot::Snapshot;

/// Whether the Secret differs from what it should hold. Names keys, never values. `decode` is base64.
pub fn secret(wanted: &SecretObject, decode: impl Fn(&str) -> Option<String>, seen: &Snapshot) -> Action {
    let Some(objects) = &seen.objects else { return Action::unknown(super::CLUSTER) };
    let name = &wanted.name;
    let Some(found) = objects.get("Secret", name) else {
        return Action::act("write", format!("there is no Secret `{name}`"));
    };
    let empty = serde_json::Map::new();
    let live = found.pointer("/data").and_then(Value::as_object).unwrap_or(&empty);
    let mut differing: Vec<&str> = wanted
        .data
        .iter()
        .filter(|(key, value)| live.get(*key).and_then(Value::as_str).and_then(&decode).as_deref() != Some(value.reveal()))
        .map(|(key, _)| key.as_str())
        .collect();
    differing.extend(live.keys().map(String::as_str).filter(|key| !wanted.data.contains_key(*key)));
    if differing.is_empty() {
        let keys = wanted.data.len();
        Action::keep(format!("{name}, {keys} {}", if keys == 1 { "key" } else { "keys" }))
    } else {
        Action::act("write", format!("Secret `{name}` differs in {}", differing.join(", ")))
    }
}
