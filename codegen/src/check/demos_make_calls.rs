//! A scene of a demonstration runs one action or trigger that exists, against a simulated service that is there.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::unknown;

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        let file = &spec.file;
        for scene in &file.demo {
            let span = scene.action.as_ref().or(scene.trigger.as_ref()).map(|name| name.span);
            match (&scene.action, &scene.trigger) {
                (Some(action), None) => {
                    if file.actions.get(&action.value).is_none() {
                        subject.problems.push(unknown(
                            "unknown-action",
                            "action",
                            &action.value,
                            action.span,
                            file.actions.names(),
                        ));
                    }
                }
                (None, Some(trigger)) => {
                    if file.triggers.get(&trigger.value).is_none() {
                        subject.problems.push(unknown(
                            "unknown-trigger",
                            "trigger",
                            &trigger.value,
                            trigger.span,
                            file.triggers.names(),
                        ));
                    }
                }
                _ if subject.problems.misread(scene.span) => {}
                _ => subject.problems.push(
                    Diagnostic::new(
                        "scene-without-call",
                        span.unwrap_or(scene.span),
                        "a scene runs one action or one trigger",
                    )
                    .help("say one of `action:` and `trigger:`"),
                ),
            }
            let first = file.demo.first().is_some_and(|first| first.span == scene.span);
            if file.simulator.is_none() && first && !subject.problems.misread_any(&spec.files) {
                subject.problems.push(
                    Diagnostic::new(
                        "demo-without-simulator",
                        span.unwrap_or(scene.span),
                        "a demonstration needs a simulated service",
                    )
                    .help("describe one under `simulator:`"),
                );
            }
        }
    }
}
