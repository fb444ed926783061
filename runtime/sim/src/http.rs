//! Requests and answers as the simulator sees them.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// Headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An object of values that are at hand: `json!` would copy each.
pub(crate) fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// How it is sent.
    pub manner: Manner,
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As it should be.
    Well,
    /// After a while.
    Late(Duration),
    /// Byte by byte over a while.
    Dripping(Duration),
    /// Half of it, then the connection ends.
    Torn,
    /// The connection is reset before a byte is sent.
    Reset,
}

impl Reply {
    /// An empty answer.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), manner: Manner::Well }
    }

    /// JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        // A value at hand can be written.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { body: body.into(), ..Self::empty(status) }.header("Content-Type", "application/json")
    }

    /// Bytes of a media type.
    pub fn bytes(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::empty(status) }.header("Content-Type", media_type)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}
