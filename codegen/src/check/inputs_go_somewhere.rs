//! Every input of an action is sent or steers the call, and the body has one form.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::{Field, Operation, Place};

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        for action in &connector.actions {
            let Some(word) = spec.file.actions.get(&action.name) else { continue };
            bodies(subject, action);
            // `pol:` for `poll:` leaves the inputs that it names without a use, and so does an unknown name in it.
            if super::misspelt(subject, word)
                || !steering(action).all(|name| action.input.iter().any(|input| input.name == name))
            {
                continue;
            }
            // So does `fliter:` for `filter:` in an input that would then be sent.
            let free =
                action.input.iter().filter(|input| input.place == Place::Control && !steers(action, &input.name));
            let free: Vec<&Field> = free.filter(|input| !action.call.parameters.contains(&input.name)).collect();
            let misread = |input: &&&Field| {
                word.input.get(&input.name).is_some_and(|it| subject.problems.misread(it.common.rules.span))
            };
            if free.iter().any(|input| misread(&input)) {
                continue;
            }
            for input in free {
                subject.problems.push(
                    Diagnostic::new("unplaced-input", input.span, format!("input `{}` is never sent", input.name))
                        .help(format!("say where it goes: `query: {0}`, `body: {0}`, or put `{{{0}}}` in `call:` and say `path: true`", input.name)),
                );
            }
        }
    }
}

fn steers(action: &Operation, name: &str) -> bool {
    steering(action).any(|it| it == name)
}

/// The inputs that steer a call.
fn steering(action: &Operation) -> impl Iterator<Item = &str> {
    let poll = action.poll.iter().flat_map(|poll| [&poll.when, &poll.seconds]).flatten();
    let operators = action.input.iter().filter_map(|input| match &input.place {
        Place::Filter(filter) => Some(&filter.operator),
        _ => None,
    });
    poll.chain(operators).map(String::as_str)
}

fn bodies(subject: &Subject<'_>, action: &Operation) {
    let form = |place: &Place| match place {
        Place::Body(_) => Some("a JSON object"),
        Place::BodyItems(_) => Some("a JSON list"),
        Place::Part { .. } => Some("a form"),
        _ => None,
    };
    let mut forms = action.input.iter().filter_map(|input| Some((input, form(&input.place)?)));
    let Some((first, first_form)) = forms.next() else { return };
    if action.call.method == "GET" {
        subject.problems.push(
            Diagnostic::new(
                "body-on-get",
                first.span,
                format!("input `{}` goes into the body, and a GET has none", first.name),
            )
            .help("say `query:`, or another method"),
        );
    }
    for (other, other_form) in forms {
        if other_form != first_form || matches!(other.place, Place::BodyItems(_)) {
            let message = if other_form == first_form {
                format!("inputs `{}` and `{}` both make the whole body", first.name, other.name)
            } else {
                format!(
                    "input `{}` makes the body {other_form}, and `{}` makes it {first_form}",
                    other.name, first.name
                )
            };
            subject.problems.push(
                Diagnostic::new("mixed-body", other.span, message)
                    .help("a body has one form: send one of them in another place"),
            );
        }
    }
}
