//! Lists that are read as a whole each time, resolved.

use serde_json::Value as Json;

use super::{Call, Page};

/// A list that is read as a whole each time.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Snapshot {
    pub name: String,
    pub title: String,
    pub doc: String,
    pub aliases: Vec<String>,
    pub on_request: bool,
    pub call: Call,
    pub query: Vec<(String, Json)>,
    pub body: Option<Json>,
    /// Statuses that pass, besides those that always do.
    pub passing: Vec<u64>,
    pub page: Page,
    /// How many pages are read before it is enough.
    pub pages: u64,
    pub id: Vec<String>,
    pub every: u64,
    pub mapping: String,
    /// How long a document counts where documents are searched, in seconds.
    pub lasts: Option<u64>,
    pub gone: Option<Gone>,
    pub deferred: Option<Deferred>,
}

/// What is sent of a record that has disappeared.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Gone {
    pub keep: Vec<Vec<String>>,
    pub set: Vec<(Vec<String>, Json)>,
}

/// An answer that the service prepares while we wait.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Deferred {
    pub asked: String,
    pub body: Option<Json>,
    pub link: Vec<String>,
    pub status: Vec<String>,
    pub pending: Vec<String>,
    pub done: String,
    pub result: Vec<String>,
    pub items: Vec<String>,
    pub cursor: Vec<String>,
    pub every: u64,
    pub at_most: u64,
}
