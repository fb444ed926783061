//! One record becomes an entity, ends of relationships, and relationships with entities of other integrations.

use connectome_core::secret::Redactor;
use serde_json::{Map, Value, json};

use crate::object::{Kind, Object, bounded};
use crate::source::{Lookups, at, text, texts};
use crate::table::{Dialect, End, Entity, Graph, How, Keep, Path, Property, Relationship, Side, Target};

/// How much of a record is told with what is wrong about it, in characters.
const SHORT: usize = 300;

/// What the instance adds to what the table says.
#[derive(Debug, Clone, Default)]
pub struct Instance {
    /// Properties of every entity: `tag.AccountName` and the like.
    pub tags: Map<String, Value>,
    /// The operator's tables.
    pub lookups: Lookups,
    /// Secrets that must not be kept.
    pub redactor: Redactor,
}

/// Turns records into objects.
#[derive(Debug)]
pub struct Mapper {
    /// The graph.
    pub graph: &'static Graph,
    /// The dialect.
    pub dialect: &'static Dialect,
    /// The instance.
    pub instance: Instance,
}

/// What one record gives.
#[derive(Debug, Default)]
pub struct Mapped {
    /// Entities and relationships.
    pub objects: Vec<Object>,
    /// Relationships of which an element of the record names the other end, with what decides which stays.
    pub edges: Vec<(usize, Object, Option<f64>)>,
    /// Sides of joins.
    pub sides: Vec<Joining>,
    /// What is wrong with it.
    pub violations: Vec<String>,
}

/// A record's part in a join.
#[derive(Debug)]
pub struct Joining {
    /// The number of the relationship.
    pub relationship: usize,
    /// The first side or the second.
    pub second: bool,
    /// The value that must be equal on both sides.
    pub value: String,
    /// The key of the end that the record names.
    pub key: String,
    /// What decides which of several edges stays.
    pub order: Option<f64>,
    /// The edge's properties, if this side tells them.
    pub properties: Option<Map<String, Value>>,
    /// The values that the edge which stays lists, in the order of the table.
    pub collected: Vec<Option<String>>,
}

impl Mapper {
    /// What a record of a step gives.
    pub fn record(&self, step: usize, record: &Value) -> Mapped {
        let mut mapped = Mapped::default();
        for (number, entity) in self.dialect.entities.iter().enumerate().filter(|(_, entity)| entity.step == step) {
            let Some(object) = self.entity(entity, record) else {
                mapped.violations.push(format!("a record of {:?} has no key", entity.ty));
                continue;
            };
            self.demanded(entity, &object, &mut mapped.violations);
            for relationship in self.dialect.relationships {
                if let How::Target(target) = &relationship.how
                    && target.entity == number
                {
                    mapped.objects.extend(self.mapped(relationship, target, &object.key, record));
                }
            }
            mapped.objects.push(object);
        }
        for (number, relationship) in self.dialect.relationships.iter().enumerate() {
            match &relationship.how {
                How::Each { step: of, list, own, other } if *of == step => {
                    self.each(number, relationship, list, own, other, record, &mut mapped);
                }
                How::Join(first, second) => {
                    for (side, is_second) in [(first, false), (second, true)] {
                        if side.step == step {
                            mapped.sides.extend(self.side(number, relationship, side, is_second, record));
                        }
                    }
                }
                _ => {}
            }
        }
        mapped
    }

    fn entity(&self, table: &Entity, record: &Value) -> Option<Object> {
        let key = table.key.fill(record, None)?;
        let mut properties = self.properties(table.properties, record);
        let display = properties.get("displayName").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
        if !display && let Some(name) = properties.get("name").cloned() {
            properties.insert("displayName".to_owned(), name);
        }
        for (name, value) in &self.instance.tags {
            properties.insert(name.clone(), value.clone());
        }
        let mut raw = record.clone();
        for path in table.secrets {
            remove(&mut raw, path);
        }
        self.instance.redactor.clean_value(&mut raw);
        let classes = table.class.iter().map(|class| (*class).to_owned()).collect();
        Some(Object { key, ty: table.ty.to_owned(), kind: Kind::Entity(classes), properties, raw: Some(raw) })
    }

    /// What the classes of an entity demand and it lacks.
    fn demanded(&self, table: &Entity, object: &Object, violations: &mut Vec<String>) {
        for (class, demands) in self.graph.classes.iter().filter(|(class, _)| table.class.contains(class)) {
            for name in demands.iter().filter(|name| object.properties.get(**name).is_none_or(Value::is_null)) {
                let record = object.raw.as_ref().map(Value::to_string).unwrap_or_default();
                let short: String = record.chars().take(SHORT).collect();
                let dots = if short.len() < record.len() { "…" } else { "" };
                violations.push(format!("{} lacks {name}, which {class} demands; made from {short}{dots}", object.key));
            }
        }
    }

    fn properties(&self, table: &[Property], record: &Value) -> Map<String, Value> {
        let value = |property: &Property| {
            let value = property.value(record, &self.instance.lookups)?;
            Some((property.name.to_owned(), self.instance.redactor.cleaned(bounded(value))))
        };
        table.iter().filter_map(value).collect()
    }

    #[allow(clippy::too_many_arguments)]
    fn each(
        &self,
        number: usize,
        table: &Relationship,
        list: Path,
        own: &End,
        other: &End,
        record: &Value,
        mapped: &mut Mapped,
    ) {
        let Some(own_key) = own.key.fill(record, None) else { return };
        let elements = at(record, list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for element in elements {
            // An element may be the id itself.
            let scalar = text(element).map(|_| json!({ "": element }));
            let Some(other_key) = other.key.fill(scalar.as_ref().unwrap_or(element), None) else { continue };
            let (from, to) = if own.leaves { (own_key.clone(), other_key) } else { (other_key, own_key.clone()) };
            let properties = self.properties(table.properties, element);
            mapped.edges.push((number, edge(table, from, to, properties), order(table.keep, element)));
        }
    }

    fn side(&self, number: usize, table: &Relationship, side: &Side, second: bool, record: &Value) -> Option<Joining> {
        let value = text(at(record, side.value)?).filter(|value| !value.is_empty())?;
        let key = side.end.key.fill(record, None)?;
        Some(Joining {
            relationship: number,
            second,
            value,
            key,
            order: if side.tells { order(table.keep, record) } else { None },
            properties: side.tells.then(|| self.properties(table.properties, record)),
            collected: if side.tells {
                table.collect.iter().map(|(_, path)| text(at(record, path)?)).collect()
            } else {
                Vec::new()
            },
        })
    }

    fn mapped(&self, table: &Relationship, target: &Target, own: &str, record: &Value) -> Option<Object> {
        let filter_name = if target.filter.starts_with(char::is_uppercase) { "_class" } else { "_type" };
        let mut other = Map::new();
        other.insert(filter_name.to_owned(), Value::from(target.filter));
        other.extend(self.properties(target.has, record).into_iter().filter(|(_, value)| !value.is_null()));
        let known =
            |set: &&&[&str]| set.iter().all(|name| other.get(*name).is_some_and(|value| !texts(value).is_empty()));
        let sets: Vec<Vec<&str>> = target
            .match_by
            .iter()
            .filter(known)
            .map(|set| std::iter::once(filter_name).chain(set.iter().copied()).collect())
            .collect();
        if sets.is_empty() {
            return None;
        }
        let direction = if target.forward { "FORWARD" } else { "REVERSE" };
        let mut names: Vec<&str> = Vec::new();
        sets.iter().flatten().for_each(|name| {
            if !names.contains(name) {
                names.push(name);
            }
        });
        let found: String = names.iter().map(|name| format!(":{name}={}", texts(&other[*name]).join(","))).collect();
        let key = format!("{own}|{}|{direction}{found}", table.verb.to_lowercase());
        let mut properties = Map::from_iter([("displayName".to_owned(), Value::from(table.verb))]);
        properties.extend(self.properties(table.properties, record));
        let mapping = json!({
            "relationshipDirection": direction,
            "sourceEntityKey": own,
            "targetEntity": other,
            "targetFilterKeys": sets,
            "skipTargetCreation": true,
        });
        Some(Object {
            key,
            ty: table.ty.to_owned(),
            kind: Kind::Mapped { class: table.verb.to_owned(), mapping },
            properties,
            raw: None,
        })
    }
}

/// A relationship between two entities of the account.
pub fn edge(table: &Relationship, from: String, to: String, properties: Map<String, Value>) -> Object {
    let mut all = Map::from_iter([("displayName".to_owned(), Value::from(table.verb))]);
    all.extend(properties.into_iter().filter(|(_, value)| !value.is_array()));
    Object {
        key: format!("{from}|{}|{to}", table.verb.to_lowercase()),
        ty: table.ty.to_owned(),
        kind: Kind::Relationship { class: table.verb.to_owned(), from, to },
        properties: all,
        raw: None,
    }
}

fn order(keep: Keep, record: &Value) -> Option<f64> {
    match keep {
        Keep::First => None,
        Keep::Least(path) => at(record, path).and_then(Value::as_f64),
    }
}

/// Removes the value at a path. A list on the way means each of its elements.
fn remove(value: &mut Value, path: &[&str]) {
    match (value, path) {
        (Value::Array(items), _) => items.iter_mut().for_each(|item| remove(item, path)),
        (Value::Object(fields), [last]) => {
            fields.shift_remove(*last);
        }
        (Value::Object(fields), [key, rest @ ..]) => {
            if let Some(inner) = fields.get_mut(*key) {
                remove(inner, rest);
            }
        }
        _ => {}
    }
}
