//! A list that is read as a whole each time, as data: how it is read, what its records become, what is sent of those that
//! have disappeared.

use crate::mapping::{Mapping, Path};
use crate::operation::Operation;
use crate::shape::Literal;

/// A list that is read as a whole each time.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// Its name in commands.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Other names for it in commands.
    pub aliases: &'static [&'static str],
    /// Whether it is collected only when it is named.
    pub on_request: bool,
    /// The call that lists the records; its page says where they are and how the next page is found.
    pub read: &'static Operation,
    /// How many pages are read before it is enough.
    pub pages: usize,
    /// The field that names a record.
    pub id: Path,
    /// The time between two readings, in seconds.
    pub every: u64,
    /// What makes a document of a record.
    pub mapping: &'static Mapping,
    /// How long a document counts where documents are searched, in seconds: an unchanged one is sent again before.
    pub lasts: Option<u64>,
    /// What is sent of a record that has disappeared.
    pub gone: Option<Gone>,
    /// An answer that the service prepares while we wait.
    pub deferred: Option<Deferred>,
}

/// What is sent of a record that has disappeared.
#[derive(Debug, Clone, Copy)]
pub struct Gone {
    /// The fields of the record that are remembered for that.
    pub keep: &'static [Path],
    /// The fields that mark it.
    pub set: &'static [(Path, Literal)],
}

/// An answer that the service prepares while we wait.
#[derive(Debug, Clone, Copy)]
pub struct Deferred {
    /// The boolean parameter with which the user asks for it.
    pub asked: &'static str,
    /// The body that asks for it, as a JSON object.
    pub body: Literal,
    /// Where the link to its state is.
    pub link: Path,
    /// Where the state is.
    pub status: Path,
    /// States in which it goes on.
    pub pending: &'static [&'static str],
    /// The state in which it is there.
    pub done: &'static str,
    /// Where the link to the records is. Without one the state holds them itself.
    pub result: Path,
    /// Where the records are.
    pub items: Path,
    /// Where the cursor is.
    pub cursor: Path,
    /// The pause between two looks, in seconds.
    pub every: u64,
    /// How long to wait, in seconds.
    pub at_most: u64,
}
