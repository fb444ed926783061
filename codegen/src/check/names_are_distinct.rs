//! No two names of a spec become one in Rust or on the wire, and connectors differ.

use std::collections::HashMap;

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::{Connector, Field, Place};
use crate::names::{rust_field, rust_module, rust_type};
use crate::source::Span;

pub fn check(subject: &Subject<'_>) {
    let mut modules = Names::default();
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        let span = spec.file.connector.as_ref().map_or_else(Span::default, |it| it.name.span);
        modules.add(subject, rust_module(&connector.name), &connector.name, span);
        types(subject, connector);
        let mut methods = Names::default();
        for action in &connector.actions {
            methods.add(subject, rust_field(&action.name), &action.name, action.span);
            fields(subject, &action.input);
            fields(subject, &action.output);
            wires(subject, &action.input);
        }
        for trigger in &connector.triggers {
            methods.add(subject, rust_field(&trigger.name), &trigger.name, trigger.span);
            fields(subject, &trigger.input);
        }
        fields(subject, &connector.connection.parameters);
    }
}

fn types(subject: &Subject<'_>, connector: &Connector) {
    let mut types = Names::default();
    for record in connector.records.iter().filter(|record| record.refines.is_none()) {
        types.add(subject, rust_type(&record.name), &record.name, record.span);
        fields(subject, &record.fields);
    }
    for action in &connector.actions {
        for suffix in ["Input", "Output"] {
            types.add(subject, format!("{}{suffix}", rust_type(&action.name)), &action.name, action.span);
        }
    }
    for it in &connector.enums {
        let mut variants: HashMap<String, &str> = HashMap::new();
        for value in &it.values {
            if let Some(other) = variants.insert(rust_type(value), value) {
                let span = connector.records.iter().flat_map(|record| &record.fields).chain(connector.actions.iter().flat_map(|action| &action.input)).find(|field| field.rules.one_of.iter().any(|it| it == value.as_str())).map_or_else(Span::default, |field| field.span);
                subject.problems.push(
                    Diagnostic::new("name-clash", span, format!("`{other}` and `{value}` of `{}` would both be `{}` in Rust", it.name, rust_type(value))).help("values must differ in more than case and punctuation"),
                );
            }
        }
    }
}

fn fields(subject: &Subject<'_>, fields: &[Field]) {
    let mut names = Names::default();
    for field in fields {
        names.add(subject, rust_field(&field.name), &field.name, field.span);
        for alias in &field.aliases {
            names.add(subject, rust_field(alias), alias, field.span);
        }
    }
}

fn wires(subject: &Subject<'_>, fields: &[Field]) {
    let mut seen: HashMap<(&str, &str), &str> = HashMap::new();
    for field in fields {
        let key = match &field.place {
            Place::Query { name, .. } => ("query parameter", name.as_str()),
            Place::Header(name) => ("header", name.as_str()),
            Place::Body(name) => ("body key", name.as_str()),
            Place::Part { name, .. } => ("part", name.as_str()),
            _ => continue,
        };
        if let Some(other) = seen.insert(key, &field.name) {
            subject.problems.push(
                Diagnostic::new("name-clash", field.span, format!("`{other}` and `{}` both go into the {} `{}`", field.name, key.0, key.1)).help("give them different places"),
            );
        }
    }
}

#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn add(&mut self, subject: &Subject<'_>, rust: String, name: &str, span: Span) {
        if let Some(other) = self.0.get(&rust) {
            subject.problems.push(
                Diagnostic::new("name-clash", span, format!("`{other}` and `{name}` would both be `{rust}` in Rust")).help("give one of them another name"),
            );
        } else {
            self.0.insert(rust, name.to_owned());
        }
    }
}
