//! Snapshots: lists that are read as a whole each time, of which only what changed is sent on.

use crate::read::{Literal, Map, Names, OneOrMore, Seconds, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;
use crate::spec::exchange::Page;

/// A list that is read as a whole each time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Its name for people.
    pub title: String,
    /// What its records are.
    pub doc: String,
    /// Other names for it in commands.
    pub aliases: Vec<Name>,
    /// Whether it is collected only when it is named.
    pub on_request: bool,
    /// The call that lists the records.
    pub read: Name,
    /// Fixed query parameters.
    pub query: Names<Literal>,
    /// Fixed parts of the body.
    pub body: Names<Literal>,
    /// Statuses that pass, besides those that always do.
    pub passing: OneOrMore<Spanned<u64>>,
    /// How all records are found.
    pub page: Page,
    /// How many pages are read before it is enough.
    pub pages: Spanned<u64>,
    /// The field that names a record.
    pub id: Name,
    /// The time between two readings.
    pub every: Spanned<Seconds>,
    /// The mapping that makes a document of a record.
    pub mapping: Name,
    /// What is sent of a record that has disappeared.
    pub gone: Option<Gone>,
    /// An answer that the service prepares while we wait.
    pub deferred: Option<Deferred>,
}

impl Word for Snapshot {
    const NAME: &'static str = "snapshot";

    fn read(map: &Map<'_>) -> Self {
        Snapshot {
            title: map.required("title", "Its name for people."),
            doc: map.required("doc", "What its records are."),
            aliases: map.many("aliases", "Other names for it in commands."),
            on_request: map.flag("on_request", "It is collected only when it is named."),
            read: map.required("read", "Method and path of the call that lists the records."),
            query: map.many("query", "Query parameters that are always sent."),
            body: map.many("body", "Parts of the JSON body that are always sent."),
            passing: map
                .many("passing", "Statuses after which the request is tried again, besides 429, 502, 503 and 504."),
            page: map.required("page", "How all records are found."),
            pages: map.required(
                "pages",
                "How many pages are read before it is enough; `--max-pages` says another number.",
            ),
            id: map.required("id", "The field that names a record."),
            every: map.required("every", "The time between two readings; `--every` says another."),
            mapping: map.required("mapping", "The mapping that makes a document of a record."),
            gone: map.optional(
                "gone",
                "What is sent of a record that has disappeared; left out, nothing is, and its last document stays the latest.",
            ),
            deferred: map.optional("deferred", "An answer that the service prepares while we wait, if the user asks for that."),
        }
    }
}

/// What is sent of a record that has disappeared.
#[derive(Debug, Clone)]
pub struct Gone {
    /// The fields of the record that are remembered for that.
    pub keep: Vec<Name>,
    /// What marks it.
    pub set: Names<Literal>,
}

impl Word for Gone {
    const NAME: &'static str = "gone";

    fn read(map: &Map<'_>) -> Self {
        Gone {
            keep: map
                .required("keep", "Fields of the record that are remembered, and mapped once more when it is gone."),
            set: map.required("set", "Fields of the record, by path, that say it is gone: set before it is mapped."),
        }
    }
}

/// An answer that the service prepares while we wait.
#[derive(Debug, Clone)]
pub struct Deferred {
    /// The parameter with which the user asks for it.
    pub asked: Name,
    /// The body that asks for it.
    pub body: Names<Literal>,
    /// Where the link to its state is.
    pub link: Name,
    /// Where the state is.
    pub status: Name,
    /// States in which it goes on.
    pub pending: Vec<Name>,
    /// The state in which it is there.
    pub done: Name,
    /// Where the link to the records is.
    pub result: Name,
    /// Where the records are.
    pub items: Name,
    /// Where the cursor is.
    pub cursor: Name,
    /// The pause between two looks.
    pub every: Seconds,
    /// How long to wait.
    pub at_most: Seconds,
    /// Where it stands.
    pub span: Span,
}

impl Word for Deferred {
    const NAME: &'static str = "deferred";

    fn read(map: &Map<'_>) -> Self {
        Deferred {
            asked: map.required("asked", "The boolean parameter of the connection with which the user asks for it."),
            body: map.required("body", "The parts of the body that then are sent instead."),
            link: map.required("link", "The path in the answer of the link to its state."),
            status: map.required("status", "The path of the state."),
            pending: map.required("pending", "The states in which it goes on."),
            done: map.required("done", "The state in which the records are there; any other is a failure."),
            result: map
                .required("result", "The path of the link to the records; without one the state holds them itself."),
            items: map.required("items", "The path of the records behind that link."),
            cursor: map.required("cursor", "The path of the cursor beside them."),
            every: map.required("every", "The pause between two looks at the state."),
            at_most: map.required("at_most", "How long to wait in all."),
            span: map.span(),
        }
    }
}
