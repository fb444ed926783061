//! Each stage of a mapping does one thing, converts to kinds that exist, and reads and writes fields with a name.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::{self, unknown};
use crate::spec::mapping::{Condition, Source, Stage, Taken};
use crate::spec::{Name, Spec};

/// The kinds that a field can be converted to.
const KINDS: [&str; 6] = ["date", "boolean", "long", "double", "ip", "string"];

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        for (_, mapping) in spec.file.mappings.iter() {
            if let Some(path) = &mapping.on_failure.append {
                text::checked_path(path, subject.problems);
            }
            if let Some(name) = &mapping.strict {
                flag(subject, spec, name);
            }
            stages(subject, spec, &mapping.stages);
        }
    }
}

fn stages(subject: &Subject<'_>, spec: &Spec, stages: &[Stage]) {
    for stage in stages {
        super::one_verb(subject, "stage", &stage.verbs, stage.span, &Stage::VERBS);
        conditions(subject, stage);
        for name in [&stage.asked, &stage.unless_asked].into_iter().flatten() {
            flag(subject, spec, name);
        }
        if let (Some(_), Some(name)) = (&stage.asked, &stage.unless_asked) {
            subject.problems.push(
                Diagnostic::new("bad-condition", name.span, "a stage says `asked` or `unless_asked`, not both")
                    .help("put the stage into another with `stages:` if both must hold"),
            );
        }
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
        sources(subject, spec, stage);
        self::stages(subject, spec, &stage.stages);
    }
}

/// A parameter that is set or not.
fn flag(subject: &Subject<'_>, spec: &Spec, name: &Name) {
    let Some(connector) = subject.model.connectors.iter().find(|it| it.name == spec.folder) else { return };
    match connector.connection.parameters.iter().find(|it| it.name == name.value) {
        Some(field) if field.ty == crate::model::Type::Boolean => {}
        Some(_) if subject.problems.misread(name.span) => {}
        Some(_) => subject.problems.push(
            Diagnostic::new("wrong-kind", name.span, format!("`{}` is not a boolean parameter", name.value))
                .help("name a parameter of `type: boolean`"),
        ),
        None => parameter(subject, spec, name),
    }
}

/// A parameter that must be known.
fn parameter(subject: &Subject<'_>, spec: &Spec, name: &Name) {
    let Some(connection) = &spec.file.connection else { return };
    if connection.parameters.get(&name.value).is_none() && !subject.problems.misread(name.span) {
        let known = connection.parameters.names();
        subject.problems.push(unknown("unknown-parameter", "parameter", &name.value, name.span, known));
    }
}

fn conditions(subject: &Subject<'_>, stage: &Stage) {
    for (field, condition) in stage.when.iter() {
        text::checked_path(field, subject.problems);
        let said = said(condition);
        if said != 1 && !subject.problems.misread(condition.span) {
            let what = if said == 0 { "nothing" } else { "two things" };
            let message = format!("the condition on `{}` says {what}", field.value);
            subject.problems.push(
                Diagnostic::new("bad-condition", field.span, message)
                    .help("say one of `contains`, `lacks`, `equals` and `exists`"),
            );
        }
    }
}

fn said(condition: &Condition) -> usize {
    let words = [&condition.contains, &condition.lacks, &condition.equals];
    words.into_iter().flatten().count() + usize::from(condition.exists.is_some())
}

fn paths(subject: &Subject<'_>, stage: &Stage) {
    let into = stage.copy_all.as_ref().map(|it| &it.into);
    let single =
        [&stage.within, &stage.original, &stage.url_parts, &stage.expand_dots].into_iter().flatten().chain(into);
    let fields = stage
        .convert
        .iter()
        .flat_map(|(_, fields)| fields)
        .chain(stage.duration.iter().flat_map(|(_, ends)| ends))
        .chain(&stage.require)
        .chain(&stage.remove);
    let targets = stage
        .set
        .iter()
        .map(|(target, _)| target)
        .chain(stage.copy.iter().map(|(target, _)| target))
        .chain(stage.append.iter().map(|(target, _)| target))
        .chain(stage.now.iter().map(|(target, _)| target))
        .chain(stage.duration.iter().map(|(target, _)| target));
    for path in single.chain(targets).chain(fields) {
        text::checked_path(path, subject.problems);
    }
}

fn sources(subject: &Subject<'_>, spec: &Spec, stage: &Stage) {
    let copied = stage.copy.iter().map(|(target, source)| (target, source));
    let appended =
        stage.append.iter().flat_map(|(target, sources)| sources.0.iter().map(move |source| (target, source)));
    for (target, source) in copied.chain(appended) {
        match source {
            Source::Path(path) => {
                let list = Name::new(path.value.trim_end_matches("[]").to_owned(), path.span);
                text::checked_path(&list, subject.problems);
            }
            Source::Taken(taken) => self::taken(subject, spec, target, taken),
        }
    }
    for (target, source) in stage.copy.iter() {
        if let Source::Taken(taken) = source
            && taken.is.is_some()
        {
            let message = format!("`{}` is a constant, and `copy` copies", target.value);
            subject.problems.push(Diagnostic::new("wrong-verb", target.span, message).help("put it under `set:`"));
        }
    }
}

fn taken(subject: &Subject<'_>, spec: &Spec, target: &Name, taken: &Taken) {
    taken.from.0.iter().for_each(|path| drop(text::checked_path(path, subject.problems)));
    if let Some(name) = &taken.parameter {
        parameter(subject, spec, name);
    }
    let ways = [taken.is.is_some(), !taken.from.0.is_empty(), taken.parameter.is_some()];
    let said = ways.into_iter().filter(|it| *it).count();
    if said != 1 && !subject.problems.misread(taken.span) {
        let what = if said == 0 { "nothing says" } else { "two things say" };
        subject.problems.push(
            Diagnostic::new("unsourced-property", target.span, format!("{what} where `{}` comes from", target.value))
                .help("say one of `from`, `is` and `parameter`"),
        );
    }
}
