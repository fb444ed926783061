//! The graph of an account: objects with their versions, by the instance that owns them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The objects of one instance, by key. Those that were deleted stay, marked.
#[derive(Debug, Default)]
pub struct Partition(BTreeMap<String, Node>);

/// An object and its versions.
#[derive(Debug, Clone)]
struct Node {
    id: String,
    part: Part,
    data: Map<String, Value>,
    version: u64,
    created: i64,
    began: i64,
    ended: Option<i64>,
    past: Vec<Value>,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Part {
    Entity,
    Relationship,
    Mapped,
}

impl Part {
    /// What counters call them.
    fn counted(self) -> &'static str {
        match self {
            Part::Entity => "Entities",
            Part::Relationship => "Relationships",
            Part::Mapped => "MappedRelationships",
        }
    }

    /// What an upload is.
    pub fn of(object: &Map<String, Value>, entity: bool) -> Self {
        match (entity, object.contains_key("_mapping")) {
            (true, _) => Part::Entity,
            (false, false) => Part::Relationship,
            (false, true) => Part::Mapped,
        }
    }
}

/// The upload of a job, by key.
pub type Uploaded = BTreeMap<String, (Part, Map<String, Value>)>;

impl Partition {
    /// Makes the partition what was uploaded; of partial types nothing is deleted. Returns the counters.
    pub fn apply(
        &mut self,
        uploaded: Uploaded,
        partial: &BTreeSet<String>,
        now: i64,
        mut id: impl FnMut() -> String,
    ) -> BTreeMap<String, u64> {
        let mut counters: BTreeMap<String, u64> = BTreeMap::new();
        let mut count = |name: String| *counters.entry(name).or_default() += 1;
        // Entities are finalized before relationships.
        for part in [Part::Entity, Part::Relationship, Part::Mapped] {
            for (key, (_, data)) in uploaded.iter().filter(|(_, (of, _))| *of == part) {
                let end = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
                let lives = |key: &str| {
                    self.0.get(key).is_some_and(|it| {
                        let stays = uploaded.contains_key(key) || partial.contains(it.ty());
                        it.part == Part::Entity && it.ended.is_none() && stays
                    })
                };
                if part == Part::Relationship && !(lives(end("_fromEntityKey")) && lives(end("_toEntityKey"))) {
                    count("numRelationshipCreateErrors".to_owned());
                    continue;
                }
                match self.0.get_mut(key) {
                    None => {
                        let node = Node {
                            id: id(),
                            part,
                            data: data.clone(),
                            version: 1,
                            created: now,
                            began: now,
                            ended: None,
                            past: Vec::new(),
                        };
                        self.0.insert(key.clone(), node);
                        count(format!("num{}Created", part.counted()));
                    }
                    Some(node) if node.ended.is_none() && same(&node.data, data) => node.data = data.clone(),
                    Some(node) => {
                        let word = if node.ended.is_some() { "Created" } else { "Updated" };
                        node.renew(data.clone(), now);
                        count(format!("num{}{word}", part.counted()));
                    }
                }
            }
        }
        let gone: Vec<String> = self
            .0
            .iter()
            .filter(|(key, node)| node.ended.is_none() && !uploaded.contains_key(*key) && !partial.contains(node.ty()))
            .map(|(key, _)| key.clone())
            .collect();
        let lost = |partition: &Self, key: &str| partition.0.get(key).is_none_or(|end| end.ended.is_some());
        for key in gone {
            if let Some(node) = self.0.get_mut(&key) {
                node.ended = Some(now);
                count(format!("num{}Deleted", node.part.counted()));
            }
        }
        // An edge goes with its ends.
        let hanging: Vec<String> = self
            .0
            .iter()
            .filter(|(_, node)| node.part == Part::Relationship && node.ended.is_none())
            .filter(|(_, node)| ["_fromEntityKey", "_toEntityKey"].iter().any(|end| lost(self, node.text(end))))
            .map(|(key, _)| key.clone())
            .collect();
        for key in hanging {
            if let Some(node) = self.0.get_mut(&key) {
                node.ended = Some(now);
                count("numRelationshipsDeleted".to_owned());
            }
        }
        counters
    }

    /// The objects with the platform's properties.
    pub fn objects(&self, account: &str, instance: &str) -> impl Iterator<Item = (Part, Value)> {
        self.0.values().map(move |node| {
            let mut shown = node.shown();
            for (name, value) in [
                ("_accountId", account),
                ("_scope", instance),
                ("_integrationInstanceId", instance),
                ("_source", "integration-external"),
            ] {
                shown[name] = json!(value);
            }
            for (name, end) in [("_fromEntityId", "_fromEntityKey"), ("_toEntityId", "_toEntityKey")] {
                if let Some(end) = self.0.get(node.text(end)) {
                    shown[name] = json!(end.id);
                }
            }
            (node.part, shown)
        })
    }

    /// Earlier versions of an object, the oldest first.
    pub fn past(&self, key: &str) -> Vec<Value> {
        self.0.get(key).map(|node| node.past.clone()).unwrap_or_default()
    }
}

impl Node {
    fn text(&self, name: &str) -> &str {
        self.data.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn ty(&self) -> &str {
        self.text("_type")
    }

    fn renew(&mut self, data: Map<String, Value>, now: i64) {
        self.ended.get_or_insert(now);
        self.past.push(self.shown());
        (self.data, self.version, self.began, self.ended) = (data, self.version + 1, now, None);
    }

    fn shown(&self) -> Value {
        let mut shown = self.data.clone();
        for (name, value) in [
            ("_id", json!(self.id)),
            ("_version", json!(self.version)),
            ("_createdOn", json!(self.created)),
            ("_beginOn", json!(self.began)),
            ("_endOn", json!(self.ended)),
            ("_deleted", json!(self.ended.is_some())),
        ] {
            shown.insert(name.to_owned(), value);
        }
        Value::Object(shown)
    }
}

/// Whether nothing changed but the records.
fn same(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let plain = |data: &Map<String, Value>| {
        let mut data = data.clone();
        data.remove("_rawData");
        data
    };
    plain(one) == plain(other)
}
