//! A simulated service answers calls that the connector makes, about things that it holds.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::Connector;
use crate::resolve::text::unknown;
use crate::spec::Name;

pub fn check(subject: &Subject<'_>) {
    for connector in &subject.model.connectors {
        let Some(simulator) = &connector.simulator else { continue };
        let spec = &simulator.spec;
        let calls = calls(connector);
        for (call, behaviour) in spec.calls.iter() {
            if !calls.contains(&call.value) {
                subject.problems.push(unknown("unknown-call", "call", &call.value, call.span, calls.iter().map(String::as_str)));
            }
            let collection = |name: &Name| {
                if spec.collections.get(&name.value).is_none() {
                    subject.problems.push(unknown("unknown-collection", "collection", &name.value, name.span, spec.collections.names()));
                }
            };
            for name in [&behaviour.of, &behaviour.after, &behaviour.within].into_iter().flatten().chain(behaviour.refers.iter().map(|(_, name)| name)).chain(behaviour.task.iter().map(|task| &task.into)) {
                collection(name);
            }
            for name in [&behaviour.missing, &behaviour.duplicate, &behaviour.stale].into_iter().flatten() {
                if spec.errors.get(&name.value).is_none() {
                    subject.problems.push(unknown("unknown-failure", "error", &name.value, name.span, spec.errors.names()));
                }
            }
        }
        for call in &calls {
            if !spec.calls.names().any(|known| known == call)
                && let Some((name, _)) = spec.calls.0.first()
            {
                subject.problems.push(Diagnostic::new("unanswered-call", name.span, format!("nothing answers `{call}`")).help(format!("add `{call}:` to `calls:`")));
            }
        }
    }
}

/// Every call that the connector makes, once.
fn calls(connector: &Connector) -> Vec<String> {
    let operations = connector.actions.iter().flat_map(|action| std::iter::once(&action.call).chain(action.poll.as_ref().and_then(|poll| poll.call.as_ref())));
    let mut calls: Vec<String> = Vec::new();
    for call in operations.chain(std::iter::once(&connector.connection.test)) {
        let shape = shape(&call.path);
        if !calls.iter().any(|known| known.split_once(' ').is_some_and(|(method, path)| method == call.method && self::shape(path) == shape)) {
            calls.push(call.text());
        }
    }
    calls
}

/// A path without the names of its parameters: two actions may call one thing by two names.
fn shape(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}
