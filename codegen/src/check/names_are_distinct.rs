//! No two names of a spec become one in Rust or on the wire, and connectors differ.

use std::collections::HashMap;

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::{Connector, EnumId, Field, Operation, Place, Source};
use crate::names::{rust_constant, rust_field, rust_module, rust_type, rust_variant};
use crate::source::Span;
use crate::spec::Spec;
use crate::spec::exchange::Exchange;
use crate::spec::field::OneOf;

pub fn check(subject: &Subject<'_>) {
    let mut modules = Names::default();
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        let span = spec.file.connector.as_ref().map_or_else(Span::default, |it| it.name.span);
        modules.add(subject, rust_module(&connector.name), format!("connector `{}`", connector.name), span);
        methods(subject, connector);
        types(subject, spec, connector);
        constants(subject, spec, connector);
        values(subject, spec);
        for action in &connector.actions {
            fields(subject, &action.input);
            fields(subject, &action.output);
            if let Some(word) = spec.file.actions.get(&action.name) {
                wires(subject, action, &word.exchange);
            }
        }
        for trigger in &connector.triggers {
            fields(subject, &trigger.input);
        }
        for record in connector.records.iter().filter(|record| record.refines.is_none()) {
            fields(subject, &record.fields);
        }
        fields(subject, &connector.connection.parameters);
    }
}

fn methods(subject: &Subject<'_>, connector: &Connector) {
    let mut methods = Names::default();
    for name in ["connect", "connect_with", "connection", "check"] {
        methods.take(name, "every client has a method of this name");
    }
    for action in &connector.actions {
        methods.add(subject, rust_field(&action.name), format!("action `{}`", action.name), action.span);
    }
    for trigger in &connector.triggers {
        methods.add(subject, rust_field(&trigger.name), format!("trigger `{}`", trigger.name), trigger.span);
    }
    let pages = |action: &&Operation| {
        action.page.as_ref().is_some_and(|page| page.goes_on())
            && action.output.iter().any(|output| output.source == Source::Items)
    };
    for action in connector.actions.iter().filter(pages) {
        methods.add(
            subject,
            format!("{}_items", rust_field(&action.name)),
            format!("the pages of action `{}`", action.name),
            action.span,
        );
    }
}

fn types(subject: &Subject<'_>, spec: &Spec, connector: &Connector) {
    let mut types = Names::default();
    types.take("File", "the type of uploads has this name");
    for record in connector.records.iter().filter(|record| record.refines.is_none()) {
        types.add(subject, rust_type(&record.name), format!("type `{}`", record.name), record.span);
    }
    let declared: Vec<_> = spec.file.enums.iter().collect();
    for (at, it) in connector.enums.iter().enumerate() {
        match declared.get(at) {
            Some((name, _)) => types.add(subject, rust_type(&it.name), format!("values `{}`", it.name), name.span),
            None => types.add(
                subject,
                rust_type(&it.name),
                "the values of this field".to_owned(),
                holder(connector, EnumId(at)),
            ),
        }
    }
    for action in &connector.actions {
        let name = rust_type(&action.name);
        types.add(subject, format!("{name}Input"), format!("the input of action `{}`", action.name), action.span);
        types.add(subject, format!("{name}Output"), format!("the output of action `{}`", action.name), action.span);
        for output in action.output.iter().filter(|output| output.wrap.is_some()) {
            types.add(
                subject,
                format!("{name}{}", rust_type(&output.name)),
                format!("output `{}` of action `{}`", output.name, action.name),
                output.span,
            );
        }
    }
    for trigger in &connector.triggers {
        types.add(
            subject,
            format!("{}Input", rust_type(&trigger.name)),
            format!("the input of trigger `{}`", trigger.name),
            trigger.span,
        );
    }
}

/// The field whose values were written in place.
fn holder(connector: &Connector, id: EnumId) -> Span {
    let operations = connector
        .actions
        .iter()
        .flat_map(|action| action.input.iter().chain(&action.output))
        .chain(connector.triggers.iter().flat_map(|trigger| &trigger.input));
    let mut fields = operations
        .chain(connector.records.iter().flat_map(|record| &record.fields))
        .chain(&connector.connection.parameters);
    fields.find(|field| field.enumeration == Some(id)).map_or_else(Span::default, |field| field.span)
}

fn constants(subject: &Subject<'_>, spec: &Spec, connector: &Connector) {
    let mut constants = Names::default();
    for name in ["CONNECTOR", "CHECK_CONNECTION"] {
        constants.take(name, "every connector has a table of this name");
    }
    for action in &connector.actions {
        constants.add(subject, rust_constant(&action.name), format!("action `{}`", action.name), action.span);
    }
    for trigger in &connector.triggers {
        constants.add(subject, rust_constant(&trigger.name), format!("trigger `{}`", trigger.name), trigger.span);
    }
    let mut streams = Names::default();
    for (name, _) in spec.file.streams.iter() {
        streams.add(subject, rust_constant(&name.value), format!("stream `{}`", name.value), name.span);
    }
    for record in &connector.records {
        let what = if record.refines.is_some() { "what refines type" } else { "type" };
        constants.add(subject, rust_constant(&record.table), format!("{what} `{}`", record.name), record.span);
    }
    for (name, _) in spec.file.variants.iter() {
        constants.add(
            subject,
            format!("{}_KEYS", rust_constant(&name.value)),
            format!("variants `{}`", name.value),
            name.span,
        );
    }
}

/// Values of one closed set that would be one variant.
fn values(subject: &Subject<'_>, spec: &Spec) {
    let file = &spec.file;
    let inputs = file
        .actions
        .iter()
        .flat_map(|(_, it)| it.input.iter())
        .chain(file.triggers.iter().flat_map(|(_, it)| it.input.iter()))
        .map(|(_, it)| &it.common);
    let outputs = file.actions.iter().flat_map(|(_, it)| it.output.iter()).map(|(_, it)| &it.common);
    let members = file.types.iter().flat_map(|(_, it)| it.fields.iter()).map(|(_, it)| &it.common);
    let parameters = file.connection.iter().flat_map(|it| it.parameters.iter()).map(|(_, it)| &it.common);
    let written =
        inputs.chain(outputs).chain(members).chain(parameters).filter_map(|common| match &common.rules.one_of {
            Some(OneOf::Values(values, _)) => Some(values),
            _ => None,
        });
    for set in file.enums.iter().map(|(_, it)| &it.values).chain(written) {
        let mut variants: HashMap<String, &str> = HashMap::new();
        // Numbers make no variants.
        if set.iter().any(|it| !it.value.is_string()) {
            continue;
        }
        for literal in set {
            let value = literal.value.as_str().unwrap_or_default();
            let variant = rust_variant(value);
            if let Some(other) = variants.insert(variant.clone(), value).filter(|other| *other != value) {
                subject.problems.push(
                    Diagnostic::new("name-clash", literal.span(), format!("`{other}` and `{value}` would both be `{variant}` in Rust"))
                        .help("values must differ in more than case and punctuation; with `any_case` one of the two is enough"),
                );
            }
        }
    }
}

fn fields(subject: &Subject<'_>, fields: &[Field]) {
    let mut names = Names::default();
    for field in fields {
        names.add(subject, rust_field(&field.name), format!("`{}`", field.name), field.span);
        for alias in &field.aliases {
            names.add(subject, rust_field(alias), format!("the alias `{alias}`"), field.span);
        }
    }
}

/// Values that would overwrite each other in a request.
fn wires(subject: &Subject<'_>, action: &Operation, exchange: &Exchange) {
    let mut seen: HashMap<(&str, String), String> = HashMap::new();
    for (name, _) in exchange.query.iter() {
        seen.insert(("query parameter", name.value.clone()), format!("`{}` of `query:`", name.value));
    }
    for (name, _) in exchange.headers.iter() {
        seen.insert(("header", name.value.to_lowercase()), format!("`{}` of `headers:`", name.value));
    }
    for field in &action.input {
        let (place, name) = match &field.place {
            Place::Query { name, .. } => ("query parameter", name),
            Place::Header(name) => ("header", name),
            Place::Body(name) => ("body key", name),
            Place::Part { name, .. } => ("part", name),
            Place::Filter(filter) => match (&filter.header, &filter.query) {
                (Some(name), _) => ("header", name),
                (None, Some(name)) => ("query parameter", name),
                (None, None) => continue,
            },
            _ => continue,
        };
        // The names of headers are the same in any case.
        let key = if place == "header" { name.to_lowercase() } else { name.clone() };
        if let Some(other) = seen.insert((place, key), format!("`{}`", field.name)) {
            subject.problems.push(
                Diagnostic::new(
                    "name-clash",
                    field.span,
                    format!("{other} and `{}` both go into the {place} `{name}`", field.name),
                )
                .help("give them different places"),
            );
        }
    }
}

/// The names of one place, and who has each: something that a spec says, or the generated code itself.
#[derive(Default)]
struct Names(HashMap<String, Result<String, &'static str>>);

impl Names {
    /// A name that is in use whatever a spec says.
    fn take(&mut self, rust: &str, why: &'static str) {
        self.0.insert(rust.to_owned(), Err(why));
    }

    fn add(&mut self, subject: &Subject<'_>, rust: String, what: String, span: Span) {
        let message = match self.0.get(&rust) {
            None => {
                self.0.insert(rust, Ok(what));
                return;
            }
            Some(Ok(other)) => format!("{other} and {what} would both be `{rust}` in Rust"),
            Some(Err(why)) => format!("{what} would be `{rust}` in Rust, and {why}"),
        };
        // Two actions of one name have inputs and outputs of one name too: that is told once.
        if !subject.problems.told_as("name-clash", span) {
            let help = if matches!(self.0.get(&rust), Some(Err(_))) {
                "give it another name"
            } else {
                "give one of them another name"
            };
            subject.problems.push(Diagnostic::new("name-clash", span, message).help(help));
        }
    }
}
