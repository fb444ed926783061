//! What changed: between runs, from the history that the store keeps, or by a run that is not applied yet.

use connectome_core::Error;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value, json};

use crate::object::{Kind, Object};
use crate::stage::{self, What};
use crate::store::{Store, failed, object};

/// From where on changes are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Since {
    /// The last run that changed something.
    #[default]
    LastChange,
    /// The last runs, whether they changed something or not.
    Runs(u64),
    /// Runs that ended then or later.
    Time(Timestamp),
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The run that changed it; none in a plan.
    pub run: Option<i64>,
    /// When; unknown in a plan.
    pub time: Option<Timestamp>,
    /// The instance it belongs to.
    pub instance: String,
    /// What happens to it.
    pub what: What,
    /// Its `_key`.
    pub key: String,
    /// Its `_type`.
    pub ty: String,
    /// Its classes; several are joined by a blank.
    pub class: String,
    /// Its `displayName`.
    pub name: Option<String>,
    /// What is different, if it is updated.
    pub properties: Vec<Differing>,
}

/// A property that is not what it was. What is not there is `None`, a null is a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Differing {
    /// Its name; `_class`, `_fromEntityKey` and the like count as properties.
    pub name: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
}

const COLUMNS: &str = "it.key, it.kind, it.type, it.class, it.from_key, it.to_key, it.mapping, it.properties, NULL";
const GONE: &str = "FROM graph_past it WHERE it.instance = ?1 AND it.sync = ?2 AND it.deleted = 1";
/// New versions without one before, or after one that was deleted.
const MADE: &str = "FROM (
        SELECT instance, key, kind, type, class, from_key, to_key, mapping, properties, version, sync AS made FROM graph_object
        UNION ALL
        SELECT instance, key, kind, type, class, from_key, to_key, mapping, properties, version, made FROM graph_past) it
    WHERE it.instance = ?1 AND it.made = ?2 AND NOT EXISTS (SELECT 1 FROM graph_past p
        WHERE p.instance = it.instance AND p.key = it.key AND p.version = it.version - 1 AND p.deleted = 0)";
const CHANGED: &str = "FROM graph_past it WHERE it.instance = ?1 AND it.sync = ?2 AND it.deleted = 0";

/// Hands every change since then to `see`: run by run, in each what is deleted first, then what is created and updated.
pub fn changes(
    store: &Store,
    instance: Option<&str>,
    since: Since,
    mut see: impl FnMut(Change) -> Result<(), Error>,
) -> Result<(), Error> {
    store.reading(|| {
        for (run, instance, ended) in runs(store, instance, since)? {
            for (what, which) in [(What::Deleted, GONE), (What::Created, MADE), (What::Updated, CHANGED)] {
                let mut select = store
                    .db
                    .prepare(&format!("SELECT {COLUMNS}, it.version {which} ORDER BY it.kind, it.key"))
                    .map_err(failed)?;
                let mut rows = select.query(params![instance, run]).map_err(failed)?;
                while let Some(row) = rows.next().map_err(failed)? {
                    let it = object(row, 0).map_err(failed)?;
                    let change = match what {
                        What::Deleted => stage::Change { what, before: Some(it), after: None },
                        What::Created => stage::Change { what, before: None, after: Some(it) },
                        What::Updated => {
                            let after = version(store, &instance, &it.key, row.get::<_, i64>(9).map_err(failed)? + 1)?;
                            stage::Change { what, before: Some(it), after }
                        }
                    };
                    see(Change { run: Some(run), time: Some(ended), ..planned(&instance, &change) })?;
                }
            }
        }
        Ok(())
    })
}

/// The runs since then, the oldest first.
fn runs(store: &Store, instance: Option<&str>, since: Since) -> Result<Vec<(i64, String, Timestamp)>, Error> {
    let (which, bound) = match since {
        Since::LastChange => (
            "id = (SELECT max(sync) FROM (
                SELECT instance, sync FROM graph_object UNION ALL SELECT instance, sync FROM graph_past)
                WHERE ?1 IS NULL OR instance = ?1) OR id = ?2",
            0,
        ),
        Since::Runs(count) => (
            "id IN (SELECT id FROM graph_sync WHERE ?1 IS NULL OR instance = ?1 ORDER BY id DESC LIMIT ?2)",
            i64::try_from(count).unwrap_or(i64::MAX),
        ),
        Since::Time(time) => ("ended >= ?2", time.as_millisecond()),
    };
    let mut select = store
        .db
        .prepare(&format!(
            "SELECT id, instance, ended FROM graph_sync WHERE (?1 IS NULL OR instance = ?1) AND ({which}) ORDER BY id"
        ))
        .map_err(failed)?;
    let rows = select
        .query_map(params![instance, bound], |row| {
            Ok((row.get(0)?, row.get(1)?, Timestamp::from_millisecond(row.get(2)?).unwrap_or_default()))
        })
        .map_err(failed)?;
    rows.collect::<Result<_, _>>().map_err(failed)
}

/// A version of an object, live or past.
fn version(store: &Store, instance: &str, key: &str, version: i64) -> Result<Option<Object>, Error> {
    let one = |table: &str| {
        store
            .db
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM {table} it WHERE it.instance = ?1 AND it.key = ?2 AND it.version = ?3"
            ))
            .and_then(|mut select| select.query_row(params![instance, key, version], |row| object(row, 0)).optional())
            .map_err(failed)
    };
    Ok(match one("graph_past")? {
        Some(found) => Some(found),
        None => one("graph_object")?,
    })
}

/// A change that a run would make, in the form of those that were made.
pub fn planned(instance: &str, change: &stage::Change) -> Change {
    let nothing = Object {
        key: String::new(),
        ty: String::new(),
        kind: Kind::Entity(Vec::new()),
        properties: Map::new(),
        raw: None,
    };
    let it = change.after.as_ref().or(change.before.as_ref()).unwrap_or(&nothing);
    Change {
        run: None,
        time: None,
        instance: instance.to_owned(),
        what: change.what,
        key: it.key.clone(),
        ty: it.ty.clone(),
        class: it.kind.class(),
        name: it.properties.get("displayName").and_then(Value::as_str).map(str::to_owned),
        properties: match (&change.before, &change.after) {
            (Some(before), Some(after)) => differing(before, after),
            _ => Vec::new(),
        },
    }
}

/// Property by property: those that were there in their order, then those that came.
fn differing(before: &Object, after: &Object) -> Vec<Differing> {
    let (before, after) = (before.json(false), after.json(false));
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| Differing {
            name: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

impl Change {
    /// The change as JSON. What was not there has no `before`, what is gone no `after`.
    pub fn json(&self) -> Value {
        let one = |differing: &Differing| {
            let mut one = Map::from_iter([("name".to_owned(), json!(differing.name))]);
            one.extend(differing.before.clone().map(|value| ("before".to_owned(), value)));
            one.extend(differing.after.clone().map(|value| ("after".to_owned(), value)));
            Value::Object(one)
        };
        let mut json = Map::new();
        let mut put = |name: &str, value: Value| drop(json.insert(name.to_owned(), value));
        if let (Some(run), Some(time)) = (self.run, self.time) {
            put("run", json!(run));
            put("time", json!(time.to_string()));
        }
        put("instance", json!(self.instance));
        put("change", json!(self.what.word()));
        put("_type", json!(self.ty));
        put("_class", json!(self.class.split(' ').filter(|class| !class.is_empty()).collect::<Vec<_>>()));
        put("_key", json!(self.key));
        put("displayName", json!(self.name));
        if self.what == What::Updated {
            put("properties", self.properties.iter().map(one).collect());
        }
        Value::Object(json)
    }

    /// The change as a line for people, without its end.
    pub fn line(&self) -> String {
        let sign = match self.what {
            What::Created => '+',
            What::Updated => '~',
            What::Deleted => '-',
        };
        let mut line = format!("{sign} {} {}", harmless(&self.ty), harmless(&self.key));
        // A relationship's name is its class, which stands in its type already.
        if let Some(name) = self.name.as_ref().filter(|name| **name != self.class && !name.is_empty()) {
            line += &format!(" ({})", harmless(name));
        }
        for (number, it) in self.properties.iter().enumerate() {
            let (before, after) = (shown(it.before.as_ref()), shown(it.after.as_ref()));
            line += &format!("{} {} {before} -> {after}", if number == 0 { ":" } else { "," }, harmless(&it.name));
        }
        line
    }
}

/// The longest value that a line shows whole.
const SHOWN: usize = 80;

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => harmless(&text[..end]) + "…",
        None => harmless(&text),
    }
}

/// The text without anything that moves the cursor, ends the line or turns the direction of writing.
fn harmless(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let one = |c: char| if c.is_control() || turns(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(one).collect()
}
