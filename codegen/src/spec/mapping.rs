//! Mapping records to documents of another schema, in ordered stages.

use crate::choice;
use crate::diagnostic::Diagnostic;
use crate::read::{Form, Language, Literal, Map, Names, OneOrMore, Problems, Shape, Word};
use crate::source::{Span, Spanned};
use crate::spec::Name;
use crate::yaml::{Node, Value};

/// How records become documents.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The schema of the documents.
    pub to: Schema,
    /// What it makes of what, for people.
    pub doc: Option<String>,
    /// The parameter that asks for strictness.
    pub strict: Option<Name>,
    /// What becomes of a value that cannot be converted.
    pub on_failure: OnFailure,
    /// The types of the documents' fields, by path.
    pub fields: Names<Field>,
    /// The stages, in order: a later one sees what an earlier one made.
    pub stages: Vec<Stage>,
}

impl Word for Mapping {
    const NAME: &'static str = "mapping";

    fn read(map: &Map<'_>) -> Self {
        Mapping {
            to: map.required("to", "The schema of the documents."),
            doc: map.optional("doc", "What it makes of what, for people."),
            strict: map.optional("strict", "A boolean parameter of the connection. When it is set, converters take no more than their strict reading, and a stage that fails as a whole ends the stages beside it."),
            on_failure: map.required("on_failure", "What becomes of a value that cannot be converted."),
            fields: map.many("fields", "The types of the documents' fields, by path. Once any is said, every field that a stage makes needs one."),
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
    /// A boolean parameter that must be set.
    pub asked: Option<Name>,
    /// A boolean parameter that must not be set.
    pub unless_asked: Option<Name>,
    /// The object in which its sources begin.
    pub within: Option<Name>,
    /// The field that takes the record as it came.
    pub original: Option<Name>,
    /// Constants.
    pub set: Names<Literal>,
    /// The whole record, renamed and nested.
    pub copy_all: Option<CopyAll>,
    /// Fields that must be there.
    pub require: Vec<Name>,
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
    /// The present time, by target.
    pub now: Names<Spanned<Precision>>,
    /// Fields that are removed.
    pub remove: Vec<Name>,
    /// Whether nulls and empty values are removed everywhere.
    pub remove_empty: bool,
    /// Stages that end together.
    pub stages: Vec<Stage>,
    /// The verbs that the spec says, and where.
    pub verbs: Vec<(&'static str, Span)>,
    /// Where it stands.
    pub span: Span,
}

impl Stage {
    /// What a stage can do.
    pub const VERBS: [&'static str; 14] = [
        "original",
        "set",
        "copy_all",
        "require",
        "convert",
        "copy",
        "append",
        "duration",
        "url_parts",
        "expand_dots",
        "now",
        "remove",
        "remove_empty",
        "stages",
    ];
}

impl Word for Stage {
    const NAME: &'static str = "stage";

    fn read(map: &Map<'_>) -> Self {
        Stage {
            when: map.many("when", "The stage runs only when each of these fields is like this. Its paths are whole."),
            asked: map.optional("asked", "The stage runs only when this boolean parameter of the connection is set."),
            unless_asked: map.optional("unless_asked", "The stage runs only when this boolean parameter of the connection is not set."),
            within: map.optional("in", "The object in which the fields that the stage reads, converts or removes stand. Targets of `set`, `copy` and `append` are whole paths."),
            original: map.optional("original", "The field that takes the record's text as it came."),
            set: map.many("set", "Constants, by target."),
            copy_all: map.optional("copy_all", "The whole record is copied, renamed and nested."),
            require: map.many("require", "Fields that must be there; without one of them the stage fails as a whole."),
            convert: map.many("convert", "Fields converted in place, by kind: `date`, `boolean`, `long`, `double`, `ip`, `string`."),
            copy: map.many("copy", "Fields that are copied, by target."),
            append: map.many("append", "Fields, or constants, whose values are added to a list, by target; no value twice."),
            duration: map.many("duration", "Nanoseconds from one date to another, by target: `{ event.duration: [event.start, event.end] }`."),
            url_parts: map.optional("url_parts", "The object whose `original` is a URL; domain, path, query and the like are put beside it."),
            expand_dots: map.optional("expand_dots", "The object whose keys with dots become objects."),
            now: map.many("now", "The present time, by target, in `seconds` or `milliseconds`."),
            remove: map.many("remove", "Fields that are removed."),
            remove_empty: map.flag("remove_empty", "Whether nulls, empty texts, objects and lists are removed everywhere."),
            stages: map.many("stages", "Stages that end together: when one fails as a whole and `strict` is asked for, those behind it in this list are left out."),
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

choice! {
    /// How exactly the present time is told.
    Precision, "a precision" {
        Seconds = "seconds" = "`2026-02-05T08:00:00Z`.",
        Milliseconds = "milliseconds" = "`2026-02-05T08:00:00.000Z`.",
    }
}

/// Where a value comes from: a path, or a word with more to say.
#[derive(Debug, Clone)]
pub enum Source {
    /// A field. With `[]` behind it, every element of a list and nothing that is none.
    Path(Name),
    /// A constant, a parameter, or a field and a change.
    Taken(Box<Taken>),
}

impl Form for Source {
    fn describe(language: &Language) -> Shape {
        Shape::Either(vec![Shape::Text, Taken::describe(language)])
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(Source::Path(Spanned::new(text.clone(), node.span))),
            Value::Map(_) => Taken::take(node, problems).map(|taken| Source::Taken(Box::new(taken))),
            _ => {
                problems.push(
                    Diagnostic::new("wrong-kind", node.span, "expected a path of the document, or `{ is: … }`")
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

/// A value that is more than a field's.
#[derive(Debug, Clone)]
pub struct Taken {
    /// A constant.
    pub is: Option<Literal>,
    /// The first of these fields that holds something.
    pub from: OneOrMore<Name>,
    /// A parameter of the connection.
    pub parameter: Option<Name>,
    /// How it is changed.
    pub with: Option<Change>,
    /// Where it stands.
    pub span: Span,
}

impl Word for Taken {
    const NAME: &'static str = "taken";

    fn read(map: &Map<'_>) -> Self {
        Taken {
            is: map.optional("is", "A constant."),
            from: map.many("from", "A field, or a list of which the first that holds something is taken."),
            parameter: map.optional("parameter", "A parameter of the connection; nothing when it is not set."),
            with: map.optional("with", "How it is changed."),
            span: map.span(),
        }
    }
}

choice! {
    /// What a copy does to a value.
    Change, "a change" {
        Lowercase = "lowercase" = "Text in small letters; anything else fails.",
    }
}

/// A field of the documents: its type, or a word with more to say.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its type in a search index.
    pub ty: FieldType,
    /// What it says, for people.
    pub doc: Option<String>,
    /// What it holds in every document.
    pub constant: Option<Literal>,
    /// The type of the second way in which it can be searched.
    pub also: Option<FieldType>,
    /// Whether it can be read and not searched.
    pub unsearched: bool,
    /// What is good to know.
    pub note: Option<String>,
}

impl Form for Field {
    fn describe(language: &Language) -> Shape {
        Shape::Either(vec![FieldType::describe(language), FieldWord::describe(language)])
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::Map(_) => FieldWord::take(node, problems).map(|word| word.0),
            _ => FieldType::take(node, problems).map(Field::of),
        }
    }

    fn absent(_: Span) -> Self {
        Field::of(FieldType::Keyword)
    }
}

impl Field {
    fn of(ty: FieldType) -> Self {
        Field { ty, doc: None, constant: None, also: None, unsearched: false, note: None }
    }
}

struct FieldWord(Field);

impl Word for FieldWord {
    const NAME: &'static str = "document_field";

    fn read(map: &Map<'_>) -> Self {
        FieldWord(Field {
            ty: map.required("type", "Its type in a search index."),
            doc: map.optional("doc", "What it says, for people."),
            constant: map.optional("constant", "What it holds in every document."),
            also: map.optional("also", "The type of a second way in which it can be searched, under `.text`."),
            unsearched: map.flag("unsearched", "Whether it can be read and not searched."),
            note: map.optional("note", "What is good to know."),
        })
    }
}

choice! {
    /// The type of a field in a search index.
    FieldType, "a type of field" {
        Keyword = "keyword" = "A text that is found as a whole.",
        ConstantKeyword = "constant_keyword" = "A text that is the same in every document of an index.",
        Wildcard = "wildcard" = "A text in which parts are found.",
        Text = "text" = "A text in which words are found.",
        MatchOnlyText = "match_only_text" = "A text in which words are found, without a rank.",
        Date = "date" = "A time.",
        Boolean = "boolean" = "True or false.",
        Integer = "integer" = "A whole number of 32 bits.",
        Long = "long" = "A whole number of 64 bits.",
        Float = "float" = "A number of 32 bits.",
        Double = "double" = "A number of 64 bits.",
        Ip = "ip" = "An IPv4 or IPv6 address.",
        Flattened = "flattened" = "An object whose leaves are keywords and take no field of their own.",
    }
}
