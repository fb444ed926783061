//! Mapping records to documents of another schema, in ordered stages.

use crate::choice;
use crate::read::{Literal, Map, Names, OneOrMore, Word};
use crate::source::Span;
use crate::spec::Name;
use crate::spec::graph::Source;

/// How records become documents.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The schema of the documents.
    pub to: Schema,
    /// What becomes of a value that cannot be converted.
    pub on_failure: OnFailure,
    /// The stages, in order: a later one sees what an earlier one made.
    pub stages: Vec<Stage>,
}

impl Word for Mapping {
    const NAME: &'static str = "mapping";

    fn read(map: &Map<'_>) -> Self {
        Mapping {
            to: map.required("to", "The schema of the documents."),
            on_failure: map.required("on_failure", "What becomes of a value that cannot be converted."),
            stages: map
                .required("stages", "The stages, in order; a later one sees what an earlier one made or removed."),
        }
    }
}

choice! {
    /// A schema that documents follow.
    Schema, "a schema" {
        Ecs = "ecs" = "The Elastic Common Schema.",
        Plain = "plain" = "None in particular.",
    }
}

/// What becomes of a value that cannot be converted.
#[derive(Debug, Clone)]
pub struct OnFailure {
    /// Whether the field is removed.
    pub remove: bool,
    /// The field that collects what went wrong.
    pub append: Option<Name>,
}

impl Word for OnFailure {
    const NAME: &'static str = "on_failure";

    fn read(map: &Map<'_>) -> Self {
        OnFailure {
            remove: map.flag("remove", "Whether the field is removed; otherwise it stays as it was."),
            append: map.optional("append", "The field that collects what went wrong."),
        }
    }
}

/// One stage: one verb, perhaps under a condition.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The condition.
    pub when: Names<Condition>,
    /// The object in which its sources begin.
    pub within: Option<Name>,
    /// The field that takes the record as it came.
    pub original: Option<Name>,
    /// Constants.
    pub set: Names<Literal>,
    /// The whole record, renamed and nested.
    pub copy_all: Option<CopyAll>,
    /// Conversions in place: fields, by kind.
    pub convert: Names<Vec<Name>>,
    /// Copies, by target.
    pub copy: Names<Source>,
    /// Lists that get another element, by target.
    pub append: Names<OneOrMore<Source>>,
    /// Spans of time between two dates, by target.
    pub duration: Names<Vec<Name>>,
    /// The object whose `original` is a URL to take apart.
    pub url_parts: Option<Name>,
    /// Keys with dots that become objects.
    pub expand_dots: Option<Name>,
    /// Fields that are removed.
    pub remove: Vec<Name>,
    /// Whether nulls and empty values are removed everywhere.
    pub remove_empty: bool,
    /// The verbs that the spec says, and where.
    pub verbs: Vec<(&'static str, Span)>,
    /// Where it stands.
    pub span: Span,
}

impl Stage {
    /// What a stage can do.
    pub const VERBS: [&'static str; 11] = [
        "original",
        "set",
        "copy_all",
        "convert",
        "copy",
        "append",
        "duration",
        "url_parts",
        "expand_dots",
        "remove",
        "remove_empty",
    ];
}

impl Word for Stage {
    const NAME: &'static str = "stage";

    fn read(map: &Map<'_>) -> Self {
        Stage {
            when: map.many("when", "The stage runs only when each of these fields is like this. Its paths are whole."),
            within: map.optional("in", "The object in which the fields that the stage reads, converts or removes stand. Targets of `set`, `copy` and `append` are whole paths."),
            original: map.optional("original", "The field that takes the record's text as it came."),
            set: map.many("set", "Constants, by target."),
            copy_all: map.optional("copy_all", "The whole record is copied, renamed and nested."),
            convert: map.many("convert", "Fields converted in place, by kind: `date`, `boolean`, `long`, `double`, `ip`, `string`."),
            copy: map.many("copy", "Fields that are copied, by target."),
            append: map.many("append", "Fields, or constants, whose values are added to a list, by target; no value twice."),
            duration: map.many("duration", "Nanoseconds from one date to another, by target: `{ event.duration: [event.start, event.end] }`."),
            url_parts: map.optional("url_parts", "The object whose `original` is a URL; domain, path, query and the like are put beside it."),
            expand_dots: map.optional("expand_dots", "The object whose keys with dots become objects."),
            remove: map.many("remove", "Fields that are removed."),
            remove_empty: map.flag("remove_empty", "Whether nulls, empty texts, objects and lists are removed everywhere."),
            verbs: Self::VERBS.into_iter().filter(|verb| map.says(verb)).map(|verb| (verb, map.span_of(verb))).collect(),
            span: map.span(),
        }
    }
}

/// What a field must be like for a stage to run.
#[derive(Debug, Clone)]
pub struct Condition {
    /// A list that holds this.
    pub contains: Option<Literal>,
    /// Not a list that holds this.
    pub lacks: Option<Literal>,
    /// Equal to this.
    pub equals: Option<Literal>,
    /// There at all.
    pub exists: Option<bool>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Condition {
    const NAME: &'static str = "condition";

    fn read(map: &Map<'_>) -> Self {
        Condition {
            contains: map.optional("contains", "The field is a list that holds this, or any one of these."),
            lacks: map.optional("lacks", "The field is no list that holds this."),
            equals: map.optional("equals", "The field equals this."),
            exists: map.optional("exists", "Whether the field is there."),
            span: map.span(),
        }
    }
}

/// The whole record, renamed and nested.
#[derive(Debug, Clone)]
pub struct CopyAll {
    /// Under which key.
    pub into: Name,
    /// How keys are renamed.
    pub keys: Keys,
}

impl Word for CopyAll {
    const NAME: &'static str = "copy_all";

    fn read(map: &Map<'_>) -> Self {
        CopyAll {
            into: map.required("into", "The key it is nested under."),
            keys: map.required("keys", "How keys are renamed, at every depth."),
        }
    }
}

choice! {
    /// How keys are renamed.
    Keys, "a rule for keys" {
        Same = "same" = "They stay.",
        SnakeCase = "snake_case" = "`createdOn` becomes `created_on`.",
    }
}
