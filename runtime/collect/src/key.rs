//! What tells an event from every other: a text of its stream and its ids, or of its content.

use connectome_core::stream::Stream;
use ring::digest::{SHA256, digest};

use crate::canonical::Canonical;
use crate::ledger::Digest;
use crate::raw;
use crate::view::Record;

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The record's ids.
    Named,
    /// The record's content, since its stream has no ids: equal records of a window are told apart by counting them.
    Content,
    /// The record's content, since it has not the ids that its stream has.
    Unkeyed,
}

impl Identity {
    /// Whether the key is made of the content.
    pub fn content(self) -> bool {
        self != Identity::Named
    }
}

/// Names the events of a stream.
#[derive(Debug)]
pub struct Keys {
    stream: &'static Stream,
    canonical: Canonical,
    digest: Digest,
}

impl Keys {
    /// For this stream.
    pub fn new(stream: &'static Stream) -> Self {
        Self { stream, canonical: Canonical::default(), digest: Digest::default() }
    }

    /// Writes a record's key in the place of what `key` holds.
    pub fn identify(&mut self, record: &Record<'_>, key: &mut String) -> Identity {
        key.clear();
        key.push_str(self.stream.name);
        let ids = self.stream.event.id;
        if !ids.is_empty() && named(&record.ids, key) {
            self.digest = short(key);
            return Identity::Named;
        }
        key.truncate(self.stream.name.len());
        key.push(':');
        let hash = digest(&SHA256, self.canonical.of(record.text));
        self.digest.copy_from_slice(&hash.as_ref()[..16]);
        let mut hex = [0; 64];
        for (pair, byte) in hex.as_chunks_mut().0.iter_mut().zip(hash.as_ref()) {
            *pair = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        }
        key.push_str(std::str::from_utf8(&hex).unwrap_or_default());
        if ids.is_empty() { Identity::Content } else { Identity::Unkeyed }
    }

    /// What stands for the latest key among the keys that were seen: its digest, or that of the content it is made of.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// Appends the ids; `false` when one of them is missing or names nothing. So that no two lists of ids have the same
/// text, a colon in any but the last is written `%3A`.
fn named(ids: &[Option<&str>], key: &mut String) -> bool {
    for (place, id) in ids.iter().enumerate() {
        let Some(text) = id.and_then(raw::scalar).filter(|text| !text.is_empty()) else { return false };
        key.push(':');
        if place + 1 == ids.len() || !text.contains([':', '%']) {
            key.push_str(&text);
        } else {
            key.push_str(&text.replace('%', "%25").replace(':', "%3A"));
        }
    }
    true
}

/// What stands for a key among the keys that were seen.
pub fn short(key: &str) -> Digest {
    let mut short = Digest::default();
    short.copy_from_slice(&digest(&SHA256, key.as_bytes()).as_ref()[..16]);
    short
}

/// A digest as text: two digits a byte.
pub fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_key_is_made_of_the_ids_or_of_the_content() {
        const NONE: &[&[&str]] = &[];
        const ONE: &[&[&str]] = &[&["id"]];
        const TWO: &[&[&str]] = &[&["id"], &["in", "at"]];
        let hash = "c3316a9adc3bd913a776f78e9868d9c44784e16cec042163c3db41b8924388f1";
        let audit = r#"{
          "loggedDateTime": "2026-03-02T08:31:12Z",
          "loggedUser": "mara.k@example.org",
          "loggedRole": "Master Administrator",
          "accessType": "Console",
          "category": "Account Management",
          "activity": "Add user account",
          "result": "Successful",
          "details": { "accountName": "reader-02", "role": "Auditor" }
        }"#;
        let of_one = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b";
        let cases = [
            (NONE, audit, format!("s:{hash}"), Identity::Content),
            (ONE, audit, format!("s:{hash}"), Identity::Unkeyed),
            (ONE, r#"{"id":"WB-1:é\n"}"#, "s:WB-1:é\n".to_owned(), Identity::Named),
            (ONE, r#"{"id":12345678901234567890}"#, "s:12345678901234567890".to_owned(), Identity::Named),
            (TWO, r#"{"id":"a:b%","in":{"at":"1:2"}}"#, "s:a%3Ab%25:1:2".to_owned(), Identity::Named),
            (ONE, "1", format!("s:{of_one}"), Identity::Unkeyed),
        ];
        for (ids, json, wanted, identity) in cases {
            let mut key = "what was here before".to_owned();
            assert_eq!(identify(ids, json, &mut key), identity, "{json}");
            assert_eq!(key, wanted, "{json}");
        }
        let mut plain = String::new();
        for nameless in
            [r#"{"id":null}"#, r#"{"id":""}"#, r#"{"id":[1]}"#, r#"{"id":{}}"#, r#"{"id":"\ud800"}"#, "{}", "[]"]
        {
            assert_eq!(identify(ONE, nameless, &mut plain), Identity::Unkeyed, "{nameless}");
            assert_eq!(plain.len(), "s:".len() + 64, "{nameless}");
        }
        assert_eq!(identify(TWO, r#"{"id":"a","in":{}}"#, &mut plain), Identity::Unkeyed);
        assert_ne!(short("s:a"), short("s:b"));
    }

    fn identify(ids: &'static [&'static [&'static str]], json: &str, key: &mut String) -> Identity {
        let stream = crate::arbitrary::stream(ids, connectome_core::stream::TimeForm::Rfc3339, &[]);
        let raw = RawValue::from_string(json.to_owned()).expect("JSON");
        Keys::new(stream).identify(&Record::read(&raw, &stream.event), key)
    }
}
