//! Triggers: an action repeated at an interval.

use crate::read::{Map, Names, OneOrMore, Seconds, Word};
use crate::source::Span;
use crate::spec::Name;
use crate::spec::field::{Document, Input};
use crate::spec::operation::Example;

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its heading in the vendor's document.
    pub title: String,
    /// What it does.
    pub doc: String,
    /// What a reader of the vendor's document should know.
    pub note: Option<String>,
    /// The action it repeats.
    pub repeats: Name,
    /// The input that says how many seconds lie between two rounds.
    pub interval: Name,
    /// Where the document differs.
    pub document: Option<Document>,
    /// What it takes. What the action takes under the same name is passed on.
    pub input: Names<Input>,
    /// The ranges of time that move from round to round.
    pub windows: Vec<Window>,
    /// How an event is known again.
    pub seen: Option<Seen>,
    /// Statuses that mean an empty round.
    pub empty_on: OneOrMore<u64>,
    /// Whether the action's bound on the number of results does not hold here.
    pub uncapped: bool,
    /// The document's example.
    pub example: Option<Example>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Trigger {
    const NAME: &'static str = "trigger";

    fn read(map: &Map<'_>) -> Self {
        Trigger {
            title: map.required("title", "Its heading in the vendor's document."),
            doc: map.required("doc", "What it does, in our own words."),
            note: map.optional("note", "Where the vendor's document misleads: what is true."),
            repeats: map.required("repeats", "The action it repeats; outputs and permissions are that action's."),
            interval: map.required("interval", "The input that says how many seconds lie between two rounds."),
            document: map.optional("document", "What the vendor's document says where that is wrong."),
            input: map.many("input", "What it takes; what the action takes under the same name is passed on."),
            windows: map.many("windows", "The ranges of time that the rounds read."),
            seen: map.optional("seen", "How an event is known again, so that none is given twice."),
            empty_on: map.many("empty_on", "Statuses that mean an empty round rather than an error."),
            uncapped: map.flag("uncapped", "The action's `cap` does not hold for rounds: all pages are read, so that a busy hour does not stop the trigger."),
            example: map.optional("example", "The vendor's example."),
            span: map.span(),
        }
    }
}

/// A range of time that a round reads.
#[derive(Debug, Clone)]
pub struct Window {
    /// The trigger's input that says where the first round starts.
    pub first: Name,
    /// The action's input that takes the start.
    pub start: Name,
    /// The action's input that takes the end, which is the round's own time.
    pub end: Name,
    /// Whether the start moves on.
    pub fixed: bool,
    /// How far each round reads back over the last.
    pub overlap: Option<Seconds>,
    /// How far back the service answers.
    pub at_most: Option<Seconds>,
}

impl Word for Window {
    const NAME: &'static str = "window";

    fn read(map: &Map<'_>) -> Self {
        Window {
            first: map.required("first", "The input that says where the first round starts."),
            start: map.required("start", "The action's input that takes the start of the range."),
            end: map.required("end", "The action's input that takes its end, which is the time of the round."),
            fixed: map
                .flag("fixed", "The start stays where it is; otherwise each round starts where the last one ended."),
            overlap: map.optional("overlap", "How far each round reads back into the last, for events that show late."),
            at_most: map.optional("at_most", "How far back the service answers; an earlier start moves up to that."),
        }
    }
}

/// How an event is known again.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The output that lists events.
    pub list: Name,
    /// The fields that together name one.
    pub by: OneOrMore<Name>,
}

impl Word for Seen {
    const NAME: &'static str = "seen";

    fn read(map: &Map<'_>) -> Self {
        Seen {
            list: map.required("list", "The output that lists the events."),
            by: map.required("by", "The field that names an event, or the fields that do so together."),
        }
    }
}
