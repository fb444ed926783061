//! What is shown of documents: dashboards and their panels.

use crate::read::{Literal, Map, Names, OneOrMore, Word};
use crate::source::Span;
use crate::spec::Name;

/// A dashboard.
#[derive(Debug, Clone)]
pub struct Dashboard {
    /// Its title.
    pub title: String,
    /// What it shows.
    pub doc: String,
    /// What all of its panels show: fields, and the value or the values of each.
    pub filters: Names<OneOrMore<Literal>>,
    /// What none of its panels shows, in the same form.
    pub without: Names<OneOrMore<Literal>>,
    /// Fields of which the reader chooses values, by label.
    pub controls: Names<Name>,
    /// Its panels.
    pub panels: Vec<Panel>,
}

impl Word for Dashboard {
    const NAME: &'static str = "dashboard";

    fn read(map: &Map<'_>) -> Self {
        Dashboard {
            title: map.required("title", "Its title."),
            doc: map.required("doc", "What it shows."),
            filters: map.many(
                "filters",
                "What all of its panels show: fields, and the value of each, or a list of which any will do.",
            ),
            without: map.many(
                "without",
                "What none of its panels shows: fields, and the value of each, or a list of which any is left out.",
            ),
            controls: map.many("controls", "Fields of which the reader chooses values, by their labels."),
            panels: map.required("panels", "Its panels."),
        }
    }
}

/// One panel: one verb.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Links to dashboards of the same stream.
    pub links: Vec<Name>,
    /// Markdown.
    pub text: Option<String>,
    /// The field whose values are slices of a circle.
    pub pie: Option<Name>,
    /// The field whose values are bars.
    pub bar: Option<Name>,
    /// The field whose values are rows.
    pub table: Option<Name>,
    /// What a single number says.
    pub metric: Option<String>,
    /// The field of time along which a line runs.
    pub line: Option<Name>,
    /// The title.
    pub title: Option<String>,
    /// What the values are called.
    pub label: Option<String>,
    /// How many values are shown.
    pub top: Option<u64>,
    /// The field that is added up, where documents are not counted.
    pub sum: Option<Name>,
    /// The field of numbers by which a line is split.
    pub split: Option<Name>,
    /// What the split is called.
    pub split_label: Option<String>,
    /// The colour of a number.
    pub color: Option<String>,
    /// What only this panel shows.
    pub filters: Names<OneOrMore<Literal>>,
    /// Where it is: column, row, width and height.
    pub at: Vec<u64>,
    /// The verbs that the spec says, and where.
    pub verbs: Vec<(&'static str, Span)>,
    /// Where it stands.
    pub span: Span,
}

impl Panel {
    /// What a panel can be.
    pub const VERBS: [&'static str; 7] = ["links", "text", "pie", "bar", "table", "metric", "line"];
}

impl Word for Panel {
    const NAME: &'static str = "panel";

    fn read(map: &Map<'_>) -> Self {
        Panel {
            links: map.many("links", "Links to dashboards of the same stream."),
            text: map.optional("text", "A text in Markdown."),
            pie: map.optional("pie", "The field whose values are the slices of a circle."),
            bar: map.optional("bar", "The field whose values are bars."),
            table: map.optional("table", "The field whose values are the rows of a table."),
            metric: map.optional("metric", "What a single number says."),
            line: map.optional("line", "The field of time along which a line runs."),
            title: map.optional("title", "Its title."),
            label: map.optional("label", "What the values of its field are called."),
            top: map.optional("top", "How many values are shown, the most frequent first."),
            sum: map.optional("sum", "The field whose values are added up; otherwise documents are counted."),
            split: map.optional("split", "The field of numbers by which a line is split."),
            split_label: map.optional("split_label", "What these numbers are called."),
            color: map.optional("color", "The colour of a number, as `\"#CC5642\"`."),
            filters: map
                .many("filters", "What only this panel shows, besides what the dashboard's filters let through."),
            at: map.required(
                "at",
                "Where it is: column and row of its corner, width and height, on a grid of 48 columns.",
            ),
            verbs: Self::VERBS
                .into_iter()
                .filter(|verb| map.says(verb))
                .map(|verb| (verb, map.span_of(verb)))
                .collect(),
            span: map.span(),
        }
    }
}
