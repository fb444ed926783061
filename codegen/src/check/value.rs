//! Whether a JSON value fits a type and its rules, as far as that shows without running anything.

use serde_json::Value as Json;

use crate::model::{Connector, Field, Rules, Type};
use crate::names::plain;
use crate::source::Span;
use crate::yaml::{Node, Value};

/// What does not fit, and where: keys and indices from the value down.
pub type Misfit = (Vec<String>, String);

/// How strictly a value is held to its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// An input: unknown names are wrong, numbers may stand for texts.
    Input,
    /// An output: unknown names are welcome.
    Output,
}

/// What of a literal a misfit is about: a value, or the key of a value that is more than one line.
pub fn span_at(literal: &Node, (place, why): &Misfit) -> Span {
    let mut node = literal;
    for key in place {
        let next = match &node.value {
            Value::Map(entries) => entries.iter().find(|(name, _)| name.value == *key).map(|(_, next)| next),
            Value::List(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        let Some(next) = next else { break };
        node = next;
    }
    let whole = matches!(node.value, Value::Map(_) | Value::List(_)) || why.starts_with(UNKNOWN);
    if whole { node.named() } else { node.span }
}

/// How a misfit begins that is about a key.
const UNKNOWN: &str = "no field is called";

/// Checks an object against fields.
pub fn object(connector: &Connector, fields: &[Field], value: &Json, side: Side) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    record(connector, fields, value, side, &mut Vec::new(), &mut misfits);
    misfits
}

/// Checks a value against a field's type and rules.
pub fn field(connector: &Connector, field: &Field, value: &Json, side: Side) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    typed(connector, &field.ty, &field.rules, value, side, &mut Vec::new(), &mut misfits);
    misfits
}

fn record(
    connector: &Connector,
    fields: &[Field],
    value: &Json,
    side: Side,
    place: &mut Vec<String>,
    misfits: &mut Vec<Misfit>,
) {
    let Json::Object(given) = value else {
        misfits.push((place.clone(), format!("expected an object, found {}", kind(value))));
        return;
    };
    let absent = |field: &&Field| {
        !given.contains_key(&field.name) && !field.aliases.iter().any(|alias| given.contains_key(alias))
    };
    let mut missing: Vec<&str> = fields
        .iter()
        .filter(|field| field.required && field.default.is_none())
        .filter(absent)
        .map(|field| field.name.as_str())
        .collect();
    for (key, value) in given {
        place.push(key.clone());
        match fields.iter().find(|field| field.name == *key || field.aliases.contains(key)) {
            Some(field) => match (&field.wrap, side) {
                (Some(key), Side::Output) => match value.get(key) {
                    Some(inner) => {
                        place.push(key.clone());
                        typed(connector, &field.ty, &field.rules, inner, side, place, misfits);
                        place.pop();
                    }
                    None => misfits.push((place.clone(), format!("expected the key `{key}`"))),
                },
                _ => typed(connector, &field.ty, &field.rules, value, side, place, misfits),
            },
            None if side == Side::Input => {
                // A misspelt name near a missing one is one mistake.
                let near =
                    crate::diagnostic::nearest(key, fields.iter().filter(absent).map(|field| field.name.as_str()));
                missing.retain(|name| Some(*name) != near);
                misfits.push((
                    place.clone(),
                    near.map_or_else(
                        || format!("{UNKNOWN} `{key}`"),
                        |near| format!("{UNKNOWN} `{key}`; did you mean `{near}`?"),
                    ),
                ));
            }
            None => {}
        }
        place.pop();
    }
    misfits.extend(missing.into_iter().map(|name| (place.clone(), format!("`{name}` is required and missing"))));
}

fn typed(
    connector: &Connector,
    ty: &Type,
    rules: &Rules,
    value: &Json,
    side: Side,
    place: &mut Vec<String>,
    misfits: &mut Vec<Misfit>,
) {
    let fits = match (ty, value) {
        (Type::Any, _)
        | (Type::Text, Json::String(_))
        | (Type::Float, Json::Number(_))
        | (Type::Boolean, Json::Bool(_))
        | (Type::Object, Json::Object(_)) => true,
        (Type::Text, Json::Number(number)) => side == Side::Input && number.is_i64(),
        (Type::Integer, Json::Number(number)) => number.is_i64() || number.is_u64(),
        (Type::Integer, Json::String(text)) => side == Side::Input && text.parse::<i64>().is_ok(),
        (Type::File, Json::Object(file)) => {
            ["content", "filename"].iter().all(|key| file.get(*key).is_some_and(Json::is_string))
        }
        (Type::List(element), Json::Array(items)) => {
            count(rules, items.len(), place, misfits);
            for (at, item) in items.iter().enumerate() {
                place.push(at.to_string());
                typed(connector, element, rules, item, side, place, misfits);
                place.pop();
            }
            return;
        }
        (Type::Record(id), Json::Object(_)) => {
            record(connector, &connector.record(*id).fields, value, side, place, misfits);
            return;
        }
        _ => false,
    };
    if !fits {
        misfits.push((place.clone(), format!("expected {}, found {}", name(connector, ty), kind(value))));
    } else if side == Side::Input {
        ruled(rules, value, place, misfits);
    }
}

fn count(rules: &Rules, length: usize, place: &[String], misfits: &mut Vec<Misfit>) {
    let length = length as u64;
    if rules.max_items.is_some_and(|max| length > max) || rules.min_items.is_some_and(|min| length < min) {
        misfits.push((
            place.to_vec(),
            format!(
                "{length} elements are too {}",
                if rules.min_items.is_some_and(|min| length < min) { "few" } else { "many" }
            ),
        ));
    }
}

fn ruled(rules: &Rules, value: &Json, place: &[String], misfits: &mut Vec<Misfit>) {
    let mut misfit = |why: String| misfits.push((place.to_vec(), why));
    let listed = |listed: &Json| match (listed, value) {
        (Json::String(a), Json::String(b)) if rules.any_case => a.eq_ignore_ascii_case(b.trim()),
        (a, b) => a == b,
    };
    if !rules.one_of.is_empty() && !rules.one_of.iter().any(listed) {
        let names: Vec<String> = rules.one_of.iter().map(|it| format!("`{}`", plain(it))).collect();
        let near = value
            .as_str()
            .and_then(|text| crate::diagnostic::nearest(text, rules.one_of.iter().filter_map(Json::as_str)));
        misfit(near.map_or_else(
            || format!("`{}` is not one of {}", plain(value), names.join(", ")),
            |near| format!("`{}` is not one of the values; did you mean `{near}`?", plain(value)),
        ));
    }
    if let Json::String(text) = value {
        let length = text.chars().count() as u64;
        if rules.max_length.is_some_and(|max| length > max) {
            misfit(format!("{length} characters are more than {}", rules.max_length.unwrap_or(0)));
        }
        if rules.min_length.is_some_and(|min| length < min) {
            misfit(format!("{length} characters are fewer than {}", rules.min_length.unwrap_or(0)));
        }
    }
    if let Some(number) = value.as_f64() {
        if rules.max.is_some_and(|max| number > max) {
            misfit(format!("{number} is more than {}", rules.max.unwrap_or(0.0)));
        }
        if rules.min.is_some_and(|min| number < min) {
            misfit(format!("{number} is less than {}", rules.min.unwrap_or(0.0)));
        }
    }
}

fn name(connector: &Connector, ty: &Type) -> String {
    match ty {
        Type::Text => "text".to_owned(),
        Type::Integer => "a whole number".to_owned(),
        Type::Float => "a number".to_owned(),
        Type::Boolean => "`true` or `false`".to_owned(),
        Type::Object => "an object".to_owned(),
        Type::Any => "anything".to_owned(),
        Type::File => "a file: `content` and `filename`".to_owned(),
        Type::List(_) => "a list".to_owned(),
        Type::Record(id) => format!("`{}`", connector.record(*id).name),
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(number) if number.is_f64() => "a number",
        Json::Number(_) => "a whole number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
