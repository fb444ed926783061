//! What type each field of an index has, by the templates that match its name.

use std::net::IpAddr;

use serde_json::Value;

use super::State;

/// The template of an index: of those that match, the one with the highest priority.
pub fn template<'a>(state: &'a State, index: &str) -> Option<&'a Value> {
    let matches = |template: &Value| {
        let patterns = template["index_patterns"].as_array().into_iter().flatten().filter_map(Value::as_str);
        patterns.into_iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => index.starts_with(start),
            None => index == pattern,
        })
    };
    let templates = state.things.iter().filter(|(path, _)| path.starts_with("/_index_template/")).map(|(_, it)| it);
    templates.filter(|it| matches(it)).max_by_key(|it| it["priority"].as_u64())
}

/// The fields that an index has by its templates.
pub struct Fields(Vec<Value>);

impl Fields {
    /// Those of an index.
    pub fn of(state: &State, index: &str) -> Self {
        let Some(template) = template(state, index) else { return Self(Vec::new()) };
        let parts = template["composed_of"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let parts = parts.filter_map(|name| state.things.get(&format!("/_component_template/{name}")));
        Self(parts.chain([template]).map(|it| it["template"]["mappings"].clone()).filter(Value::is_object).collect())
    }

    /// Whether a document's values are of their fields' types.
    pub fn check(&self, document: &Value) -> Result<(), String> {
        self.0.iter().try_for_each(|mappings| check(&mappings["properties"], document, ""))
    }

    /// Whether a search finds this value in a field.
    pub fn holds(&self, document: &Value, field: &str, value: &Value) -> bool {
        let steps = || field.split('.');
        let property = |mappings: &Value| steps().fold(mappings.clone(), |at, step| at["properties"][step].clone());
        let mapped = self.0.iter().map(property).find(Value::is_object);
        if mapped.is_none() && self.0.iter().any(|mappings| mappings["dynamic"] == false) {
            return false;
        }
        let found = steps().fold(document, |at, step| &at[step]);
        let found = match (&mapped, found) {
            (Some(field), _) if field["index"] == false => return false,
            // It is the same in all documents, and none has to say it.
            (Some(field), Value::Null) => &field["value"],
            (_, found) => found,
        };
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match found {
            Value::Array(all) => all.iter().any(|it| plain(it) == plain(value)),
            Value::Null => false,
            one => plain(one) == plain(value),
        }
    }
}

/// Whether a document's values are of their fields' types.
fn check(properties: &Value, value: &Value, path: &str) -> Result<(), String> {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let field = &properties[name];
        match field["type"].as_str() {
            None if field["properties"].is_object() => match value {
                Value::Object(_) => check(&field["properties"], value, &path)?,
                Value::Null => {}
                _ => {
                    return Err(format!(
                        "object mapping for [{path}] tried to parse field [{name}] as object, but found a concrete value"
                    ));
                }
            },
            None => {}
            Some(ty) => {
                let values = if let Value::Array(all) = value { all.as_slice() } else { std::slice::from_ref(value) };
                for value in values {
                    if !value.is_null() && !fits(ty, field, value) {
                        return Err(format!("failed to parse field [{path}] of type [{ty}]"));
                    }
                }
            }
        }
    }
    Ok(())
}

fn fits(ty: &str, field: &Value, value: &Value) -> bool {
    let text = value.as_str();
    let scalar = !value.is_object() && !value.is_array();
    match ty {
        "date" => text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()) || value.is_i64(),
        "boolean" => value.is_boolean() || matches!(text, Some("true" | "false" | "")),
        "long" | "integer" => value.is_i64() || text.is_some_and(|text| text.parse::<i64>().is_ok()),
        "double" | "float" => value.is_number() || text.is_some_and(|text| text.parse::<f64>().is_ok()),
        "ip" => text.is_some_and(|text| text.parse::<IpAddr>().is_ok()),
        "constant_keyword" => scalar && (field["value"].is_null() || field["value"] == *value),
        "flattened" => value.is_object(),
        _ => scalar,
    }
}
