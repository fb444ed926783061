//! What a person should know before collecting: set-up, limits, and what another collector's words are called here.

use crate::read::{Literal, Map, Names, Word};
use crate::source::Span;
use crate::spec::connection::SetUp;

/// Collecting the streams of a connector.
#[derive(Debug, Clone)]
pub struct Collection {
    /// What is collected, and for whom.
    pub doc: String,
    /// What its words were transcribed from.
    pub source: Option<String>,
    /// What is done at the vendor before.
    pub set_up: Option<SetUp>,
    /// What the service does not give.
    pub limits: Vec<String>,
    /// Parameters of the collector that this one stands in for.
    pub parameters: Names<Counterpart>,
    /// Commands of the collector that this one stands in for.
    pub commands: Names<Counterpart>,
    /// The key of the section.
    pub span: Span,
}

impl Word for Collection {
    const NAME: &'static str = "collection";

    fn read(map: &Map<'_>) -> Self {
        Collection {
            doc: map.required("doc", "What is collected, and for whom."),
            source: map.optional("source", "Which document this was transcribed from."),
            set_up: map.optional("set_up", "What is done at the vendor before events can be collected."),
            limits: map.many("limits", "What the service does not give, and what is made of that."),
            parameters: map.many("parameters", "Parameters of the vendor's collector, by name, and what each is here."),
            commands: map.many("commands", "Commands of the vendor's collector, by name, and what each is here."),
            span: map.named(),
        }
    }
}

/// What a word of another collector is here.
#[derive(Debug, Clone)]
pub struct Counterpart {
    /// Its label there.
    pub title: Option<String>,
    /// Its default there.
    pub default: Option<Literal>,
    /// What it is here, as a user writes it.
    pub here: String,
    /// What it says, and how it differs.
    pub doc: String,
}

impl Word for Counterpart {
    const NAME: &'static str = "counterpart";

    fn read(map: &Map<'_>) -> Self {
        Counterpart {
            title: map.optional("title", "Its label there."),
            default: map.optional("default", "Its default there."),
            here: map.required("here", "What it is here, as a user writes it: `--every`, `connectome check`."),
            doc: map.required("doc", "What it says, its default here, and how it differs."),
        }
    }
}
