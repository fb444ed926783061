//! Values of answers under the user's names. What no table knows survives: unknown keys, unknown values, unknown kinds.

use serde_json::{Map, Value};

use crate::names::NameRule;
use crate::place::{Place, Source};
use crate::shape::{Field, Record, Shape};

/// A value of an answer as the user sees it.
pub fn decode(names: NameRule, shape: &Shape, value: Value) -> Value {
    match (shape, value) {
        (Shape::Record(record), Value::Object(entries)) => Value::Object(decode_record(names, record, entries)),
        (Shape::List(element), Value::Array(items)) => {
            items.into_iter().map(|item| decode(names, element, item)).collect()
        }
        (_, value) => names.show(value),
    }
}

fn decode_record(names: NameRule, record: &Record, entries: Map<String, Value>) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut varied = None;
    for (key, value) in entries {
        // A null says no more than an absent key, and typed readers want one of the two.
        if value.is_null() {
            continue;
        }
        // Of two such keys the first is the one, and the other is kept as it came.
        if let Some(variant) = record.variant
            && varied.is_none()
            && variant.of.iter().any(|(name, _)| *name == key)
        {
            varied = Some((variant, key, value));
            continue;
        }
        match record.fields.iter().find(|field| is_under(field, &key)) {
            Some(field) => {
                let value = decode(names, &field.shape, value);
                shown.insert(field.name.to_owned(), converted(field, value));
            }
            None => {
                shown.insert(names.shown(&key), names.show(value));
            }
        }
    }
    if let Some((variant, key, value)) = varied {
        shown.insert(variant.name.to_owned(), Value::from(key));
        shown.insert(variant.value.to_owned(), value);
    }
    fill_defaults(record, &mut shown);
    shown
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
