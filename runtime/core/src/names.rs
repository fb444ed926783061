//! Keys on the wire and keys for the user.

use serde_json::{Map, Value};

/// The rule between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRule {
    /// They are the same.
    Same,
    /// `createdDateTime` on the wire is `created_date_time` for the user.
    CamelCase,
}

impl NameRule {
    /// The user's name for a key of the wire.
    pub fn shown(self, key: &str) -> String {
        match self {
            NameRule::Same => key.to_owned(),
            NameRule::CamelCase => snake_case(key),
        }
    }

    /// Renames every key at every depth; values stay.
    pub fn show(self, value: Value) -> Value {
        match (self, value) {
            (NameRule::Same, value) => value,
            (rule, Value::Object(entries)) => Value::Object(
                entries.into_iter().map(|(key, value)| (rule.shown(&key), rule.show(value))).collect::<Map<_, _>>(),
            ),
            (rule, Value::Array(items)) => items.into_iter().map(|item| rule.show(item)).collect(),
            (_, value) => value,
        }
    }
}

/// `_` before every ASCII capital, which becomes small: `searchDL` is `search_d_l`. Digits never start a word.
pub fn snake_case(key: &str) -> String {
    let mut shown = String::with_capacity(key.len() + 4);
    for (at, letter) in key.char_indices() {
        if letter.is_ascii_uppercase() {
            if at > 0 {
                shown.push('_');
            }
            shown.push(letter.to_ascii_lowercase());
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn capitals_begin_words_and_digits_do_not() {
        for (wire, shown) in [
            ("searchDL", "search_d_l"),
            ("eventTimeDT", "event_time_d_t"),
            ("objectFileHashSha1", "object_file_hash_sha1"),
            ("mailBox", "mail_box"),
            ("iam", "iam"),
            ("org_id", "org_id"),
        ] {
            assert_eq!(snake_case(wire), shown);
        }
    }
}
