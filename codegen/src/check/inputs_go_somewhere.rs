//! Every input of an action is sent or steers the call, and the body has one form.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::{Operation, Place};

pub fn check(subject: &Subject<'_>) {
    for action in subject.model.connectors.iter().flat_map(|connector| &connector.actions) {
        for input in action.input.iter().filter(|input| input.place == Place::Control && !steers(action, &input.name)) {
            subject.problems.push(
                Diagnostic::new("unplaced-input", input.span, format!("input `{}` is never sent", input.name))
                    .help(format!("say where it goes: `query: {0}`, `body: {0}`, or put `{{{0}}}` in `call:` and say `path: true`", input.name)),
            );
        }
        bodies(subject, action);
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
