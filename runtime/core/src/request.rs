//! From a validated input to a request. Pure: the same input gives the same bytes, and nothing is sent here.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::connector::Connector;
use crate::filter::{Filter, FilterPlace};
use crate::operation::{Method, Operation};
use crate::place::{Place, Wire};
use crate::shape::{Field, Literal, Record, Shape};
use crate::validate::{Violation, file_bytes, first_choice};

/// What is sent, but for what proves who the caller is.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query below the origin.
    pub target: String,
    /// Headers beside those of the connection.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

impl fmt::Debug for Request {
    /// Values may be secrets, so only their places show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        write!(f, "Request({} {path}, {headers:?}, {:?})", self.method.text(), self.body)
    }
}

/// A request's body.
#[derive(Clone, PartialEq)]
pub enum Body {
    /// None.
    Empty,
    /// JSON.
    Json(Value),
    /// Bytes as they are sent, and their media type.
    Bytes(&'static str, bytes::Bytes),
    /// A multipart form.
    Form(Vec<Part>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => write!(f, "Empty"),
            Body::Json(json) => write!(f, "Json({} bytes)", json.to_string().len()),
            Body::Bytes(media_type, bytes) => write!(f, "Bytes({media_type}, {} bytes)", bytes.len()),
            Body::Form(parts) => f.debug_list().entries(parts).finish(),
        }
    }
}

/// A part of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub content: Content,
}

/// What a part holds.
#[derive(Clone, PartialEq)]
pub enum Content {
    /// Text.
    Text(String),
    /// A file: its name, media type and bytes.
    File(String, &'static str, Vec<u8>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Content::File(name, media_type, bytes) => write!(f, "File({name:?}, {media_type}, {} bytes)", bytes.len()),
        }
    }
}

/// Everything but what RFC 3986 calls unreserved is encoded, in a path segment as in a query value.
pub(crate) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Colons and commas stay readable in a query.
pub(crate) const IN_QUERY: &AsciiSet = &ENCODED.remove(b':').remove(b',');

/// Builds the request. What only shows when all is put together, as a filter's length, is a violation here.
pub fn build(
    connector: &Connector,
    operation: &Operation,
    base_path: &str,
    input: &Map<String, Value>,
) -> Result<Request, Vec<Violation>> {
    let mut parts = Parts {
        target: Vec::new(),
        headers: Vec::new(),
        object: Map::new(),
        items: None,
        form: Vec::new(),
        violations: Vec::new(),
    };
    let path = fill(operation.call.path, input);
    for (name, value) in operation.headers {
        parts.headers.push((name, (*value).to_owned()));
    }
    let chosen = first_choice(operation.input.send_first, input).map(|choice| choice.field);
    for field in operation.input.fields {
        let rival = operation.input.send_first.iter().any(|choice| choice.field == field.name);
        if rival && chosen != Some(field.name) {
            continue;
        }
        if let Some(value) = input.get(field.name) {
            parts.place(field, value, input);
        }
    }
    for (name, value) in operation.query {
        match value.value() {
            // A list repeats the parameter.
            Value::Array(values) => parts.target.extend(values.iter().map(|value| (*name, joined(value, ",")))),
            _ => parts.target.push((name, value.text())),
        }
    }
    if let Some(Value::Object(fixed)) = operation.body.map(|body| body.value()) {
        parts.object.extend(fixed);
    }
    for (start, end) in operation.ordered {
        if let (Some(Value::String(first)), Some(Value::String(last))) = (input.get(*start), input.get(*end))
            && first > last
        {
            parts.wrong(format!("/{end}"), format!("a time that is not before {start}"), last.clone());
        }
    }
    // The root of a service that lives below a path is that path.
    let path = if path == "/" && !base_path.is_empty() { "" } else { &path };
    parts.finish(connector, operation, format!("{base_path}{path}"))
}

/// The path with its parameters, each as one segment.
pub fn fill(path: &str, input: &Map<String, Value>) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        let value = input.get(name).and_then(Value::as_str).unwrap_or_default();
        filled.extend(utf8_percent_encode(value, ENCODED));
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The same request with further query parameters.
pub fn with_query(request: &Request, query: &[(&str, Literal)]) -> Request {
    let mut request = request.clone();
    for (name, value) in query {
        request.target = crate::page::with_parameter(&request.target, name, &value.text());
    }
    request
}

struct Parts {
    target: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, String)>,
    object: Map<String, Value>,
    items: Option<Vec<Value>>,
    form: Vec<Part>,
    violations: Vec<Violation>,
}

impl Parts {
    fn wrong(&mut self, pointer: String, expected: impl Into<String>, found: impl Into<String>) {
        self.violations.push(Violation { pointer, expected: expected.into(), found: found.into() });
    }

    fn place(&mut self, field: &Field, value: &Value, input: &Map<String, Value>) {
        // An empty text is the same as none, except where it is a path, which validation has refused.
        if matches!(value, Value::String(text) if text.is_empty()) {
            return;
        }
        let sent = field.send.map_or_else(|| value.clone(), |convert| convert.apply(value.clone()));
        match field.place {
            Place::Control | Place::Path | Place::Key(..) | Place::Unsent => {}
            Place::Query(name, join) => {
                let text = joined(&sent, join);
                if field
                    .rules
                    .max_length
                    .is_some_and(|max| matches!(sent, Value::Array(_)) && text.chars().count() > max)
                {
                    self.wrong(
                        format!("/{}", field.name),
                        format!("at most {} characters when joined", field.rules.max_length.unwrap_or(0)),
                        text.chars().count().to_string(),
                    );
                }
                self.target.push((name, text));
            }
            Place::Header(name) => self.headers.push((name, joined(&sent, ","))),
            Place::Body(name) => {
                let sent = wire(&field.shape, sent);
                self.object.insert(name.to_owned(), sent);
            }
            Place::BodyItems(key) => {
                let Shape::List(element) = field.shape else { return };
                let Value::Array(items) = sent else { return };
                self.items = Some(
                    items
                        .into_iter()
                        .map(|item| match key {
                            Some(key) => Value::Object(Map::from_iter([(key.to_owned(), wire(element, item))])),
                            None => wire(element, item),
                        })
                        .collect(),
                );
            }
            Place::Part(name, media_type) => self.form.push(Part {
                name,
                content: match &sent {
                    Value::Object(file) => {
                        let filename = file.get("filename").and_then(Value::as_str).unwrap_or_default().to_owned();
                        Content::File(filename, media_type, file_bytes(file))
                    }
                    other => Content::Text(joined(other, ",")),
                },
            }),
            Place::Filter(filter) => self.filter(field, filter, value, input),
        }
    }

    fn filter(&mut self, field: &Field, filter: &Filter, value: &Value, input: &Map<String, Value>) {
        let Value::Object(entries) = value else { return };
        let operator = input.get(filter.operator).and_then(Value::as_str).unwrap_or("or");
        match filter.expression(entries, operator) {
            Err(problems) => {
                for Violation { pointer, expected, found } in problems {
                    self.wrong(format!("/{}{pointer}", field.name), expected, found);
                }
            }
            Ok(expression) if expression.is_empty() => {
                if filter.required {
                    self.wrong(
                        format!("/{}", field.name),
                        "at least one field to search by, since the service refuses a search without any",
                        "none",
                    );
                }
            }
            Ok(expression) => {
                let length = expression.chars().count();
                if filter.max_length.is_some_and(|max| length > max) {
                    self.wrong(
                        format!("/{}", field.name),
                        format!("a filter of at most {} characters", filter.max_length.unwrap_or(0)),
                        length.to_string(),
                    );
                }
                match filter.place {
                    FilterPlace::Header(name) => self.headers.push((name, expression)),
                    FilterPlace::Query(name) => self.target.push((name, expression)),
                }
            }
        }
    }

    fn finish(mut self, connector: &Connector, operation: &Operation, path: String) -> Result<Request, Vec<Violation>> {
        let query: Vec<String> = self
            .target
            .iter()
            .map(|(name, value)| {
                format!("{}={}", utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, IN_QUERY))
            })
            .collect();
        let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        // Text fields first, the file last: some services read a form in one pass.
        self.form.sort_by_key(|part| matches!(part.content, Content::File(..)));
        let body = match self.items {
            Some(items) => Body::Json(Value::Array(items)),
            None if !self.form.is_empty() => Body::Form(self.form),
            None if operation.array_of_one => Body::Json(Value::Array(vec![Value::Object(self.object)])),
            None if !self.object.is_empty() => Body::Json(Value::Object(self.object)),
            None => Body::Empty,
        };
        if let (Some(max), Body::Json(json)) = (connector.max_body, &body) {
            let length = json.to_string().len();
            if length > max {
                self.violations.push(Violation {
                    pointer: String::new(),
                    expected: format!("a request of at most {max} bytes"),
                    found: format!("{length}"),
                });
            }
        }
        if !self.violations.is_empty() {
            return Err(self.violations);
        }
        Ok(Request { method: operation.call.method, target, headers: self.headers, body })
    }
}

/// A value inside a body: records under their wire names, everything else as it is.
fn wire(shape: &Shape, value: Value) -> Value {
    match (shape, value) {
        (Shape::Record(record), Value::Object(fields)) => Value::Object(wire_record(record, &fields)),
        (Shape::List(element), Value::Array(items)) => items.into_iter().map(|item| wire(element, item)).collect(),
        (_, value) => value,
    }
}

fn wire_record(record: &Record, given: &Map<String, Value>) -> Map<String, Value> {
    let mut sent = Map::new();
    if let Some(variant) = record.variant
        && let (Some(Value::String(name)), Some(value)) = (given.get(variant.name), given.get(variant.value))
    {
        sent.insert(name.clone(), value.clone());
    }
    let chosen = first_choice(record.send_first, given).map(|choice| choice.field);
    let mut later = Vec::new();
    for field in record.fields {
        let rival = record.send_first.iter().any(|choice| choice.field == field.name);
        let varied = record.variant.is_some_and(|variant| field.name == variant.name || field.name == variant.value);
        if varied || (rival && chosen != Some(field.name)) {
            continue;
        }
        let (Some(value), Place::Key(names, beside)) = (given.get(field.name), field.place) else { continue };
        if matches!(value, Value::String(text) if text.is_empty()) {
            continue;
        }
        let Some(name) = wire_name(names, value) else { continue };
        let value =
            wire(&field.shape, field.send.map_or_else(|| value.clone(), |convert| convert.apply(value.clone())));
        match beside {
            Some(beside) => later.push((beside, name, value)),
            None => {
                sent.insert(name.to_owned(), value);
            }
        }
    }
    for (beside, name, value) in later {
        if sent.contains_key(beside) {
            sent.insert(name.to_owned(), value);
        }
    }
    sent
}

/// The first name whose condition holds.
pub fn wire_name(names: &'static [Wire], value: &Value) -> Option<&'static str> {
    let text = value.as_str().unwrap_or_default();
    names.iter().find(|wire| wire.when.is_none_or(|format| format.fits(text))).map(|wire| wire.name)
}

fn joined(value: &Value, join: &str) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| joined(item, join)).collect::<Vec<_>>().join(join),
        other => other.to_string(),
    }
}
