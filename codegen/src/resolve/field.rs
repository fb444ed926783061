//! Fields, records and closed sets of values.

use serde_json::Value as Json;

use super::{Scope, text};
use crate::diagnostic::Diagnostic;
use crate::model::{Cells, Enum, EnumId, Field, Place, Record, RecordId, Rules, Source, Type};
use crate::names::{camel_case, plain};
use crate::read::{Literal, Names, Problems};
use crate::source::Span;
use crate::spec::connection::NameRule;
use crate::spec::field::{Common, Document, Format, Member, OneOf, Refinement, TypeName};
use crate::spec::types;
use crate::spec::{self, Name};

const BUILT_IN: [(&str, Type); 8] = [
    ("string", Type::Text),
    ("integer", Type::Integer),
    ("float", Type::Float),
    ("boolean", Type::Boolean),
    ("object", Type::Object),
    ("any", Type::Any),
    ("file", Type::File),
    ("secret", Type::Text),
];

/// A named set of values.
pub fn enumeration(name: &Name, word: &types::Enum, problems: &Problems) -> Enum {
    if word.values.is_empty() && !problems.misread(word.span) {
        problems.push(
            Diagnostic::new(
                "bad-limit",
                name.span,
                format!("`{}` lists nothing, so that nothing would fit", name.value),
            )
            .help("list its values"),
        );
    }
    Enum {
        name: name.value.clone(),
        doc: word.doc.clone(),
        values: texts(&word.values, problems),
        open: false,
        sent: false,
    }
}

fn texts(values: &[Literal], problems: &Problems) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    let mut others = false;
    for value in values {
        match &value.value {
            Json::String(text) if seen.contains(text) => {
                problems.push(
                    Diagnostic::new("said-twice", value.span(), format!("`{text}` is listed twice"))
                        .help("list each value once"),
                );
            }
            Json::String(text) => seen.push(text.clone()),
            _ if std::mem::replace(&mut others, true) => {}
            _ => problems.push(
                Diagnostic::new("wrong-kind", value.span(), "one of `enums` lists texts")
                    .label(format!("this is {}", value.node.kind()))
                    .help("put each value that is no text in quotes"),
            ),
        }
    }
    seen
}

/// A record.
pub fn record(scope: &mut Scope<'_>, rule: NameRule, name: &Name, word: &types::Type) -> Record {
    if BUILT_IN.iter().any(|(built_in, _)| *built_in == name.value) {
        let message = format!("`{}` is a built-in type, so that nothing can be of this one", name.value);
        scope.problem(Diagnostic::new("name-clash", name.span, message).help("give it another name"));
    }
    let fields: Vec<Field> =
        word.fields.iter().map(|(field, member)| self::member(scope, rule, name, field, member)).collect();
    let variant = word.variant.as_ref().and_then(|variant| {
        for field in [&variant.name, &variant.value] {
            known_field(scope, word, field);
        }
        match scope.variants(&variant.of.value) {
            _ if scope.problems.misread(variant.of.span) => None,
            Some(id) => Some((variant.name.value.clone(), variant.value.value.clone(), id)),
            None => {
                scope.problem(text::unknown(
                    "unknown-variants",
                    "set of variants",
                    &variant.of.value,
                    variant.of.span,
                    scope.spec.file.variants.names(),
                ));
                None
            }
        }
    });
    let send_first = word
        .send_first
        .iter()
        .map(|choice| text::conditional(choice, scope.sources, scope.problems))
        .collect::<Vec<_>>();
    for (choice, said) in send_first.iter().zip(&word.send_first) {
        known_field(scope, word, &Name::new(choice.name.clone(), said.span.narrow(scope.sources, &choice.name)));
    }
    Record {
        name: name.value.clone(),
        table: name.value.clone(),
        refines: None,
        doc: word.doc.clone(),
        documented: !matches!(word.document, Some(Document::Absent(_))),
        fields,
        send_first,
        variant,
        sent: false,
        received: false,
        tabled: false,
        span: name.span,
    }
}

fn known_field(scope: &Scope<'_>, word: &types::Type, name: &Name) {
    if word.fields.get(&name.value).is_none()
        && !scope.problems.misread(name.span)
        && !scope.problems.misread(word.span)
    {
        scope.problem(text::unknown("unknown-field", "field", &name.value, name.span, word.fields.names()));
    }
}

fn member(scope: &mut Scope<'_>, rule: NameRule, owner: &Name, name: &Name, word: &Member) -> Field {
    let mut field = common(scope, owner, name, &word.common, false);
    let names = match &word.wire {
        Some(names) => names.0.iter().map(|it| text::conditional(it, scope.sources, scope.problems)).collect(),
        None => vec![crate::model::Conditional { name: wire_name(rule, &name.value), when: None }],
    };
    field.place = Place::Key { names, beside: word.sent_with.as_ref().map(|it| it.value.clone()) };
    if let Some(from) = &word.from {
        field.source = text::source(from, scope.problems);
        if matches!(field.source, Source::Items | Source::CountOfItems | Source::EachAnswer) {
            scope.problem(
                Diagnostic::new(
                    "unknown-source",
                    from.span,
                    format!("a field of a record cannot come from `{}`", from.value),
                )
                .help("write `body.PATH`, `header NAME` or `status`"),
            );
        }
    }
    field.send = word.send.as_ref().map(|it| it.value);
    field.with = word.with.as_ref().map(|it| it.value);
    field
}

/// A field's name on the wire.
pub fn wire_name(rule: NameRule, name: &str) -> String {
    match rule {
        NameRule::Same => name.to_owned(),
        NameRule::CamelCase => camel_case(name),
    }
}

/// A parameter of the connection.
pub fn parameter(scope: &mut Scope<'_>, name: &Name, word: &Common) -> Field {
    let owner = Name::new("parameter".to_owned(), name.span);
    common(scope, &owner, name, word, true)
}

/// What every field says. `lists` tells whether the vendor's document has a cell for the values of such fields.
pub fn common(scope: &mut Scope<'_>, owner: &Name, name: &Name, word: &Common, lists: bool) -> Field {
    let ty = type_of(scope, &word.ty);
    let (rules, enumeration) = rules(scope, &word.rules, word.any_case);
    let enumeration = enumeration.or_else(|| inline_enum(scope, owner, name, &ty, &rules));
    let written = written(&word.ty);
    let default = word.default.as_ref().map(|it| it.value.clone());
    let document = cells(scope, word, &written, default.as_ref(), &rules, lists);
    Field {
        name: name.value.clone(),
        title: word.title.clone().unwrap_or_else(|| crate::names::title(&name.value)),
        ty,
        doc: word.doc.clone(),
        note: word.note.clone(),
        required: word.required,
        default,
        example: match &word.document {
            Some(document) if document.cell("example").is_some() => document.cell("example").map(|it| it.value.clone()),
            _ => word.example.as_ref().map(|it| it.value.clone()),
        },
        secret: word.secret || written == "secret",
        written,
        aliases: word.aliases.iter().map(|it| it.value.clone()).collect(),
        rules,
        enumeration,
        place: Place::Control,
        source: Source::Key,
        send: None,
        with: None,
        wrap: None,
        document,
        span: name.span,
    }
}

fn cells(scope: &Scope<'_>, word: &Common, written: &str, default: Option<&Json>, rules: &Rules, lists: bool) -> Cells {
    let mut cells = Cells {
        absent: matches!(word.document, Some(Document::Absent(_))),
        ty: written.to_owned(),
        required: word.required,
        default: default.cloned(),
        one_of: if lists { rules.one_of.clone() } else { Vec::new() },
        differs: false,
    };
    let Some(document) = &word.document else { return cells };
    let truth = cells.clone();
    let wrong = |literal: &Literal, expected: &str| {
        scope.problem(
            Diagnostic::new("wrong-kind", literal.span(), format!("expected {expected}"))
                .label(format!("this is {}", literal.node.kind()))
                .help("write the cell as the document shows it"),
        );
    };
    if let Some(it) = document.cell("type") {
        match &it.value {
            Json::String(text) => cells.ty = text.clone(),
            _ => wrong(it, "the type as the document writes it"),
        }
    }
    if let Some(it) = document.cell("required") {
        match it.value.as_bool() {
            Some(flag) => cells.required = flag,
            None => wrong(it, "`true` or `false`"),
        }
    }
    if let Some(it) = document.cell("default") {
        cells.default = Some(it.value.clone()).filter(|value| !value.is_null());
    }
    if let Some(it) = document.cell("one_of") {
        match &it.value {
            Json::Array(values) => cells.one_of = values.clone(),
            Json::Null => cells.one_of = Vec::new(),
            _ => wrong(it, "a list"),
        }
    }
    cells.differs = cells != truth;
    if let Document::Cells(said, span) = document {
        let only_example = said.names().all(|name| name == "example");
        if !cells.differs && !only_example && !scope.problems.misread(word.rules.span) && !scope.problems.told(*span) {
            scope.problem(
                Diagnostic::new("no-difference", *span, "the document says the same as the field")
                    .help("`document` is for cells that differ from the truth; leave it out"),
            );
        }
    }
    cells
}

/// The type as the vendor's documents write it.
fn written(name: &TypeName) -> String {
    match name {
        TypeName::One(name) => name.value.clone(),
        TypeName::List(element, _) => format!("[]{}", written(element)),
    }
}

/// Whether nothing is known of a field's type, since its name was reported.
pub fn is_unknown(field: &Field) -> bool {
    *field.ty.innermost() == Type::Any && field.written.trim_start_matches("[]") != "any"
}

fn type_of(scope: &Scope<'_>, name: &TypeName) -> Type {
    match name {
        TypeName::List(element, _) => Type::List(Box::new(type_of(scope, element))),
        TypeName::One(name) => {
            if let Some((_, ty)) = BUILT_IN.iter().find(|(known, _)| *known == name.value) {
                return ty.clone();
            }
            if let Some(id) = scope.record(&name.value) {
                return Type::Record(id);
            }
            if !scope.problems.misread(name.span) {
                let known = BUILT_IN.iter().map(|(name, _)| *name).chain(scope.spec.file.types.names());
                scope.problem(
                    Diagnostic::new("unknown-type", name.span, format!("unknown type `{}`", name.value))
                        .label("not a built-in type, and this connector declares no such type")
                        .help(
                            meant(&name.value)
                                .or_else(|| {
                                    crate::diagnostic::nearest(&name.value, known)
                                        .map(|near| format!("did you mean `{near}`?"))
                                })
                                .unwrap_or("declare it under `types:`".to_owned()),
                        ),
                );
            }
            Type::Any
        }
    }
}

/// What other languages call a type, and formats that are taken for one.
fn meant(name: &str) -> Option<String> {
    let ty = match name {
        "str" | "text" => "string",
        "int" | "long" => "integer",
        "number" | "double" | "decimal" => "float",
        "bool" => "boolean",
        "map" | "dict" | "json" => "object",
        "list" | "array" => return Some("write the type of an element in brackets: `[string]`".to_owned()),
        "date" | "datetime" | "time" => return Some("write `type: string, format: timestamp`".to_owned()),
        format if Format::parse(format).is_some() => return Some(format!("write `type: string, format: {format}`")),
        _ => return None,
    };
    Some(format!("write `{ty}`"))
}

/// A field's type as specs write it.
pub fn spelt(field: &Field) -> String {
    let depth = field.written.matches("[]").count();
    format!("{}{}{}", "[".repeat(depth), field.written.trim_start_matches("[]"), "]".repeat(depth))
}

/// The rules as the model has them, and the named set of values if they name one.
pub fn rules(scope: &mut Scope<'_>, word: &spec::field::Rules, any_case: bool) -> (Rules, Option<EnumId>) {
    let mut enumeration = None;
    let one_of = match &word.one_of {
        None => Vec::new(),
        Some(OneOf::Values(values, span)) => {
            if values.is_empty() {
                scope.problem(
                    Diagnostic::new("bad-limit", *span, "`one_of` lists nothing, so that nothing would fit")
                        .help("list the values, or leave `one_of` out"),
                );
            }
            for (at, value) in values.iter().enumerate() {
                if values[..at].iter().any(|other| other.value == value.value) {
                    let text = plain(&value.value);
                    scope.problem(
                        Diagnostic::new("said-twice", value.span(), format!("`{text}` is listed twice"))
                            .help("list each value once"),
                    );
                }
            }
            values.iter().map(|it| it.value.clone()).collect()
        }
        Some(OneOf::Named(name)) => match scope.enumeration(&name.value) {
            Some(id) => {
                enumeration = Some(id);
                scope.enums[id.0].values.iter().map(|it| Json::from(it.as_str())).collect()
            }
            None => {
                let known = scope.spec.file.enums.names();
                let told = text::unknown("unknown-enum", "set of values", &name.value, name.span, known);
                let meant: Vec<&str> = name.value.split(['|', ',']).map(str::trim).collect();
                scope.problem(match meant.as_slice() {
                    [_] if scope.spec.file.enums.0.is_empty() => {
                        told.help("write its values in brackets, or declare it under `enums:`")
                    }
                    [_] => told,
                    several => told.help(format!("write the values as a list: `[{}]`", several.join(", "))),
                });
                Vec::new()
            }
        },
    };
    let backwards = |span: Span, low: Option<f64>, high: Option<f64>, what: &str| {
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            scope.problem(
                Diagnostic::new("bad-limit", span, format!("the least {what}, {low}, is more than the most, {high}"))
                    .help("swap the two"),
            );
        }
    };
    let float = |it: Option<u64>| it.map(|it| it as f64);
    let [lengths, items, values] = word.limits;
    backwards(lengths, float(word.min_length), float(word.max_length), "length");
    backwards(items, float(word.min_items), float(word.max_items), "number of elements");
    backwards(values, word.min, word.max, "value");
    let rules = Rules {
        one_of,
        any_case,
        format: word.format.as_ref().map(|it| it.value),
        min_length: word.min_length,
        max_length: word.max_length,
        max_bytes: word.max_bytes,
        min: word.min,
        max: word.max,
        min_items: word.min_items,
        max_items: word.max_items,
        refuse: word.refuse.iter().map(|it| it.value.clone()).collect(),
        max_age: word.max_age.map(|it| it.0),
        round_up: word.round_up,
        utf8: false,
        extension_by: None,
    };
    (rules, enumeration)
}

/// A set of texts written in place gets a Rust type of its own, named after its owner and field.
fn inline_enum(scope: &mut Scope<'_>, owner: &Name, name: &Name, ty: &Type, rules: &Rules) -> Option<EnumId> {
    let texts: Option<Vec<String>> = rules.one_of.iter().map(|value| value.as_str().map(str::to_owned)).collect();
    let values = texts.filter(|texts| !texts.is_empty() && *ty.innermost() == Type::Text)?;
    let set = format!("{}_{}", owner.value, name.value);
    if let Some(known) = scope.enums.iter().position(|known| known.name == set) {
        if scope.enums[known].values != values {
            scope.problem(
                Diagnostic::new(
                    "name-clash",
                    name.span,
                    format!("two fields `{}` of `{}` list different values", name.value, owner.value),
                )
                .help("name each set under `enums:`, and say `one_of: NAME`"),
            );
        }
        return Some(EnumId(known));
    }
    let doc = format!("The values of `{}` of `{}`.", name.value, owner.value);
    scope.enums.push(Enum { name: set, doc, values, open: false, sent: false });
    Some(EnumId(scope.enums.len() - 1))
}

/// Whether a type says that this field is the value of a variant, or may have said so.
fn varies(scope: &Scope<'_>, ty: &str, field: &str) -> bool {
    let Some(word) = scope.spec.file.types.get(ty) else { return false };
    scope.problems.misread(word.span) || word.variant.as_ref().is_some_and(|it| it.value.value == field)
}

/// A record with other rules for some of its fields, for one operation.
pub fn refine(scope: &mut Scope<'_>, operation: &Name, field: &mut Field, refinements: &Names<Refinement>) {
    if refinements.0.is_empty() {
        return;
    }
    let Some(id) = field.ty.record() else {
        if is_unknown(field) {
            return;
        }
        let (name, _) = &refinements.0[0];
        scope.problem(
            Diagnostic::new("unknown-field", name.span, format!("`{}` has no fields to refine", field.name))
                .help("`refine` is for inputs and outputs whose type is one of `types`"),
        );
        return;
    };
    let mut record = scope.records[id.0].clone();
    record.refines = Some(id);
    record.table = format!("{}_{}", operation.value, field.name);
    for (name, refinement) in refinements.iter() {
        let known: Vec<String> = record.fields.iter().map(|field| field.name.clone()).collect();
        let Some(inner) = record.fields.iter_mut().find(|field| field.name == name.value) else {
            scope.problem(text::unknown(
                "unknown-field",
                "field",
                &name.value,
                name.span,
                known.iter().map(String::as_str),
            ));
            continue;
        };
        if let Some(default) = &refinement.default {
            inner.default = Some(default.value.clone());
        }
        if refinement.max_length.is_some() {
            inner.rules.max_length = refinement.max_length;
        }
        if refinement.unsent {
            inner.place = Place::Unsent;
        }
        if let Some(variants) = &refinement.variants {
            match (scope.variants(&variants.value), &mut record.variant) {
                (None, _) => scope.problem(text::unknown(
                    "unknown-variants",
                    "set of variants",
                    &variants.value,
                    variants.span,
                    scope.spec.file.variants.names(),
                )),
                (Some(id), Some((_, value, of))) if *value == name.value => *of = id,
                // The type's own set is unknown, which was told.
                (Some(_), None) if varies(scope, &record.name, &name.value) => {}
                _ => scope.problem(
                    Diagnostic::new(
                        "unknown-field",
                        variants.span,
                        format!("`{}` is not the value of a variant", name.value),
                    )
                    .help("refine the field that the type's `variant` names as `value`"),
                ),
            }
        }
    }
    scope.records.push(record);
    let refined = RecordId(scope.records.len() - 1);
    replace(&mut field.ty, refined);
}

fn replace(ty: &mut Type, id: RecordId) {
    match ty {
        Type::List(element) => replace(element, id),
        other => *other = Type::Record(id),
    }
}
