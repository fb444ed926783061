//! Entities and relationships, as they are compared, kept, exported and uploaded.

use ring::digest::{Context, SHA256};
use serde_json::{Map, Value, json};

/// The longest text of a property; longer ones are cut.
const LONGEST: usize = 4096;

/// An entity or a relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its `_key`, unlike all other keys of the account.
    pub key: String,
    /// Its `_type`.
    pub ty: String,
    /// What it is.
    pub kind: Kind,
    /// Its properties.
    pub properties: Map<String, Value>,
    /// The record it was made from, without secrets.
    pub raw: Option<Value>,
}

/// What an object is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// An entity and its classes.
    Entity(Vec<String>),
    /// A relationship, its class and the keys of its ends.
    Relationship {
        /// Its class.
        class: String,
        /// The key of the entity that it leaves.
        from: String,
        /// The key of the entity that it reaches.
        to: String,
    },
    /// A relationship with another integration's entity: its class and how that one is found.
    Mapped {
        /// Its class.
        class: String,
        /// `_mapping`.
        mapping: Value,
    },
}

impl Kind {
    /// The number that stands for it in the store.
    pub fn number(&self) -> i64 {
        match self {
            Kind::Entity(_) => 0,
            Kind::Relationship { .. } => 1,
            Kind::Mapped { .. } => 2,
        }
    }

    /// Classes as one text: several are joined by a blank.
    pub fn class(&self) -> String {
        match self {
            Kind::Entity(classes) => classes.join(" "),
            Kind::Relationship { class, .. } | Kind::Mapped { class, .. } => class.clone(),
        }
    }
}

impl Object {
    /// The object as JSON in the platform's form, with or without its record.
    pub fn json(&self, with_raw: bool) -> Map<String, Value> {
        let mut json = Map::new();
        json.insert("_key".to_owned(), Value::from(self.key.clone()));
        json.insert("_type".to_owned(), Value::from(self.ty.clone()));
        match &self.kind {
            Kind::Entity(classes) => {
                json.insert("_class".to_owned(), Value::from(classes.clone()));
            }
            Kind::Relationship { class, from, to } => {
                json.insert("_class".to_owned(), Value::from(class.clone()));
                json.insert("_fromEntityKey".to_owned(), Value::from(from.clone()));
                json.insert("_toEntityKey".to_owned(), Value::from(to.clone()));
            }
            Kind::Mapped { class, mapping } => {
                json.insert("_class".to_owned(), Value::from(class.clone()));
                json.insert("_mapping".to_owned(), mapping.clone());
            }
        }
        json.extend(self.properties.clone());
        if with_raw && let Some(raw) = &self.raw {
            json.insert("_rawData".to_owned(), json!([{ "name": "default", "rawData": raw }]));
        }
        json
    }

    /// What tells whether it changed: everything but the record it was made from.
    pub fn hash(&self) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        digest(&mut context, &Value::Object(self.json(false)));
        context.finish().as_ref().to_vec()
    }
}

/// A hash of a value that does not depend on the order of keys.
pub fn hash(value: &Value) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    digest(&mut context, value);
    context.finish().as_ref().to_vec()
}

fn digest(context: &mut Context, value: &Value) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            context.update(b"{");
            for (name, value) in fields {
                context.update(name.as_bytes());
                context.update(b"\0");
                digest(context, value);
            }
            context.update(b"}");
        }
        Value::Array(items) => {
            context.update(b"[");
            items.iter().for_each(|item| digest(context, item));
            context.update(b"]");
        }
        Value::String(text) => {
            context.update(b"\"");
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        other => {
            context.update(b"=");
            context.update(other.to_string().as_bytes());
            context.update(b"\0");
        }
    }
}

/// A text of at most the length that the platform takes.
pub fn bounded(value: Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            Value::from(text.chars().take(LONGEST - 3).collect::<String>() + "...")
        }
        Value::Array(items) => items.into_iter().map(bounded).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_sees_content_and_not_the_order_of_keys() {
        let same = [json!({ "a": 1, "b": ["x", null] }), json!({ "b": ["x", null], "a": 1 })];
        assert_eq!(hash(&same[0]), hash(&same[1]));
        let others = [
            json!({ "a": 2, "b": ["x", null] }),
            json!({ "a": 1, "b": [null, "x"] }),
            json!({ "a": "1", "b": ["x", null] }),
            json!({ "a": 1, "b": ["x"] }),
            json!({ "a": 1, "b": ["x", null], "c": null }),
            json!({ "a": [1], "b": ["x", null] }),
        ];
        for other in others {
            assert_ne!(hash(&same[0]), hash(&other), "{other}");
        }
        assert_ne!(hash(&json!(["ab", "c"])), hash(&json!(["a", "bc"])));
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(bounded(json!("x".repeat(5000))).as_str().map(str::len), Some(4096));
        assert_eq!(bounded(json!(["é".repeat(4096)])), json!(["é".repeat(4096)]));
    }
}
