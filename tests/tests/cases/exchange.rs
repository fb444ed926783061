//! An exchange as it is written down, and how a request that was made differs from it.

use std::sync::LazyLock;

use connectome_core::file::File;
use connectome_tests::script::{Asked, Prepared};
use connectome_tests::simulated::TOKEN;
use serde_json::{Value, json};

use crate::{list, read, text};

pub static EXCHANGES: LazyLock<Value> =
    LazyLock::new(|| read(include_str!("../../cases/trend-vision-one/exchanges.json")));

/// Headers that some requests have and others must not have.
const TELLING: [&str; 4] = ["Authorization", "If-Match", "TMV1-Filter", "TMV1-Query"];

/// A request and the service's answer to it.
#[derive(Clone)]
pub struct Exchange {
    pub request: Value,
    pub response: Value,
}

pub fn exchange(name: &str) -> Exchange {
    let found = EXCHANGES.get(name).unwrap_or_else(|| panic!("there is no exchange {name}"));
    Exchange { request: found["request"].clone(), response: found["response"].clone() }
}

impl Exchange {
    /// The answer, for a server to give.
    pub fn prepared(&self) -> Prepared {
        let status = self.response["status"].as_u64().and_then(|it| u16::try_from(it).ok()).expect("a status");
        let mut prepared = match (self.response.get("body"), self.response.get("text")) {
            (Some(json), _) => Prepared::json(status, json),
            (None, Some(body)) => Prepared { body: text(body).to_owned().into(), ..Prepared::empty(status) },
            (None, None) => Prepared::empty(status),
        };
        for (name, value) in self.response["headers"].as_object().into_iter().flatten() {
            prepared = prepared.header(name, text(value));
        }
        prepared
    }

    /// The same with further query parameters.
    pub fn and_asks(mut self, query: &str) -> Self {
        let target = text(&self.request["target"]);
        let joint = if target.contains('?') { '&' } else { '?' };
        self.request["target"] = json!(format!("{target}{joint}{query}"));
        self
    }

    /// What is different about a request that was made.
    pub fn differences(&self, asked: &Asked) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, expected: String, made: String| {
            if expected != made {
                found.push(format!("{what}: expected {expected}\n{:>pad$}: made     {made}", "", pad = what.len()));
            }
        };
        differ("method", text(&self.request["method"]).to_owned(), asked.method.clone());
        let (path, query) = parted(text(&self.request["target"]));
        let (made_path, made_query) = parted(&asked.target);
        differ("path", path.to_owned(), made_path.to_owned());
        differ("query", format!("{:?}", pairs(query, str::to_owned)), format!("{:?}", pairs(made_query, decoded)));
        let listed = self.request["headers"].as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        for name in TELLING.into_iter().chain(listed) {
            let usual = (name == "Authorization").then(|| format!("Bearer {TOKEN}"));
            let expected = self.request["headers"].get(name).map(|value| text(value).to_owned()).or(usual);
            differ(name, format!("{expected:?}"), format!("{:?}", asked.header(name).map(str::to_owned)));
        }
        let media_type = asked.header("Content-Type").map(|it| it.split(';').next().unwrap_or_default().to_owned());
        match (self.request.get("body"), self.request.get("form")) {
            (Some(body), _) => {
                differ("media type", r#"Some("application/json")"#.to_owned(), format!("{media_type:?}"));
                let made: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
                if *body != made {
                    differ("body", body.to_string(), made.to_string());
                }
            }
            (None, Some(form)) => {
                differ("media type", r#"Some("multipart/form-data")"#.to_owned(), format!("{media_type:?}"));
                let mut expected: Vec<Part> = list(form).iter().map(Part::written).collect();
                let mut made = parts(asked);
                differ(
                    "last part",
                    format!("{:?}", expected.last().map(|part| &part.name)),
                    format!("{:?}", made.last().map(|part| &part.name)),
                );
                expected.sort();
                made.sort();
                differ("form", format!("{expected:?}"), format!("{made:?}"));
            }
            (None, None) => differ("body", String::new(), String::from_utf8_lossy(&asked.body).into_owned()),
        }
        found
    }
}

/// Path and query of a target.
fn parted(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// The parameters of a query, in an order that says nothing.
fn pairs(query: &str, read: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut pairs: Vec<(String, String)> = pairs.map(|(name, value)| (read(name), read(value))).collect();
    pairs.sort();
    pairs
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = [rest.next(), rest.next()].into_iter().flatten().map(char::from).collect();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
            }
            other => other,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// A part of a form.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    name: String,
    filename: Option<String>,
    media_type: Option<String>,
    content: Vec<u8>,
}

impl Part {
    fn written(part: &Value) -> Self {
        let own = |key: &str| part.get(key).map(|value| text(value).to_owned());
        let content = match own("text") {
            Some(text) => text.into_bytes(),
            None => {
                serde_json::from_value::<File>(json!({ "content": part["content"], "filename": part["filename"] }))
                    .expect("a file")
                    .content
            }
        };
        Self {
            name: text(&part["name"]).to_owned(),
            filename: own("filename"),
            media_type: own("content_type"),
            content,
        }
    }
}

/// The parts of a form as they came.
fn parts(asked: &Asked) -> Vec<Part> {
    let Some((_, boundary)) = asked.header("Content-Type").and_then(|it| it.split_once("boundary=")) else {
        return Vec::new();
    };
    // Latin-1, so that every byte is one character and comes back as it was.
    let body: String = asked.body.iter().copied().map(char::from).collect();
    let delimiter = format!("--{}\r\n", boundary.trim_matches('"'));
    let end = format!("--{}--", boundary.trim_matches('"'));
    let (body, _) = body.split_once(&end).expect("an end of the form");
    let quoted = |head: &str, name: &str| {
        head.split_once(&format!("{name}=\""))
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
    };
    body.split(&delimiter)
        .skip(1)
        .map(|part| {
            let (head, content) = part.split_once("\r\n\r\n").expect("a head");
            let line = |name: &str| {
                head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).unwrap_or_default()
            };
            let disposition = line("content-disposition");
            Part {
                name: quoted(disposition, " name").expect("a name"),
                filename: quoted(disposition, "filename"),
                media_type: line("content-type").split_once(": ").map(|(_, value)| value.to_owned()),
                content: content
                    .strip_suffix("\r\n")
                    .unwrap_or(content)
                    .chars()
                    .map(|c| u8::try_from(u32::from(c)).expect("a byte"))
                    .collect(),
            }
        })
        .collect()
}
