//! What is remembered of a snapshot besides its records.

use serde::{Deserialize, Serialize};

/// How far the readings of a list have come. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The form.
    pub form: u32,
    /// What tells this memory from one that was lost: documents of both have different names.
    pub run: String,
    /// Counts readings that came to an end.
    pub reading: u32,
    /// Counts readings that were begun. Marks the records that were met since.
    pub pass: u32,
    /// When the reading at hand was begun; nothing between two readings.
    pub begun: Option<i64>,
    /// The last reading that came to an end.
    pub last: Option<Reading>,
    /// The last one that reached the end of the list.
    pub whole: Option<i64>,
    /// What happened so far.
    pub totals: Totals,
}

/// A reading of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When it was begun.
    pub begun: i64,
    /// When it ended.
    pub ended: i64,
    /// How many pages were read.
    pub pages: u64,
    /// How many records they held.
    pub records: u64,
    /// How many documents were sent of records that were not known.
    pub new: u64,
    /// How many of records that had changed.
    pub changed: u64,
    /// How many of records that had not, so that they are not forgotten where they are searched.
    pub again: u64,
    /// How many of records that have disappeared.
    pub gone: u64,
    /// Whether there were more pages than may be read.
    pub cut: bool,
}

impl Reading {
    /// How many documents were sent.
    pub fn sent(&self) -> u64 {
        self.new + self.changed + self.again + self.gone
    }
}

impl Progress {
    /// The form that is written now. One of a newer form is refused, never read as a fresh start.
    pub const FORM: u32 = 1;
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Pages read.
    pub pages: u64,
    /// Documents that a sink took.
    pub delivered: u64,
    /// Documents that the sink put aside.
    pub aside: u64,
    /// Records of which a value could not be mapped as it should.
    pub unmapped: u64,
    /// Records without an id.
    pub unkeyed: u64,
}
