//! Every `{name}` of a path is filled by an input, and every input for a path has its `{name}`.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::{Call, Field, Place};
use crate::spec::Name;

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        for action in &connector.actions {
            let Some(word) = spec.file.actions.get(&action.name) else { continue };
            complete(subject, &action.call, &word.exchange.call, &action.input);
            if let (Some(call), Some(said)) = (
                action.poll.as_ref().and_then(|poll| poll.call.as_ref()),
                word.exchange.poll.as_ref().and_then(|poll| poll.call.as_ref()),
            ) {
                complete(subject, call, said, &action.input);
            }
            for input in action.input.iter().filter(|input| input.place == Place::Path) {
                if !action.call.parameters.contains(&input.name) {
                    subject.problems.push(
                        Diagnostic::new("no-placeholder", input.span, format!("input `{}` goes into the path, and the path has no `{{{}}}`", input.name, input.name))
                            .help(format!("put `{{{}}}` into `call:`, or say another place", input.name)),
                    );
                }
            }
        }
        if let Some(word) = &spec.file.connection {
            complete(subject, &connector.connection.test, &word.test.call, &[]);
        }
    }
}

fn complete(subject: &Subject<'_>, call: &Call, said: &Name, inputs: &[Field]) {
    for name in &call.parameters {
        let placeholder = format!("{{{name}}}");
        let span = said.span.narrow(subject.sources, &placeholder);
        match inputs.iter().find(|input| input.name == *name) {
            Some(input) if input.place == Place::Path => {
                if !input.required {
                    subject.problems.push(
                        Diagnostic::new("open-placeholder", span, format!("`{placeholder}` may stay empty, since input `{name}` is optional")).help(format!("give `{name}` `required: true`")),
                    );
                }
            }
            Some(input) => subject.problems.push(
                Diagnostic::new("open-placeholder", span, format!("nothing fills `{placeholder}`: input `{name}` goes elsewhere")).help(format!("give `{}` `path: true`", input.name)),
            ),
            None => {
                let paths = inputs.iter().filter(|input| input.place == Place::Path).map(|input| input.name.as_str());
                let diagnostic = Diagnostic::new("open-placeholder", span, format!("nothing fills `{placeholder}`"));
                let near = crate::diagnostic::nearest(name, paths);
                subject.problems.push(match near {
                    Some(near) => diagnostic.help(format!("did you mean `{{{near}}}`?")),
                    None => diagnostic.help(format!("add an input `{name}` with `path: true`")),
                });
            }
        }
    }
}
