//! Mappings of records to documents of another schema, resolved.

use serde_json::Value as Json;

use crate::spec::mapping::{Change, FieldType, Keys, Precision};

/// A path of names.
pub type Path = Vec<String>;

/// A mapping.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Mapping {
    pub name: String,
    pub doc: Option<String>,
    /// The boolean parameter that asks for strictness.
    pub strict: Option<String>,
    pub remove: bool,
    pub failures: Option<Path>,
    pub stages: Vec<Stage>,
    pub fields: Vec<Field>,
}

/// A stage.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Stage {
    pub asked: Option<(String, bool)>,
    pub when: Vec<(Path, Condition)>,
    pub within: Path,
    pub verb: Verb,
}

/// What must be true of a field.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Condition {
    Contains(Vec<Json>),
    Lacks(Vec<Json>),
    Equals(Json),
    Exists(bool),
}

/// What a stage does.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Verb {
    Original(Path),
    Set(Vec<(Path, Json)>),
    CopyAll(Path, Keys),
    Require(Vec<Path>),
    Convert(Vec<(Kind, Vec<Path>)>),
    Copy(Vec<(Path, Source, Option<Change>)>),
    Append(Vec<(Path, Vec<Source>)>),
    Duration(Vec<(Path, Path, Path)>),
    UrlParts(Path),
    ExpandDots(Path),
    Now(Vec<(Path, Precision)>),
    Remove(Vec<Path>),
    RemoveEmpty,
    Stages(Vec<Stage>),
}

/// Where a value comes from.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Source {
    First(Vec<Path>),
    Each(Path),
    Constant(Json),
    Parameter(String),
}

/// What a field is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Date,
    Boolean,
    Long,
    Double,
    Ip,
    Text,
}

impl Kind {
    /// Every kind as specs write it.
    pub const ALL: [(&'static str, Kind); 6] = [
        ("date", Kind::Date),
        ("boolean", Kind::Boolean),
        ("long", Kind::Long),
        ("double", Kind::Double),
        ("ip", Kind::Ip),
        ("string", Kind::Text),
    ];

    /// Whether a field of this type takes what a conversion gives.
    pub fn fits(self, ty: FieldType) -> bool {
        use FieldType::{
            Boolean, ConstantKeyword, Date, Double, Flattened, Float, Integer, Ip, Keyword, Long, MatchOnlyText, Text,
            Wildcard,
        };
        match self {
            Kind::Date => ty == Date,
            Kind::Boolean => ty == Boolean,
            Kind::Long => matches!(ty, Long | Integer | Double | Float),
            Kind::Double => matches!(ty, Double | Float),
            Kind::Ip => ty == Ip,
            Kind::Text => matches!(ty, Keyword | ConstantKeyword | Wildcard | Text | MatchOnlyText | Flattened),
        }
    }
}

/// A field of the documents.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Field {
    pub path: Path,
    pub ty: FieldType,
    pub doc: Option<String>,
    pub constant: Option<Json>,
    pub also: Option<FieldType>,
    pub unsearched: bool,
    pub note: Option<String>,
}
