//! Vertices are made from steps that exist, edges join vertices that exist, and steps wait for no one in a circle.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::read::Names;
use crate::resolve::text::{self, unknown};
use crate::spec::graph::{Relationship, Source, Step};
use crate::spec::{Name, Spec};

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        let file = &spec.file;
        for (name, step) in file.steps.iter() {
            text::call(&step.read, subject.sources, subject.problems);
            text::checked_path(&step.page.items, subject.problems);
            for before in &step.after {
                known_step(subject, spec, before);
            }
            if waits_for(&file.steps, &name.value, &name.value, &mut Vec::new()) {
                subject.problems.push(Diagnostic::new("step-cycle", name.span, format!("step `{}` waits for itself", name.value)).help("take one of the steps out of `after`"));
            }
        }
        for (_, entity) in file.entities.iter() {
            known_step(subject, spec, &entity.from);
            templates(subject, &entity.key);
            sources(subject, &entity.properties);
            for (_, dialect) in entity.dialects.iter() {
                if let Some(key) = &dialect.key {
                    templates(subject, key);
                }
            }
        }
        for relationship in &file.relationships {
            edge(subject, spec, relationship);
        }
    }
}

fn known_step(subject: &Subject<'_>, spec: &Spec, name: &Name) {
    if spec.file.steps.get(&name.value).is_none() && !name.value.is_empty() {
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

fn templates(subject: &Subject<'_>, template: &Name) {
    let (names, problem) = text::braces(&template.value);
    if let Some(problem) = problem {
        subject.problems.push(Diagnostic::new("bad-template", template.span, problem).help("a path stands in a pair of braces, as `{id}`"));
    } else if names.is_empty() && !template.value.is_empty() {
        subject.problems.push(Diagnostic::new("bad-template", template.span, "every record would get the same key").help("put a path of the record into it, as `service:{id}`"));
    }
}

fn sources(subject: &Subject<'_>, properties: &Names<Source>) {
    for (name, source) in properties.iter() {
        match source {
            Source::Path(path) => {
                text::checked_path(path, subject.problems);
            }
            Source::Made(made) => {
                let ways = [made.is.is_some(), !made.from.0.is_empty(), made.template.is_some()];
                if ways.iter().filter(|it| **it).count() != 1 {
                    subject.problems.push(
                        Diagnostic::new("unsourced-property", name.span, format!("property `{}` comes from no one place", name.value)).help("say one of `from`, `is` and `template`"),
                    );
                }
                for path in &made.from.0 {
                    text::checked_path(path, subject.problems);
                }
            }
        }
    }
}

fn edge(subject: &Subject<'_>, spec: &Spec, edge: &Relationship) {
    let entities = &spec.file.entities;
    let ends = if edge.target.is_some() { vec![&edge.from] } else { vec![&edge.from, &edge.to] };
    for end in ends {
        if entities.get(&end.value).is_none() && !end.value.is_empty() {
            subject.problems.push(unknown("unknown-entity", "entity", &end.value, end.span, entities.names()));
        }
    }
    if edge.verb.value != edge.verb.value.to_uppercase() {
        subject.problems.push(
            Diagnostic::new("wrong-kind", edge.verb.span, format!("`{}` is not in capitals", edge.verb.value)).help(format!("write `{}`", edge.verb.value.to_uppercase())),
        );
    }
    let ways = [edge.each.is_some(), !edge.join.is_empty(), edge.target.is_some()];
    if ways.iter().filter(|it| **it).count() != 1 {
        subject.problems.push(
            Diagnostic::new("unjoined-edge", edge.span, format!("nothing says when `{}` {} `{}`", edge.from.value, edge.verb.value, edge.to.value))
                .help("say one of `each`, `join` and `target`"),
        );
    }
    if !edge.join.is_empty() && edge.join.len() != 2 {
        subject.problems.push(Diagnostic::new("wrong-kind", edge.join[0].span, "`join` names two paths that are equal").help("write `join: [computer.groupID, group.ID]`"));
    }
    if let Some(target) = &edge.target {
        for name in target.match_by.iter().flatten() {
            if target.has.get(&name.value).is_none() {
                subject.problems.push(unknown("unknown-property", "property", &name.value, name.span, target.has.names()));
            }
        }
        sources(subject, &target.has);
    }
    sources(subject, &edge.properties);
}
