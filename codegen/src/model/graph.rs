//! An account as a graph, resolved: every dialect stands for itself, steps and entities are numbers, templates are parts.

use serde_json::Value as Json;

use super::{Call, Page, RecordId};
use crate::spec::field::Converter;

/// The graph of a connector.
#[derive(Debug, Clone)]
pub struct Graph {
    /// What is read.
    pub steps: Vec<Step>,
    /// The same graph in other words; the first is that of the vendor's document.
    pub dialects: Vec<Dialect>,
    /// Classes, and the properties that each demands.
    pub classes: Vec<(String, Vec<String>)>,
    /// Tables that the operator may supply.
    pub lookups: Vec<(String, String)>,
}

/// A list of records that is read.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Step {
    pub name: String,
    pub title: String,
    pub call: Call,
    pub query: Vec<(String, Json)>,
    pub body: Option<Json>,
    pub page: Page,
    pub after: Vec<usize>,
    pub absent_on: Vec<u64>,
    pub only_if: Option<OnlyIf>,
    pub permission: Option<String>,
    /// The type of its records.
    pub record: Option<RecordId>,
}

/// A list that must hold a value.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct OnlyIf {
    pub call: Call,
    pub list: Vec<String>,
    pub holds: String,
}

/// The graph in one choice of words.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// Its name in settings.
    pub name: String,
    /// Whose words these are.
    pub doc: String,
    /// What records become.
    pub entities: Vec<Entity>,
    /// How they hang together.
    pub relationships: Vec<Relationship>,
}

/// What a record becomes.
#[derive(Debug, Clone)]
pub struct Entity {
    /// Its name in the spec: its `_type` in the first dialect.
    pub name: String,
    /// What the vendor calls it.
    pub resource: String,
    /// Its `_type`.
    pub ty: String,
    /// Its classes.
    pub class: Vec<String>,
    /// The step.
    pub step: usize,
    /// Its key.
    pub key: Template,
    /// Its properties.
    pub properties: Vec<Property>,
    /// Paths that are never kept.
    pub secrets: Vec<Path>,
}

/// A path through a record of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Its keys.
    pub keys: Vec<String>,
    /// The record types through which it leads, one for each key whose field is declared.
    pub through: Vec<Option<(RecordId, usize)>>,
}

/// A text with values of a record in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Template(pub Vec<Part>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Part {
    Text(String),
    Path(Path),
}

/// A property.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub struct Property {
    pub name: String,
    pub from: From,
    /// A copy under its own name, of which null is nothing.
    pub copied: bool,
    pub unless: Option<Json>,
    pub with: Option<Converter>,
    pub lookup: Option<String>,
    pub equals: Option<Json>,
    pub find: Vec<String>,
    pub otherwise: Option<Json>,
    pub list: bool,
}

/// Where a property comes from.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum From {
    Constant(Json),
    Paths(Vec<Path>),
    Template(Template),
}

/// How two entities hang together.
#[derive(Debug, Clone)]
pub struct Relationship {
    /// Which of the spec's it is: the same in every dialect.
    pub number: usize,
    /// Its `_type`.
    pub ty: String,
    /// Its class.
    pub verb: String,
    /// The `_type` it leaves.
    pub from: String,
    /// The `_type` it reaches, or the class of another integration's entity.
    pub to: String,
    /// How it is found.
    pub how: How,
    /// Its properties.
    pub properties: Vec<Property>,
    /// Properties that list a value of every edge between the same ends.
    pub collect: Vec<(String, Path)>,
    /// Of several, the one with the least value here stays; otherwise the first.
    pub least: Option<Path>,
}

/// How edges are found.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum How {
    Each { step: usize, list: Path, own: End, other: End },
    Join(Side, Side),
    Target { entity: usize, forward: bool, filter: String, has: Vec<Property>, match_by: Vec<Vec<String>> },
}

/// One end.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct End {
    pub leaves: bool,
    pub key: Template,
}

/// One side of a join.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct Side {
    pub step: usize,
    pub value: Path,
    pub end: End,
    pub tells: bool,
}

/// The `_type` of a relationship: the parts of the second type that are not the beginning of the first, after the verb.
pub fn relationship_type(from: &str, verb: &str, to: &str) -> String {
    let first: Vec<&str> = from.split('_').collect();
    let second: Vec<&str> = to.split('_').collect();
    let shared = first.iter().zip(&second).take_while(|(a, b)| a == b).count().min(second.len() - 1);
    format!("{from}_{verb}_{}", second[shared..].join("_")).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_made_as_the_platform_makes_it() {
        for (from, verb, to, wanted) in [
            ("pagerduty_team", "HAS", "pagerduty_user", "pagerduty_team_has_user"),
            ("trend_micro_computer_group", "HAS", "trend_micro_computer", "trend_micro_computer_group_has_computer"),
            ("trend_micro_computer", "HAS", "trend_micro_computer_group", "trend_micro_computer_has_group"),
            ("trend_micro_sensor", "HAS", "trend_micro_computer_group", "trend_micro_sensor_has_computer_group"),
            ("a_b", "HAS", "a_b", "a_b_has_b"),
            ("aws_instance", "USES", "okta_user", "aws_instance_uses_okta_user"),
            ("pagerduty_user", "IS", "Person", "pagerduty_user_is_person"),
        ] {
            assert_eq!(relationship_type(from, verb, to), wanted);
        }
    }
}
