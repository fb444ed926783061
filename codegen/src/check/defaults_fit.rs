//! A default is a value that its field would take, and so is the constant of an output.

use super::Subject;
use super::value::{self, Side};
use crate::diagnostic::Diagnostic;
use crate::model::{Connector, Field};
use crate::read::{Literal, Names};
use crate::resolve::field::spelt;
use crate::spec::field::{Common, Output, Refinement};

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        if let Some(connection) = &spec.file.connection {
            fields(subject, connector, &connector.connection.parameters, &connection.parameters, |word| &word.common);
        }
        for record in connector.records.iter().filter(|record| record.refines.is_none()) {
            if let Some(ty) = spec.file.types.get(&record.name) {
                fields(subject, connector, &record.fields, &ty.fields, |word| &word.common);
            }
        }
        for action in &connector.actions {
            if let Some(word) = spec.file.actions.get(&action.name) {
                fields(subject, connector, &action.input, &word.input, |word| &word.common);
                constants(subject, connector, &action.output, &word.output);
                let inputs = word.input.iter().map(|(name, word)| (name, &word.refine));
                let outputs = word.output.iter().map(|(name, word)| (name, &word.refine));
                for (name, refine) in inputs.chain(outputs) {
                    let field = action.input.iter().chain(&action.output).find(|field| field.span == name.span);
                    if let Some(id) = field.and_then(|field| field.ty.record()) {
                        refined(subject, connector, &connector.record(id).fields, refine);
                    }
                }
            }
        }
        for trigger in &connector.triggers {
            if let Some(word) = spec.file.triggers.get(&trigger.name) {
                fields(subject, connector, &trigger.input, &word.input, |word| &word.common);
            }
        }
    }
}

fn constants(subject: &Subject<'_>, connector: &Connector, outputs: &[Field], words: &Names<Output>) {
    for output in outputs {
        let Some(literal) = words.get(&output.name).and_then(|word| word.is.as_ref()) else { continue };
        for misfit in value::field(connector, output, &literal.value, Side::Output) {
            let message = format!("the constant of `{}` is no such value: {}", output.name, misfit.1);
            subject.problems.push(
                Diagnostic::new("bad-constant", value::span_at(&literal.node, &misfit), message)
                    .help(format!("its type is `{}`", spelt(output))),
            );
        }
    }
}

/// The defaults that hold in one operation.
fn refined(subject: &Subject<'_>, connector: &Connector, fields: &[Field], words: &Names<Refinement>) {
    for field in fields {
        if let Some(literal) = words.get(&field.name).and_then(|word| word.default.as_ref()) {
            fit(subject, connector, field, literal);
        }
    }
}

fn fields<T>(
    subject: &Subject<'_>,
    connector: &Connector,
    fields: &[Field],
    words: &Names<T>,
    common: impl Fn(&T) -> &Common,
) {
    for field in fields {
        let Some(word) = words.get(&field.name).map(&common) else { continue };
        if let Some(literal) = word.default.as_ref().filter(|_| !subject.problems.misread(word.rules.span)) {
            fit(subject, connector, field, literal);
        }
    }
}

fn fit(subject: &Subject<'_>, connector: &Connector, field: &Field, literal: &Literal) {
    for misfit in value::field(connector, field, &literal.value, Side::Input) {
        let why = &misfit.1;
        let help = if why.starts_with("expected") {
            format!("its type is `{}`", spelt(field))
        } else {
            "correct it, or the rule that it breaks".to_owned()
        };
        subject.problems.push(
            Diagnostic::new(
                "bad-default",
                value::span_at(&literal.node, &misfit),
                format!("the default of `{}` breaks its own rules: {why}", field.name),
            )
            .help(help),
        );
    }
}
