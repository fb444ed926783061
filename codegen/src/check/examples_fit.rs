//! Examples keep the rules of what they are examples of, or say how they depart from them.

use serde_json::Value as Json;

use super::Subject;
use super::value::{self, Misfit, Side};
use crate::diagnostic::Diagnostic;
use crate::model::{Connector, Field};
use crate::read::Literal;
use crate::source::Span;
use crate::spec::operation::Example;
use crate::yaml::{Node, Value};

/// What the documents write where a value is too large to show. It stands for anything.
const TOO_LARGE: &str = "<<referenced:bigdata>>";

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        for action in &connector.actions {
            if let Some(example) = spec.file.actions.get(&action.name).and_then(|word| word.example.as_ref()) {
                both(subject, connector, &action.input, &action.output, example);
            }
        }
        for trigger in &connector.triggers {
            let outputs = &connector.actions[trigger.repeats].output;
            if let Some(example) = spec.file.triggers.get(&trigger.name).and_then(|word| word.example.as_ref()) {
                both(subject, connector, &trigger.input, outputs, example);
            }
        }
    }
}

fn both(subject: &Subject<'_>, connector: &Connector, inputs: &[Field], outputs: &[Field], example: &Example) {
    if !example.input.value.is_null() {
        for misfit in value::object(connector, inputs, &example.input.value, Side::Input) {
            subject.problems.push(told(&example.input, &misfit, "input"));
        }
    }
    let Some(output) = &example.output else { return };
    let shown = documented(outputs);
    let misfits: Vec<Misfit> = value::object(connector, &shown, &output.value, Side::Output).into_iter().filter(|misfit| !stands_for_anything(&output.value, &misfit.0)).collect();
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
    let (place, why) = misfit;
    Diagnostic::new("example-differs", span_at(&literal.node, place), format!("the example {what} breaks its own rules: {why}"))
        .help(if what == "output" { "correct it, or say how the document departs from its own rules: `departs: …`" } else { "correct it, or the rule that it breaks" })
}

/// Where a place inside a literal stands.
fn span_at(node: &Node, place: &[String]) -> Span {
    let mut node = node;
    let mut span = node.span;
    for key in place {
        match &node.value {
            Value::Map(entries) => match entries.iter().find(|(name, _)| name.value == *key) {
                Some((name, next)) => {
                    span = name.span;
                    node = next;
                }
                None => return span,
            },
            Value::List(items) => match key.parse::<usize>().ok().and_then(|index| items.get(index)) {
                Some(next) => {
                    span = next.span;
                    node = next;
                }
                None => return span,
            },
            _ => return span,
        }
    }
    span
}
