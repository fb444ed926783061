//! The records of a list that is read as a whole: what each held when a sink last took it.

use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::sqlite::{SqliteLedger, keep};
use crate::ledger::Digest;
use crate::sink::Chunk;
use crate::snapshot::Progress;

pub(super) const TABLE: &str = "
CREATE TABLE IF NOT EXISTS collection_item (
    collection INTEGER NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL, tried BLOB, sent INTEGER NOT NULL,
    reading INTEGER NOT NULL, times INTEGER NOT NULL, born INTEGER NOT NULL, pass INTEGER NOT NULL, gone INTEGER NOT NULL, kept TEXT,
    PRIMARY KEY (collection, key)) WITHOUT ROWID;
";

const COLUMNS: &str = "key, content, tried, sent, reading, times, born, pass, gone, kept";

/// What a record holds of which nobody knows what the sink holds.
pub const UNKNOWN: Digest = [0; 16];

/// A record of which a document was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What tells it from others.
    pub key: Digest,
    /// What it held in the document that the sink took; [`UNKNOWN`] while nobody knows whether it took the last one.
    pub content: Digest,
    /// What it held in a document of which nobody knows whether the sink took it.
    pub tried: Option<Digest>,
    /// When its last document was made, in seconds since 1970.
    pub sent: i64,
    /// The reading in which it was made.
    pub reading: u32,
    /// How many different documents were sent of it.
    pub times: u32,
    /// The reading in which it was first met.
    pub born: u32,
    /// The pass in which it was last met.
    pub pass: u32,
    /// Whether it has disappeared, and a sink knows.
    pub gone: bool,
    /// What is remembered of it for that day.
    pub kept: Option<String>,
}

/// What is written after a chunk was delivered. All of it, or nothing.
#[derive(Debug, Clone, Copy)]
pub struct ItemChange<'a> {
    /// How far the reading has come.
    pub progress: &'a Progress,
    /// What was delivered.
    pub chunk: &'a Chunk,
    /// The records of which a document was delivered.
    pub sent: &'a [Item],
    /// Records that were met, and had not changed.
    pub met: &'a [Digest],
}

impl SqliteLedger {
    /// How far the readings have come; nothing before the first.
    pub fn progress(&self) -> Result<Option<Progress>, Error> {
        let text: Option<String> = self
            .connection()
            .query_row("SELECT checkpoint FROM collection WHERE id = ?1", params![self.id], |row| row.get(0))
            .optional()
            .map_err(|error| self.broken(&error))?
            .flatten();
        let Some(text) = text else { return Ok(None) };
        self.refuse_newer(&text, crate::snapshot::Progress::FORM)?;
        serde_json::from_str(&text).map(Some).map_err(|error| {
            Error::new(ErrorKind::Storage, format!("what is remembered of {} cannot be read: {error}", self.name()))
                .advice(format!(
                    "nothing was changed; `connectome state reset {}` forgets it, and every record is sent again",
                    self.name()
                ))
        })
    }

    /// A record, if a sink took a document of it.
    pub fn item(&self, key: &Digest) -> Result<Option<Item>, Error> {
        let read = || {
            let sql = format!("SELECT {COLUMNS} FROM collection_item WHERE collection = ?1 AND key = ?2");
            self.connection().prepare_cached(&sql)?.query_row(params![self.id, key], item).optional()
        };
        read().map_err(|error| self.broken(&error))
    }

    /// Records that were not met in a pass, and of which no sink knows that they are gone: those after a key, no more than
    /// so many, in the order of keys.
    pub fn missing(&self, pass: u32, after: Option<Digest>, most: usize) -> Result<Vec<Item>, Error> {
        let read = || {
            let sql = format!(
                "SELECT {COLUMNS} FROM collection_item
                 WHERE collection = ?1 AND key > ?2 AND pass < ?3 AND NOT gone ORDER BY key LIMIT ?4"
            );
            let after = after.map_or_else(Vec::new, |key| key.to_vec());
            let mut statement = self.connection().prepare_cached(&sql)?;
            let rows = statement.query_map(params![self.id, after, pass, most as u64], item)?;
            rows.collect::<rusqlite::Result<Vec<Item>>>()
        };
        read().map_err(|error| self.broken(&error))
    }

    /// How many records are known, and are not gone.
    pub fn known(&self) -> Result<u64, Error> {
        let sql = "SELECT count(*) FROM collection_item WHERE collection = ?1 AND NOT gone";
        let read = self.connection().query_row(sql, params![self.id], |row| row.get(0));
        read.map_err(|error| self.broken(&error))
    }

    /// Writes what is about to be delivered, so that whoever comes after knows that the sink may hold it. Nothing is written
    /// where the documents themselves go into this file: there both happen at once.
    pub fn try_items(&mut self, sent: &[Item]) -> Result<(), Error> {
        if self.keeps_events() || sent.is_empty() {
            return Ok(());
        }
        let write = || -> rusqlite::Result<()> {
            let transaction = self.connection().unchecked_transaction()?;
            for item in sent {
                self.put(
                    &transaction,
                    &Item { content: UNKNOWN, tried: Some(item.content), gone: false, ..item.clone() },
                )?;
            }
            transaction.commit()
        };
        write().map_err(|error| self.broken(&error))
    }

    /// Writes a change. When this returns it is kept, whatever happens to the process.
    pub fn keep_items(&mut self, change: &ItemChange<'_>) -> Result<(), Error> {
        let write = || -> rusqlite::Result<()> {
            let transaction = self.connection().unchecked_transaction()?;
            self.write_items(&transaction, change)?;
            if self.keeps_events() {
                keep(&transaction, change.chunk)?;
            }
            transaction.commit()
        };
        write().map_err(|error| self.broken(&error))
    }

    /// Writes that a reading has ended, and forgets what was gone before it. Without `marks`, what was not met is
    /// forgotten as well.
    pub fn end_reading(&mut self, progress: &Progress, marks: bool) -> Result<(), Error> {
        let write = || -> rusqlite::Result<()> {
            let transaction = self.connection().unchecked_transaction()?;
            let forget = "DELETE FROM collection_item WHERE collection = ?1 AND pass < ?2 AND (gone OR NOT ?3)";
            transaction.execute(forget, params![self.id, progress.pass, marks])?;
            self.write_progress(&transaction, progress)?;
            transaction.commit()
        };
        write().map_err(|error| self.broken(&error))
    }

    fn write_items(&self, transaction: &Transaction<'_>, change: &ItemChange<'_>) -> rusqlite::Result<()> {
        for item in change.sent {
            self.put(transaction, item)?;
        }
        let mut mark =
            transaction.prepare_cached("UPDATE collection_item SET pass = ?3 WHERE collection = ?1 AND key = ?2")?;
        for key in change.met {
            mark.execute(params![self.id, key, change.progress.pass])?;
        }
        self.write_progress(transaction, change.progress)
    }

    fn put(&self, transaction: &Transaction<'_>, it: &Item) -> rusqlite::Result<()> {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO collection_item
                 (collection, key, content, tried, sent, reading, times, born, pass, gone, kept)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                self.id, it.key, it.content, it.tried, it.sent, it.reading, it.times, it.born, it.pass, it.gone,
                it.kept
            ])
            .map(drop)
    }

    fn write_progress(&self, transaction: &Transaction<'_>, progress: &Progress) -> rusqlite::Result<()> {
        // A struct of texts and numbers always prints.
        let text = serde_json::to_string(progress).unwrap_or_default();
        transaction
            .prepare_cached("UPDATE collection SET checkpoint = ?2, updated = ?3 WHERE id = ?1")?
            .execute(params![self.id, text, Timestamp::now().as_second()])
            .map(drop)
    }
}

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        key: row.get(0)?,
        content: row.get(1)?,
        tried: row.get(2)?,
        sent: row.get(3)?,
        reading: row.get(4)?,
        times: row.get(5)?,
        born: row.get(6)?,
        pass: row.get(7)?,
        gone: row.get(8)?,
        kept: row.get(9)?,
    })
}
