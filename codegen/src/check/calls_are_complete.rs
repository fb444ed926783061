//! Every `{name}` of a path is filled by an input, and every input for a path has its `{name}`.

use super::Subject;
use crate::diagnostic::{Diagnostic, nearest};
use crate::model::{Call, Operation, Place};
use crate::spec::{Name, operation as spec};

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        for action in &connector.actions {
            let Some(word) = spec.file.actions.get(&action.name) else { continue };
            let poll = action.poll.as_ref().and_then(|poll| poll.call.as_ref());
            let calls = [
                Some((&action.call, &word.exchange.call)),
                poll.zip(word.exchange.poll.as_ref().and_then(|poll| poll.call.as_ref())),
            ];
            // A path that is no path fills nothing and is told already.
            let calls: Vec<_> =
                calls.into_iter().flatten().filter(|(_, said)| !subject.problems.told(said.span)).collect();
            let mut meant = Vec::new();
            for (call, said) in &calls {
                meant.extend(complete(subject, call, said, action, word));
            }
            for input in action.input.iter().filter(|input| input.place == Place::Path) {
                let named = calls.iter().any(|(call, _)| call.parameters.contains(&input.name));
                if !named && !meant.contains(&input.name.as_str()) && !calls.is_empty() {
                    subject.problems.push(
                        Diagnostic::new(
                            "no-placeholder",
                            input.span,
                            format!(
                                "input `{}` goes into the path, and the path has no `{{{}}}`",
                                input.name, input.name
                            ),
                        )
                        .help(format!("put `{{{}}}` into `call:`, or say another place", input.name)),
                    );
                }
            }
        }
        if let Some(word) = spec.file.connection.as_ref().filter(|word| !subject.problems.told(word.test.call.span)) {
            for name in &connector.connection.test.parameters {
                let placeholder = format!("{{{name}}}");
                subject.problems.push(
                    Diagnostic::new(
                        "open-placeholder",
                        word.test.call.span.narrow(subject.sources, &placeholder),
                        format!("nothing fills `{placeholder}`: the connection test has no inputs"),
                    )
                    .help("write the path out, or take a call that needs nothing"),
                );
            }
        }
    }
}

/// Reports what nothing fills. Gives the inputs that were probably meant.
fn complete<'a>(
    subject: &Subject<'_>,
    call: &Call,
    said: &Name,
    action: &'a Operation,
    word: &spec::Operation,
) -> Vec<&'a str> {
    let mut meant = Vec::new();
    for name in &call.parameters {
        let placeholder = format!("{{{name}}}");
        let diagnostic =
            |why: String| Diagnostic::new("open-placeholder", said.span.narrow(subject.sources, &placeholder), why);
        let told = match action.input.iter().find(|input| input.name == *name) {
            Some(input)
                if word.input.get(name).is_some_and(|word| subject.problems.misread(word.common.rules.span)) =>
            {
                meant.push(input.name.as_str());
                continue;
            }
            Some(input) if input.place == Place::Path && (input.required || input.default.is_some()) => continue,
            Some(input) if input.place == Place::Path => {
                diagnostic(format!("`{placeholder}` may stay empty, since input `{}` is optional", input.name))
                    .help(format!("give `{}` `required: true`", input.name))
            }
            Some(input) => diagnostic(format!("nothing fills `{placeholder}`: input `{}` goes elsewhere", input.name))
                .help(format!("give `{}` `path: true`", input.name)),
            None if super::misspelt(subject, word) => continue,
            None => match likely(call, action, name) {
                Some(near) => {
                    meant.push(near);
                    diagnostic(format!("nothing fills `{placeholder}`")).help(format!("did you mean `{{{near}}}`?"))
                }
                None => diagnostic(format!("nothing fills `{placeholder}`"))
                    .help(format!("add an input `{name}` with `path: true`")),
            },
        };
        subject.problems.push(told);
    }
    meant
}

/// The input that a placeholder means: the nearest of those without one, or the only one.
fn likely<'a>(call: &Call, action: &'a Operation, name: &str) -> Option<&'a str> {
    let free: Vec<&str> = action
        .input
        .iter()
        .filter(|input| input.place == Place::Path && !call.parameters.contains(&input.name))
        .map(|input| input.name.as_str())
        .collect();
    nearest(name, free.iter().copied()).or(match free.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}
