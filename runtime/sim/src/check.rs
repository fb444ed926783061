//! Whether a request is one that the service takes, judged by the tables alone: what should be on the wire, not how the
//! client puts it there.

use connectome_core::convert::Convert;
use connectome_core::filter::FilterPlace;
use connectome_core::format::Format;
use connectome_core::operation::Operation;
use connectome_core::place::{Place, Wire};
use connectome_core::shape::{Field, Literal, Record, Rules, Shape};
use serde_json::{Map, Value};

use crate::filter::{self, Filter};
use crate::form::{self, Part};
use crate::http::Request;

/// A request that passed.
#[derive(Debug, Default)]
pub struct Checked {
    /// The object of its body or the fields of its form.
    pub object: Map<String, Value>,
    /// The elements of its body, each good or not.
    pub elements: Vec<Result<Map<String, Value>, String>>,
    /// The files of its form.
    pub files: Vec<Part>,
    /// Its filter.
    pub filter: Option<Filter>,
}

/// Checks a request against the operation that makes it.
pub fn check(operation: &Operation, request: &Request) -> Result<Checked, String> {
    let mut checked = Checked::default();
    for (name, value) in operation.headers {
        if request.header(name) != Some(value) {
            return Err(format!("Missing header: {name}."));
        }
    }
    for field in operation.input.fields {
        match field.place {
            Place::Query(name, join) => {
                if let Some(text) = request.parameter(name) {
                    parameter(field, name, join, text)?;
                }
            }
            Place::Header(name) => {
                if let Some(text) = request.header(name)
                    && field.rules.max_length.is_some_and(|max| text.chars().count() > max + 2)
                {
                    return Err(format!("Invalid header: {name}."));
                }
            }
            Place::Filter(wanted) => checked.filter = expression(wanted, request)?,
            _ => {}
        }
    }
    body(operation, request, &mut checked)?;
    Ok(checked)
}

fn parameter(field: &Field, name: &str, join: &str, text: &str) -> Result<(), String> {
    let wrong = || format!("Invalid parameter: {name}.");
    match field.shape {
        Shape::List(_) => {
            if field.rules.max_length.is_some_and(|max| text.chars().count() > max)
                || text.split(join).any(str::is_empty)
            {
                return Err(wrong());
            }
        }
        Shape::Integer => {
            let number: i64 = text.parse().map_err(|_| wrong())?;
            ruled(&field.rules, &Value::from(number)).map_err(|_| wrong())?;
        }
        _ => ruled(&field.rules, &Value::from(text)).map_err(|_| wrong())?,
    }
    // Services are narrower here than ISO 8601: whole seconds, in UTC.
    if field.rules.format == Some(Format::Timestamp)
        && !(text.len() == 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z'))
    {
        return Err(wrong());
    }
    Ok(())
}

fn expression(wanted: &connectome_core::filter::Filter, request: &Request) -> Result<Option<Filter>, String> {
    let (name, text) = match wanted.place {
        FilterPlace::Header(name) => (name, request.header(name)),
        FilterPlace::Query(name) => (name, request.parameter(name)),
    };
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return if wanted.required { Err(format!("{name} is required.")) } else { Ok(None) };
    };
    if wanted.max_length.is_some_and(|max| text.chars().count() > max) {
        return Err(format!("{name} is too long."));
    }
    let filter = filter::parse(wanted.syntax, text).map_err(|why| format!("{name} is not valid: {why}."))?;
    match filter.names().iter().find(|name| !wanted.names.is_empty() && !wanted.names.contains(name)) {
        Some(unknown) => Err(format!("Query is not valid: unknown field {unknown}.")),
        None => Ok(Some(filter)),
    }
}

fn body(operation: &Operation, request: &Request, checked: &mut Checked) -> Result<(), String> {
    let fields = operation.input.fields;
    let items = fields.iter().find_map(|field| match (field.place, field.shape) {
        (Place::BodyItems(key), Shape::List(element)) => Some((field, key, element)),
        _ => None,
    });
    let parts: Vec<&Field> = fields.iter().filter(|field| matches!(field.place, Place::Part(..))).collect();
    let keys: Vec<&Field> = fields.iter().filter(|field| matches!(field.place, Place::Body(_))).collect();
    if !parts.is_empty() {
        return read_form(&parts, request, checked);
    }
    if items.is_none() && keys.is_empty() {
        return Ok(());
    }
    if !request.header("content-type").is_some_and(|it| it.starts_with("application/json")) {
        return Err("The content type must be application/json.".to_owned());
    }
    let json: Value = serde_json::from_slice(&request.body).map_err(|_| "The body is not JSON.".to_owned())?;
    if let Some((field, key, element)) = items {
        let Value::Array(elements) = json else { return Err("The body must be an array.".to_owned()) };
        let count = elements.len();
        if count == 0 || field.rules.max_items.is_some_and(|max| count > max) {
            return Err(format!("{count} elements are too {}.", if count == 0 { "few" } else { "many" }));
        }
        checked.elements = elements.iter().map(|value| self::element(field, key, element, value)).collect();
        return Ok(());
    }
    let object = match json {
        Value::Array(elements) if operation.array_of_one && elements.len() == 1 => {
            elements.into_iter().next().unwrap_or_default()
        }
        Value::Object(_) if !operation.array_of_one => json,
        _ => return Err("The body does not have the right form.".to_owned()),
    };
    let made = keyed(operation, &keys, &object);
    if operation.array_of_one {
        checked.elements = vec![made];
    } else {
        checked.object = made?;
    }
    Ok(())
}

/// The object of inputs that each go under a key.
fn keyed(operation: &Operation, fields: &[&Field], value: &Value) -> Result<Map<String, Value>, String> {
    let Value::Object(object) = value else { return Err("The body must be an object.".to_owned()) };
    let name = |field: &Field| match field.place {
        Place::Body(name) => name,
        _ => "",
    };
    for key in object.keys() {
        if !fields.iter().any(|field| name(field) == key) {
            return Err(format!("Unknown field: {key}."));
        }
    }
    for field in fields {
        match object.get(name(field)) {
            Some(value) => typed(field, value).map_err(|()| format!("Invalid field format: {}.", name(field)))?,
            None if field.required => {
                return Err(format!("Missing field: {}.", name(field)));
            }
            None => {}
        }
    }
    let rivals: Vec<&str> = fields
        .iter()
        .filter(|field| operation.input.send_first.iter().any(|choice| choice.field == field.name))
        .map(|field| name(field))
        .collect();
    exactly_one(&rivals, object)?;
    Ok(object.clone())
}

fn exactly_one(rivals: &[&str], object: &Map<String, Value>) -> Result<(), String> {
    let given = rivals.iter().filter(|key| object.contains_key(**key)).count();
    if rivals.is_empty() || given == 1 {
        Ok(())
    } else {
        Err(format!("Exactly one of {} must be given.", rivals.join(", ")))
    }
}

/// One element of an array body.
fn element(field: &Field, key: Option<&str>, shape: &Shape, value: &Value) -> Result<Map<String, Value>, String> {
    match (key, shape) {
        (Some(key), _) => {
            let object = value
                .as_object()
                .filter(|object| object.len() == 1)
                .ok_or_else(|| format!("An element holds {key} and nothing else."))?;
            let inner = object.get(key).ok_or_else(|| format!("Missing field: {key}."))?;
            let one = Field { shape: *shape, ..*field };
            typed(&one, inner).map_err(|()| format!("Invalid field format: {key}."))?;
            Ok(object.clone())
        }
        (None, Shape::Record(record)) => self::record(record, value),
        (None, _) => Err("An element must be an object.".to_owned()),
    }
}

fn record(record: &Record, value: &Value) -> Result<Map<String, Value>, String> {
    let Value::Object(object) = value else { return Err("An element must be an object.".to_owned()) };
    let variant = record.variant.map_or(&[][..], |variant| variant.of);
    let wires = |field: &Field| match field.place {
        Place::Key(names, _) => names,
        _ => &[][..],
    };
    let varied =
        |field: &Field| record.variant.is_some_and(|variant| field.name == variant.name || field.name == variant.value);
    for (key, value) in object {
        if let Some((_, rules)) = variant.iter().find(|(name, _)| name == key) {
            ruled(rules, value).map_err(|()| format!("Invalid field format: {key}."))?;
            continue;
        }
        let field =
            record.fields.iter().find(|field| !varied(field) && wires(field).iter().any(|wire| wire.name == key));
        let Some(field) = field else { return Err(format!("Unknown field: {key}.")) };
        typed(field, value).map_err(|()| format!("Invalid field format: {key}."))?;
        condition(wires(field), key, value)?;
        if let Place::Key(_, Some(beside)) = field.place
            && !object.contains_key(beside)
        {
            return Err(format!("{key} goes with {beside} only."));
        }
    }
    let keys: Vec<&str> = variant.iter().map(|(name, _)| *name).collect();
    exactly_one(&keys, object)?;
    let rival = |field: &Field| record.send_first.iter().any(|choice| choice.field == field.name);
    let rivals: Vec<&str> = record
        .fields
        .iter()
        .filter(|field| rival(field))
        .flat_map(|field| wires(field).iter().map(|wire| wire.name))
        .collect();
    exactly_one(&rivals, object)?;
    for field in record.fields.iter().filter(|field| field.required && !rival(field) && !varied(field)) {
        let names = wires(field);
        let given = names.iter().filter(|wire| object.contains_key(wire.name)).count();
        if given != 1 {
            let names: Vec<&str> = names.iter().map(|wire| wire.name).collect();
            return Err(format!("Missing field: {}.", names.join(" or ")));
        }
    }
    Ok(object.clone())
}

/// A key that is for values of a certain look must hold such a value.
fn condition(wires: &[Wire], key: &str, value: &Value) -> Result<(), String> {
    let fits = wires
        .iter()
        .find(|wire| wire.name == key)
        .is_none_or(|wire| wire.when.is_none_or(|format| value.as_str().is_some_and(|text| format.fits(text))));
    if fits { Ok(()) } else { Err(format!("Invalid field format: {key}.")) }
}

fn typed(field: &Field, value: &Value) -> Result<(), ()> {
    // What a converter makes of a value has another type or form than the user's.
    match field.send {
        Some(Convert::Integer) => {
            let number = value.as_i64().ok_or(())?;
            return ruled(&Rules { format: None, ..field.rules }, &Value::from(number.to_string()));
        }
        Some(Convert::Base64Once) => return base64(value),
        _ => {}
    }
    match (field.shape, value) {
        (Shape::Text, Value::String(_))
        | (Shape::Integer, Value::Number(_))
        | (Shape::Boolean, Value::Bool(_))
        | (Shape::Float, Value::Number(_)) => ruled(&field.rules, value),
        (Shape::Object, Value::Object(_)) | (Shape::Any, _) => Ok(()),
        (Shape::List(element), Value::Array(items)) => {
            let one = Field { shape: *element, ..*field };
            items.iter().try_for_each(|item| typed(&one, item))
        }
        _ => Err(()),
    }
}

fn base64(value: &Value) -> Result<(), ()> {
    let text = value.as_str().ok_or(())?;
    let good = text.len().is_multiple_of(4)
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
    if good { Ok(()) } else { Err(()) }
}

fn ruled(rules: &Rules, value: &Value) -> Result<(), ()> {
    let listed = |it: &Literal| match (it.value(), value) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (a, b) => a == *b,
    };
    let mut good = rules.one_of.is_empty() || rules.one_of.iter().any(listed);
    if let Some(text) = value.as_str() {
        let length = text.chars().count();
        good &= rules.max_length.is_none_or(|max| length <= max) && rules.min_length.is_none_or(|min| length >= min);
        good &= rules.format.is_none_or(|format| format.fits(text));
    }
    if let Some(number) = value.as_f64() {
        good &= rules.max.is_none_or(|max| number <= max) && rules.min.is_none_or(|min| number >= min);
    }
    if good { Ok(()) } else { Err(()) }
}

fn read_form(fields: &[&Field], request: &Request, checked: &mut Checked) -> Result<(), String> {
    let media_type = request.header("content-type").unwrap_or_default();
    if !media_type.starts_with("multipart/form-data") {
        return Err("The content type must be multipart/form-data.".to_owned());
    }
    let parts = form::parse(media_type, &request.body)?;
    for part in &parts {
        let field = fields.iter().find(|field| matches!(field.place, Place::Part(name, _) if name == part.name));
        let Some(field) = field else { return Err(format!("Unknown part: {}.", part.name)) };
        match (field.place, field.shape) {
            (Place::Part(_, wanted), Shape::File) => {
                let name = part.filename.as_deref().unwrap_or_default();
                if name.is_empty() || name.contains(['/', '\\']) || part.content_type.as_deref() != Some(wanted) {
                    return Err(format!("Invalid file part: {}.", part.name));
                }
                if field.rules.utf8 && std::str::from_utf8(&part.content).is_err() {
                    return Err(format!("{} must be UTF-8.", part.name));
                }
                checked.files.push(part.clone());
            }
            _ => {
                let text = String::from_utf8(part.content.to_vec())
                    .map_err(|_| format!("Invalid field format: {}.", part.name))?;
                let value = Value::from(text);
                typed(field, &value).map_err(|()| format!("Invalid field format: {}.", part.name))?;
                checked.object.insert(part.name.clone(), value);
            }
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if let Place::Part(name, _) = field.place
            && !parts.iter().any(|part| part.name == name)
        {
            return Err(format!("Missing part: {name}."));
        }
    }
    Ok(())
}
