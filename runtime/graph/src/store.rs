//! The local graph: tables in one SQLite file. What is there now, what was there before, and every run.

use std::path::Path;

use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use crate::object::{Kind, Object};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS graph_sync (
    id INTEGER PRIMARY KEY, instance TEXT NOT NULL, dialect TEXT NOT NULL, started INTEGER NOT NULL,
    ended INTEGER NOT NULL, report TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS graph_object (
    instance TEXT NOT NULL, key TEXT NOT NULL, kind INTEGER NOT NULL, type TEXT NOT NULL, class TEXT NOT NULL,
    from_key TEXT, to_key TEXT, mapping TEXT, properties TEXT NOT NULL, raw TEXT, hash BLOB NOT NULL, raw_hash BLOB,
    version INTEGER NOT NULL, created INTEGER NOT NULL, began INTEGER NOT NULL, sync INTEGER NOT NULL,
    PRIMARY KEY (instance, key));
CREATE INDEX IF NOT EXISTS graph_object_type ON graph_object (instance, type);
CREATE INDEX IF NOT EXISTS graph_object_sync ON graph_object (sync);
CREATE TABLE IF NOT EXISTS graph_past (
    instance TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, kind INTEGER NOT NULL, type TEXT NOT NULL,
    class TEXT NOT NULL, from_key TEXT, to_key TEXT, mapping TEXT, properties TEXT NOT NULL, created INTEGER NOT NULL,
    began INTEGER NOT NULL, ended INTEGER NOT NULL, made INTEGER NOT NULL, sync INTEGER NOT NULL,
    deleted INTEGER NOT NULL, PRIMARY KEY (instance, key, version));
CREATE INDEX IF NOT EXISTS graph_past_made ON graph_past (made);
CREATE INDEX IF NOT EXISTS graph_past_sync ON graph_past (sync);
CREATE TABLE IF NOT EXISTS graph_found (
    instance TEXT NOT NULL, key TEXT NOT NULL, target_instance TEXT NOT NULL, target_key TEXT NOT NULL,
    PRIMARY KEY (instance, key, target_instance, target_key));
CREATE TABLE IF NOT EXISTS graph_upload (
    instance TEXT NOT NULL, destination TEXT NOT NULL, sync INTEGER NOT NULL, PRIMARY KEY (instance, destination));
CREATE TABLE IF NOT EXISTS graph_format (version INTEGER NOT NULL);
";

/// The form of these tables.
const FORMAT: i64 = 1;

/// The local graph.
#[derive(Debug)]
pub struct Store {
    pub(crate) db: Connection,
}

/// A run, as the store keeps it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// The instance.
    pub instance: String,
    /// When it began.
    pub started: Timestamp,
    /// When its state became the graph's.
    pub ended: Timestamp,
    /// Its report, as JSON.
    pub report: Value,
}

/// Turns an error of the database into ours.
pub(crate) fn failed(error: rusqlite::Error) -> Error {
    let full = matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    let advice = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "make room on the disk; `connectome graph show` tells what is kept",
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            "another run is writing to it: wait for that"
        }
        Some(rusqlite::ErrorCode::NotADatabase) => "the file is not a graph of this program: give another --state",
        _ => "check the file and the folder it is in; `connectome graph show` tells what is kept",
    };
    let what = if full { "the disk is full".to_owned() } else { error.to_string() };
    Error::new(ErrorKind::Storage, format!("the local graph cannot be used: {what}")).advice(advice)
}

impl Store {
    /// Opens the graph, and makes it when there is none.
    pub fn open(path: &Path) -> Result<Self, Error> {
        connectome_core::private::file(path).map_err(|error| {
            Error::new(ErrorKind::Storage, format!("{}: {error}", path.display()))
                .advice("give a file in a folder that can be written, with --state")
        })?;
        Self::with(Connection::open(path).map_err(failed)?)
    }

    /// Opens the graph in a file that holds one, and makes none.
    pub fn open_existing(path: &Path) -> Result<Option<Self>, Error> {
        if !path.is_file() {
            return Ok(None);
        }
        let db = Connection::open(path).map_err(failed)?;
        let found = db
            .query_row("SELECT name FROM sqlite_master WHERE name = 'graph_format'", [], |_| Ok(()))
            .optional()
            .map_err(failed)?;
        found.map(|()| Self::with(db)).transpose()
    }

    /// Every instance that was ever synchronised, and how many objects of each are live.
    pub fn instances(&self) -> Result<Vec<(String, u64)>, Error> {
        let mut statement = self
            .db
            .prepare(
                "SELECT s.instance, (SELECT count(*) FROM graph_object o WHERE o.instance = s.instance)
                 FROM (SELECT DISTINCT instance FROM graph_sync) s ORDER BY s.instance",
            )
            .map_err(failed)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Forgets an instance: what is live, what was before, every run and every upload.
    pub fn forget(&self, instance: &str) -> Result<(), Error> {
        let forget = || -> Result<(), rusqlite::Error> {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            for table in ["graph_object", "graph_past", "graph_sync", "graph_upload"] {
                self.db.execute(&format!("DELETE FROM {table} WHERE instance = ?1"), [instance])?;
            }
            self.db.execute("DELETE FROM graph_found WHERE instance = ?1 OR target_instance = ?1", [instance])?;
            self.db.execute_batch("COMMIT; VACUUM;")
        };
        forget().map_err(|error| {
            let _ = self.db.execute_batch("ROLLBACK");
            failed(error)
        })
    }

    /// A graph in memory, for a look that leaves nothing behind.
    pub fn in_memory() -> Result<Self, Error> {
        Self::with(Connection::open_in_memory().map_err(failed)?)
    }

    fn with(db: Connection) -> Result<Self, Error> {
        db.busy_timeout(std::time::Duration::from_secs(10)).map_err(failed)?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
        db.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
        // What is staged may be larger than memory.
        db.pragma_update(None, "temp_store", "FILE").map_err(failed)?;
        let known: Option<i64> = db
            .query_row("SELECT name FROM sqlite_master WHERE name = 'graph_format'", [], |_| Ok(()))
            .optional()
            .map_err(failed)?
            .map(|()| db.query_row("SELECT version FROM graph_format", [], |row| row.get(0)))
            .transpose()
            .map_err(failed)?;
        match known {
            Some(FORMAT) => {}
            Some(other) => {
                return Err(Error::new(
                    ErrorKind::Storage,
                    format!("the local graph has form {other}, and this program knows form {FORMAT}"),
                )
                .advice("use the program that wrote it, or give another --state"));
            }
            None => {
                db.execute_batch(&format!("BEGIN;{TABLES}INSERT INTO graph_format VALUES ({FORMAT});COMMIT;"))
                    .map_err(failed)?;
            }
        }
        Ok(Self { db })
    }

    /// The last run of an instance.
    pub fn last_run(&self, instance: &str) -> Result<Option<Run>, Error> {
        self.db
            .query_row(
                "SELECT id, instance, started, ended, report FROM graph_sync WHERE instance = ?1 ORDER BY id DESC LIMIT 1",
                [instance],
                run,
            )
            .optional()
            .map_err(failed)
    }

    /// How many live objects an instance has, by type.
    pub fn counts(&self, instance: &str) -> Result<Vec<(String, i64, u64)>, Error> {
        let mut statement = self
            .db
            .prepare("SELECT type, kind, count(*) FROM graph_object WHERE instance = ?1 GROUP BY type, kind ORDER BY kind, type")
            .map_err(failed)?;
        let rows =
            statement.query_map([instance], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Hands every live object to `see`, entities first; of one instance or of all.
    pub fn each(
        &self,
        instance: Option<&str>,
        with_raw: bool,
        mut see: impl FnMut(&str, Object) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut statement = self
            .db
            .prepare(&format!(
                "SELECT instance, key, kind, type, class, from_key, to_key, mapping, properties, {} FROM graph_object
                 WHERE ?1 IS NULL OR instance = ?1 ORDER BY kind, instance, key",
                if with_raw { "raw" } else { "NULL" }
            ))
            .map_err(failed)?;
        let mut rows = statement.query([instance]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let instance: String = row.get(0).map_err(failed)?;
            see(&instance, object(row, 1).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Reads several times from one state of the graph, whatever other processes write meanwhile.
    pub(crate) fn reading<T>(&self, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        // A savepoint, since a run that is being staged has begun a transaction already.
        self.db.execute_batch("SAVEPOINT reading").map_err(failed)?;
        let outcome = read();
        self.db.execute_batch("RELEASE reading").map_err(failed)?;
        outcome
    }

    /// The run whose state a destination has.
    pub fn uploaded(&self, instance: &str, destination: &str) -> Result<Option<i64>, Error> {
        self.db
            .query_row(
                "SELECT sync FROM graph_upload WHERE instance = ?1 AND destination = ?2",
                [instance, destination],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed)
    }

    /// Notes that a destination has the state of a run.
    pub fn note_upload(&self, instance: &str, destination: &str, run: i64) -> Result<(), Error> {
        self.db
            .execute("INSERT OR REPLACE INTO graph_upload VALUES (?1, ?2, ?3)", params![instance, destination, run])
            .map(drop)
            .map_err(failed)
    }

    /// The last run that changed something of an instance; 0 before the first.
    pub fn state(&self, instance: &str) -> Result<i64, Error> {
        self.db
            .query_row(
                "SELECT max(
                    coalesce((SELECT max(sync) FROM graph_object WHERE instance = ?1), 0),
                    coalesce((SELECT max(sync) FROM graph_past WHERE instance = ?1), 0))",
                [instance],
                |row| row.get(0),
            )
            .map_err(failed)
    }
}

fn run(row: &rusqlite::Row<'_>) -> Result<Run, rusqlite::Error> {
    Ok(Run {
        id: row.get(0)?,
        instance: row.get(1)?,
        started: Timestamp::from_millisecond(row.get(2)?).unwrap_or_default(),
        ended: Timestamp::from_millisecond(row.get(3)?).unwrap_or_default(),
        report: json(&row.get::<_, String>(4)?),
    })
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Reads `key, kind, type, class, from_key, to_key, mapping, properties, raw` from a row, beginning at a column.
pub(crate) fn object(row: &rusqlite::Row<'_>, at: usize) -> Result<Object, rusqlite::Error> {
    let class: String = row.get(at + 3)?;
    let kind = match row.get::<_, i64>(at + 1)? {
        0 => Kind::Entity(class.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect()),
        1 => Kind::Relationship { class, from: row.get(at + 4)?, to: row.get(at + 5)? },
        _ => Kind::Mapped { class, mapping: json(&row.get::<_, String>(at + 6)?) },
    };
    let properties: Map<String, Value> = match json(&row.get::<_, String>(at + 7)?) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let raw: Option<String> = row.get(at + 8)?;
    Ok(Object { key: row.get(at)?, ty: row.get(at + 2)?, kind, properties, raw: raw.map(|text| json(&text)) })
}
