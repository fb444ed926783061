//! The simulated service: what it holds at first, and what each call does to it.

use crate::choice;
use crate::read::{Literal, Map, Names, OneOrMore, Seconds, Word};
use crate::source::Span;
use crate::spec::Name;

/// The simulated service.
#[derive(Debug, Clone)]
pub struct Simulator {
    /// The host that its links name, which is never its own. Of several files one says it.
    pub public_origin: Option<Name>,
    /// What it holds.
    pub collections: Names<Collection>,
    /// What it says when something is wrong.
    pub errors: Names<Failure>,
    /// What each call does, by method and path.
    pub calls: Names<Behaviour>,
    /// The key of the section.
    pub span: Span,
}

impl Word for Simulator {
    const NAME: &'static str = "simulator";

    fn read(map: &Map<'_>) -> Self {
        Simulator {
            public_origin: map.optional("public_origin", "The root that its links name; never its own address, so that a client must rebase them. One file says it."),
            collections: map.many("collections", "What it holds, by name."),
            errors: map.many("errors", "What it says when something is wrong, by name. `unauthorized`, `forbidden`, `invalid` and `no_such_path` are said by the engine itself."),
            calls: map.many("calls", "What each call does, by method and path as actions write them."),
            span: map.named(),
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
    /// The field that says when a record happened.
    pub clock: Option<Name>,
    /// Every so many-th record equals the one before it.
    pub twin_every: u64,
}

impl Word for Collection {
    const NAME: &'static str = "collection";

    fn read(map: &Map<'_>) -> Self {
        Collection {
            key: map.required("key", "The field that names a record."),
            count: map.optional("count", "How many records are made at first, times the scale.").unwrap_or(0),
            record: map.optional(
                "record",
                "A record, with generators in braces: `{n}`, `{id:8}`, `{guid}`, `{hex:40}`, `{ip}`, `{mac}`, `{name}`, `{int:1-9}`, `{pick:a|b}`, `{time}`, `{time:-60}`, `{millis}`, `{seen}`, `{from:collection.field}`.",
            ),
            also: map.many("also", "Further records, before the made ones, in the same notation."),
            clock: map.optional("clock", "The field that says when a record happened; its records may be seen late, and appear while the simulation runs."),
            twin_every: map.optional("twin_every", "Every so many-th made record equals the one before it.").unwrap_or(0),
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
    /// Whether the body holds the error's keys itself.
    pub bare: bool,
}

impl Word for Failure {
    const NAME: &'static str = "failure";

    fn read(map: &Map<'_>) -> Self {
        Failure {
            status: map.required("status", "The status."),
            code: map.required("code", "The short name."),
            message: map.required("message", "The text."),
            number: map.optional("number", "The number."),
            bare: map.flag(
                "bare",
                "Whether the body holds the error's keys itself, rather than under the key that usually does.",
            ),
        }
    }
}

/// What a call does: a verb, the collection it is about, and the details.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// What it does.
    pub does: Verb,
    /// The collection it is about.
    pub of: Option<Name>,
    /// Further collections whose records the same list holds.
    pub and_of: Vec<Name>,
    /// What names the record: the path's parameter, or fields of the request's elements.
    pub by: OneOrMore<Name>,
    /// Query parameters that bound a field from below.
    pub since: Names<Name>,
    /// Query parameters that bound a field from above, the bound included.
    pub until: Names<Name>,
    /// Query parameters that bound a field from above, the bound excluded.
    pub before: Names<Name>,
    /// The query parameter that says which field is bounded.
    pub target: Names<Vec<Name>>,
    /// How long before now a range begins that says no start.
    pub usual_start: Option<Seconds>,
    /// How long before now a range may begin.
    pub look_back: Option<Seconds>,
    /// The widest range.
    pub widest: Option<Seconds>,
    /// Whether a range may not end after now.
    pub up_to_now: bool,
    /// The query parameter of the order.
    pub order: Option<Name>,
    /// The query parameter of the page's size.
    pub size: Option<Name>,
    /// The page's size where no parameter says.
    pub page: Option<u64>,
    /// The sizes that the parameter may say.
    pub sizes: Vec<u64>,
    /// The query parameter of a further page's token.
    pub token: Option<Name>,
    /// The keys under which the answer counts.
    pub counts: Vec<Name>,
    /// Query parameters with which only the count is given.
    pub count_only: Names<Literal>,
    /// The query parameter that picks fields.
    pub select: Option<Name>,
    /// Fields set on the record.
    pub set: Names<Literal>,
    /// A task that the call starts.
    pub task: Option<Task>,
    /// The error when there is no such record.
    pub missing: Option<Name>,
    /// The error when there is one already.
    pub duplicate: Option<Name>,
    /// The error when the entity tag is an old one.
    pub stale: Option<Name>,
    /// The collection of the record that the path names.
    pub within: Option<Name>,
    /// Fields whose value must name a record of another collection.
    pub refers: Names<Name>,
    /// Headers of the answer.
    pub headers: Names<Name>,
    /// Parts of the answer.
    pub answer: Option<Literal>,
    /// The path that a header of the answer names.
    pub location: Option<Name>,
    /// The header that names it.
    pub header: Option<Name>,
    /// Bytes of the answer.
    pub content: Option<String>,
    /// The media type of the bytes.
    pub content_type: Option<String>,
    /// The collection whose record of the same key must have succeeded.
    pub after: Option<Name>,
    /// Other fields that the record must have.
    pub only_if: Names<Literal>,
    /// Whether the record has an entity tag.
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
            and_of: map.many("and_of", "Further collections whose records the same list holds."),
            by: map.many("by", "What names the record: the path's parameter, or fields of the request's elements that are compared with the record's."),
            since: map.many("since", "Query parameters that bound a field from below: `{ startDateTime: createdDateTime }`."),
            until: map.many("until", "Query parameters that bound a field from above, the bound included."),
            before: map.many("before", "Query parameters that bound a field from above, the bound excluded."),
            target: map.many("target", "The query parameter that says which field the first range is about, and the fields that it may say: `{ clock: [createdTime, updatedTime] }`."),
            usual_start: map.optional("usual_start", "How long before now a range begins that says no start."),
            look_back: map.optional("look_back", "How long before now a range may begin; an earlier start is refused."),
            widest: map.optional("widest", "The widest range; a wider one is refused."),
            up_to_now: map.flag("up_to_now", "Whether a range that ends after now is refused."),
            order: map.optional("order", "The query parameter that says the order, as `field desc`."),
            size: map.optional("size", "The query parameter that says the page's size."),
            page: map.optional("page", "The page's size where no parameter says."),
            sizes: map.many("sizes", "The sizes that the parameter may say; any other is refused."),
            token: map.optional("token", "The query parameter that holds the token of a further page; `skipToken` when left out."),
            counts: map.many("counts", "The keys under which the answer counts all records, and those of the page."),
            count_only: map.many("count_only", "Query parameters with which only the count is given."),
            select: map.optional("select", "The query parameter that picks fields, with commas between them."),
            set: map.many("set", "Fields set on the record, in the notation of `record`."),
            task: map.optional("task", "The task that the call starts."),
            missing: map.optional("missing", "The error when there is no such record."),
            duplicate: map.optional("duplicate", "The error when there is one already, or a task for it that has not ended."),
            stale: map.optional("stale", "The error when the request's entity tag is not the record's."),
            within: map.optional("within", "The collection of the record that the path names, when the call is about things that belong to it."),
            refers: map.many("refers", "Fields whose value must be the key of a record of another collection: `{ role: roles }`."),
            headers: map.many("headers", "Headers of the answer."),
            answer: map.optional("answer", "Parts of the answer, with `{field}` for the record's own."),
            location: map.optional("location", "The path below the base that a header of the answer names, with `{field}` for the record's own."),
            header: map.optional("header", "That header; `Location` when left out."),
            content: map.optional("content", "The bytes of the answer, or `{field}` for the record's own."),
            content_type: map.optional("content_type", "The media type of the bytes."),
            after: map.optional("after", "The collection whose record of the same key must have succeeded before."),
            only_if: map.many("only_if", "Fields that the record of `after` must have, by value."),
            etag: map.flag("etag", "Whether the record has an entity tag, which changes with it."),
            span: map.span(),
        }
    }
}

choice! {
    /// What a simulated call does.
    Verb, "what a call does" {
        List = "list" = "Lists records: bounded, filtered, sorted and in pages.",
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
    /// Fields that the task shows.
    pub copy: Vec<Name>,
    /// Fields of the request that the task shows in a list of one, under this key.
    pub nest: Option<Name>,
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
            nest: map
                .optional("nest", "The key of a list under which the task shows them; otherwise they are its own."),
            result: map.optional("result", "Fields that the task gains when it succeeds."),
        }
    }
}
