//! An account as a graph: what is read, what its records become, and how they hang together.

use crate::choice;
use crate::diagnostic::Diagnostic;
use crate::read::{Form, Language, Literal, Map, Names, OneOrMore, Problems, Shape, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;
use crate::spec::exchange::Page;
use crate::spec::field::Converter;
use crate::yaml::{Node, Value};

/// Something that is read to build the graph.
#[derive(Debug, Clone)]
pub struct Step {
    /// As users see it.
    pub title: String,
    /// The call that lists the records.
    pub read: Name,
    /// Fixed query parameters.
    pub query: Names<Literal>,
    /// Fixed parts of the body.
    pub body: Names<Literal>,
    /// How all records are found.
    pub page: Page,
    /// Steps that must have run.
    pub after: Vec<Name>,
    /// Statuses that mean the account has none of these.
    pub absent_on: OneOrMore<u64>,
    /// The permission the call needs.
    pub permission: Option<String>,
    /// The type of its records.
    pub of: Option<Name>,
    /// What the account must have for there to be such records.
    pub only_if: Option<OnlyIf>,
}

impl Word for Step {
    const NAME: &'static str = "step";

    fn read(map: &Map<'_>) -> Self {
        Step {
            title: map.required("title", "Its name as users see it."),
            read: map.required("read", "Method and path of the call that lists the records."),
            query: map.many("query", "Query parameters that are always sent."),
            body: map.many("body", "Parts of the JSON body that are always sent."),
            page: map.required("page", "How the records of all pages are found."),
            after: map.many("after", "Steps that must have run before."),
            absent_on: map.many(
                "absent_on",
                "Statuses that mean the account has no such records, as a plan without the feature.",
            ),
            permission: map
                .optional("permission", "The permission the call needs, for the message when it is missing."),
            of: map.optional("of", "The type of its records; paths are then held against its fields."),
            only_if: map.optional(
                "only_if",
                "A list of the account that must hold a value; without it there are no such records, and the step is skipped.",
            ),
        }
    }
}

/// A list that must hold a value.
#[derive(Debug, Clone)]
pub struct OnlyIf {
    /// The call that gives the list.
    pub read: Name,
    /// Where the list is.
    pub list: Name,
    /// The value.
    pub holds: String,
}

impl Word for OnlyIf {
    const NAME: &'static str = "only_if";

    fn read(map: &Map<'_>) -> Self {
        OnlyIf {
            read: map.required("read", "Method and path of the call that gives the list."),
            list: map.required("list", "The path of the list."),
            holds: map.required("holds", "The text that must be in it."),
        }
    }
}

/// A vertex: what a record becomes. Its name in the spec is its `_type`.
#[derive(Debug, Clone)]
pub struct Entity {
    /// What the vendor calls it.
    pub resource: String,
    /// Its classes in the data model.
    pub class: OneOrMore<Name>,
    /// The step whose records it is made from.
    pub from: Name,
    /// Its key, a template over the record.
    pub key: Name,
    /// Properties that are copied under their own names.
    pub copy: Vec<Name>,
    /// Properties and where they come from.
    pub properties: Names<Source>,
    /// Paths of the raw record that are never kept.
    pub secrets: Vec<Name>,
    /// The same vertex in other dialects.
    pub dialects: Names<EntityDialect>,
}

impl Word for Entity {
    const NAME: &'static str = "entity";

    fn read(map: &Map<'_>) -> Self {
        Entity {
            resource: map.required("resource", "What the vendor calls it."),
            class: map.required("class", "Its class in the data model, or a list of them."),
            from: map.required("from", "The step whose records it is made from."),
            key: map.required("key", "Its key: a template over the record, as `service:{id}`."),
            copy: map.many("copy", "Fields of the record that are copied under their own names."),
            properties: map.many("properties", "Its properties, by name, and where each comes from."),
            secrets: map.many("secrets", "Paths of the record that are removed before it is kept as raw data."),
            dialects: map.many("dialects", "What differs in other dialects, by the dialect's name."),
        }
    }
}

/// What differs about a vertex in another dialect.
#[derive(Debug, Clone)]
pub struct EntityDialect {
    /// Another `_type`.
    pub ty: Option<Name>,
    /// Another class.
    pub class: Option<OneOrMore<Name>>,
    /// Another key.
    pub key: Option<Name>,
    /// Properties that differ or come on top.
    pub properties: Names<Source>,
}

impl Word for EntityDialect {
    const NAME: &'static str = "entity_dialect";

    fn read(map: &Map<'_>) -> Self {
        EntityDialect {
            ty: map.optional("type", "Its `_type` there."),
            class: map.optional("class", "Its class there."),
            key: map.optional("key", "Its key there."),
            properties: map.many("properties", "Properties that differ there or come on top."),
        }
    }
}

/// Where a property comes from: a path, or a word with more to say.
#[derive(Debug, Clone)]
pub enum Source {
    /// A path of the record, copied.
    Path(Name),
    /// A constant, or a path with a condition or a converter.
    Made(Box<Made>),
}

impl Form for Source {
    fn describe(language: &Language) -> Shape {
        Shape::Either(vec![Shape::Text, Made::describe(language)])
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(Source::Path(Spanned::new(text.clone(), node.span))),
            Value::Map(_) => Made::take(node, problems).map(|made| Source::Made(Box::new(made))),
            _ => {
                problems.push(
                    Diagnostic::new("wrong-kind", node.span, "expected a path of the record, or `{ is: … }`")
                        .label(format!("this is {}", node.kind()))
                        .help("a constant is written `{ is: … }`"),
                );
                None
            }
        }
    }

    fn absent(span: Span) -> Self {
        Source::Path(Name::absent(span))
    }
}

/// A property that is more than a copy.
#[derive(Debug, Clone)]
pub struct Made {
    /// A constant.
    pub is: Option<Literal>,
    /// The first of these paths that holds something.
    pub from: OneOrMore<Name>,
    /// A template over the record.
    pub template: Option<Name>,
    /// A converter.
    pub with: Option<Spanned<Converter>>,
    /// Whether it equals this.
    pub equals: Option<Literal>,
    /// Words of which one is looked for.
    pub find: Vec<String>,
    /// What it is when nothing else gives a value.
    pub otherwise: Option<Literal>,
    /// What stands for nothing.
    pub unless: Option<Literal>,
    /// Whether it is a list of one.
    pub list: bool,
    /// The operator's table in which the value is looked up.
    pub lookup: Option<Name>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Made {
    const NAME: &'static str = "property";

    fn read(map: &Map<'_>) -> Self {
        Made {
            is: map.optional("is", "A constant."),
            from: map.many("from", "A path of the record, or a list of which the first that holds something is taken."),
            template: map
                .optional("template", "A text with paths of the record in braces; absent when one of them is."),
            with: map.optional("with", "How it is changed."),
            equals: map.optional("equals", "The property is true when the source equals this, and false otherwise."),
            find: map
                .many("find", "The property is the one of these words that stands first in the source, in any case."),
            otherwise: map.optional("otherwise", "What it is when nothing else gives a value."),
            unless: map
                .optional("unless", "The source is taken for absent when it is this, as where 0 stands for none."),
            list: map.flag("list", "Whether the value is given as a list of one."),
            lookup: map.optional("lookup", "One of `lookups`: the value is replaced by what that table says of it, and absent when it says nothing."),
            span: map.span(),
        }
    }
}

/// An edge.
#[derive(Debug, Clone)]
pub struct Relationship {
    /// The vertex it leaves.
    pub from: Name,
    /// Its class, in capitals.
    pub verb: Name,
    /// The vertex it reaches, or the class or `_type` of one that another integration made.
    pub to: Name,
    /// A list inside the record of one end that names the other.
    pub each: Option<Name>,
    /// The field of a list's elements that names the other end.
    pub matching: Option<Name>,
    /// Two paths that must be equal.
    pub join: Vec<Name>,
    /// The path, in the records between, that names the end that `join` does not.
    pub who: Option<Name>,
    /// Which of several edges between the same ends stays.
    pub keep: Option<Name>,
    /// Its properties.
    pub properties: Names<Source>,
    /// Properties that list a value of every edge between the same ends.
    pub collect: Names<Name>,
    /// How a vertex of another integration is found.
    pub target: Option<Target>,
    /// The same edge in other dialects.
    pub dialects: Names<RelationshipDialect>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Relationship {
    const NAME: &'static str = "relationship";

    fn read(map: &Map<'_>) -> Self {
        Relationship {
            from: map.required("from", "The `_type` of the vertex it leaves."),
            verb: map.required("verb", "Its class, in capitals."),
            to: map.required("to", "The `_type` of the vertex it reaches. With `target`: the class, or the `_type`, of one that another integration made; a class begins with a capital."),
            each: map.optional("each", "A list in the records of one end's step whose elements name the other end, as `users.teams`."),
            matching: map.optional("match", "The field of the list's elements that fills the other end's key; left out when the elements do."),
            join: map.many("join", "Two paths that are equal when the edge exists, each in the records of a step: `[oncalls.policy.id, services.policy.id]`."),
            who: map.optional("who", "With records between the two ends: the path in them that fills the key of the end that `join` leaves out, as `oncalls.user.id`."),
            keep: map.optional("keep", "Which of several edges between the same ends stays: `least PATH` or `first`."),
            properties: map.many("properties", "The edge's own properties."),
            collect: map.many("collect", "Properties of the edge that stays which list, with commas, a value of every edge between the same ends; with `join` only."),
            target: map.optional("target", "How a vertex that another integration made is found."),
            dialects: map.many("dialects", "What differs in other dialects, by the dialect's name."),
            span: map.span(),
        }
    }
}

/// How a vertex of another integration is found.
#[derive(Debug, Clone)]
pub struct Target {
    /// Properties it has, from the record.
    pub has: Names<Source>,
    /// Sets of properties of which one must match.
    pub match_by: Vec<Vec<Name>>,
}

impl Word for Target {
    const NAME: &'static str = "target";

    fn read(map: &Map<'_>) -> Self {
        Target {
            has: map.required("has", "Properties of the other vertex, made from the record."),
            match_by: map
                .required("match_by", "Sets of these properties; the vertex is the one that agrees in all of a set."),
        }
    }
}

/// What differs about an edge in another dialect.
#[derive(Debug, Clone)]
pub struct RelationshipDialect {
    /// Another verb.
    pub verb: Option<Name>,
    /// Another `_type`.
    pub ty: Option<Name>,
    /// Which way it points.
    pub direction: Option<Direction>,
    /// Whether there is no such edge.
    pub absent: bool,
}

impl Word for RelationshipDialect {
    const NAME: &'static str = "relationship_dialect";

    fn read(map: &Map<'_>) -> Self {
        RelationshipDialect {
            verb: map.optional("verb", "Its class there."),
            ty: map.optional("type", "Its `_type` there."),
            direction: map.optional("direction", "Which way it points there."),
            absent: map.flag("absent", "The edge is not made there."),
        }
    }
}

choice! {
    /// Which way an edge points.
    Direction, "a direction" {
        Same = "same" = "As stated.",
        Reversed = "reversed" = "From the second end to the first.",
    }
}
