//! Every input of an action is sent or steers the call, and the body has one form.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::{Operation, Place};
use crate::source::Span;

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        for action in &connector.actions {
            let Some(word) = spec.file.actions.get(&action.name) else { continue };
            // `pol:` for `poll:` leaves what it names without a use, and so does a mistake within.
            let fields: Vec<Span> = word.input.iter().map(|(_, it)| &it.common).chain(word.output.iter().map(|(_, it)| &it.common)).map(|it| it.rules.span).collect();
            if subject.problems.misread_outside(word.span, &fields) {
                continue;
            }
            for input in action.input.iter().filter(|input| input.place == Place::Control && !steers(action, &input.name)) {
                let misread = word.input.get(&input.name).is_some_and(|it| subject.problems.misread(it.common.rules.span));
                if misread || action.call.parameters.contains(&input.name) {
                    continue;
                }
                subject.problems.push(
                    Diagnostic::new("unplaced-input", input.span, format!("input `{}` is never sent", input.name))
                        .help(format!("say where it goes: `query: {0}`, `body: {0}`, or put `{{{0}}}` in `call:` and say `path: true`", input.name)),
                );
            }
            bodies(subject, action);
        }
    }
}

fn steers(action: &Operation, name: &str) -> bool {
    let polls = action.poll.as_ref().is_some_and(|poll| poll.when.as_deref() == Some(name) || poll.seconds.as_deref() == Some(name));
    let operates = action.input.iter().any(|input| matches!(&input.place, Place::Filter(filter) if filter.operator == name));
    polls || operates
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
        subject.problems.push(Diagnostic::new("body-on-get", first.span, format!("input `{}` goes into the body, and a GET has none", first.name)).help("say `query:`, or another method"));
    }
    for (other, other_form) in forms {
        if other_form != first_form || matches!(other.place, Place::BodyItems(_)) {
            subject.problems.push(
                Diagnostic::new("mixed-body", other.span, format!("input `{}` makes the body {other_form}, and `{}` makes it {first_form}", other.name, first.name))
                    .help("a body has one form"),
            );
        }
    }
}
