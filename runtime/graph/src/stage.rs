//! A run on its way into the store: staged in temporary tables, joined there, compared with what is live, and applied in
//! one transaction. Until then nothing of the store changes, and what is staged may be larger than memory.

use std::collections::{BTreeMap, BTreeSet};

use connectome_core::Error;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use crate::map::{Joining, edge};
use crate::object::{Kind, Object, hash};
use crate::report::Counts;
use crate::store::{Store, failed, json as read, object};
use crate::table::{Dialect, How, Relationship};

const TABLES: &str = "
DROP TABLE IF EXISTS temp.staged;
DROP TABLE IF EXISTS temp.side;
CREATE TEMP TABLE staged (
    key TEXT PRIMARY KEY, kind INTEGER NOT NULL, type TEXT NOT NULL, class TEXT NOT NULL, from_key TEXT, to_key TEXT,
    mapping TEXT, properties TEXT NOT NULL, raw TEXT, hash BLOB NOT NULL, raw_hash BLOB, ordered REAL);
CREATE TEMP TABLE side (
    relationship INTEGER NOT NULL, second INTEGER NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL, ordered REAL,
    properties TEXT);
";

const COLUMNS: &str = "key, kind, type, class, from_key, to_key, mapping, properties";

/// A run that is being staged.
#[derive(Debug)]
pub struct Stage {
    store: Store,
    instance: String,
}

/// What became of an object that was staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Staged {
    /// It is there.
    New,
    /// The same object was there already.
    Same,
    /// Another object of the same key was there already.
    Taken,
}

/// What a run would change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Difference {
    /// By `_type`.
    pub types: BTreeMap<String, Counts>,
    /// What tells this state of the account from any other.
    pub fingerprint: String,
}

impl Difference {
    /// How many objects are created, updated and deleted.
    pub fn changes(&self) -> u64 {
        self.types.values().map(|counts| counts.created + counts.updated + counts.deleted).sum()
    }
}

/// One object that a run would change.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happens to it.
    pub what: What,
    /// What it was.
    pub before: Option<Object>,
    /// What it is.
    pub after: Option<Object>,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum What {
    Created,
    Updated,
    Deleted,
}

impl What {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            What::Created => "created",
            What::Updated => "updated",
            What::Deleted => "deleted",
        }
    }
}

impl Stage {
    /// Begins a run of an instance.
    pub fn begin(store: Store, instance: &str) -> Result<Self, Error> {
        store.db.execute_batch(TABLES).map_err(failed)?;
        // Rows are written one by one, so they are written in one transaction of the temporary database.
        store.db.execute_batch("BEGIN").map_err(failed)?;
        Ok(Self { store, instance: instance.to_owned() })
    }

    /// Adds an object.
    pub fn add(&self, object: &Object) -> Result<Staged, Error> {
        let hash_of = object.hash();
        let raw = object.raw.as_ref().map(|raw| (raw.to_string(), hash(raw)));
        let (from, to) = ends(&object.kind);
        let mapping = match &object.kind {
            Kind::Mapped { mapping, .. } => Some(mapping.to_string()),
            _ => None,
        };
        let added = self
            .store
            .db
            .prepare_cached("INSERT OR IGNORE INTO staged VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL)")
            .and_then(|mut insert| {
                insert.execute(params![
                    object.key,
                    object.kind.number(),
                    object.ty,
                    object.kind.class(),
                    from,
                    to,
                    mapping,
                    Value::Object(object.properties.clone()).to_string(),
                    raw.as_ref().map(|(text, _)| text),
                    hash_of,
                    raw.as_ref().map(|(_, hash)| hash),
                ])
            })
            .map_err(failed)?;
        if added == 1 {
            return Ok(Staged::New);
        }
        let there: Vec<u8> = self
            .store
            .db
            .prepare_cached("SELECT hash FROM staged WHERE key = ?1")
            .and_then(|mut select| select.query_row([&object.key], |row| row.get(0)))
            .map_err(failed)?;
        Ok(if there == hash_of { Staged::Same } else { Staged::Taken })
    }

    /// Adds a relationship of which several may join the same ends: the first stays, or the one of the least order.
    pub fn add_edge(&self, object: &Object, order: Option<f64>) -> Result<(), Error> {
        if self.add(object)? == Staged::Taken
            && let Some(order) = order
        {
            let hash = object.hash();
            let properties = Value::Object(object.properties.clone()).to_string();
            self.store
                .db
                .prepare_cached(
                    "UPDATE staged SET properties = ?2, hash = ?3, ordered = ?4
                     WHERE key = ?1 AND kind = 1 AND (ordered IS NULL OR ordered > ?4)",
                )
                .and_then(|mut update| update.execute(params![object.key, properties, hash, order]))
                .map_err(failed)?;
        } else if let Some(order) = order {
            self.store
                .db
                .prepare_cached("UPDATE staged SET ordered = ?2 WHERE key = ?1 AND (ordered IS NULL OR ordered > ?2)")
                .and_then(|mut update| update.execute(params![object.key, order]))
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Adds a record's part in a join.
    pub fn add_side(&self, side: &Joining) -> Result<(), Error> {
        let properties = side.properties.as_ref().map(|it| json!([it, side.collected]).to_string());
        self.store
            .db
            .prepare_cached("INSERT INTO side VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .and_then(|mut insert| {
                insert.execute(params![
                    side.relationship as i64,
                    side.second,
                    side.value,
                    side.key,
                    side.order,
                    properties
                ])
            })
            .map(drop)
            .map_err(failed)
    }

    /// Makes the relationships of which both sides are there. Returns, by number of the relationship, how many records
    /// are on each side and how many relationships there are.
    pub fn join(&self, dialect: &Dialect) -> Result<Vec<(usize, [u64; 2], u64)>, Error> {
        let db = &self.store.db;
        db.execute_batch("CREATE INDEX temp.side_value ON side (relationship, second, value)").map_err(failed)?;
        let mut found = Vec::new();
        for (number, table) in dialect.relationships.iter().enumerate() {
            let How::Join(first, _) = table.how else { continue };
            let on_side = |second: bool| -> Result<u64, Error> {
                db.query_row(
                    "SELECT count(*) FROM side WHERE relationship = ?1 AND second = ?2",
                    params![number as i64, second],
                    |row| row.get(0),
                )
                .map_err(failed)
            };
            let mut select = db
                .prepare(
                    "SELECT a.key, b.key, coalesce(a.properties, b.properties), coalesce(a.ordered, b.ordered)
                     FROM side a JOIN side b ON b.relationship = a.relationship AND b.second = 1 AND b.value = a.value
                     WHERE a.relationship = ?1 AND a.second = 0 ORDER BY a.key, b.key,
                        coalesce(a.ordered, b.ordered) NULLS LAST, a.rowid, b.rowid",
                )
                .map_err(failed)?;
            let mut rows = select.query([number as i64]).map_err(failed)?;
            let mut count = 0;
            let mut together = Together::default();
            while let Some(row) = rows.next().map_err(failed)? {
                let read = |row: &Row<'_>| -> Result<_, rusqlite::Error> {
                    Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
                };
                let (a, b, properties) = read(row).map_err(failed)?;
                let ends = if first.end.leaves { (a, b) } else { (b, a) };
                if let Some(done) = together.next(ends, properties.as_deref()) {
                    self.add(&done.edge(table))?;
                }
                count += 1;
            }
            if let Some(last) = together.ends.is_some().then_some(together) {
                self.add(&last.edge(table))?;
            }
            found.push((number, [on_side(false)?, on_side(true)?], count));
        }
        Ok(found)
    }

    /// Drops relationships of which an end is neither staged nor live and kept. Returns how many of each type.
    pub fn drop_dangling(&self, partial: &BTreeSet<String>) -> Result<BTreeMap<String, u64>, Error> {
        let db = &self.store.db;
        self.partial(partial)?;
        let gone = |end: &str| {
            format!(
                "NOT EXISTS (SELECT 1 FROM staged e WHERE e.key = staged.{end} AND e.kind = 0)
                AND NOT EXISTS (SELECT 1 FROM graph_object o WHERE o.instance = ?1 AND o.key = staged.{end}
                    AND o.kind = 0 AND o.type IN (SELECT type FROM partial))"
            )
        };
        let missing = format!("kind > 0 AND {} OR kind = 1 AND {}", gone("from_key"), gone("to_key"));
        let mut select =
            db.prepare(&format!("SELECT type, count(*) FROM staged WHERE {missing} GROUP BY type")).map_err(failed)?;
        let counted = select
            .query_map([&self.instance], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(failed)?;
        db.execute(&format!("DELETE FROM staged WHERE {missing}"), [&self.instance]).map_err(failed)?;
        Ok(counted)
    }

    fn partial(&self, partial: &BTreeSet<String>) -> Result<(), Error> {
        let db = &self.store.db;
        db.execute_batch("CREATE TEMP TABLE IF NOT EXISTS partial (type TEXT PRIMARY KEY); DELETE FROM partial;")
            .map_err(failed)?;
        for ty in partial {
            db.execute("INSERT INTO partial VALUES (?1)", [ty]).map_err(failed)?;
        }
        Ok(())
    }

    /// What would change. Of partial types nothing is deleted.
    pub fn difference(&self, partial: &BTreeSet<String>) -> Result<Difference, Error> {
        self.partial(partial)?;
        let mut difference = Difference::default();
        let counted: [(&str, Slot); 5] = [
            (CREATED, |counts| &mut counts.created),
            (UPDATED, |counts| &mut counts.updated),
            (UNCHANGED, |counts| &mut counts.unchanged),
            (DELETED, |counts| &mut counts.deleted),
            (KEPT, |counts| &mut counts.kept),
        ];
        for (which, slot) in counted {
            let mut select = self
                .store
                .db
                .prepare(&format!("SELECT it.type, it.kind, count(*) {which} GROUP BY it.type, it.kind"))
                .map_err(failed)?;
            let mut rows = select.query([&self.instance]).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                let (ty, kind, count): (String, i64, u64) =
                    (row.get(0).map_err(failed)?, row.get(1).map_err(failed)?, row.get(2).map_err(failed)?);
                let counts = difference.types.entry(ty).or_default();
                counts.kind = kind;
                *slot(counts) += count;
            }
        }
        difference.fingerprint = self.fingerprint()?;
        Ok(difference)
    }

    /// A text that is the same for the same account and the same live graph, and for no others.
    fn fingerprint(&self) -> Result<String, Error> {
        use ring::digest::{Context, SHA256};
        let mut context = Context::new(&SHA256);
        for select in [
            "SELECT key, hash FROM staged WHERE ?1 = ?1 ORDER BY key",
            "SELECT key, hash FROM graph_object WHERE instance = ?1 ORDER BY key",
            "SELECT type, x'' FROM partial WHERE ?1 = ?1 ORDER BY type",
        ] {
            let mut select = self.store.db.prepare(select).map_err(failed)?;
            let mut rows = select.query([&self.instance]).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                context.update(row.get::<_, String>(0).map_err(failed)?.as_bytes());
                context.update(b"\0");
                context.update(&row.get::<_, Vec<u8>>(1).map_err(failed)?);
            }
            context.update(b"\xff");
        }
        Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Hands every change to `see`: what is deleted first, then what is created and updated.
    pub fn changes(&self, mut see: impl FnMut(Change) -> Result<(), Error>) -> Result<(), Error> {
        for (what, which) in [(What::Deleted, DELETED), (What::Created, CREATED), (What::Updated, UPDATED)] {
            let columns: String = COLUMNS.split(", ").map(|column| format!("it.{column}, ")).collect();
            let mut select = self
                .store
                .db
                .prepare(&format!("SELECT {columns} NULL {which} ORDER BY it.kind, it.key"))
                .map_err(failed)?;
            let mut rows = select.query([&self.instance]).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                let it = object(row, 0).map_err(failed)?;
                let before = if what == What::Updated { self.live(&it.key)? } else { None };
                see(match what {
                    What::Deleted => Change { what, before: Some(it), after: None },
                    _ => Change { what, before, after: Some(it) },
                })?;
            }
        }
        Ok(())
    }

    fn live(&self, key: &str) -> Result<Option<Object>, Error> {
        self.store
            .db
            .query_row(
                &format!("SELECT {COLUMNS}, NULL FROM graph_object WHERE instance = ?1 AND key = ?2"),
                params![self.instance, key],
                |row| object(row, 0),
            )
            .optional()
            .map_err(failed)
    }

    /// Hands every staged object to `see`, entities first.
    pub fn each(&self, mut see: impl FnMut(Object) -> Result<(), Error>) -> Result<(), Error> {
        let mut select =
            self.store.db.prepare(&format!("SELECT {COLUMNS}, raw FROM staged ORDER BY kind, key")).map_err(failed)?;
        let mut rows = select.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            see(object(row, 0).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Makes the live graph what was staged, and keeps the run. Returns the run's number.
    pub fn apply(
        &self,
        dialect: &str,
        started: Timestamp,
        ended: Timestamp,
        report: &Value,
        partial: &BTreeSet<String>,
    ) -> Result<i64, Error> {
        self.partial(partial)?;
        let db = &self.store.db;
        let now = ended.as_millisecond();
        let instance = &self.instance;
        let run = || -> Result<i64, rusqlite::Error> {
            db.execute(
                "INSERT INTO graph_sync (instance, dialect, started, ended, report) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![instance, dialect, started.as_millisecond(), now, report.to_string()],
            )?;
            let run = db.last_insert_rowid();
            db.execute_batch(
                "DROP TABLE IF EXISTS temp.gone; CREATE TEMP TABLE gone (key TEXT PRIMARY KEY, deleted INTEGER);",
            )?;
            db.execute(&format!("INSERT INTO gone SELECT it.key, 1 {DELETED}"), [instance])?;
            db.execute(&format!("INSERT INTO gone SELECT it.key, 0 {UPDATED}"), [instance])?;
            db.execute(
                "INSERT INTO graph_past SELECT o.instance, o.key, o.version, o.kind, o.type, o.class, o.from_key, o.to_key,
                    o.mapping, o.properties, o.created, o.began, ?2, o.sync, ?3, gone.deleted
                 FROM gone JOIN graph_object o ON o.instance = ?1 AND o.key = gone.key",
                params![instance, now, run],
            )?;
            db.execute(
                "INSERT INTO graph_object SELECT ?1, s.key, s.kind, s.type, s.class, s.from_key, s.to_key, s.mapping,
                    s.properties, s.raw, s.hash, s.raw_hash,
                    1 + coalesce((SELECT max(version) FROM graph_past p WHERE p.instance = ?1 AND p.key = s.key), 0),
                    ?2, ?2, ?3
                 FROM staged s WHERE NOT EXISTS (SELECT 1 FROM graph_object o WHERE o.instance = ?1 AND o.key = s.key)",
                params![instance, now, run],
            )?;
            db.execute(
                "UPDATE graph_object SET kind = s.kind, type = s.type, class = s.class, from_key = s.from_key,
                    to_key = s.to_key, mapping = s.mapping, properties = s.properties, raw = s.raw, hash = s.hash,
                    raw_hash = s.raw_hash, version = version + 1, began = ?2, sync = ?3
                 FROM staged s JOIN gone ON gone.key = s.key AND gone.deleted = 0
                 WHERE graph_object.instance = ?1 AND graph_object.key = s.key",
                params![instance, now, run],
            )?;
            // The record may have changed in what nobody maps: that is no new version.
            db.execute(
                "UPDATE graph_object SET raw = s.raw, raw_hash = s.raw_hash FROM staged s
                 WHERE graph_object.instance = ?1 AND graph_object.key = s.key AND graph_object.hash = s.hash
                    AND graph_object.raw_hash IS NOT s.raw_hash",
                params![instance],
            )?;
            db.execute(
                "DELETE FROM graph_object WHERE instance = ?1 AND key IN (SELECT key FROM gone WHERE deleted = 1)",
                [instance],
            )?;
            db.execute_batch("COMMIT")?;
            Ok(run)
        };
        run().map_err(|error| {
            let _ = db.execute_batch("ROLLBACK");
            failed(error)
        })
    }

    /// The store, in which nothing of the run shows before it is applied.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Gives the store back. What was not applied is gone.
    pub fn end(self) -> Result<Store, Error> {
        if !self.store.db.is_autocommit() {
            self.store.db.execute_batch("ROLLBACK").map_err(failed)?;
        }
        self.store
            .db
            .execute_batch("DROP TABLE IF EXISTS temp.staged; DROP TABLE IF EXISTS temp.side;")
            .map_err(failed)?;
        Ok(self.store)
    }
}

/// Rows of a join between the same two ends: the first is the edge that stays, and lists what the others hold.
#[derive(Debug, Default)]
struct Together {
    ends: Option<(String, String)>,
    properties: Map<String, Value>,
    collected: Vec<Vec<String>>,
}

impl Together {
    /// Takes a row. Gives the rows before it when it begins with other ends.
    fn next(&mut self, ends: (String, String), told: Option<&str>) -> Option<Together> {
        let (properties, collected) = match told.map(read) {
            Some(Value::Array(mut both)) => (both.first_mut().map(Value::take), both.pop()),
            _ => (None, None),
        };
        let mut done = None;
        if self.ends.as_ref() != Some(&ends) {
            let properties = match properties {
                Some(Value::Object(fields)) => fields,
                _ => Map::new(),
            };
            let fresh = Together { ends: Some(ends), properties, collected: Vec::new() };
            done = Some(std::mem::replace(self, fresh)).filter(|done| done.ends.is_some());
        }
        for (at, value) in collected.as_ref().and_then(Value::as_array).into_iter().flatten().enumerate() {
            if self.collected.len() <= at {
                self.collected.push(Vec::new());
            }
            if let Some(text) = value.as_str().filter(|text| !self.collected[at].iter().any(|known| known == text)) {
                self.collected[at].push(text.to_owned());
            }
        }
        done
    }

    fn edge(self, table: &Relationship) -> Object {
        let (from, to) = self.ends.unwrap_or_default();
        let mut properties = self.properties;
        for ((name, _), values) in table.collect.iter().zip(self.collected) {
            if !values.is_empty() {
                properties.insert((*name).to_owned(), Value::from(values.join(", ")));
            }
        }
        edge(table, from, to, properties)
    }
}

fn ends(kind: &Kind) -> (Option<&str>, Option<&str>) {
    match kind {
        Kind::Relationship { from, to, .. } => (Some(from), Some(to)),
        Kind::Mapped { mapping, .. } => (mapping["sourceEntityKey"].as_str(), None),
        Kind::Entity(_) => (None, None),
    }
}

/// One of the numbers.
type Slot = fn(&mut Counts) -> &mut u64;

const CREATED: &str = "FROM staged it WHERE NOT EXISTS
    (SELECT 1 FROM graph_object o WHERE o.instance = ?1 AND o.key = it.key)";
const UPDATED: &str =
    "FROM staged it JOIN graph_object o ON o.instance = ?1 AND o.key = it.key WHERE o.hash <> it.hash";
const UNCHANGED: &str =
    "FROM staged it JOIN graph_object o ON o.instance = ?1 AND o.key = it.key WHERE o.hash = it.hash";
/// What is not staged and goes nevertheless: all of a type that is not partial, and what has lost an end.
macro_rules! lost {
    () => {
        "(it.type NOT IN (SELECT type FROM partial) OR it.kind > 0 AND (
        EXISTS (SELECT 1 FROM graph_object e WHERE e.instance = ?1 AND e.key = it.from_key
            AND e.type NOT IN (SELECT type FROM partial) AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.key = e.key))
        OR EXISTS (SELECT 1 FROM graph_object e WHERE e.instance = ?1 AND e.key = it.to_key
            AND e.type NOT IN (SELECT type FROM partial) AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.key = e.key))))"
    };
}

const DELETED: &str = concat!(
    "FROM graph_object it WHERE it.instance = ?1 AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.key = it.key) AND ",
    lost!()
);
const KEPT: &str = concat!(
    "FROM graph_object it WHERE it.instance = ?1 AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.key = it.key) AND NOT ",
    lost!()
);
