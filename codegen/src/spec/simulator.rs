//! The simulated service: what it holds at first, and what each call does to it.

use crate::choice;
use crate::read::{Literal, Map, Names, OneOrMore, Word};
use crate::source::Span;
use crate::spec::Name;

/// The simulated service.
#[derive(Debug, Clone)]
pub struct Simulator {
    /// The host that its links name, which is never its own.
    pub public_origin: String,
    /// What it holds.
    pub collections: Names<Collection>,
    /// What it says when something is wrong.
    pub errors: Names<Failure>,
    /// What each call does, by method and path.
    pub calls: Names<Behaviour>,
}

impl Word for Simulator {
    const NAME: &'static str = "simulator";

    fn read(map: &Map<'_>) -> Self {
        Simulator {
            public_origin: map.required("public_origin", "The root that its links name; never its own address, so that a client must rebase them."),
            collections: map.required("collections", "What it holds, by name."),
            errors: map.many("errors", "What it says when something is wrong, by name."),
            calls: map.required("calls", "What each call does, by method and path as actions write them."),
        }
    }
}

/// Records that the service holds.
#[derive(Debug, Clone)]
pub struct Collection {
    /// The field that names a record.
    pub key: Name,
    /// How many there are at first.
    pub count: u64,
    /// A record, with `{…}` for what differs from one to the next.
    pub record: Option<Literal>,
    /// Further records as they stand.
    pub also: Vec<Literal>,
}

impl Word for Collection {
    const NAME: &'static str = "collection";

    fn read(map: &Map<'_>) -> Self {
        Collection {
            key: map.required("key", "The field that names a record."),
            count: map.optional("count", "How many records are made at first, times the scale.").unwrap_or(0),
            record: map.optional("record", "A record with generators in braces: `{n}`, `{guid}`, `{hex:40}`, `{ip}`, `{time}`, `{pick:a|b}`, `{name}`, `{id:8}`."),
            also: map.many("also", "Further records, as they stand."),
        }
    }
}

/// An error of the service.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The status.
    pub status: u64,
    /// The short name.
    pub code: String,
    /// The text.
    pub message: String,
    /// The number.
    pub number: Option<i64>,
}

impl Word for Failure {
    const NAME: &'static str = "failure";

    fn read(map: &Map<'_>) -> Self {
        Failure {
            status: map.required("status", "The status."),
            code: map.required("code", "The short name."),
            message: map.required("message", "The text."),
            number: map.optional("number", "The number."),
        }
    }
}

/// What a call does. One of the verbs.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// What it does.
    pub does: Verb,
    /// The collection it is about.
    pub of: Option<Name>,
    /// Where the record's key comes from: a path parameter, or fields of the request.
    pub by: OneOrMore<Name>,
    /// Query parameters that bound a field: `{ startDateTime: createdDateTime }`.
    pub since: Names<Name>,
    /// Query parameters that bound a field from above.
    pub until: Names<Name>,
    /// Records on a page.
    pub page: Option<u64>,
    /// Fields set on the record that a call is about.
    pub set: Names<Literal>,
    /// A task that the call starts.
    pub task: Option<Task>,
    /// The error when there is no such record.
    pub missing: Option<Name>,
    /// The error when there is one already.
    pub duplicate: Option<Name>,
    /// The answer's constant parts.
    pub answer: Option<Literal>,
    /// The path of the answer's `Location`.
    pub location: Option<Name>,
    /// Bytes of the answer.
    pub content: Option<String>,
    /// The media type of the bytes.
    pub content_type: Option<String>,
    /// The collection whose record must have ended well.
    pub after: Option<Name>,
    /// Other conditions on the record.
    pub only_if: Names<Literal>,
    /// Whether lists are counted in the answer.
    pub counts: bool,
    /// The rule that quotes entity tags.
    pub etag: bool,
    /// Where it stands.
    pub span: Span,
}

impl Word for Behaviour {
    const NAME: &'static str = "behaviour";

    fn read(map: &Map<'_>) -> Self {
        Behaviour {
            does: map.required("does", "What it does."),
            of: map.optional("of", "The collection it is about."),
            by: map.many("by", "Where the record's key comes from: the path's parameter, or fields of the request that are compared."),
            since: map.many("since", "Query parameters that bound a field from below: `{ startDateTime: createdDateTime }`."),
            until: map.many("until", "Query parameters that bound a field from above."),
            page: map.optional("page", "Records on a page, where no parameter says."),
            set: map.many("set", "Fields set on the record."),
            task: map.optional("task", "The task that the call starts."),
            missing: map.optional("missing", "The error when there is no such record."),
            duplicate: map.optional("duplicate", "The error when there is one already."),
            answer: map.optional("answer", "Parts of the answer, with `{field}` for the record's own."),
            location: map.optional("location", "The path that the answer's `Location` names, with `{field}` for the record's own."),
            content: map.optional("content", "The bytes of the answer, or `{field}` for the record's own."),
            content_type: map.optional("content_type", "The media type of the bytes."),
            after: map.optional("after", "The collection whose record of the same key must have succeeded before."),
            only_if: map.many("only_if", "Other fields that the record must have, by value."),
            counts: map.flag("counts", "Whether the answer counts the records."),
            etag: map.flag("etag", "Whether the record has an entity tag."),
            span: map.span(),
        }
    }
}

choice! {
    /// What a simulated call does.
    Verb, "what a call does" {
        List = "list" = "Lists records, filtered and in pages.",
        Search = "search" = "Lists records that a query header matches, or counts them.",
        Get = "get" = "Gives one record.",
        Create = "create" = "Adds the request as a record.",
        Update = "update" = "Changes a record.",
        Delete = "delete" = "Removes a record.",
        EachTask = "each task" = "Starts a task for each element of the request.",
        EachCreate = "each create" = "Adds each element of the request.",
        EachDelete = "each delete" = "Removes the record that each element names.",
        Progress = "progress" = "Gives a task, which goes one step further each time it is asked for.",
        Download = "download" = "Gives bytes.",
        Answer = "answer" = "Gives the same answer always.",
    }
}

/// A task that a call starts.
#[derive(Debug, Clone)]
pub struct Task {
    /// The collection of tasks.
    pub into: Name,
    /// The task's own name for what it does.
    pub action: String,
    /// Fields of the record that the task shows.
    pub copy: Vec<Name>,
    /// Fields it gains when it succeeds.
    pub result: Option<Literal>,
}

impl Word for Task {
    const NAME: &'static str = "task";

    fn read(map: &Map<'_>) -> Self {
        Task {
            into: map.required("into", "The collection that holds tasks."),
            action: map.required("action", "The task's own name for what it does."),
            copy: map.many("copy", "Fields of the request or of the record that the task shows."),
            result: map.optional("result", "Fields that the task gains when it succeeds."),
        }
    }
}
