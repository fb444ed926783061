//! How records become documents of another schema, as data: stages in their order, and the types of the fields.

use crate::shape::Literal;

/// A path of names.
pub type Path = &'static [&'static str];

/// A mapping of records to documents.
#[derive(Debug, Clone, Copy)]
pub struct Mapping {
    /// Its name.
    pub name: &'static str,
    /// The boolean parameter that asks for strictness: converters take less, and a stage that fails as a whole ends the
    /// stages beside it.
    pub strict: Option<&'static str>,
    /// Whether a value that cannot be converted is removed.
    pub remove: bool,
    /// The list that collects what went wrong.
    pub failures: Option<Path>,
    /// The stages, in order.
    pub stages: &'static [Stage],
    /// Every field whose type is known.
    pub fields: &'static [Field],
}

/// One stage.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// A boolean parameter, and what it must be.
    pub asked: Option<(&'static str, bool)>,
    /// What must be true of the document.
    pub when: &'static [(Path, Condition)],
    /// Where the fields stand that the stage reads.
    pub within: Path,
    /// What it does.
    pub verb: Verb,
}

/// What must be true of a field.
#[derive(Debug, Clone, Copy)]
pub enum Condition {
    /// It is, or its list holds, one of these.
    Contains(&'static [Literal]),
    /// It is not this, and its list does not hold it.
    Lacks(&'static [Literal]),
    /// It equals this.
    Equals(Literal),
    /// It is there, or is not.
    Exists(bool),
}

/// What a stage does.
#[derive(Debug, Clone, Copy)]
pub enum Verb {
    /// The record's text, as it came, becomes a field.
    Original(Path),
    /// Constants.
    Set(&'static [(Path, Literal)]),
    /// The whole record is put there, and its keys are renamed at every depth.
    CopyAll {
        /// Where.
        into: Path,
        /// How keys are renamed.
        keys: Keys,
    },
    /// Fields must be there, or the stage fails as a whole.
    Require(&'static [Path]),
    /// Fields are converted in place.
    Convert(&'static [(Kind, &'static [Path])]),
    /// Fields are copied, to whole paths.
    Copy(&'static [(Path, Source, Option<Change>)]),
    /// Lists get more elements, none twice, at whole paths.
    Append(&'static [(Path, &'static [Source])]),
    /// Nanoseconds from one date to another.
    Duration(&'static [(Path, Path, Path)]),
    /// Parts of the URL that is this object's `original` are put beside it.
    UrlParts(Path),
    /// Keys of this object that hold dots become objects.
    ExpandDots(Path),
    /// The present time.
    Now(&'static [(Path, Precision)]),
    /// Fields are removed.
    Remove(&'static [Path]),
    /// Nulls and empty texts, lists and objects are removed everywhere.
    RemoveEmpty,
    /// Stages of which none is left out but all, when one fails as a whole.
    Stages(&'static [Stage]),
}

/// How keys are renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// They stay.
    Same,
    /// `createdOn` becomes `created_on`.
    SnakeCase,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// The first of these fields that holds something.
    First(&'static [Path]),
    /// Every element of this field, if it is a list.
    Each(Path),
    /// A constant.
    Constant(Literal),
    /// A parameter of the connection.
    Parameter(&'static str),
}

/// What a copy does to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Text in small letters.
    Lowercase,
}

/// How exactly the present time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// `2026-02-05T08:00:00Z`.
    Seconds,
    /// `2026-02-05T08:00:00.000Z`.
    Milliseconds,
}

/// What a value is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ISO 8601, as `2025-11-03T10:55:37.000Z`. Unless strict, a number of ten digits is seconds since 1970, one of
    /// thirteen milliseconds.
    Date,
    /// True or false.
    Boolean,
    /// A whole number.
    Long,
    /// Any number.
    Double,
    /// An IPv4 or IPv6 address, as it was written.
    Ip,
    /// The value's text.
    Text,
}

impl Kind {
    /// What a value of this kind is called.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::Date => "an ISO-8601 date",
            Kind::Boolean => "true or false",
            Kind::Long => "a whole number",
            Kind::Double => "a number",
            Kind::Ip => "an IP address",
            Kind::Text => "a text, a number, true or false",
        }
    }
}

/// A field of the documents.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its path.
    pub path: Path,
    /// Its type in a search index, as `keyword`.
    pub ty: &'static str,
    /// What it always holds.
    pub constant: Option<&'static str>,
}
