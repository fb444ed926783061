//! A record's template, read once: constant JSON with generators between, so that a record is written without a tree.

use std::collections::HashMap;

use serde_json::Value;

use crate::record::{Maker, is_generator};

/// A template that writes records.
#[derive(Debug, Default)]
pub struct Template {
    pieces: Vec<Piece>,
    /// What stands at the end of `pieces` while it is built.
    text: String,
    turn: u64,
    /// The turn before the first generator of each field.
    starts: HashMap<String, u64>,
}

#[derive(Debug)]
enum Piece {
    /// JSON as it stands.
    Text(String),
    /// A value of its own: the generator and its turn.
    Whole(String, u64),
    /// A part of a text.
    Inside(String, u64),
}

impl Template {
    /// Reads a template. What only the simulator knows is not written.
    pub fn new(template: &Value) -> Self {
        let mut made = Self::default();
        match template {
            Value::Object(fields) => {
                let mut first = true;
                made.text.push('{');
                for (name, value) in fields {
                    made.starts.insert(name.clone(), made.turn);
                    if name.starts_with('_') {
                        made.turn += turns(value);
                        continue;
                    }
                    made.member(&mut first, name, value);
                }
                made.text.push('}');
            }
            other => made.value(other),
        }
        made.flush();
        made
    }

    fn member(&mut self, first: &mut bool, name: &str, value: &Value) {
        if !std::mem::take(first) {
            self.text.push(',');
        }
        self.text.push_str(&Value::from(name).to_string());
        self.text.push(':');
        self.value(value);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.text.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.text.push(',');
                    }
                    self.value(item);
                }
                self.text.push(']');
            }
            Value::Object(fields) => {
                self.text.push('{');
                let mut first = true;
                for (name, value) in fields {
                    self.member(&mut first, name, value);
                }
                self.text.push('}');
            }
            other => self.text.push_str(&other.to_string()),
        }
    }

    fn string(&mut self, text: &str) {
        if let Some(generator) = whole(text) {
            self.turn += 1;
            self.flush();
            self.pieces.push(Piece::Whole(generator.to_owned(), self.turn));
            return;
        }
        self.text.push('"');
        let parts = parts(text);
        for (constant, generator) in parts {
            self.text.push_str(inner(&Value::from(constant).to_string()));
            if let Some(generator) = generator {
                self.turn += 1;
                self.flush();
                self.pieces.push(Piece::Inside(generator.to_owned(), self.turn));
            }
        }
        self.text.push('"');
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    /// The turn with which a field begins when nothing else of the record is made.
    pub fn start(&self, field: &str) -> Option<u64> {
        self.starts.get(field).copied()
    }

    /// Writes a record.
    pub fn write(&self, maker: &Maker<'_>, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Whole(generator, turn) => {
                    // Writing to a vector cannot fail.
                    let _ = serde_json::to_writer(&mut *out, &maker.generate(generator, *turn));
                }
                Piece::Inside(generator, turn) => match maker.generate(generator, *turn) {
                    Value::String(text) => out.extend_from_slice(inner(&Value::from(text).to_string()).as_bytes()),
                    other => out.extend_from_slice(other.to_string().as_bytes()),
                },
            }
        }
    }
}

/// What stands between the quotes.
fn inner(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(quoted)
}

/// The generator that is the whole of a text.
pub fn whole(text: &str) -> Option<&str> {
    text.strip_prefix('{').and_then(|it| it.strip_suffix('}')).filter(|it| !it.is_empty() && !it.contains(['{', '}']))
}

/// Constant text and the generator behind it, again and again.
fn parts(text: &str) -> Vec<(String, Option<&str>)> {
    let (mut parts, mut constant, mut rest) = (Vec::new(), String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        constant.push_str(before);
        match after.split_once('}') {
            Some((generator, after)) if is_generator(generator) => {
                parts.push((std::mem::take(&mut constant), Some(generator)));
                rest = after;
            }
            _ => {
                constant.push('{');
                rest = after;
            }
        }
    }
    constant.push_str(rest);
    parts.push((constant, None));
    parts
}

/// How many generators run in a value.
fn turns(value: &Value) -> u64 {
    match value {
        Value::String(text) if whole(text).is_some() => 1,
        Value::String(text) => parts(text).iter().filter(|(_, generator)| generator.is_some()).count() as u64,
        Value::Array(items) => items.iter().map(turns).sum(),
        Value::Object(fields) => fields.values().map(turns).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::behave::shown;

    #[test]
    fn a_record_is_written_as_it_is_made() {
        let template = json!({
            "id": "x-{id:5}", "_secret": "{hex:8}-{guid}", "n": "{n}", "list": ["{int:1-900}", "a {pick:b|c\"d} {odd} {", 7, null],
            "deep": { "_kept": "{guid}", "when": "{time:-5}", "\"key\"": "{millis}" }, "odd": "{odd}", "end": "é\n{guid}\\",
            "other": "{from:hosts.name}", "empty": {}, "none": []
        });
        for number in 0..50 {
            let maker = Maker {
                seed: 3,
                number,
                moment: 1_718_089_200_417,
                seen: 1_718_089_260_000,
                other: &|_, number, _| json!(format!("host \"{number}\"")),
                fields: &Map::new(),
            };
            let mut out = Vec::new();
            let written = Template::new(&template);
            written.write(&maker, &mut out);
            let record = maker.make(&template);
            assert_eq!(String::from_utf8(out).unwrap(), shown(&record).to_string());
            for (name, value) in record.as_object().unwrap() {
                assert_eq!(maker.make_from(&template[name], written.start(name).unwrap()), *value, "{name}");
            }
        }
    }
}
