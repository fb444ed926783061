//! Values that must never be shown, and the removal of such values from texts that others wrote.

use std::fmt;
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::connector::Connector;
use crate::operation::Operation;
use crate::shape::{Field, Shape};

/// A text that does not print: `{:?}` shows `[secret]`, and there is no `Display`. Its memory is cleared when it goes.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The text itself. Where this is called is where a secret could leak.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Writes a secret into a request's input. Generated inputs name this function; nothing else should.
pub fn into_request<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_str(secret.expose()),
        None => serializer.serialize_none(),
    }
}

/// Knows the secrets of a connection and takes them out of any text: a service may send back what it was sent.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Mutex<Vec<Secret>>>);

/// What stands where a secret stood.
pub const MASK: &str = "[secret]";

/// Shorter texts are not searched for: they would tear up ordinary words.
const SHORTEST: usize = 6;

impl Redactor {
    /// Adds a secret to look for. One of fewer than 6 bytes is not found in texts: mask it where it stands.
    pub fn learn(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let mut known = self.lock();
        if !known.iter().any(|it| it.expose() == secret) {
            known.push(Secret::new(secret));
        }
    }

    /// Adds what an operation's output holds in secret fields.
    pub(crate) fn learn_output(&self, field: &Field, output: &Value) {
        if let Some(value) = output.get(field.name) {
            let named = Map::from_iter([(field.name.to_owned(), value.clone())]);
            self.learn_named(field, &Value::Object(named));
        }
    }

    /// Adds any value under a secret field's name, wherever it stands.
    fn learn_named(&self, field: &Field, value: &Value) {
        let mut names: Vec<&str> = Vec::new();
        secret_names(field, &mut names);
        walk(value, &mut |key, value| match value {
            Value::String(secret) if names.contains(&key) => self.learn(secret),
            Value::Number(secret) if names.contains(&key) => self.learn(&secret.to_string()),
            _ => {}
        });
    }

    /// An answer's body without its secrets, for a log. Where those cannot be found, there is nothing but its size.
    pub(crate) fn loggable(&self, connector: &Connector, operation: &Operation, answer: &Answer) -> String {
        let fields = || operation.output.iter().map(|output| &output.field);
        let mut names = Vec::new();
        fields().for_each(|field| secret_names(field, &mut names));
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(body) => {
                let shown = connector.names.show(body);
                fields().for_each(|field| self.learn_named(field, &shown));
            }
            Err(_) if names.is_empty() => {}
            Err(_) => return format!("{} bytes that are no JSON", answer.body.len()),
        }
        self.clean(&String::from_utf8_lossy(&answer.body))
    }

    /// The text without any secret that is known: neither plain, nor escaped as in JSON, nor encoded as in a URL, nor cut
    /// off where the text ends.
    pub fn clean(&self, text: &str) -> String {
        let known = self.lock();
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            match known.iter().filter_map(|secret| spelled(rest, secret.expose())).max() {
                Some(length) => {
                    clean.push_str(MASK);
                    rest = &rest[length..];
                }
                None => {
                    clean.push(first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        clean
    }

    /// The value without any secret that is known in its texts.
    pub fn cleaned(&self, mut value: Value) -> Value {
        self.clean_value(&mut value);
        value
    }

    /// Takes every secret that is known out of a value's texts.
    pub fn clean_value(&self, value: &mut Value) {
        match value {
            // Few texts are long enough to hold one, and fewer begin as one does: most are not looked at twice.
            Value::String(text)
                if text.len() >= SHORTEST && self.lock().iter().any(|secret| may_hold(text, secret.expose())) =>
            {
                *text = self.clean(text);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_value(item)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.clean_value(value)),
            _ => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Secret>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn secret_names(field: &Field, names: &mut Vec<&'static str>) {
    if field.secret {
        names.push(field.name);
    }
    let mut shape = field.shape;
    while let Shape::List(element) = shape {
        shape = *element;
    }
    if let Shape::Record(record) = shape {
        record.fields.iter().for_each(|field| secret_names(field, names));
    }
}

fn walk(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                see(key, value);
                walk(value, see);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

/// Whether a text may hold a secret: it does plainly, or has letters that are written in another way.
fn may_hold(text: &str, secret: &str) -> bool {
    text.contains(['%', '\\']) || {
        let end = secret.char_indices().nth(SHORTEST).map_or(secret.len(), |(at, _)| at);
        text.contains(&secret[..end])
    }
}

/// How much of the text, from its start, spells a secret or as much of it as there was room for.
fn spelled(text: &str, secret: &str) -> Option<usize> {
    // Most places are none where a secret begins, and this is quick to see.
    if !text.starts_with(['%', '\\', '+']) && text.chars().next() != secret.chars().next() {
        return None;
    }
    let mut ends = vec![text];
    for (count, letter) in secret.chars().enumerate() {
        if count >= SHORTEST
            && let Some(end) = ends.iter().find(|rest| is_cut_off(rest))
        {
            return Some(text.len() - end.len() + end.trim_end_matches('…').len());
        }
        ends = ends.into_iter().flat_map(|rest| spellings(rest, letter)).flatten().collect();
        ends.dedup();
        if ends.is_empty() {
            return None;
        }
    }
    ends.into_iter().map(|rest| text.len() - rest.len()).max().filter(|length| *length > 0)
}

/// Whether nothing is left but what may be half of an escaped letter.
fn is_cut_off(rest: &str) -> bool {
    let rest = rest.trim_end_matches('…');
    rest.is_empty()
        || (rest.len() < 8
            && rest.starts_with(['%', '\\'])
            && rest[1..].bytes().all(|b| b.is_ascii_hexdigit() || b"%u{\\".contains(&b)))
}

/// What is left of the text after the letter, for each way to write it that the text may have used. Any number of
/// backslashes may stand before a letter, as texts are quoted within quoted texts; so none of them is counted.
fn spellings(text: &str, letter: char) -> [Option<&str>; 4] {
    let bare = text.trim_start_matches('\\');
    let escaped = &text[text.len() - bare.len() - usize::from(bare.len() < text.len())..];
    [
        match letter {
            '\\' => Some(bare),
            ' ' => bare.strip_prefix([' ', '+']),
            _ => bare.strip_prefix(letter),
        },
        coded(text, letter.encode_utf8(&mut [0; 4]).bytes().map(|byte| ("%", u32::from(byte), 2, ""))),
        coded(escaped, letter.encode_utf16(&mut [0; 2]).iter().map(|unit| ("\\u", u32::from(*unit), 4, ""))),
        coded(escaped, std::iter::once(("\\u{", u32::from(letter), 0, "}"))),
    ]
}

/// What is left of the text after these codes: what comes before each, its hexadecimal digits, and what comes after.
fn coded(text: &str, codes: impl Iterator<Item = (&'static str, u32, usize, &'static str)>) -> Option<&str> {
    let mut rest = text;
    for (before, code, digits, after) in codes {
        rest = rest.strip_prefix(before)?;
        let length = if digits > 0 { digits } else { rest.find('}')? };
        let given = rest.get(..length).filter(|given| given.bytes().all(|b| b.is_ascii_hexdigit()))?;
        if u32::from_str_radix(given, 16) != Ok(code) {
            return None;
        }
        rest = rest[length..].strip_prefix(after)?;
    }
    Some(rest)
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("eyJ0eXAi")), "[secret]");
    }

    #[test]
    fn a_known_secret_is_taken_out_of_any_text() {
        let redactor = Redactor::default();
        redactor.learn("eyJ0eXAi");
        assert_eq!(redactor.clean("token eyJ0eXAi is wrong"), "token [secret] is wrong");
    }

    #[test]
    fn a_secret_is_known_however_it_is_written() {
        let redactor = Redactor::default();
        redactor.learn(r#"a "b/c\\d+é%41"#);
        redactor.learn("a \"b/c");
        for text in [
            r#"a "b/c\\d+é%41"#,
            r#"a \"b\/c\\\\d+é%41"#,
            r#"a \u0022b\u002Fc\u005c\u005Cd+\u00e9%41"#,
            "a%20%22b%2Fc%5C%5cd%2B%c3%A9%2541",
            "a+%22b/c%5C%5Cd%2B%C3%A9%2541",
            r#"a \"b/c\u{5c}\\d+\u{e9}%41"#,
            r#"a \\\"b\\\/c\\\\\\\\d+\\u00e9%41"#,
        ] {
            assert_eq!(redactor.clean(&format!("é<{text}>")), "é<[secret]>", "{text}");
        }
    }

    #[test]
    fn a_secret_that_a_text_cuts_off_is_known_from_its_beginning() {
        let redactor = Redactor::default();
        redactor.learn("eyJ0/XAiOiJKV1Qi");
        assert_eq!(redactor.clean("wrong: eyJ0/XAiO"), "wrong: [secret]");
        assert_eq!(redactor.clean("wrong: eyJ0%2fXAiO…"), "wrong: [secret]…");
        assert_eq!(redactor.clean("wrong: eyJ0%2fXAi%4"), "wrong: [secret]");
        assert_eq!(redactor.clean("wrong: eyJ0/ and more"), "wrong: eyJ0/ and more");
    }
}
