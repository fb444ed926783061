//! Examples keep the rules of what they are examples of, or say how they depart from them.

use serde_json::Value as Json;

use super::Subject;
use super::value::{self, Misfit, Side};
use crate::diagnostic::Diagnostic;
use crate::model::{Connector, Field, RecordId};
use crate::read::Literal;
use crate::spec::Spec;
use crate::spec::operation::Example;

/// What the documents write where a value is too large to show. It stands for anything.
const TOO_LARGE: &str = "<<referenced:bigdata>>";

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        for action in &connector.actions {
            let Some(word) = spec.file.actions.get(&action.name) else { continue };
            if subject.problems.misread(word.span)
                || stands_in(subject, spec, connector, action.input.iter().chain(&action.output))
            {
                continue;
            }
            if let Some(example) = &word.example {
                both(subject, connector, &action.input, &action.output, example);
            }
        }
        for trigger in &connector.triggers {
            let outputs = &connector.actions[trigger.repeats].output;
            let Some(word) = spec.file.triggers.get(&trigger.name) else { continue };
            let repeats = spec.file.actions.get(&word.repeats.value);
            if subject.problems.misread(word.span)
                || repeats.is_some_and(|it| subject.problems.misread(it.span))
                || stands_in(subject, spec, connector, trigger.input.iter().chain(outputs))
            {
                continue;
            }
            if let Some(example) = &word.example {
                both(subject, connector, &trigger.input, outputs, example);
            }
        }
    }
}

/// Whether a type that an example is held to was not read as it was meant.
fn stands_in<'a>(
    subject: &Subject<'_>,
    spec: &Spec,
    connector: &Connector,
    fields: impl Iterator<Item = &'a Field>,
) -> bool {
    let mut open: Vec<RecordId> = fields.filter_map(|field| field.ty.record()).collect();
    let mut seen = vec![false; connector.records.len()];
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.0], true) {
            continue;
        }
        let record = connector.record(id);
        if spec.file.types.get(&record.name).is_some_and(|word| subject.problems.misread(word.span)) {
            return true;
        }
        open.extend(record.fields.iter().filter_map(|field| field.ty.record()));
    }
    false
}

fn both(subject: &Subject<'_>, connector: &Connector, inputs: &[Field], outputs: &[Field], example: &Example) {
    if !example.input.value.is_null() {
        for misfit in value::object(connector, inputs, &example.input.value, Side::Input) {
            subject.problems.push(told(&example.input, &misfit, "input"));
        }
    }
    let Some(output) = &example.output else { return };
    let shown = documented(outputs);
    let misfits: Vec<Misfit> = value::object(connector, &shown, &output.value, Side::Output)
        .into_iter()
        .filter(|misfit| !stands_for_anything(&output.value, &misfit.0))
        .collect();
    if example.departs.is_none() {
        misfits.iter().for_each(|misfit| subject.problems.push(told(output, misfit, "output")));
    }
}

/// The outputs that the vendor's document knows: its example cannot hold others.
fn documented(outputs: &[Field]) -> Vec<Field> {
    outputs.iter().filter(|output| !output.document.absent).cloned().collect()
}

fn stands_for_anything(value: &Json, place: &[String]) -> bool {
    let mut at = value;
    for key in place {
        if at == TOO_LARGE {
            return true;
        }
        let next = match at {
            Json::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(key),
        };
        match next {
            Some(next) => at = next,
            None => return false,
        }
    }
    at == TOO_LARGE
}

fn told(literal: &Literal, misfit: &Misfit, what: &str) -> Diagnostic {
    let why = &misfit.1;
    Diagnostic::new(
        "example-differs",
        value::span_at(&literal.node, misfit),
        format!("the example {what} breaks its own rules: {why}"),
    )
    .help(if what == "output" {
        "correct it, or say how the document departs from its own rules: `departs: …`"
    } else {
        "correct it, or the rule that it breaks"
    })
}
