//! Event streams: what is collected continuously, and what must be known to lose nothing.

use crate::choice;
use crate::read::{Literal, Map, Names, OneOrMore, Seconds, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;
use crate::spec::exchange::Page;
use crate::spec::field::Document;

/// A stream of events.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its heading in the vendor's document.
    pub title: String,
    /// What its events are.
    pub doc: String,
    /// What a reader of the vendor's document should know.
    pub note: Option<String>,
    /// Whether the vendor's document lists it.
    pub document: Option<Document>,
    /// Where the vendor describes the call.
    pub link: Option<String>,
    /// Other names for it in commands.
    pub aliases: Vec<Name>,
    /// Whether it is collected only when it is named.
    pub on_request: bool,
    /// The permission it needs, as the vendor's document names it.
    pub permission: String,
    /// The call that reads a window.
    pub read: Name,
    /// Fixed query parameters.
    pub query: Names<Literal>,
    /// Fixed headers.
    pub headers: Names<Name>,
    /// How a range of time is asked for.
    pub window: Window,
    /// In which order events come.
    pub order: Order,
    /// How all events of a window are found.
    pub page: Page,
    /// What an event is.
    pub event: Event,
    /// How long after its time an event may still appear.
    pub late_by: Seconds,
    /// The greatest number of requests in a minute.
    pub requests_per_minute: Option<u64>,
    /// How the service says that a cursor is too old.
    pub expired_cursor: Option<ExpiredCursor>,
    /// Statuses that pass, besides those that always do.
    pub passing: OneOrMore<Spanned<u64>>,
    /// What is changed in each event before it is delivered.
    pub transforms: Vec<Transform>,
    /// An event as the service gives it.
    pub example: Option<Literal>,
}

impl Word for Stream {
    const NAME: &'static str = "stream";

    fn read(map: &Map<'_>) -> Self {
        Stream {
            title: map.required("title", "Its heading in the vendor's document."),
            doc: map.required("doc", "What its events are."),
            note: map.optional("note", "Where the vendor's document misleads: what is true."),
            document: map.optional("document", "`absent` when the vendor's document has no such stream."),
            link: map.optional("link", "Where the vendor describes the call."),
            aliases: map.many("aliases", "Other names for it in commands."),
            on_request: map.flag("on_request", "It is collected only when it is named."),
            permission: map.required("permission", "The permission it needs, as the vendor's document names it."),
            read: map.required("read", "Method and path of the call that reads a window."),
            query: map.many("query", "Query parameters that are always sent."),
            headers: map.many("headers", "Headers that are always sent, on every page."),
            window: map.required("window", "How a range of time is asked for."),
            order: map.required("order", "In which order the service gives events."),
            page: map.required("page", "How all events of a window are found."),
            event: map.required("event", "What an event is."),
            late_by: map.required("late_by", "How long after its time an event may still appear, as `10m`."),
            requests_per_minute: map.optional(
                "requests_per_minute",
                "The greatest number of requests in a minute; left out, the service says when it is too much.",
            ),
            expired_cursor: map.optional(
                "expired_cursor",
                "How the service says that a cursor is too old; the window is then read anew.",
            ),
            passing: map
                .many("passing", "Statuses after which the request is tried again, besides 429, 502, 503 and 504."),
            transforms: map
                .many("transforms", "What is changed in each event before it is delivered. None of these can fail."),
            example: map.optional("example", "An event as the service gives it."),
        }
    }
}

/// How a range of time is asked for.
#[derive(Debug, Clone)]
pub struct Window {
    /// The query parameter of the start.
    pub from: Name,
    /// The query parameter of the end.
    pub to: Name,
    /// The record's field that the range is about.
    pub clock: Name,
    /// How that field is written.
    pub clock_form: TimeForm,
    /// Whether the end belongs to the range.
    pub end: End,
    /// The widest range.
    pub widest: Option<Seconds>,
    /// How far back the service remembers.
    pub look_back: Option<Seconds>,
    /// How far a range reaches in the ordinary run of things.
    pub step: Option<Seconds>,
    /// More events than this in a range make it narrower.
    pub cap: Option<u64>,
    /// Where the answer counts the events of the range.
    pub count: Option<Name>,
    /// How far both ends are moved outwards.
    pub slack: Option<Seconds>,
    /// Where `step` stands.
    pub step_span: Span,
}

impl Word for Window {
    const NAME: &'static str = "stream_window";

    fn read(map: &Map<'_>) -> Self {
        Window {
            from: map.required("from", "The query parameter that takes the start."),
            to: map.required("to", "The query parameter that takes the end."),
            clock: map.required("clock", "The field of an event that the range is about."),
            clock_form: map
                .optional("clock_form", "How that field is written; `rfc3339` when left out.")
                .unwrap_or(TimeForm::Rfc3339),
            end: map.required("end", "Whether the end belongs to the range; what we do is right for both."),
            widest: map.optional("widest", "The widest range the service answers."),
            look_back: map.optional("look_back", "How far back the service remembers."),
            step: map.optional("step", "The widest range we ask for; 6 hours when left out."),
            cap: map.optional("cap", "A range with more events than this is halved; 5000 when left out."),
            count: map.optional("count", "The path of the number of events in the range, where the service counts; otherwise we count as we read."),
            slack: map.optional("slack", "How far both ends are moved outwards, where it is in doubt which of them the service counts in. What was not asked for is left out again."),
            step_span: map.span_of("step"),
        }
    }
}

choice! {
    /// Whether the end of a range belongs to it.
    End, "a word for the end of a range" {
        Inclusive = "inclusive" = "An event exactly at the end is in the range.",
        Exclusive = "exclusive" = "An event exactly at the end is not.",
        Unknown = "unknown" = "Nobody has said.",
    }
}

choice! {
    /// In which order events come.
    Order, "an order" {
        OldestFirst = "oldest first" = "The oldest event of the range comes first.",
        NewestFirst = "newest first" = "The newest event of the range comes first.",
    }
}

/// What an event is.
#[derive(Debug, Clone)]
pub struct Event {
    /// The fields that name it; left out, its content does.
    pub id: OneOrMore<Name>,
    /// The field that says when it happened.
    pub time: Option<Name>,
    /// The name under which that is delivered as well.
    pub deliver_time_as: Option<Name>,
    /// Constants that are added.
    pub add: Names<Literal>,
}

impl Word for Event {
    const NAME: &'static str = "event";

    fn read(map: &Map<'_>) -> Self {
        Event {
            id: map.many(
                "id",
                "The field that names an event, or the fields that do together; left out, a hash of its content does.",
            ),
            time: map.optional("time", "The field that says when it happened; the window's `clock` when left out."),
            deliver_time_as: map.optional(
                "deliver_time_as",
                "The name under which that field, as the transforms leave it, is delivered as well; `_time` when left out.",
            ),
            add: map.many("add", "Constants that are added to each event."),
        }
    }
}

choice! {
    /// How a time is written.
    TimeForm, "a form of time" {
        Rfc3339 = "rfc3339" = "Text as `2024-06-11T07:12:44Z`.",
        EpochMs = "epoch_ms" = "Milliseconds since 1970.",
        EpochS = "epoch_s" = "Seconds since 1970.",
    }
}

/// How the service says that a cursor is too old.
#[derive(Debug, Clone)]
pub struct ExpiredCursor {
    /// Words of the error's text, in any case.
    pub message_contains: Option<String>,
    /// The status.
    pub status: OneOrMore<Spanned<u64>>,
    /// Where it stands.
    pub span: Span,
}

impl Word for ExpiredCursor {
    const NAME: &'static str = "expired_cursor";

    fn read(map: &Map<'_>) -> Self {
        ExpiredCursor {
            message_contains: map.optional("message_contains", "Words of the error's text, in any case."),
            status: map.many("status", "The status, or a list of them."),
            span: map.span(),
        }
    }
}

/// One change to an event. One verb each.
#[derive(Debug, Clone)]
pub struct Transform {
    /// Lists that become one text.
    pub join: Vec<Name>,
    /// Fields of milliseconds that become text.
    pub epoch_to_text: Vec<Name>,
    /// Fields that become null when absent.
    pub fill_null: Vec<Name>,
    /// Fields that are dropped.
    pub drop: Vec<Name>,
    /// Fields that are copied to other names.
    pub copy: Names<Name>,
    /// The verbs that the spec says, and where.
    pub verbs: Vec<(&'static str, Span)>,
    /// Where it stands.
    pub span: Span,
}

impl Transform {
    /// What a transform can do.
    pub const VERBS: [&'static str; 5] = ["join", "epoch_to_text", "fill_null", "drop", "copy"];
}

impl Word for Transform {
    const NAME: &'static str = "transform";

    fn read(map: &Map<'_>) -> Self {
        Transform {
            join: map
                .many("join", "Lists, at paths such as `filters[].mitreTacticIds`, that become one text with commas."),
            epoch_to_text: map.many("epoch_to_text", "Fields of milliseconds that become text with whole seconds."),
            fill_null: map.many("fill_null", "Fields that are set to null when absent."),
            drop: map.many("drop", "Fields that are dropped."),
            copy: map.many("copy", "Fields that are copied, by their new name."),
            verbs: Self::VERBS
                .into_iter()
                .filter(|verb| map.says(verb))
                .map(|verb| (verb, map.span_of(verb)))
                .collect(),
            span: map.span(),
        }
    }
}
