//! Operations: what an action is, takes and gives. What goes over the wire is in `exchange`.

use crate::choice;
use crate::read::{Literal, Map, Names, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;
use crate::spec::exchange::Exchange;
use crate::spec::field::{Document, Input, Output};

/// An action.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its heading in the vendor's document.
    pub title: String,
    /// What it does.
    pub doc: String,
    /// What a reader of the vendor's document should know.
    pub note: Option<String>,
    /// What it changes.
    pub effect: Spanned<Effect>,
    /// Whether doing it twice is the same as doing it once.
    pub repeat: Repeat,
    /// The action that takes it back.
    pub undo: Option<Name>,
    /// What the caller must be allowed to do.
    pub permissions: Names<Vec<Name>>,
    /// Where the document differs.
    pub document: Option<Document>,
    /// What it takes.
    pub input: Names<Input>,
    /// What it gives.
    pub output: Names<Output>,
    /// What goes over the wire.
    pub exchange: Exchange,
    /// The document's example.
    pub example: Option<Example>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Operation {
    const NAME: &'static str = "action";

    fn read(map: &Map<'_>) -> Self {
        Operation {
            title: map.required("title", "Its heading in the vendor's document."),
            doc: map.required("doc", "What it does, in our own words."),
            note: map.optional("note", "Where the vendor's document misleads: what is true."),
            effect: map.required("effect", "What it changes."),
            repeat: map.required("repeat", "Whether doing it twice is the same as doing it once."),
            undo: map.optional("undo", "The action that takes it back."),
            permissions: map
                .many("permissions", "What the caller must be allowed to do, by app: `{ Alerts: [View alerts] }`."),
            document: map.optional("document", "What the vendor's document says where that is wrong."),
            input: map.many("input", "What it takes, by name, in the document's order."),
            output: map.many("output", "What it gives, by name, in the document's order."),
            exchange: Exchange::of(map),
            example: map.optional("example", "The vendor's example, which is checked and run as a test."),
            span: map.span(),
        }
    }
}

/// The document's example input and output.
#[derive(Debug, Clone)]
pub struct Example {
    /// The input.
    pub input: Literal,
    /// The output.
    pub output: Option<Literal>,
    /// How the document's output departs from the truth.
    pub departs: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Example {
    const NAME: &'static str = "example";

    fn read(map: &Map<'_>) -> Self {
        Example {
            input: map
                .optional("input", "The input as the document shows it; left out when it shows none.")
                .unwrap_or_else(|| Literal {
                    value: serde_json::Value::Null,
                    node: crate::yaml::Node { span: map.span(), key: None, value: crate::yaml::Value::Null },
                }),
            output: map.optional("output", "The output as the document shows it."),
            departs: map.optional(
                "departs",
                "How the document's output breaks the rules it states itself. Without it the output is checked.",
            ),
            span: map.span(),
        }
    }
}

choice! {
    /// What an operation changes.
    Effect, "an effect" {
        Read = "read" = "Nothing.",
        Write = "write" = "Something that is easily put back.",
        Destructive = "destructive" = "Something that people notice, or that cannot be put back.",
    }
}

choice! {
    /// Whether doing it twice is the same as doing it once.
    Repeat, "a word for repeating" {
        Unsafe = "unsafe" = "Twice is not the same as once: sent again only if the service surely did not act.",
        Safe = "safe" = "Twice is the same as once: sent again after any passing trouble.",
    }
}
