//! What an object must look like, as the platform sees it; by code of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The longest text of a property.
const LONGEST: usize = 4096;

/// Names that begin with an underscore and come from a connector.
const GIVEN: [&str; 12] = [
    "_key",
    "_type",
    "_class",
    "_rawData",
    "_mapping",
    "_fromEntityKey",
    "_toEntityKey",
    "_fromEntityId",
    "_toEntityId",
    "_fromEntitySource",
    "_fromEntityScope",
    "_toEntityScope",
];

/// What is wrong with an object: a code and a sentence. With `lenient`, properties that are wrong are taken out.
pub fn check(object: &mut Map<String, Value>, entity: bool, lenient: bool) -> Result<(), (&'static str, String)> {
    identity(object, entity)?;
    let wrong: Vec<(String, String)> = object
        .iter()
        .filter(|(name, _)| !GIVEN.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.clone(), property(name, value, entity)?)))
        .collect();
    match wrong.into_iter().next() {
        Some(_) if lenient => {
            object.retain(|name, value| GIVEN.contains(&name.as_str()) || property(name, value, entity).is_none())
        }
        Some((name, why)) => return Err(("ILLEGAL_PROPERTY", format!("{:?}: {name:?} {why}", object["_key"]))),
        None => {}
    }
    raw_data(object)
}

fn identity(object: &Map<String, Value>, entity: bool) -> Result<(), (&'static str, String)> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let missing = |name: &str, least: usize| {
        Err(("MISSING_PROPERTY", format!("{:?}: {name} needs {least} characters", text("_key"))))
    };
    for (name, least) in [("_key", 10), ("_type", 3)] {
        if text(name).len() < least {
            return missing(name, least);
        }
    }
    let classes = match object.get("_class") {
        Some(Value::Array(classes)) if entity => classes.iter().map(|it| it.as_str().unwrap_or_default()).collect(),
        _ => vec![text("_class")],
    };
    if classes.is_empty() || classes.iter().any(|class| class.len() < 2) {
        return missing("_class", 2);
    }
    if entity {
        return Ok(());
    }
    if classes[0] != classes[0].to_uppercase() {
        return Err(("ILLEGAL_PROPERTY", format!("{:?}: the class is not in capitals", text("_key"))));
    }
    match object.get("_mapping") {
        None if text("_fromEntityKey").is_empty() => missing("_fromEntityKey", 1),
        None if text("_toEntityKey").is_empty() => missing("_toEntityKey", 1),
        None => Ok(()),
        Some(mapping) => {
            let keys = mapping["targetFilterKeys"].as_array().is_none_or(|sets| sets.iter().all(Value::is_array));
            let source = mapping["sourceEntityKey"].is_string() && mapping["targetEntity"].is_object();
            let direction = matches!(mapping["relationshipDirection"].as_str(), Some("FORWARD" | "REVERSE"));
            if keys && source && direction {
                Ok(())
            } else {
                Err(("ILLEGAL_PROPERTY", format!("{:?}: the mapping is not one", text("_key"))))
            }
        }
    }
}

fn property(name: &str, value: &Value, entity: bool) -> Option<String> {
    if name.starts_with('_') {
        return Some("is a name of the platform".to_owned());
    }
    let rest = name.strip_prefix("tag.").unwrap_or(name);
    if rest.is_empty() || !rest.chars().all(|it| it.is_ascii_alphanumeric() || ". -".contains(it)) {
        return Some("is not a name".to_owned());
    }
    let scalar = |value: &Value| match value {
        Value::String(text) if text.chars().count() > LONGEST => Some("is too long".to_owned()),
        Value::Object(_) | Value::Array(_) => Some("is nested".to_owned()),
        _ => None,
    };
    match value {
        Value::Null if name.starts_with("tag.") => Some("is a tag without a value".to_owned()),
        Value::Array(items) if entity && !name.starts_with("tag.") => {
            let kinds: BTreeSet<_> = items.iter().map(kind).collect();
            if kinds.len() > 1 { Some("is mixed".to_owned()) } else { items.iter().find_map(scalar) }
        }
        value => scalar(value),
    }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

fn raw_data(object: &Map<String, Value>) -> Result<(), (&'static str, String)> {
    let Some(raw) = object.get("_rawData") else { return Ok(()) };
    let names: Option<Vec<&str>> =
        raw.as_array().and_then(|entries| entries.iter().map(|entry| entry["name"].as_str()).collect());
    match names {
        Some(names) if names.iter().collect::<BTreeSet<_>>().len() == names.len() => Ok(()),
        Some(_) => Err(("DUPLICATE_RAW_DATA_NAME", format!("{:?} has two records of one name", object["_key"]))),
        None => Err(("ILLEGAL_PROPERTY", format!("{:?}: _rawData is no list of names and records", object["_key"]))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_keep_the_rules() {
        let long = "x".repeat(LONGEST + 1);
        for (name, value, entity, taken) in [
            ("name", json!("a"), true, true),
            ("tag.Account Name", json!("a"), true, true),
            ("first-name.x", json!(null), true, true),
            ("first_name", json!("a"), true, false),
            ("_own", json!("a"), true, false),
            ("é", json!("a"), true, false),
            ("emails", json!(["a", "b"]), true, true),
            ("emails", json!(["a", 1]), true, false),
            ("emails", json!([{ "a": 1 }]), true, false),
            ("emails", json!(["a"]), false, false),
            ("address", json!({ "city": "a" }), true, false),
            ("notes", json!(long), true, false),
            ("notes", json!([long]), true, false),
            ("tag.a", json!(["a"]), true, false),
            ("tag.a", json!(null), true, false),
        ] {
            let edge = json!({ "_key": "aaaaa|has|b", "_type": "a_has_b", "_class": "HAS", "_fromEntityKey": "a", "_toEntityKey": "b" });
            let mut object = edge.as_object().unwrap().clone();
            object.insert(name.to_owned(), value.clone());
            assert_eq!(check(&mut object.clone(), entity, false).is_ok(), taken, "{name}: {value}");
            assert!(check(&mut object, entity, true).is_ok());
            assert_eq!(object.contains_key(name), taken, "{name}");
        }
    }
}
