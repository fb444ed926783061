//! What somebody else's data model makes of the events of a stream: a table to look things up in. Nothing is mapped by it.

use crate::read::{Map, Names, OneOrMore, Word};
use crate::source::Span;
use crate::spec::Name;

/// A data model that reads delivered events.
#[derive(Debug, Clone)]
pub struct Modelling {
    /// What it is called.
    pub title: String,
    /// Whose it is, and how to read the tables.
    pub doc: String,
    /// The data set that its rules read.
    pub dataset: Option<String>,
    /// Editions of the model that differ, the oldest first.
    pub generations: Names<String>,
    /// The fields of each stream's events.
    pub streams: Names<Vec<Row>>,
    /// Names that it has for values, by theme.
    pub constants: Names<Names<String>>,
}

impl Word for Modelling {
    const NAME: &'static str = "modelling";

    fn read(map: &Map<'_>) -> Self {
        Modelling {
            title: map.required("title", "What the data model is called."),
            doc: map.required("doc", "Whose it is, and how to read the tables."),
            dataset: map.optional("dataset", "The data set that its rules read."),
            generations: map
                .many("generations", "Editions of the model that differ, by name: what each is. The oldest first."),
            streams: map.many("streams", "What it makes of the fields of events, by stream."),
            constants: map.many("constants", "Names that it has for values, by theme."),
        }
    }
}

/// What becomes of a field.
#[derive(Debug, Clone)]
pub struct Row {
    /// The field; of several, the first that is there.
    pub from: OneOrMore<Name>,
    /// What it is in every generation that `in` does not name.
    pub to: OneOrMore<Name>,
    /// What it is in some generations.
    pub within: Names<OneOrMore<Name>>,
    /// How the value is changed.
    pub note: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Row {
    const NAME: &'static str = "modelled";

    fn read(map: &Map<'_>) -> Self {
        Row {
            from: map.required("from", "The path of a field; of several, the first that is there is taken."),
            to: map.many("to", "Its names in the model, in every generation that `in` does not name."),
            within: map.many(
                "in",
                "Its names by generation; a generation that neither `in` nor `to` speaks of leaves the field out.",
            ),
            note: map.optional("note", "How its value is changed, or when this holds."),
            span: map.span(),
        }
    }
}
