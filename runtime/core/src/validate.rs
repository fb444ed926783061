//! Input against its record, before anything is sent: every violation, each with the place, what was expected and what
//! was found. What passes comes out in one form: names instead of aliases, defaults filled in, dates and cases as sent.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::convert::Convert;
use crate::format::Format;
use crate::shape::{Choice, Field, Literal, Record, Rules, Shape};

/// One thing that is wrong with an input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Violation {
    /// Where, as a JSON pointer; empty for the whole.
    pub pointer: String,
    /// What was expected.
    pub expected: String,
    /// What was found. A secret is never shown.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the input" } else { &self.pointer };
        write!(f, "{place}: expected {}, found {}", self.expected, self.found)
    }
}

/// Checks a value against a record and brings it into the one form. `now` is for limits on age.
pub fn validate(record: &Record, value: &Value, now: Timestamp) -> Result<Map<String, Value>, Vec<Violation>> {
    let (object, violations) = examine(record, value, now);
    if violations.is_empty() { Ok(object) } else { Err(violations) }
}

/// As [`validate`], with what is right of a value that has mistakes: what is left may have more of them together.
pub(crate) fn examine(record: &Record, value: &Value, now: Timestamp) -> (Map<String, Value>, Vec<Violation>) {
    let mut check = Check { now, violations: Vec::new() };
    let object = check.record(record, value, "");
    (object, check.violations)
}

struct Check {
    now: Timestamp,
    violations: Vec<Violation>,
}

impl Check {
    fn wrong(&mut self, pointer: &str, expected: impl Into<String>, found: impl Into<String>) {
        self.violations.push(Violation { pointer: pointer.to_owned(), expected: expected.into(), found: found.into() });
    }

    fn record(&mut self, record: &Record, value: &Value, pointer: &str) -> Map<String, Value> {
        let mut made = Map::new();
        let Value::Object(given) = value else {
            self.wrong(pointer, format!("an object of type {}", record.name), show(value));
            return made;
        };
        for key in given.keys() {
            if record.field(key).is_none() {
                let names: Vec<&str> = record.fields.iter().map(|field| field.name).collect();
                let known =
                    if names.is_empty() { "no input".to_owned() } else { format!("one of {}", names.join(", ")) };
                self.wrong(&join(pointer, key), known, "an unknown field");
            }
        }
        for field in record.fields {
            if let Some(value) = self.field(field, given, pointer) {
                made.insert(field.name.to_owned(), value);
            }
        }
        if let Some(variant) = record.variant {
            self.variant(variant, &mut made, given, pointer);
        }
        self.endings(record, &made, pointer);
        if !record.send_first.is_empty() && first_choice(record.send_first, &made).is_none() {
            let mut names: Vec<&str> = record.send_first.iter().map(|choice| choice.field).collect();
            names.dedup();
            names.sort_unstable();
            names.dedup();
            self.wrong(pointer, format!("one of {}", names.join(" or ")), "none that fits");
        }
        made
    }

    /// The field's value in its one form, its default, or nothing.
    fn field(&mut self, field: &Field, given: &Map<String, Value>, pointer: &str) -> Option<Value> {
        let mut named = std::iter::once(field.name)
            .chain(field.aliases.iter().copied())
            .filter_map(|name| Some((name, given.get(name).filter(|value| !is_nothing(field, value))?)));
        let first = named.next();
        let place = join(pointer, first.map_or(field.name, |(name, _)| name));
        let Some((name, value)) = first else {
            if let Some(default) = field.default {
                return Some(default.value());
            }
            if field.required {
                let found = if given.contains_key(field.name) { "null" } else { "nothing" };
                let expected = if field.rules.one_of.is_empty() { field.shape.name() } else { one_of(&field.rules) };
                self.wrong(&place, expected, found);
            }
            return None;
        };
        let before = self.violations.len();
        let made = self.value(field, value, &place);
        for (other, again) in named {
            if self.value(field, again, &join(pointer, other)) != made {
                self.wrong(
                    &join(pointer, other),
                    format!("the same as {name}, which is another name for it"),
                    show(again),
                );
            }
        }
        if field.secret {
            for violation in &mut self.violations[before..] {
                violation.found = crate::secret::MASK.to_owned();
            }
        }
        made
    }

    fn value(&mut self, field: &Field, value: &Value, pointer: &str) -> Option<Value> {
        let before = self.violations.len();
        let made = self.shape(&field.shape, value, pointer)?;
        if self.violations.len() > before {
            return None;
        }
        // The rules of a list hold for each of its elements, but for its length.
        match made {
            Value::Array(items) => {
                self.length(&field.rules, items.len(), pointer);
                let items: Vec<Value> = items
                    .into_iter()
                    .enumerate()
                    .filter_map(|(at, item)| {
                        self.rules(&field.rules, field.send, item, &join(pointer, &at.to_string()))
                    })
                    .collect();
                Some(Value::Array(items))
            }
            made => self.rules(&field.rules, field.send, made, pointer),
        }
    }

    fn shape(&mut self, shape: &Shape, value: &Value, pointer: &str) -> Option<Value> {
        match (shape, value) {
            (Shape::Text, Value::String(_))
            | (Shape::Boolean, Value::Bool(_))
            | (Shape::Float, Value::Number(_))
            | (Shape::Object, Value::Object(_))
            | (Shape::Any, _) => Some(value.clone()),
            (Shape::Text, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                Some(Value::from(number.to_string()))
            }
            (Shape::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => Some(value.clone()),
            (Shape::Integer, Value::Number(number))
                if number.as_f64().is_some_and(|it| it.fract() == 0.0 && it.abs() < 9e15) =>
            {
                Some(Value::from(number.as_f64().unwrap_or_default() as i64))
            }
            (Shape::Integer, Value::String(text)) if text.parse::<i64>().is_ok() => {
                text.parse::<i64>().ok().map(Value::from)
            }
            (Shape::List(element), Value::Array(items)) => {
                let made = items
                    .iter()
                    .enumerate()
                    .filter_map(|(at, item)| self.shape(element, item, &join(pointer, &at.to_string())))
                    .collect();
                Some(Value::Array(made))
            }
            (Shape::Record(record), Value::Object(_)) => Some(Value::Object(self.record(record, value, pointer))),
            (Shape::File, Value::Object(file)) => self.file(file, pointer),
            _ => {
                self.wrong(pointer, shape.name(), show(value));
                None
            }
        }
    }

    fn file(&mut self, file: &Map<String, Value>, pointer: &str) -> Option<Value> {
        use base64::Engine;
        for key in file.keys().filter(|key| !matches!(key.as_str(), "content" | "filename")) {
            self.wrong(&join(pointer, key), "content and filename only", "an unknown field");
        }
        let name = match file.get("filename") {
            Some(Value::String(name)) if !base_name(name).is_empty() => base_name(name),
            Some(other) => {
                self.wrong(&join(pointer, "filename"), "a file name", show(other));
                return None;
            }
            None => {
                self.wrong(&join(pointer, "filename"), "a file name", "nothing");
                return None;
            }
        };
        match file.get("content") {
            Some(Value::String(content)) if base64::engine::general_purpose::STANDARD.decode(content).is_ok() => {
                Some(serde_json::json!({ "content": content, "filename": name }))
            }
            Some(Value::String(content)) => {
                self.wrong(
                    &join(pointer, "content"),
                    "the file's bytes in Base64",
                    format!("{} of something other than Base64", characters(content.chars().count())),
                );
                None
            }
            Some(other) => {
                self.wrong(&join(pointer, "content"), "the file's bytes in Base64", show(other));
                None
            }
            None => {
                self.wrong(&join(pointer, "content"), "the file's bytes in Base64", "nothing");
                None
            }
        }
    }

    fn length(&mut self, rules: &Rules, length: usize, pointer: &str) {
        let found = || format!("{length}");
        match (rules.min_items, rules.max_items) {
            (Some(min), Some(max)) if length < min || length > max => {
                self.wrong(pointer, format!("{min} to {max} elements"), found())
            }
            (Some(min), None) if length < min => {
                self.wrong(pointer, format!("at least {min} {}", elements(min)), found())
            }
            (None, Some(max)) if length > max => {
                self.wrong(pointer, format!("at most {max} {}", elements(max)), found())
            }
            _ => {}
        }
    }

    fn rules(&mut self, rules: &Rules, send: Option<Convert>, value: Value, pointer: &str) -> Option<Value> {
        let before = self.violations.len();
        let value = self.listed(rules, value, pointer);
        if let Some(refused) = rules.refuse.iter().find(|it| same(it, &value)) {
            self.wrong(pointer, format!("anything but {}", show(&refused.value())), show(&value));
        }
        let value = match value {
            Value::String(text) => self.text(rules, send, text, pointer),
            Value::Number(number) => {
                self.number(rules, number.as_f64().unwrap_or(f64::NAN), pointer);
                Value::Number(number)
            }
            Value::Object(file) if rules.utf8 => {
                self.utf8(&file, pointer);
                Value::Object(file)
            }
            value => value,
        };
        (self.violations.len() == before).then_some(value)
    }

    /// One of the listed values, in the case in which it is listed.
    fn listed(&mut self, rules: &Rules, value: Value, pointer: &str) -> Value {
        if rules.one_of.is_empty() {
            return value;
        }
        let fits = |listed: &&Literal| match (listed, &value) {
            (Literal::Text(listed), Value::String(text)) if rules.any_case => listed.eq_ignore_ascii_case(text.trim()),
            (listed, value) => same(listed, value),
        };
        match rules.one_of.iter().find(fits) {
            Some(listed) => listed.value(),
            None => {
                self.wrong(pointer, one_of(rules), show(&value));
                value
            }
        }
    }

    fn text(&mut self, rules: &Rules, send: Option<Convert>, text: String, pointer: &str) -> Value {
        let count = text.chars().count();
        if rules.min_length.is_some_and(|min| count < min) {
            self.wrong(
                pointer,
                format!("at least {}", characters(rules.min_length.unwrap_or(0))),
                if count == 0 { "an empty text".to_owned() } else { characters(count) },
            );
        }
        if rules.max_length.is_some_and(|max| count > max) {
            self.wrong(pointer, format!("at most {}", characters(rules.max_length.unwrap_or(0))), characters(count));
        }
        if let Some(max) = rules.max_bytes {
            let bytes = send.map_or(text.len(), |convert| convert.measured(&text).len());
            if bytes > max {
                self.wrong(pointer, format!("at most {max} bytes before encoding"), format!("{bytes}"));
            }
        }
        // Of an empty text the length says enough.
        let Some(format) = rules.format.filter(|_| count > 0 || rules.min_length.is_none()) else {
            return Value::from(text);
        };
        if format == Format::Timestamp {
            return self.timestamp(rules, text, pointer);
        }
        if !format.fits(&text) {
            self.wrong(pointer, format.describe(), show(&Value::from(without_password(format, &text))));
        }
        Value::from(text)
    }

    fn timestamp(&mut self, rules: &Rules, text: String, pointer: &str) -> Value {
        let time = match crate::time::parse(&text) {
            Ok(time) => time,
            Err(_) => {
                self.wrong(pointer, Format::Timestamp.describe(), show(&Value::from(text.as_str())));
                return Value::from(text);
            }
        };
        if let Some(age) = rules.max_age
            && self.now.as_second() - time.as_second() > age as i64
        {
            self.wrong(
                pointer,
                format!("a time within the last {} days", age / 86_400),
                show(&Value::from(text.as_str())),
            );
        }
        Value::from(crate::time::whole_seconds(time, rules.round_up))
    }

    fn number(&mut self, rules: &Rules, number: f64, pointer: &str) {
        let outside = rules.min.is_some_and(|min| number < min) || rules.max.is_some_and(|max| number > max);
        if outside {
            let expected = match (rules.min, rules.max) {
                (Some(min), Some(max)) => format!("a number from {min} to {max}"),
                (Some(min), None) => format!("a number of {min} or more"),
                (_, max) => format!("a number of {} or less", max.unwrap_or_default()),
            };
            self.wrong(pointer, expected, number.to_string());
        }
    }

    fn utf8(&mut self, file: &Map<String, Value>, pointer: &str) {
        let bytes = file_bytes(file);
        if std::str::from_utf8(&bytes).is_err() {
            self.wrong(&join(pointer, "content"), "a text file in UTF-8", "bytes that are not UTF-8");
        }
    }

    fn variant(
        &mut self,
        variant: &crate::shape::Variant,
        made: &mut Map<String, Value>,
        given: &Map<String, Value>,
        pointer: &str,
    ) {
        let (Some(Value::String(name)), Some(value)) = (made.get(variant.name), made.get(variant.value)) else {
            return;
        };
        let Some((_, rules)) = variant.of.iter().find(|(key, _)| key == name) else { return };
        let place = join(pointer, if given.contains_key(variant.value) { variant.value } else { variant.name });
        if let Some(value) = self.rules(rules, None, value.clone(), &place) {
            made.insert(variant.value.to_owned(), value);
        }
    }

    /// A file's name must end as another field says.
    fn endings(&mut self, record: &Record, made: &Map<String, Value>, pointer: &str) {
        for field in record.fields {
            let Some((other, endings)) = field.rules.extension_by else { continue };
            let (Some(Value::String(kind)), Some(file)) = (made.get(other), made.get(field.name)) else { continue };
            let name = file.get("filename").and_then(Value::as_str).unwrap_or_default();
            if let Some((_, ending)) = endings.iter().find(|(value, _)| value == kind)
                && !name.to_ascii_lowercase().ends_with(&format!(".{ending}"))
            {
                let place = join(&join(pointer, field.name), "filename");
                self.wrong(
                    &place,
                    format!("a name that ends in .{ending}, since {other} is {kind}"),
                    show(&Value::from(name)),
                );
            }
        }
    }
}

/// Null says nothing, and neither does an empty text or list where none is needed: forms send such for what was left out.
fn is_nothing(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() && !field.required,
        Value::Array(items) => items.is_empty() && !field.required,
        _ => false,
    }
}

fn one_of(rules: &Rules) -> String {
    let names: Vec<String> = rules.one_of.iter().map(|it| show(&it.value())).collect();
    format!("one of {}", names.join(", "))
}

fn characters(count: usize) -> String {
    format!("{count} {}", if count == 1 { "character" } else { "characters" })
}

fn elements(count: usize) -> &'static str {
    if count == 1 { "element" } else { "elements" }
}

/// The choice that is sent: the first whose field is given, not empty, and looks right.
pub fn first_choice<'a>(choices: &'a [Choice], given: &Map<String, Value>) -> Option<&'a Choice> {
    choices.iter().find(|choice| match given.get(choice.field) {
        Some(Value::String(text)) => !text.is_empty() && choice.when.is_none_or(|format| format.fits(text)),
        _ => false,
    })
}

/// The bytes of a file input that passed validation.
pub fn file_bytes(file: &Map<String, Value>) -> Vec<u8> {
    use base64::Engine;
    let content = file.get("content").and_then(Value::as_str).unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(content).unwrap_or_default()
}

/// The last component of a path of either kind, without control characters.
pub fn base_name(path: &str) -> String {
    let name: String =
        path.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    if matches!(name.as_str(), "." | "..") { String::new() } else { name }
}

fn same(listed: &Literal, value: &Value) -> bool {
    match (listed.value(), value) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (listed, value) => listed == *value,
    }
}

pub(crate) fn join(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The root of a service as a message shows it: people paste one with the name and password that it does not take.
fn without_password(format: Format, text: &str) -> String {
    match (format, text.split_once("://"), text.rsplit_once('@')) {
        (Format::BaseUrl, Some((scheme, _)), Some((_, host))) => format!("{scheme}://{}@{host}", crate::secret::MASK),
        _ => text.to_owned(),
    }
}

/// A value as a message shows it: never longer than a line.
pub(crate) fn show(value: &Value) -> String {
    let text = match value {
        Value::Array(items) => return format!("a list of {}", items.len()),
        Value::Object(_) => return "an object".to_owned(),
        Value::String(text) => Value::from(crate::origin::without_user(text)).to_string(),
        other => other.to_string(),
    };
    if text.chars().count() > 80 { format!("{}…", text.chars().take(79).collect::<String>()) } else { text }
}
