//! A read sends no write and has nothing to take back; a write is not a GET.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::spec::operation::Effect;

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        for action in &connector.actions {
            let Some(word) = spec.file.actions.get(&action.name) else { continue };
            let read = action.effect == Effect::Read;
            if subject.problems.misread(word.effect.span) {
                continue;
            }
            if !read && action.call.method == "GET" {
                subject.problems.push(
                    Diagnostic::new(
                        "wrong-effect",
                        word.exchange.call.span.narrow(subject.sources, "GET"),
                        format!("`{}` changes something, and a GET does not", action.name),
                    )
                    .help("say `effect: read`, or another method"),
                );
            }
            if read && matches!(action.call.method.as_str(), "DELETE" | "PATCH" | "PUT") {
                let method = &action.call.method;
                subject.problems.push(
                    Diagnostic::new(
                        "wrong-effect",
                        word.exchange.call.span.narrow(subject.sources, method),
                        format!("`{}` is said to change nothing, and a {method} does", action.name),
                    )
                    .help("say `effect: write` or `effect: destructive`"),
                );
            }
            let Some(undo) = &word.undo else { continue };
            let back = connector.actions.iter().find(|other| other.name == undo.value);
            let misread =
                spec.file.actions.get(&undo.value).is_some_and(|word| subject.problems.misread(word.effect.span));
            if read {
                subject.problems.push(
                    Diagnostic::new(
                        "wrong-undo",
                        undo.span,
                        format!("`{}` changes nothing, so there is nothing to take back", action.name),
                    )
                    .help("leave `undo` out"),
                );
            } else if undo.value == action.name {
                subject.problems.push(
                    Diagnostic::new("wrong-undo", undo.span, format!("`{}` cannot take itself back", action.name))
                        .help("name the action that does"),
                );
            } else if back.is_some_and(|back| back.effect == Effect::Read) && !misread {
                subject.problems.push(
                    Diagnostic::new(
                        "wrong-undo",
                        undo.span,
                        format!("`{}` changes nothing, so it takes nothing back", undo.value),
                    )
                    .help("name an action that changes something"),
                );
            }
        }
    }
}
