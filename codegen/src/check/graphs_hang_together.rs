//! Vertices are made from steps that exist, edges join vertices that exist, and steps wait for no one in a circle.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::read::Names;
use crate::resolve::text::{self, unknown};
use crate::spec::graph::{Entity, Relationship, Source, Step};
use crate::spec::{Name, Spec};

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        let file = &spec.file;
        file.steps.iter().for_each(|(name, it)| step(subject, spec, name, it));
        circles(subject, &file.steps);
        file.entities.iter().for_each(|(_, it)| entity(subject, spec, it));
        file.relationships.iter().for_each(|it| edge(subject, spec, it));
    }
}

fn step(subject: &Subject<'_>, spec: &Spec, name: &Name, step: &Step) {
    let call = text::call(&step.read, subject.sources, subject.problems);
    for read in [&step.read].into_iter().chain(step.only_if.as_ref().map(|it| &it.read)) {
        filled(subject, read);
    }
    if let (Some((key, _)), "GET") = (step.body.0.first(), call.method.as_str())
        && !subject.problems.told(step.read.span)
    {
        subject.problems.push(
            Diagnostic::new("body-on-get", key.span, format!("step `{}` has a body, and a GET has none", name.value))
                .help("say `query:`, or another method"),
        );
    }
    for before in &step.after {
        known_step(subject, spec, before);
    }
}

/// A step has nothing to put into a placeholder.
fn filled(subject: &Subject<'_>, read: &Name) {
    let call = text::call(read, subject.sources, subject.problems);
    let Some(parameter) = call.parameters.first().filter(|_| !subject.problems.told(read.span)) else { return };
    let placeholder = format!("{{{parameter}}}");
    let span = read.span.narrow(subject.sources, &placeholder);
    let message = format!("nothing fills `{placeholder}`: a step has no inputs");
    subject.problems.push(Diagnostic::new("open-placeholder", span, message).help("write the path out"));
}

/// Reports each circle once, at its first step.
fn circles(subject: &Subject<'_>, steps: &Names<Step>) {
    let waits = |from: &str, target: &str| waits_for(steps, from, target, &mut Vec::new());
    let mut told: Vec<&str> = Vec::new();
    for (name, _) in steps.iter().filter(|(name, _)| waits(&name.value, &name.value)) {
        if !told.iter().any(|other| waits(other, &name.value) && waits(&name.value, other)) {
            subject.problems.push(
                Diagnostic::new("step-cycle", name.span, format!("step `{}` waits for itself", name.value))
                    .help("take one of the steps of the circle out of `after`"),
            );
        }
        told.push(&name.value);
    }
}

fn known_step(subject: &Subject<'_>, spec: &Spec, name: &Name) {
    if spec.file.steps.get(&name.value).is_none() && !subject.problems.misread(name.span) {
        subject.problems.push(unknown("unknown-step", "step", &name.value, name.span, spec.file.steps.names()));
    }
}

fn waits_for(steps: &Names<Step>, from: &str, target: &str, seen: &mut Vec<String>) -> bool {
    let Some(step) = steps.get(from) else { return false };
    step.after.iter().any(|before| {
        before.value == target
            || (!seen.contains(&before.value) && {
                seen.push(before.value.clone());
                waits_for(steps, &before.value, target, seen)
            })
    })
}

fn entity(subject: &Subject<'_>, spec: &Spec, entity: &Entity) {
    known_step(subject, spec, &entity.from);
    key(subject, &entity.key);
    sources(subject, &entity.properties);
    for path in entity.copy.iter().chain(&entity.secrets) {
        text::checked_path(path, subject.problems);
    }
    for copied in entity.copy.iter().filter(|copied| entity.properties.get(&copied.value).is_some()) {
        subject.problems.push(
            Diagnostic::new("said-twice", copied.span, format!("`{}` is also one of `properties`", copied.value))
                .help("keep one of the two"),
        );
    }
    for (name, dialect) in entity.dialects.iter() {
        known_dialect(subject, spec, name);
        sources(subject, &dialect.properties);
        if let Some(other) = &dialect.key {
            key(subject, other);
        }
    }
}

fn known_dialect(subject: &Subject<'_>, spec: &Spec, name: &Name) {
    if spec.file.dialects.get(&name.value).is_none() {
        subject.problems.push(unknown(
            "unknown-dialect",
            "dialect",
            &name.value,
            name.span,
            spec.file.dialects.names(),
        ));
    }
}

/// A key tells records apart, so it holds a path of the record.
fn key(subject: &Subject<'_>, template: &Name) {
    if subject.problems.misread(template.span) {
        return;
    }
    if paths_of(subject, template).is_some_and(|paths| paths.is_empty()) {
        subject.problems.push(
            Diagnostic::new("bad-template", template.span, "every record would get the same key")
                .help("put a path of the record into it, as `service:{id}`"),
        );
    }
}

/// The paths in a template's braces, if it is one.
fn paths_of(subject: &Subject<'_>, template: &Name) -> Option<Vec<String>> {
    let (names, problem) = text::braces(&template.value);
    if let Some((problem, part)) = problem {
        subject.problems.push(
            Diagnostic::new("bad-template", template.span.narrow(subject.sources, part), problem)
                .help("a path stands in a pair of braces, as `{id}`"),
        );
        return None;
    }
    for name in &names {
        text::checked_path(
            &Name::new(name.clone(), template.span.narrow(subject.sources, &format!("{{{name}}}"))),
            subject.problems,
        );
    }
    Some(names)
}

fn sources(subject: &Subject<'_>, properties: &Names<Source>) {
    properties.iter().for_each(|(name, it)| source(subject, "property", name, it));
}

/// A value comes from one place.
pub fn source(subject: &Subject<'_>, what: &str, name: &Name, source: &Source) {
    let made = match source {
        Source::Path(path) => {
            text::checked_path(path, subject.problems);
            return;
        }
        Source::Made(made) => made,
    };
    let ways =
        [made.is.is_some(), !made.from.0.is_empty(), made.template.is_some()].into_iter().filter(|it| *it).count();
    if ways != 1 && !subject.problems.misread(made.span) {
        let place = if ways == 0 { "nowhere" } else { "two places" };
        subject.problems.push(
            Diagnostic::new("unsourced-property", name.span, format!("{what} `{}` comes from {place}", name.value))
                .help("say one of `from`, `is` and `template`"),
        );
    }
    for path in &made.from.0 {
        text::checked_path(path, subject.problems);
    }
    if let Some(template) = &made.template {
        paths_of(subject, template);
    }
}

fn edge(subject: &Subject<'_>, spec: &Spec, edge: &Relationship) {
    let problems = subject.problems;
    let entities = &spec.file.entities;
    let ends: Vec<&Name> = match &edge.target {
        // The other end belongs to another integration.
        Some(_) if entities.get(&edge.to.value).is_some() => vec![&edge.to],
        Some(_) => vec![&edge.from],
        None => vec![&edge.from, &edge.to],
    };
    // `traget:` for `target:` leaves a vertex of another integration without an explanation.
    let misspelt = problems.misspelt(edge.span, &[]);
    let ends_here = ends.iter().filter(|end| !(problems.misread(end.span) || misspelt && end.span == edge.to.span));
    for end in ends_here.filter(|end| entities.get(&end.value).is_none()) {
        problems.push(unknown("unknown-entity", "entity", &end.value, end.span, entities.names()));
    }
    let verbs = edge.dialects.iter().filter_map(|(_, dialect)| dialect.verb.as_ref()).chain([&edge.verb]);
    for verb in verbs.filter(|verb| verb.value != verb.value.to_uppercase()) {
        problems.push(
            Diagnostic::new("wrong-kind", verb.span, format!("`{}` is not in capitals", verb.value))
                .help(format!("write `{}`", verb.value.to_uppercase())),
        );
    }
    for (name, _) in edge.dialects.iter() {
        known_dialect(subject, spec, name);
    }
    let ways = [edge.each.is_some(), !edge.join.is_empty(), edge.target.is_some()].into_iter().filter(|it| *it).count();
    if ways != 1 && !problems.misread(edge.span) {
        let why = if ways == 0 { "nothing says" } else { "two things say" };
        problems.push(
            Diagnostic::new(
                "unjoined-edge",
                edge.verb.span,
                format!("{why} when `{}` {} `{}`", edge.from.value, edge.verb.value, edge.to.value),
            )
            .help("say one of `each`, `join` and `target`"),
        );
    }
    let made_from = |end: &&Name| {
        entities.get(&end.value).map(|entity| entity.from.value.as_str()).filter(|it| spec.file.steps.get(it).is_some())
    };
    let steps: Vec<&str> = ends.iter().filter_map(made_from).collect();
    if let Some(each) = &edge.each
        && let Some(step) = step_of(subject, spec, each)
        && steps.len() == 2
        && !steps.contains(&step)
    {
        problems.push(
            Diagnostic::new("unjoined-edge", each.span, format!("neither end is made from step `{step}`"))
                .help(format!("begin the path with `{}` or `{}`", steps[0], steps[1])),
        );
    }
    join(subject, spec, edge, &steps);
    keep(subject, edge);
    for (name, path) in edge.collect.iter() {
        text::checked_path(path, problems);
        if edge.join.is_empty() {
            problems.push(
                Diagnostic::new("unjoined-edge", name.span, "`collect` goes with `join`")
                    .help("leave it out: without `join` there is one edge between the same ends"),
            );
        }
    }
    if let Some(target) = &edge.target {
        for name in target.match_by.iter().flatten().filter(|name| target.has.get(&name.value).is_none()) {
            problems.push(unknown("unknown-property", "property", &name.value, name.span, target.has.names()));
        }
        sources(subject, &target.has);
    }
    sources(subject, &edge.properties);
}

/// The step that a path of an edge begins with.
fn step_of<'a>(subject: &Subject<'_>, spec: &Spec, path: &'a Name) -> Option<&'a str> {
    text::checked_path(path, subject.problems);
    let step = path.value.split('.').next().unwrap_or_default();
    if subject.problems.told(path.span) {
        return None;
    }
    if spec.file.steps.get(step).is_none() {
        let span = path.span.narrow(subject.sources, step);
        subject.problems.push(
            unknown("unknown-step", "step", step, span, spec.file.steps.names())
                .label("such a path begins with a step"),
        );
        return None;
    }
    Some(step)
}

/// `join` ties the two ends, or one end and the records between, of which `who` then names the other end.
fn join(subject: &Subject<'_>, spec: &Spec, edge: &Relationship, ends: &[&str]) {
    let [first, second] = edge.join.as_slice() else {
        if let Some(name) = edge.join.first() {
            subject.problems.push(
                Diagnostic::new("wrong-kind", name.span, "`join` names two paths that are equal")
                    .help("write `join: [computers.groupID, groups.ID]`"),
            );
        }
        return;
    };
    let (a, b) = (step_of(subject, spec, first), step_of(subject, spec, second));
    let who = edge.who.as_ref().map(|who| (who, step_of(subject, spec, who)));
    let (Some(a), Some(b), [from, to]) = (a, b, ends) else { return };
    let between = [(a, first), (b, second)].into_iter().find(|(step, _)| step != from && step != to);
    match (between, who) {
        (None, None) => {}
        (None, Some((who, _))) => {
            subject.problems.push(
                Diagnostic::new("unjoined-edge", who.span, "`join` ties both ends, so no record lies between them")
                    .help("leave `who` out"),
            );
        }
        (Some((step, path)), None) => subject.problems.push(
            Diagnostic::new(
                "unjoined-edge",
                path.span,
                format!("nothing says which entity a record of `{step}` is about"),
            )
            .help(format!("say `who: {step}.PATH`")),
        ),
        (Some((step, _)), Some((who, Some(said)))) if said != step => {
            subject.problems.push(
                Diagnostic::new("unjoined-edge", who.span, format!("the records between are those of `{step}`"))
                    .help(format!("write `{step}.PATH`")),
            );
        }
        (Some(_), Some(_)) if ![a, b].iter().any(|step| step == from || step == to) => {
            subject.problems.push(
                Diagnostic::new("unjoined-edge", first.span, "`join` ties neither end")
                    .help(format!("begin one of the paths with `{from}` or `{to}`")),
            );
        }
        (Some(_), Some(_)) => {}
    }
}

fn keep(subject: &Subject<'_>, edge: &Relationship) {
    let Some(keep) = &edge.keep else { return };
    match keep.value.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["first"] => {}
        ["least", path] => {
            text::checked_path(
                &Name::new((*path).to_owned(), keep.span.narrow_last(subject.sources, path)),
                subject.problems,
            );
        }
        _ => subject.problems.push(
            Diagnostic::new("unknown-choice", keep.span, format!("`{}` does not say which edge stays", keep.value))
                .help("write `least PATH` or `first`"),
        ),
    }
}
