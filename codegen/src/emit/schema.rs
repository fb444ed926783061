//! `schemas/`: the language for editors, and what each connector's actions take and give.

use serde_json::{Map, Value as Json, json};

use crate::model::{Connector, Field, Rules, Type};
use crate::output::File;
use crate::read::{Key, Language, Shape};
use crate::spec;
use crate::spec::field::Format;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of spec files, from the same keys that the reader asks for.
pub fn of_specs() -> File {
    let words = Language::of::<spec::File>();
    let root = words.get("file").map(|keys| object(keys)).unwrap_or_default();
    let mut schema = Map::from_iter([
        ("$schema".to_owned(), json!(DIALECT)),
        ("title".to_owned(), json!("A Connectome spec file")),
        ("description".to_owned(), json!("The language is explained in specs/README.md.")),
    ]);
    schema.extend(root);
    let definitions: Map<String, Json> = words
        .iter()
        .filter(|(name, _)| **name != "file")
        .map(|(name, keys)| ((*name).to_owned(), Json::Object(object(keys))))
        .collect();
    schema.insert("$defs".to_owned(), Json::Object(definitions));
    File::new("schemas/spec.schema.json".to_owned(), pretty(&Json::Object(schema)))
}

fn pretty(value: &Json) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn object(keys: &[Key]) -> Map<String, Json> {
    let properties: Map<String, Json> = keys
        .iter()
        .map(|key| {
            let mut schema = shape(&key.shape);
            schema["description"] = json!(key.doc);
            (key.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("additionalProperties".to_owned(), json!(false)),
        ("properties".to_owned(), Json::Object(properties)),
    ]);
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

fn shape(shape: &Shape) -> Json {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Any => json!({}),
        Shape::OneOf(values) => json!({ "enum": values }),
        Shape::List(element) => json!({ "type": "array", "items": self::shape(element) }),
        Shape::Names(value) => json!({ "type": "object", "additionalProperties": self::shape(value) }),
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(self::shape).collect::<Vec<_>>() }),
        Shape::Word(name) => json!({ "$ref": format!("#/$defs/{name}") }),
    }
}

/// The schemas of a connector's inputs and outputs.
pub fn of_connector(connector: &Connector) -> File {
    let mut definitions = Map::new();
    for record in connector.records.iter().filter(|record| record.refines.is_none()) {
        definitions.insert(record.name.clone(), fields(connector, &record.doc, &record.fields));
    }
    let mut operations = Map::new();
    for action in &connector.actions {
        operations.insert(
            action.name.clone(),
            json!({ "title": action.title, "input": strict(fields(connector, &action.doc, &action.input)), "output": fields(connector, &action.doc, &action.output) }),
        );
    }
    for trigger in &connector.triggers {
        let outputs = &connector.actions[trigger.repeats].output;
        operations.insert(
            trigger.name.clone(),
            json!({ "title": trigger.title, "input": strict(fields(connector, &trigger.doc, &trigger.input)), "output": fields(connector, &trigger.doc, outputs) }),
        );
    }
    let schema = json!({
        "$schema": DIALECT,
        "title": format!("What {} takes and gives", connector.title),
        "operations": operations,
        "$defs": definitions,
    });
    File::new(format!("schemas/{}.schema.json", connector.name), pretty(&schema))
}

fn strict(mut schema: Json) -> Json {
    schema["additionalProperties"] = json!(false);
    schema
}

fn fields(connector: &Connector, doc: &str, fields: &[Field]) -> Json {
    let properties: Map<String, Json> = fields.iter().map(|it| (it.name.clone(), field(connector, it))).collect();
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required && field.default.is_none())
        .map(|field| field.name.as_str())
        .collect();
    let mut schema = json!({ "type": "object", "description": doc, "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn field(connector: &Connector, field: &Field) -> Json {
    let mut schema = typed(connector, &field.ty, &field.rules);
    if let Some(key) = &field.wrap {
        schema = json!({ "type": "object", "properties": { key: schema }, "required": [key] });
    }
    schema["description"] = json!(field.doc);
    if let Some(default) = &field.default {
        schema["default"] = default.clone();
    }
    if field.secret {
        schema["writeOnly"] = json!(true);
    }
    schema
}

fn typed(connector: &Connector, ty: &Type, rules: &Rules) -> Json {
    let mut schema = match ty {
        Type::Text => json!({ "type": "string" }),
        Type::Integer => json!({ "type": "integer" }),
        Type::Float => json!({ "type": "number" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Object => json!({ "type": "object" }),
        Type::Any => json!({}),
        Type::File => json!({
            "type": "object",
            "properties": { "content": { "type": "string", "contentEncoding": "base64" }, "filename": { "type": "string" } },
            "required": ["content", "filename"],
        }),
        Type::Record(id) => return json!({ "$ref": format!("#/$defs/{}", connector.base(*id).name) }),
        Type::List(element) => {
            let mut list = json!({ "type": "array", "items": typed(connector, element, &Rules { min_items: None, max_items: None, ..rules.clone() }) });
            for (key, limit) in [("minItems", rules.min_items), ("maxItems", rules.max_items)] {
                if let Some(limit) = limit {
                    list[key] = json!(limit);
                }
            }
            return list;
        }
    };
    if !rules.one_of.is_empty() {
        schema["enum"] = json!(rules.one_of);
    }
    for (key, limit) in [("minLength", rules.min_length), ("maxLength", rules.max_length)] {
        if let Some(limit) = limit {
            schema[key] = json!(limit);
        }
    }
    for (key, limit) in [("minimum", rules.min), ("maximum", rules.max)] {
        if let Some(limit) = limit {
            schema[key] = json!(limit);
        }
    }
    match rules.format {
        Some(Format::Timestamp) => schema["format"] = json!("date-time"),
        Some(Format::Email) => schema["format"] = json!("email"),
        Some(Format::Sha1) => schema["pattern"] = json!("^[0-9A-Fa-f]{40}$"),
        Some(Format::Sha256) => schema["pattern"] = json!("^[0-9A-Fa-f]{64}$"),
        _ => {}
    }
    schema
}
