//! A graph as data: what is read, what its records become, how they hang together. Generated code fills these tables.

use connectome_core::convert::Convert;
use connectome_core::operation::Operation;
use connectome_core::shape::Literal;

/// Keys of nested objects. A number is a list's index.
pub type Path = &'static [&'static str];

/// The graph of a connector.
#[derive(Debug, Clone, Copy)]
pub struct Graph {
    /// What is read.
    pub steps: &'static [Step],
    /// The same graph in the words of several dialects; the first is the default.
    pub dialects: &'static [Dialect],
    /// Classes of the data model, and the properties that each demands.
    pub classes: &'static [(&'static str, &'static [&'static str])],
    /// Tables that the operator may supply: names and what they hold.
    pub lookups: &'static [(&'static str, &'static str)],
}

impl Graph {
    /// The dialect of this name.
    pub fn dialect(&self, name: &str) -> Option<&'static Dialect> {
        self.dialects.iter().find(|dialect| dialect.name == name)
    }
}

/// A list of records that is read.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Its name in the spec.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The call that lists the records.
    pub operation: &'static Operation,
    /// The steps, by number, that must have ended before.
    pub after: &'static [usize],
    /// Statuses that mean the account has no such records.
    pub absent_on: &'static [u16],
    /// What must hold for the account to have such records.
    pub only_if: Option<OnlyIf>,
    /// The permission the call needs.
    pub permission: Option<&'static str>,
}

/// A list, read from the service, that must hold a value.
#[derive(Debug, Clone, Copy)]
pub struct OnlyIf {
    /// The call; the list is what it pages through.
    pub operation: &'static Operation,
    /// The value.
    pub holds: &'static str,
}

/// The graph in one choice of words.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// Its name in settings.
    pub name: &'static str,
    /// What records become.
    pub entities: &'static [Entity],
    /// How entities hang together.
    pub relationships: &'static [Relationship],
}

/// What a record becomes.
#[derive(Debug, Clone, Copy)]
pub struct Entity {
    /// Its `_type`.
    pub ty: &'static str,
    /// Its classes.
    pub class: &'static [&'static str],
    /// The step, by number, whose records it is made from.
    pub step: usize,
    /// Its `_key`.
    pub key: Template,
    /// Its properties, in order.
    pub properties: &'static [Property],
    /// Paths of the record that are never kept.
    pub secrets: &'static [Path],
}

/// Text with values of a record in it.
#[derive(Debug, Clone, Copy)]
pub struct Template(pub &'static [Part]);

/// A part of a template.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// Text.
    Text(&'static str),
    /// The value at a path.
    Path(Path),
}

/// A property and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// Where it comes from.
    pub from: From,
    /// Whether a null of the source is kept as one.
    pub keeps_null: bool,
    /// A value of the source that stands for none.
    pub unless: Option<Literal>,
    /// How it is changed.
    pub with: Option<Convert>,
    /// The operator's table in which it is looked up.
    pub lookup: Option<&'static str>,
    /// The property says whether the source equals this.
    pub equals: Option<Literal>,
    /// The property is the first of these words in the source, in any case.
    pub find: &'static [&'static str],
    /// What it is when nothing else gives a value.
    pub otherwise: Option<Literal>,
    /// Whether it is given as a list of one.
    pub list: bool,
}

impl Property {
    /// A copy; fill in the rest with `..Property::of("…", …)`.
    pub const fn of(name: &'static str, from: From) -> Self {
        Self {
            name,
            from,
            keeps_null: true,
            unless: None,
            with: None,
            lookup: None,
            equals: None,
            find: &[],
            otherwise: None,
            list: false,
        }
    }

    /// A copy under the same name, of which null is nothing.
    pub const fn copied(name: &'static str, path: &'static [Path]) -> Self {
        Self { keeps_null: false, ..Self::of(name, From::Paths(path)) }
    }
}

/// Where a property comes from.
#[derive(Debug, Clone, Copy)]
pub enum From {
    /// A constant.
    Constant(Literal),
    /// The first of these paths that holds something.
    Paths(&'static [Path]),
    /// A template; nothing when one of its values is missing.
    Template(Template),
}

/// How two entities hang together.
#[derive(Debug, Clone, Copy)]
pub struct Relationship {
    /// Its `_type`.
    pub ty: &'static str,
    /// Its `_class`, in capitals.
    pub verb: &'static str,
    /// The `_type` it leaves, as the edge points.
    pub from: &'static str,
    /// The `_type` it reaches, or the class of another integration's entity.
    pub to: &'static str,
    /// How the edges are found.
    pub how: How,
    /// Its own properties.
    pub properties: &'static [Property],
    /// Properties of the edge that stays which list, with commas, a value of every edge between the same ends.
    pub collect: &'static [(&'static str, Path)],
    /// Which of several edges between the same ends stays.
    pub keep: Keep,
}

/// How edges are found.
#[derive(Debug, Clone, Copy)]
pub enum How {
    /// Each element of a list in one end's records names the other end.
    Each {
        /// The step of those records.
        step: usize,
        /// The list.
        list: Path,
        /// The end that is made from the record.
        own: End,
        /// The end that an element names.
        other: End,
    },
    /// A value on one side equals a value on the other.
    Join(Side, Side),
    /// The other end belongs to another integration.
    Target(Target),
}

/// One end of an edge: the key of an entity, from a record or a part of one.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// Whether the edge leaves it.
    pub leaves: bool,
    /// The entity's key, as a template over the record or the list's element.
    pub key: Template,
}

/// One side of a join.
#[derive(Debug, Clone, Copy)]
pub struct Side {
    /// The step whose records are on this side.
    pub step: usize,
    /// The value that must be equal.
    pub value: Path,
    /// The end that these records name.
    pub end: End,
    /// Whether the edge's properties come from these records.
    pub tells: bool,
}

/// Which of several edges between the same ends stays.
#[derive(Debug, Clone, Copy)]
pub enum Keep {
    /// The first.
    First,
    /// The one with the least value at this path.
    Least(Path),
}

/// An entity that another integration made.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The entity of this graph, by number.
    pub entity: usize,
    /// Whether the edge leaves the entity of this graph.
    pub forward: bool,
    /// `_class` or `_type` of the other.
    pub filter: &'static str,
    /// Properties of the other, made from the record.
    pub has: &'static [Property],
    /// Sets of properties, of which one must agree.
    pub match_by: &'static [&'static [&'static str]],
}
