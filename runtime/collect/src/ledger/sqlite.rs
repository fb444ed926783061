//! The memory of collections in a SQLite file: the local state, or the file that is the destination itself.

use std::path::{Path, PathBuf};

use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{Change, Ledger, Seen};
use crate::checkpoint::{Checkpoint, FORM, Goal, Receipt};
use crate::sink::Chunk;
use crate::snapshot::Progress;
use crate::state::{Claim, State, broken, or_another};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS collection (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checkpoint TEXT, updated INTEGER NOT NULL,
    health TEXT NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS collection_seen (
    collection INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, loose INTEGER NOT NULL,
    keys BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS collection_seen_last ON collection_seen (collection, last);
CREATE TABLE IF NOT EXISTS collection_receipt (
    collection INTEGER NOT NULL, goal TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    asked INTEGER NOT NULL, pages INTEGER NOT NULL, events INTEGER NOT NULL, total INTEGER, digest TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS collection_receipt_start ON collection_receipt (collection, start);
";

const EVENTS: &str = "
CREATE TABLE IF NOT EXISTS event (
    key TEXT PRIMARY KEY, stream TEXT NOT NULL, time TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS event_time ON event (stream, time);
";

/// A SQLite file with collections in it.
#[derive(Debug)]
pub struct Database {
    state: State,
    keeps_events: bool,
}

/// A collection as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// How far the collection of a stream has come; nothing before its first request.
    pub checkpoint: Option<Checkpoint>,
    /// How far the readings of a list have come; nothing before the first.
    pub progress: Option<Progress>,
    /// How it fares.
    pub health: Health,
    /// When it last wrote anything.
    pub updated: Timestamp,
}

/// How a collection fares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// When a round last ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well: Option<i64>,
    /// What went wrong since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The permission that the key lacks, as far as that is why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<String>,
    /// How many rounds in a row went wrong.
    #[serde(default)]
    pub failures: u64,
}

impl Database {
    /// Opens the file, or makes one that only its owner can read. With `keeps_events` the events themselves go into it,
    /// each chunk in one transaction with what is remembered of it.
    pub fn open(path: &Path, keeps_events: bool) -> Result<Self, Error> {
        let state = State::open(path)?;
        let tables = format!("{TABLES}{}{}", super::items::TABLE, if keeps_events { EVENTS } else { "" });
        state.database().execute_batch(&tables).map_err(|error| broken(path, &error))?;
        Ok(Self { state, keeps_events })
    }

    /// The memory of one collection. Another process that is at work on it is told of, and this one stops.
    pub fn ledger(self, name: &str) -> Result<SqliteLedger, Error> {
        let claim = self.state.claim(name)?;
        let insert = "INSERT INTO collection (name, updated) VALUES (?1, 0) ON CONFLICT (name) DO NOTHING";
        let find = "SELECT id FROM collection WHERE name = ?1";
        let database = self.state.database();
        let id = database
            .execute(insert, params![name])
            .and_then(|_| database.query_row(find, params![name], |row| row.get(0)))
            .map_err(|error| broken(self.state.path(), &error))?;
        Ok(SqliteLedger { database: self, id, name: name.to_owned(), _claim: claim })
    }

    /// Keeps other processes off a collection.
    pub fn claim(&self, name: &str) -> Result<Claim, Error> {
        self.state.claim(name)
    }

    /// Every collection whose name begins so.
    pub fn entries(&self, start: &str) -> Result<Vec<Entry>, Error> {
        let read = || -> rusqlite::Result<Vec<Entry>> {
            let mut statement = self.state.database().prepare(
                "SELECT name, checkpoint, health, updated FROM collection
                 WHERE substr(name, 1, length(?1)) = ?1 ORDER BY id",
            )?;
            let rows = statement.query_map(params![start], |row| {
                let (checkpoint, health): (Option<String>, String) = (row.get(1)?, row.get(2)?);
                Ok(Entry {
                    name: row.get(0)?,
                    checkpoint: checkpoint.as_deref().and_then(|text| serde_json::from_str(text).ok()),
                    progress: checkpoint.and_then(|text| serde_json::from_str(&text).ok()),
                    health: serde_json::from_str(&health).unwrap_or_default(),
                    updated: Timestamp::from_second(row.get(3)?).unwrap_or_default(),
                })
            })?;
            rows.collect()
        };
        read().map_err(|error| broken(self.state.path(), &error))
    }

    /// What a collection's windows held, oldest first; the last `most` of them.
    pub fn receipts(&self, name: &str, most: u32) -> Result<Vec<Receipt>, Error> {
        let read = || -> rusqlite::Result<Vec<Receipt>> {
            let mut statement = self.state.database().prepare(
                "SELECT goal, start, stop, asked, pages, events, total, digest FROM collection_receipt
                 WHERE collection = (SELECT id FROM collection WHERE name = ?1) ORDER BY rowid DESC LIMIT ?2",
            )?;
            let rows = statement.query_map(params![name, most], |row| {
                let goal: String = row.get(0)?;
                Ok(Receipt {
                    goal: if goal == "again" { Goal::Again } else { Goal::Close },
                    from: row.get(1)?,
                    to: row.get(2)?,
                    asked: row.get(3)?,
                    pages: row.get(4)?,
                    events: row.get(5)?,
                    total: row.get(6)?,
                    digest: row.get(7)?,
                })
            })?;
            let mut receipts: Vec<Receipt> = rows.collect::<rusqlite::Result<_>>()?;
            receipts.reverse();
            Ok(receipts)
        };
        read().map_err(|error| broken(self.state.path(), &error))
    }

    /// Every event of a stream that the file keeps, in the order of time.
    pub fn events(&self, stream: &str) -> Result<Vec<String>, Error> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement =
                self.state.database().prepare("SELECT body FROM event WHERE stream = ?1 ORDER BY time, key")?;
            let rows = statement.query_map(params![stream], |row| row.get(0))?;
            rows.collect()
        };
        read().map_err(|error| broken(self.state.path(), &error))
    }

    /// Forgets every collection whose name begins so; returns how many. Events that the file keeps stay.
    pub fn reset(&self, start: &str) -> Result<usize, Error> {
        let remove = || -> rusqlite::Result<usize> {
            let database = self.state.database();
            database.execute_batch("BEGIN IMMEDIATE")?;
            let chosen = "(SELECT id FROM collection WHERE substr(name, 1, length(?1)) = ?1)";
            for table in ["collection_seen", "collection_receipt", "collection_item"] {
                database.execute(&format!("DELETE FROM {table} WHERE collection IN {chosen}"), params![start])?;
            }
            let removed =
                database.execute("DELETE FROM collection WHERE substr(name, 1, length(?1)) = ?1", params![start])?;
            database.execute_batch("COMMIT")?;
            Ok(removed)
        };
        remove().map_err(|error| broken(self.state.path(), &error))
    }
}

/// The memory of one collection.
#[derive(Debug)]
pub struct SqliteLedger {
    database: Database,
    pub(super) id: i64,
    name: String,
    _claim: Claim,
}

/// Digest, second and pass.
const SEEN: usize = 16 + 8 + 4;

impl SqliteLedger {
    /// The collection's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it fares.
    pub fn health(&self) -> Result<Health, Error> {
        let text: String = self
            .connection()
            .query_row("SELECT health FROM collection WHERE id = ?1", params![self.id], |row| row.get(0))
            .map_err(|error| self.broken(&error))?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Notes how it fares.
    pub fn set_health(&mut self, health: &Health) -> Result<(), Error> {
        // A struct of texts and numbers always prints.
        let text = serde_json::to_string(health).unwrap_or_default();
        self.connection()
            .execute("UPDATE collection SET health = ?2 WHERE id = ?1", params![self.id, text])
            .map(drop)
            .map_err(|error| self.broken(&error))
    }

    pub(super) fn keeps_events(&self) -> bool {
        self.database.keeps_events
    }

    pub(super) fn connection(&self) -> &Connection {
        self.database.state.database()
    }

    fn path(&self) -> PathBuf {
        self.database.state.path().to_path_buf()
    }

    /// What a newer version wrote is not understood here.
    pub(super) fn refuse_newer(&self, text: &str, known: u32) -> Result<(), Error> {
        let form = serde_json::from_str::<serde_json::Value>(text).ok().and_then(|it| it.get("form")?.as_u64());
        if form.is_none_or(|form| form <= u64::from(known)) {
            return Ok(());
        }
        let path = self.path();
        Err(Error::new(
            ErrorKind::Storage,
            format!("what is remembered of {} in {} was written by a newer connectome", self.name, path.display()),
        )
        .advice(or_another("use that version")))
    }

    pub(super) fn broken(&self, error: &rusqlite::Error) -> Error {
        broken(self.database.state.path(), error)
    }
}

impl Ledger for SqliteLedger {
    fn load(&mut self) -> Result<Option<Checkpoint>, Error> {
        let text: Option<String> = self
            .connection()
            .query_row("SELECT checkpoint FROM collection WHERE id = ?1", params![self.id], |row| row.get(0))
            .optional()
            .map_err(|error| self.broken(&error))?
            .flatten();
        let Some(text) = text else { return Ok(None) };
        let advice = |what: String| {
            Error::new(ErrorKind::Storage, what).advice(format!(
                "nothing was changed; `connectome state reset {}` forgets it, and collection starts again at --first-fetch",
                self.name
            ))
        };
        self.refuse_newer(&text, FORM)?;
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| advice(format!("what is remembered of {} cannot be read: {error}", self.name)))
    }

    fn seen(&mut self, from: i64, to: i64, each: &mut dyn FnMut(Seen)) -> Result<(), Error> {
        let read = |each: &mut dyn FnMut(Seen)| -> rusqlite::Result<()> {
            let mut statement = self.connection().prepare_cached(
                "SELECT keys, loose FROM collection_seen
                 WHERE collection = ?1 AND last >= ?2 AND (first < ?3 OR loose)",
            )?;
            let mut rows = statement.query(params![self.id, from, to])?;
            while let Some(row) = rows.next()? {
                let loose: bool = row.get(1)?;
                for seen in row.get_ref(0)?.as_blob()?.chunks_exact(SEEN) {
                    let seen = unpack(seen, loose);
                    if loose || (from..to).contains(&seen.second) {
                        each(seen);
                    }
                }
            }
            Ok(())
        };
        read(each).map_err(|error| self.broken(&error))
    }

    fn save(&mut self, change: &Change<'_>) -> Result<(), Error> {
        let write = || -> rusqlite::Result<()> {
            let transaction = self.connection().unchecked_transaction()?;
            write(&transaction, self.id, change)?;
            if self.database.keeps_events {
                keep(&transaction, change.chunk)?;
            }
            transaction.commit()
        };
        write().map_err(|error| self.broken(&error))
    }
}

fn write(transaction: &Transaction<'_>, id: i64, change: &Change<'_>) -> rusqlite::Result<()> {
    for loose in [false, true] {
        let seen = || change.seen.iter().filter(|seen| seen.loose == loose);
        let (Some(first), Some(last)) = (seen().map(|it| it.second).min(), seen().map(|it| it.second).max()) else {
            continue;
        };
        let mut keys = Vec::with_capacity(change.seen.len() * SEEN);
        seen().for_each(|seen| pack(seen, &mut keys));
        transaction
            .prepare_cached(
                "INSERT INTO collection_seen (collection, first, last, loose, keys) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![id, first, last, loose, keys])?;
    }
    transaction
        .prepare_cached("DELETE FROM collection_seen WHERE collection = ?1 AND last < ?2")?
        .execute(params![id, change.checkpoint.forget_below()])?;
    for receipt in change.receipts {
        let goal = if receipt.goal == Goal::Again { "again" } else { "close" };
        transaction
            .prepare_cached(
                "INSERT INTO collection_receipt (collection, goal, start, stop, asked, pages, events, total, digest)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                goal,
                receipt.from,
                receipt.to,
                receipt.asked,
                receipt.pages,
                receipt.events,
                receipt.total,
                receipt.digest
            ])?;
    }
    // A struct of texts and numbers always prints.
    let checkpoint = serde_json::to_string(change.checkpoint).unwrap_or_default();
    transaction
        .prepare_cached("UPDATE collection SET checkpoint = ?2, updated = ?3 WHERE id = ?1")?
        .execute(params![id, checkpoint, Timestamp::now().as_second()])?;
    Ok(())
}

pub(super) fn keep(transaction: &Transaction<'_>, chunk: &Chunk) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO event (key, stream, time, body) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO NOTHING",
    )?;
    for event in chunk.events() {
        let time = Timestamp::from_second(event.second).unwrap_or_default().to_string();
        insert.execute(params![event.key, chunk.stream(), time, String::from_utf8_lossy(event.body)])?;
    }
    Ok(())
}

fn pack(seen: &Seen, to: &mut Vec<u8>) {
    to.extend_from_slice(&seen.key);
    to.extend_from_slice(&seen.second.to_le_bytes());
    to.extend_from_slice(&seen.pass.to_le_bytes());
}

fn unpack(from: &[u8], loose: bool) -> Seen {
    let (mut key, mut second, mut pass) = ([0; 16], [0; 8], [0; 4]);
    key.copy_from_slice(&from[..16]);
    second.copy_from_slice(&from[16..24]);
    pass.copy_from_slice(&from[24..SEEN]);
    Seen { key, second: i64::from_le_bytes(second), pass: u32::from_le_bytes(pass), loose }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(number: u8, second: i64) -> Seen {
        Seen { key: [number; 16], second, pass: u32::from(number), loose: false }
    }

    #[test]
    fn what_is_seen_is_found_by_its_time_and_forgotten_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let open = || Database::open(&path, false).unwrap();
        let mut checkpoint = Checkpoint::new("x".to_owned(), 100, 60);
        {
            let mut ledger = open().ledger("collect/a").unwrap();
            assert_eq!(ledger.load().unwrap(), None);
            let loose = Seen { loose: true, second: 130, ..seen(4, 0) };
            let all = [seen(1, 100), seen(2, 110), seen(3, 120), loose];
            let chunk = Chunk::new("a");
            let change = Change { checkpoint: &checkpoint, chunk: &chunk, seen: &all, receipts: &[] };
            ledger.save(&change).unwrap();
            let other = open().ledger("collect/a").unwrap_err();
            assert!(other.to_string().contains("another connectome is at work on collect/a"), "{other}");
        }
        let found = |from, to| {
            let mut keys = Vec::new();
            open()
                .ledger("collect/a")
                .unwrap()
                .seen(from, to, &mut |seen| keys.push((seen.key[0], seen.pass)))
                .unwrap();
            keys
        };
        assert_eq!(found(105, 120), [(2, 2), (4, 4)]);
        checkpoint.closed = 125;
        let chunk = Chunk::new("a");
        let change = Change { checkpoint: &checkpoint, chunk: &chunk, seen: &[], receipts: &[] };
        open().ledger("collect/a").unwrap().save(&change).unwrap();
        assert_eq!(found(0, 1000), [(4, 4)]);
        assert_eq!(open().ledger("collect/a").unwrap().load().unwrap(), Some(checkpoint));
        assert_eq!(open().reset("collect/").unwrap(), 1);
        assert_eq!(open().entries("collect/").unwrap(), []);
    }

    #[test]
    fn a_checkpoint_of_a_newer_form_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let mut ledger = Database::open(&path, false).unwrap().ledger("collect/a").unwrap();
        let newer = r#"{"form":9,"surprise":true}"#;
        ledger.connection().execute("UPDATE collection SET checkpoint = ?1", params![newer]).unwrap();
        assert!(ledger.load().unwrap_err().to_string().contains("newer connectome"));
        ledger.connection().execute("UPDATE collection SET checkpoint = '{\"form\":1'", []).unwrap();
        assert!(ledger.load().unwrap_err().to_string().contains("state reset collect/a"));
    }
}
