//! Values of answers under the user's names. What no table knows survives: unknown keys, unknown values, unknown kinds.
//!
//! Both bytes and values that are at hand are read so, once: no value is made under the wire's names to be renamed.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::names::NameRule;
use crate::place::{Place, Source};
use crate::shape::{Field, Record, Shape};

/// A value of an answer as the user sees it.
pub fn decode(names: NameRule, shape: &Shape, value: Value) -> Value {
    // A value that is at hand has nothing that could not be read.
    Reader::shown(names, shape).deserialize(value).unwrap_or_default()
}

/// How a value is read.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    names: NameRule,
    form: Form<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Form<'a> {
    /// As it came.
    Wire,
    /// As the user sees it.
    Shown(&'a Shape),
    /// As it came, but for the list at this path, whose elements are as the user sees them.
    Around(&'a [&'a str], &'a Shape),
    /// That list.
    List(&'a Shape),
}

impl<'a> Reader<'a> {
    /// Reads a value as it came.
    pub fn wire() -> Self {
        Self { names: NameRule::Same, form: Form::Wire }
    }

    /// Reads a value as the user sees it.
    pub fn shown(names: NameRule, shape: &'a Shape) -> Self {
        Self { names, form: Form::Shown(shape) }
    }

    /// Reads a value as it came, but for the list of records at a path, which are as the user sees them.
    pub fn around(names: NameRule, path: &'a [&'a str], record: &'a Shape) -> Self {
        Self { names, form: Form::Around(path, record).within() }
    }

    fn as_form(self, form: Form<'a>) -> Self {
        Self { form, ..self }
    }
}

impl Form<'_> {
    fn within(self) -> Self {
        match self {
            Form::Around([], record) => Form::List(record),
            other => other,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match (self.form, self.names) {
            (Form::Wire, _) | (Form::Shown(Shape::Any), NameRule::Same) => {
                serde::Deserialize::deserialize(deserializer)
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let element = match self.form {
            Form::Shown(Shape::List(element)) => Form::Shown(element),
            Form::Shown(_) => Form::Shown(&Shape::Any),
            Form::List(record) => Form::Shown(record),
            Form::Wire | Form::Around(..) => Form::Wire,
        };
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(self.as_form(element))? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        match self.form {
            Form::Shown(Shape::Record(record)) => return self.record(record, entries),
            Form::Shown(_) => {
                while let Some(name) = entries.next_key_seed(Name(self.names))? {
                    read.insert(name, entries.next_value_seed(self.as_form(Form::Shown(&Shape::Any)))?);
                }
            }
            Form::Wire | Form::Around(..) | Form::List(_) => {
                while let Some(name) = entries.next_key::<String>()? {
                    let form = match self.form {
                        Form::Around([first, rest @ ..], record) if name == *first => {
                            Form::Around(rest, record).within()
                        }
                        _ => Form::Wire,
                    };
                    let value = entries.next_value_seed(self.as_form(form))?;
                    read.insert(name, value);
                }
            }
        }
        Ok(Value::Object(read))
    }
}

impl Reader<'_> {
    fn record<'de, A: MapAccess<'de>>(self, record: &Record, mut entries: A) -> Result<Value, A::Error> {
        let mut shown = Map::with_capacity(record.fields.len());
        let mut varied = None;
        let mut next = 0;
        while let Some(key) = entries.next_key_seed(Keys { reader: self, record, next, varied: varied.is_some() })? {
            let form = match &key {
                Key::Kind(_) => Form::Wire,
                Key::Field(at) => Form::Shown(&record.fields[*at].shape),
                Key::Other(_) => Form::Shown(&Shape::Any),
            };
            let value = entries.next_value_seed(self.as_form(form))?;
            // A null says no more than an absent key, and typed readers want one of the two.
            if value.is_null() {
                continue;
            }
            match key {
                Key::Kind(kind) => varied = Some((kind, value)),
                Key::Field(at) => {
                    let field = &record.fields[at];
                    shown.insert(field.name.to_owned(), converted(field, value));
                    next = at + 1;
                }
                Key::Other(name) => {
                    shown.insert(name, value);
                }
            }
        }
        if let (Some(variant), Some((kind, value))) = (record.variant, varied) {
            shown.insert(variant.name.to_owned(), Value::from(kind));
            shown.insert(variant.value.to_owned(), value);
        }
        fill_defaults(record, &mut shown);
        Ok(Value::Object(shown))
    }
}

/// What a key of a record means.
enum Key {
    /// One of the keys of which a record has one.
    Kind(&'static str),
    /// The field at this place.
    Field(usize),
    /// A key that no table knows, as the user sees it.
    Other(String),
}

/// Reads keys of a record.
struct Keys<'a> {
    reader: Reader<'a>,
    record: &'a Record,
    /// The field that is looked at first: services write keys in the same order each time.
    next: usize,
    /// Whether there was a key of which a record has one. Another is kept as it came.
    varied: bool,
}

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Keys<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        let kinds = self.record.variant.filter(|_| !self.varied).map_or(&[][..], |variant| variant.of);
        if let Some((kind, _)) = kinds.iter().find(|(kind, _)| *kind == key) {
            return Ok(Key::Kind(kind));
        }
        let (before, after) = self.record.fields.split_at(self.next);
        let places = (self.next..).zip(after).chain((0..).zip(before));
        let found = places.into_iter().find(|(_, field)| is_under(field, key));
        Ok(found.map_or_else(|| Key::Other(self.reader.names.shown(key)), |(at, _)| Key::Field(at)))
    }
}

/// Reads keys of what no table knows.
struct Name(NameRule);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<String, E> {
        Ok(self.0.shown(key))
    }
}

/// A value in the form that its field gives it.
pub fn converted(field: &Field, value: Value) -> Value {
    match field.with {
        Some(convert) => convert.apply(value),
        None => value,
    }
}

fn fill_defaults(record: &Record, shown: &mut Map<String, Value>) {
    for field in record.fields {
        if let (Some(default), Source::Key) = (field.default, field.source)
            && !shown.contains_key(field.name)
        {
            shown.insert(field.name.to_owned(), default.value());
        }
    }
}

fn is_under(field: &Field, key: &str) -> bool {
    matches!(field.source, Source::Key)
        && matches!(field.place, Place::Key(names, _) if names.iter().any(|wire| wire.name == key))
}
