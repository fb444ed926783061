//! A scene of a demonstration runs one action or trigger that exists, against a simulated service that is there.

use serde_json::Value as Json;

use super::Subject;
use super::value::{self, Side};
use crate::diagnostic::Diagnostic;
use crate::model::Connector;
use crate::resolve::text::unknown;
use crate::spec::Spec;
use crate::spec::demo::Scene;

pub fn check(subject: &Subject<'_>) {
    for (spec, connector) in subject.specs.iter().zip(&subject.model.connectors) {
        let file = &spec.file;
        for scene in &file.demo {
            input(subject, connector, scene);
            let others = usize::from(scene.sync) + usize::from(scene.collect) + usize::from(scene.change.is_some());
            let span = scene.action.as_ref().or(scene.trigger.as_ref()).map(|name| name.span);
            match (&scene.action, &scene.trigger) {
                (Some(action), None) if others == 0 => {
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
                (None, Some(trigger)) if others == 0 => {
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
                (None, None) if others == 1 => whole(subject, spec, scene),
                _ if subject.problems.misread(scene.span) => {}
                _ => subject.problems.push(
                    Diagnostic::new("scene-without-call", span.unwrap_or(scene.span), "a scene does one thing")
                        .help("say one of `action:`, `trigger:`, `sync:`, `collect:` and `change:`"),
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

/// What a scene gives is what its action or trigger takes. A text that an earlier scene fills may become anything.
fn input(subject: &Subject<'_>, connector: &Connector, scene: &Scene) {
    let (Some(given), false) = (&scene.input, subject.problems.misread(scene.span)) else { return };
    let name = scene.action.as_ref().or(scene.trigger.as_ref()).map(|name| name.value.as_str());
    let action = connector.actions.iter().find(|action| Some(action.name.as_str()) == name);
    let trigger = connector.triggers.iter().find(|trigger| Some(trigger.name.as_str()) == name);
    let Some(fields) = action.map(|it| &it.input).or(trigger.map(|it| &it.input)) else { return };
    for misfit in value::object(connector, fields, &given.value, Side::Input) {
        let at = misfit.0.iter().try_fold(&given.value, |at, key| match at {
            Json::Array(items) => items.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        });
        if at.and_then(Json::as_str).is_some_and(|text| text.contains('{')) {
            continue;
        }
        let span = value::span_at(&given.node, &misfit);
        subject.problems.push(
            Diagnostic::new("example-differs", span, format!("the input of this scene breaks the rules: {}", misfit.1))
                .help("correct it, or the rule that it breaks"),
        );
    }
}

/// A graph is read where there is one, streams are collected where there are some, and what changes is something that
/// the service holds.
fn whole(subject: &Subject<'_>, spec: &Spec, scene: &Scene) {
    if scene.sync && spec.file.steps.0.is_empty() {
        subject.problems.push(
            Diagnostic::new("scene-without-call", scene.span, "this connector has no graph to read")
                .help("say what is read under `steps:`, or leave the scene out"),
        );
    }
    if scene.collect && spec.file.streams.0.is_empty() && spec.file.snapshots.0.is_empty() {
        subject.problems.push(
            Diagnostic::new(
                "scene-without-call",
                scene.span,
                "this connector has no streams and no snapshots to collect",
            )
            .help("say what is collected under `streams:` or `snapshots:`, or leave the scene out"),
        );
    }
    let (Some(change), Some(simulator)) = (&scene.change, &spec.file.simulator) else { return };
    if simulator.collections.get(&change.of.value).is_none() && !subject.problems.misread(change.of.span) {
        let known = simulator.collections.names();
        subject.problems.push(unknown("unknown-collection", "collection", &change.of.value, change.of.span, known));
    }
}
