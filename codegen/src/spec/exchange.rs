//! What goes over the wire for an operation: call, fixed values, success, items, pages, polling.

use crate::choice;
use crate::read::{Literal, Map, Names, OneOrMore, Seconds, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;

/// The request and how its answer is read.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Method and path.
    pub call: Name,
    /// Fixed query parameters.
    pub query: Names<Literal>,
    /// Fixed headers.
    pub headers: Names<Name>,
    /// The status codes that mean success.
    pub success: OneOrMore<u64>,
    /// The form of the body, where inputs do not give it.
    pub body_form: Option<BodyForm>,
    /// A 207 answer and what to do when some of it failed.
    pub multi_status: Option<MultiStatus>,
    /// How further pages are found.
    pub page: Option<Page>,
    /// How many results are too many.
    pub cap: Option<Cap>,
    /// A task that is waited for.
    pub poll: Option<Poll>,
    /// Whether keys of the body that no output takes are given as well.
    pub keep_unlisted: bool,
    /// Pairs of inputs of which the first must not be later than the second.
    pub ordered: Vec<Vec<Name>>,
    /// Inputs of which exactly one is sent.
    pub send_first: Vec<Name>,
}

impl Exchange {
    pub(crate) fn of(map: &Map<'_>) -> Self {
        Exchange {
            call: map.required("call", "Method and path, as `GET /alerts/{alert_id}`."),
            query: map.many("query", "Query parameters that are always sent."),
            headers: map.many("headers", "Headers that are always sent."),
            success: map.many("success", "The status that means success, or a list of them; 200 when left out."),
            body_form: map.optional("body_form", "The form of the body, where its inputs do not give it."),
            multi_status: map.optional("multi_status", "The answer is a list with a status for each element of the request."),
            page: map.optional("page", "How the records of all pages are found."),
            cap: map.optional("cap", "How many results are too many."),
            poll: map.optional("poll", "A task that is waited for."),
            keep_unlisted: map.flag("keep_unlisted", "Keys of the body that no output takes are given as well, under their own names."),
            ordered: map.many("ordered", "Pairs of inputs: `[[start, end]]` refuses a start after its end."),
            send_first: map.many("send_first", "Of these inputs the first that is given is sent, and one is needed; `NAME if FORMAT` is taken only when its value looks so."),
        }
    }
}

choice! {
    /// A form of the body that inputs alone do not give.
    BodyForm, "a form of the body" {
        ArrayOfOne = "array_of_one" = "The inputs make an object, and the body is a list that holds it.",
    }
}

/// A multi-status answer.
#[derive(Debug, Clone)]
pub struct MultiStatus {
    /// The status of an element that worked.
    pub success: OneOrMore<u64>,
    /// The header of an element whose last path segment is the task it started.
    pub task: Option<Name>,
}

impl Word for MultiStatus {
    const NAME: &'static str = "multi_status";

    fn read(map: &Map<'_>) -> Self {
        MultiStatus {
            success: map.required("success", "The status of an element that worked."),
            task: map.optional(
                "task",
                "The header of an element that names the task it started, as the last segment of a URL.",
            ),
        }
    }
}

/// How records spread over pages are found. One of `next`, `offset`, `after` and `cursor`, or none for a single page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where the records are.
    pub items: Name,
    /// Where the next page's URL is.
    pub next: Option<Name>,
    /// Paging by number of records skipped.
    pub offset: Option<Offset>,
    /// Paging by the last record's id.
    pub after: Option<After>,
    /// Paging by an opaque cursor.
    pub cursor: Option<Cursor>,
    /// Where the page size goes.
    pub size: Option<PageSize>,
    /// The ways to the next page that the spec says, and where.
    pub ways: Vec<(&'static str, Span)>,
}

impl Word for Page {
    const NAME: &'static str = "page";

    fn read(map: &Map<'_>) -> Self {
        Page {
            items: map.required("items", "The path of the list of records."),
            next: map
                .optional("next", "The path of the next page's URL. Its path and query are taken; its host is not."),
            offset: map.optional("offset", "Paging by the number of records skipped."),
            after: map.optional("after", "Paging by the last record's id."),
            cursor: map.optional("cursor", "Paging by an opaque cursor."),
            size: map.optional("size", "The page size."),
            ways: ["next", "offset", "after", "cursor"]
                .into_iter()
                .filter(|way| map.says(way))
                .map(|way| (way, map.span_of(way)))
                .collect(),
        }
    }
}

/// Pages found by counting.
#[derive(Debug, Clone)]
pub struct Offset {
    /// The query parameter.
    pub query: Name,
    /// The path of the flag that says there is more.
    pub more: Option<Name>,
    /// The offset beyond which the service refuses.
    pub at_most: Option<u64>,
}

impl Word for Offset {
    const NAME: &'static str = "offset";

    fn read(map: &Map<'_>) -> Self {
        Offset {
            query: map.required("query", "The query parameter that holds the number of records to skip."),
            more: map.optional("more", "The path of the flag that says there are more."),
            at_most: map
                .optional("at_most", "The offset beyond which the service refuses; the dataset is then partial."),
        }
    }
}

/// Pages found by the greatest id so far.
#[derive(Debug, Clone)]
pub struct After {
    /// The record's id.
    pub field: Name,
    /// Where the greatest id so far goes in the body.
    pub body: Name,
    /// What it is at first.
    pub start: Option<Literal>,
}

impl Word for After {
    const NAME: &'static str = "after";

    fn read(map: &Map<'_>) -> Self {
        After {
            field: map.required("field", "The record's id, by which pages are sorted."),
            body: map.required("body", "The path in the body that takes the last id seen."),
            start: map.optional("start", "What stands there on the first page."),
        }
    }
}

/// Pages found by a cursor.
#[derive(Debug, Clone)]
pub struct Cursor {
    /// Where the answer holds it.
    pub from: Name,
    /// Where the body takes it.
    pub body: Option<Name>,
    /// The query parameter that takes it.
    pub query: Option<Name>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Cursor {
    const NAME: &'static str = "cursor";

    fn read(map: &Map<'_>) -> Self {
        Cursor {
            from: map.required("from", "The path in the answer that holds it; null or empty means the end."),
            body: map.optional("body", "The path in the body that takes it."),
            query: map.optional("query", "The query parameter that takes it."),
            span: map.span(),
        }
    }
}

/// A page size.
#[derive(Debug, Clone)]
pub struct PageSize {
    /// The query parameter.
    pub query: Option<Name>,
    /// The path in the body.
    pub body: Option<Name>,
    /// The sizes the service takes.
    pub one_of: Vec<u64>,
    /// The size we ask for.
    pub ask: Spanned<u64>,
    /// Where it stands.
    pub span: Span,
}

impl Word for PageSize {
    const NAME: &'static str = "page_size";

    fn read(map: &Map<'_>) -> Self {
        PageSize {
            query: map.optional("query", "The query parameter it goes into."),
            body: map.optional("body", "The path in the body it goes into."),
            one_of: map.many("one_of", "The sizes the service takes."),
            ask: map.required("ask", "The size we ask for."),
            span: map.span(),
        }
    }
}

/// A bound on the number of results, known before they are fetched.
#[derive(Debug, Clone)]
pub struct Cap {
    /// Where the answer counts.
    pub count: Name,
    /// The greatest count that is fetched.
    pub at_most: u64,
    /// Query parameters that make the service count only.
    pub ask: Names<Literal>,
}

impl Word for Cap {
    const NAME: &'static str = "cap";

    fn read(map: &Map<'_>) -> Self {
        Cap {
            count: map.required("count", "The path of the number of results."),
            at_most: map.required("at_most", "The greatest number that is fetched; more is an error that says to narrow the search."),
            ask: map.many("ask", "Query parameters of a request that only counts, sent first. Without them the first page's own count is read."),
        }
    }
}

/// A task that is waited for.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The call that tells the task's state; the operation's own when left out.
    pub call: Option<Name>,
    /// Where the state is.
    pub status: Name,
    /// States that go on.
    pub pending: Vec<Name>,
    /// States that end the operation with an error.
    pub failed: Vec<Name>,
    /// The input that says whether to wait.
    pub when: Option<Name>,
    /// The input that says how long.
    pub seconds: Option<Name>,
    /// The first pause.
    pub every: Seconds,
    /// The longest pause.
    pub slowest: Seconds,
}

impl Word for Poll {
    const NAME: &'static str = "poll";

    fn read(map: &Map<'_>) -> Self {
        Poll {
            call: map
                .optional("call", "Method and path that tell the task's state; the action's own call when left out."),
            status: map.required("status", "The path of the state."),
            pending: map.required("pending", "The states in which it goes on; any other is final."),
            failed: map.many("failed", "The states that end the action with an error."),
            when: map.optional("when", "The input that says whether to wait at all."),
            seconds: map.optional("seconds", "The input that says how many seconds to wait at most."),
            every: map.required("every", "The first pause between two looks."),
            slowest: map.required("slowest", "The longest pause, to which it grows."),
        }
    }
}
