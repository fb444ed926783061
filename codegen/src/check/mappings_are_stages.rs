//! Each stage of a mapping does one thing, converts to kinds that exist, and reads and writes fields with a name.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::{self, unknown};
use crate::spec::graph::Source;
use crate::spec::mapping::Stage;

/// The kinds that a field can be converted to.
const KINDS: [&str; 6] = ["date", "boolean", "long", "double", "ip", "string"];

pub fn check(subject: &Subject<'_>) {
    for (_, mapping) in subject.specs.iter().flat_map(|spec| spec.file.mappings.iter()) {
        if let Some(path) = &mapping.on_failure.append {
            text::checked_path(path, subject.problems);
        }
        for stage in &mapping.stages {
            super::one_verb(subject, "stage", &stage.verbs, stage.span, &Stage::VERBS);
            conditions(subject, stage);
            for (kind, _) in stage.convert.iter().filter(|(kind, _)| !KINDS.contains(&kind.value.as_str())) {
                subject.problems.push(unknown("unknown-converter", "converter", &kind.value, kind.span, KINDS));
            }
            for (target, ends) in stage.duration.iter().filter(|(_, ends)| ends.len() != 2) {
                let message = format!("a span of time lies between two dates, and this names {}", ends.len());
                subject.problems.push(
                    Diagnostic::new("wrong-kind", target.span, message)
                        .help("write `{ event.duration: [event.start, event.end] }`"),
                );
            }
            paths(subject, stage);
        }
    }
}

fn conditions(subject: &Subject<'_>, stage: &Stage) {
    for (field, condition) in stage.when.iter() {
        text::checked_path(field, subject.problems);
        let said = [
            condition.contains.is_some(),
            condition.lacks.is_some(),
            condition.equals.is_some(),
            condition.exists.is_some(),
        ];
        let count = said.into_iter().filter(|it| *it).count();
        if count != 1 && !subject.problems.misread(condition.span) {
            let message = format!(
                "the condition on `{}` says {}",
                field.value,
                if count == 0 { "nothing" } else { "two things" }
            );
            subject.problems.push(
                Diagnostic::new("bad-condition", field.span, message)
                    .help("say one of `contains`, `lacks`, `equals` and `exists`"),
            );
        }
    }
}

fn paths(subject: &Subject<'_>, stage: &Stage) {
    let into = stage.copy_all.as_ref().map(|it| &it.into);
    let single =
        [&stage.within, &stage.original, &stage.url_parts, &stage.expand_dots].into_iter().flatten().chain(into);
    let targets = stage
        .set
        .iter()
        .map(|(target, _)| target)
        .chain(stage.append.iter().map(|(target, _)| target))
        .chain(stage.duration.iter().map(|(target, _)| target));
    let fields = stage
        .convert
        .iter()
        .flat_map(|(_, fields)| fields)
        .chain(stage.duration.iter().flat_map(|(_, ends)| ends))
        .chain(&stage.remove);
    for path in single.chain(targets).chain(fields) {
        text::checked_path(path, subject.problems);
    }
    let appended =
        stage.append.iter().flat_map(|(target, sources)| sources.0.iter().map(move |source| (target, source)));
    let copied = stage.copy.iter().map(|(target, source)| (target, source));
    for (target, _) in stage.copy.iter() {
        text::checked_path(target, subject.problems);
    }
    for (target, source) in copied.chain(appended) {
        super::graphs_hang_together::source(subject, "field", target, source);
    }
    let constants = stage.copy.iter().filter_map(|(target, source)| match source {
        Source::Made(made) if made.is.is_some() => Some(target),
        _ => None,
    });
    for target in constants {
        subject.problems.push(
            Diagnostic::new("wrong-verb", target.span, format!("`{}` is a constant, and `copy` copies", target.value))
                .help("put it under `set:`"),
        );
    }
}
