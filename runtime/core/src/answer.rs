//! An answer as it came, and how parts of it are found.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeSeed;
use serde_json::{Map, Value};

use crate::connector::ErrorBody;
use crate::decode::Reader;
use crate::error::{Error, ErrorKind, ServiceError};

/// Status, headers and body of an answer.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Bytes,
}

impl fmt::Debug for Answer {
    /// Headers and body may hold secrets, and are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON, whatever the media type says: some services label it as text.
    pub fn json(&self) -> Result<Value, Error> {
        self.read(Reader::wire())
    }

    /// The same, read in another manner.
    pub fn read(&self, reader: Reader<'_>) -> Result<Value, Error> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        let read = reader.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
        read.map_err(|error| {
            let text = String::from_utf8_lossy(&self.body);
            let message = if self.body.is_empty() {
                format!("the service answered {} with an empty body where JSON was expected", self.status)
            } else if text.trim_start().starts_with(['{', '[']) {
                // A piece of JSON may hold a secret that nobody can tell any more.
                format!("the service answered {} with broken JSON ({error})", self.status)
            } else {
                let shown: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
                format!("the service answered {} with something that is not JSON ({error}): {shown}", self.status)
            };
            Error::new(ErrorKind::Protocol, message)
                .advice("a proxy or another server may be in between: check the URL")
        })
    }

    /// What the service says went wrong. Lenient: JSON of several shapes, HTML, text, nothing.
    pub fn service_error(&self, form: &ErrorBody) -> ServiceError {
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(body) => read_error(self.status, &body, form),
            Err(_) => ServiceError { status: self.status, message: plain_text(&self.body), ..ServiceError::default() },
        }
    }
}

/// Reads an error out of a JSON body: under one of the known keys, or at the top. Of a list every text is told.
pub fn read_error(status: u16, body: &Value, form: &ErrorBody) -> ServiceError {
    let inner = form.under.iter().find_map(|key| body.get(*key)).unwrap_or(body);
    if let Value::Array(all) = inner {
        let all = all.iter().map(|one| read_one(status, one, form));
        let told = all.reduce(|mut told, one| {
            told.message =
                [told.message, one.message].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("; ");
            told
        });
        return told.unwrap_or_else(|| ServiceError { status, ..ServiceError::default() });
    }
    read_one(status, inner, form)
}

fn read_one(status: u16, inner: &Value, form: &ErrorBody) -> ServiceError {
    if let Value::String(message) = inner {
        return ServiceError { status, message: message.clone(), ..ServiceError::default() };
    }
    let text = |key: &str| match inner.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    ServiceError {
        status,
        code: text(form.code),
        message: text(form.message),
        number: form.number.and_then(|key| inner.get(key)).and_then(Value::as_i64),
    }
}

/// The value at a path of keys. An empty path is the whole.
pub fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(*key)).filter(|value| !value.is_null())
}

/// Sets the value at a path of keys, and makes what is missing on the way. In a list a number is an index.
pub fn set(body: &mut Value, path: &[&str], value: Value) {
    let Some((key, rest)) = path.split_first() else {
        *body = value;
        return;
    };
    if let (Value::Array(items), Ok(index)) = (&mut *body, key.parse::<usize>()) {
        if items.len() <= index {
            items.resize(index + 1, Value::Null);
        }
        return set(&mut items[index], rest, value);
    }
    if !body.is_object() {
        *body = Value::Object(Map::new());
    }
    if let Value::Object(fields) = body {
        set(fields.entry(*key).or_insert(Value::Null), rest, value);
    }
}

/// A page of HTML or text in one short line.
fn plain_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut plain = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                plain.push(' ');
            }
            letter if !inside => plain.push(letter),
            _ => {}
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: ErrorBody = ErrorBody {
        under: &["error", "errror"],
        code: "code",
        message: "message",
        number: Some("number"),
        in_success: false,
    };

    fn read(status: u16, body: &str) -> ServiceError {
        Answer { status, headers: Vec::new(), body: Bytes::copy_from_slice(body.as_bytes()) }.service_error(&FORM)
    }

    #[test]
    fn errors_are_read_in_every_shape_they_come_in() {
        let full =
            ServiceError { status: 400, code: "BadRequest".into(), message: "text".into(), number: Some(1_010_406) };
        assert_eq!(read(400, r#"{"error":{"code":"BadRequest","message":"text","number":1010406}}"#), full);
        assert_eq!(read(400, r#"{"errror":{"code":"BadRequest","message":"text","number":1010406}}"#), full);
        assert_eq!(read(400, r#"{"code":"BadRequest","message":"text","number":1010406}"#), full);
        assert_eq!(read(503, "<html><body><h1>Service</h1>unavailable</body></html>").message, "Service unavailable");
        assert_eq!(read(502, "").message, "");
        let several = r#"{"error":[{"code":"A","message":"one"},"two",{},{"message":"three"}]}"#;
        let told = read(200, several);
        assert_eq!((told.code.as_str(), told.message.as_str()), ("A", "one; two; three"));
        assert_eq!(read(200, r#"{"error":[]}"#).message, "");
        assert_eq!(read(500, r#"{"error":null}"#), ServiceError { status: 500, ..ServiceError::default() });
    }
}
