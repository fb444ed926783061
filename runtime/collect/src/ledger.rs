//! Where a collection is remembered: how far it has come, which events it has seen, what its windows held.

mod items;
mod sqlite;

use connectome_core::Error;

use crate::checkpoint::{Checkpoint, Receipt};
use crate::sink::Chunk;

pub use items::{Item, ItemChange, UNKNOWN};
pub use sqlite::{Database, Entry, Health, SqliteLedger};

/// The digest of an event's key.
pub type Digest = [u8; 16];

/// An event that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The digest of its key.
    pub key: Digest,
    /// When it happened: it is forgotten once everything before that is complete.
    pub second: i64,
    /// The pass over a window in which it was met; 0 when that pass would meet it again.
    pub pass: u32,
    /// Whether any window may hold it, since it has no time, or another than was asked for.
    pub loose: bool,
}

/// What is written after a chunk was delivered. All of it, or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// How far the collection has come.
    pub checkpoint: &'a Checkpoint,
    /// What was delivered.
    pub chunk: &'a Chunk,
    /// What was seen since the last change.
    pub seen: &'a [Seen],
    /// What windows held that were read since.
    pub receipts: &'a [Receipt],
}

/// A collection's memory.
pub trait Ledger {
    /// How far the collection has come; nothing when it has not begun.
    fn load(&mut self) -> Result<Option<Checkpoint>, Error>;

    /// Every event that was seen and may be met in a window.
    fn seen(&mut self, from: i64, to: i64, each: &mut dyn FnMut(Seen)) -> Result<(), Error>;

    /// Writes a change. When this returns it is kept, whatever happens to the process.
    fn save(&mut self, change: &Change<'_>) -> Result<(), Error>;
}

/// A memory that ends with the process: for a look at a range of time, which leaves nothing behind, and for tests.
#[derive(Debug, Clone, Default)]
pub struct Forgetful {
    /// The last checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// What was seen and is not forgotten yet.
    pub seen: Vec<Seen>,
    /// What windows held.
    pub receipts: Vec<Receipt>,
}

impl Ledger for Forgetful {
    fn load(&mut self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.checkpoint.clone())
    }

    fn seen(&mut self, from: i64, to: i64, each: &mut dyn FnMut(Seen)) -> Result<(), Error> {
        self.seen.iter().filter(|seen| seen.loose || (from..to).contains(&seen.second)).for_each(|seen| each(*seen));
        Ok(())
    }

    fn save(&mut self, change: &Change<'_>) -> Result<(), Error> {
        let forget_below = change.checkpoint.forget_below();
        self.seen.extend_from_slice(change.seen);
        self.seen.retain(|seen| seen.second >= forget_below);
        self.receipts.extend_from_slice(change.receipts);
        self.checkpoint = Some(change.checkpoint.clone());
        Ok(())
    }
}
