//! What a collection remembers between two processes, but for the keys of events it has seen.

use serde::{Deserialize, Serialize};

/// The form of a checkpoint. One of a newer form is refused, never read as a fresh start.
pub const FORM: u32 = 1;

/// How far a collection has come. Times are seconds since 1970 by the service's clock.
///
/// `again ≤ closed ≤ fresh`: three passes over the same line of time, of which the slower ones find what came late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The form.
    pub form: u32,
    /// What the stream's keys and cursors depend on, as a hash of its table.
    pub spec: String,
    /// Where the collection began.
    pub first: i64,
    /// Where it ends, if it does.
    pub until: Option<i64>,
    /// Every event before this was delivered, late ones included: its window was read after the lateness had passed.
    /// What is among the gaps was not.
    pub closed: i64,
    /// Every event before this was looked for at least once.
    pub fresh: i64,
    /// Every event before this was looked for once more, long after; absent when nobody asked for that.
    pub again: Option<i64>,
    /// How wide the next window is, in seconds.
    pub width: u64,
    /// Counts how often a window was begun. Marks what was seen since.
    pub pass: u32,
    /// The window that is being read.
    pub window: Option<Window>,
    /// What could not be read, and never will be.
    pub gaps: Vec<Gap>,
    /// What happened so far.
    pub counts: Counts,
}

/// A window that is being read: events from `from` up to, but not including, `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// What follows from having read it.
    pub goal: Goal,
    /// Its start.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// When its first page was asked for.
    pub born: i64,
    /// What leads to the next page; absent before the first.
    pub cursor: Option<String>,
    /// How many pages were read.
    pub pages: u64,
    /// How many records they held.
    pub records: u64,
    /// How many different ones, those at the window's edges included.
    pub distinct: u64,
    /// How many different ones belong to the window.
    pub events: u64,
    /// The exclusive or of the digests of their keys.
    pub digest: u128,
    /// How many records the service says there are.
    pub total: Option<u64>,
    /// Whether it said the same on every page.
    pub steady: bool,
    /// Whether this is the second reading, since the first did not find as many as the service counts.
    pub recount: bool,
}

/// What follows from having read a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// New events come at once; the window is read again later.
    Fresh,
    /// The lateness has passed: the window is closed.
    Close,
    /// The window was closed long ago: is there anything that came later still?
    Again,
}

/// Events that were never read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Where it starts.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
    /// When it was found.
    pub found: i64,
    /// The pass that did not read it. Without the fresh one every event is missing, without a later one those that came late.
    pub goal: Goal,
}

/// What happened so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events that a sink took.
    pub delivered: u64,
    /// Events that were read again and not delivered again.
    pub repeated: u64,
    /// Events that were not there when their window was first read.
    pub late: u64,
    /// Events without a time.
    pub undated: u64,
    /// Events that the service gave though they lie outside of what was asked for.
    pub displaced: u64,
    /// Events without an id, where the stream's events have one.
    pub unkeyed: u64,
    /// Events that a transform did not fit.
    pub untransformed: u64,
    /// Events that the sink put aside.
    pub aside: u64,
    /// Answers.
    pub pages: u64,
    /// Cursors that had become too old.
    pub stale: u64,
    /// Windows that did not hold as many events as the service counts, not even when read again.
    pub miscounted: u64,
}

/// What a closed window held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Why it was read.
    pub goal: Goal,
    /// Its start.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// When its first page was asked for.
    pub asked: i64,
    /// How many pages it had.
    pub pages: u64,
    /// How many different events.
    pub events: u64,
    /// How many the service counts, edges included.
    pub total: Option<u64>,
    /// The exclusive or of the digests of their keys: the same events give the same one, in any order.
    pub digest: String,
}

impl Checkpoint {
    /// A collection that has read nothing yet.
    pub fn new(spec: String, first: i64, width: u64) -> Self {
        Self {
            form: FORM,
            spec,
            first,
            until: None,
            closed: first,
            fresh: first,
            again: None,
            width,
            pass: 0,
            window: None,
            gaps: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// What was seen before this is no longer needed.
    pub fn forget_below(&self) -> i64 {
        self.again.unwrap_or(self.closed)
    }

    /// Whether there is nothing left to read, ever.
    pub fn is_done(&self) -> bool {
        self.until.is_some_and(|until| self.closed >= until)
    }
}
