//! A snapshot is read to its end by links or cursors, becomes documents by a mapping, and remembers what it needs to mark a
//! record that has disappeared.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::{self, unknown};
use crate::spec::snapshot::{Deferred, Snapshot};
use crate::spec::{Name, Spec};

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        for (name, snapshot) in spec.file.snapshots.iter() {
            named(subject, spec, name, snapshot);
            call(subject, snapshot);
            pages(subject, snapshot);
            mapped(subject, spec, snapshot);
            gone(subject, snapshot);
            if let Some(deferred) = &snapshot.deferred {
                self::deferred(subject, spec, deferred);
            }
        }
    }
}

/// Commands find streams and snapshots by one list of names.
fn named(subject: &Subject<'_>, spec: &Spec, name: &Name, snapshot: &Snapshot) {
    let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
    for called in [name].into_iter().chain(&snapshot.aliases) {
        let stream = spec.file.streams.iter().find(|(stream, it)| {
            [stream].into_iter().chain(&it.aliases).any(|known| plain(&known.value) == plain(&called.value))
        });
        if let Some((stream, _)) = stream {
            let message = format!("`{}` is a name of stream `{}` already", called.value, stream.value);
            subject.problems.push(Diagnostic::new("name-clash", called.span, message).help("give it another name"));
        }
    }
}

fn call(subject: &Subject<'_>, snapshot: &Snapshot) {
    let call = text::call(&snapshot.read, subject.sources, subject.problems);
    if let Some(parameter) = call.parameters.first().filter(|_| !subject.problems.told(snapshot.read.span)) {
        let placeholder = format!("{{{parameter}}}");
        let span = snapshot.read.span.narrow(subject.sources, &placeholder);
        let message = format!("nothing fills `{placeholder}`: a snapshot has no inputs");
        subject.problems.push(Diagnostic::new("open-placeholder", span, message).help("write the path out"));
    }
    super::refusals(subject, &snapshot.passing);
    if snapshot.pages.value == 0 && !subject.problems.misread(snapshot.pages.span) {
        subject.problems.push(
            Diagnostic::new("bad-limit", snapshot.pages.span, "no page is read at all").help("allow one page or more"),
        );
    }
}

fn pages(subject: &Subject<'_>, snapshot: &Snapshot) {
    if let Some((way, span)) = snapshot.page.ways.iter().find(|(way, _)| matches!(*way, "offset" | "after")) {
        subject.problems.push(
            Diagnostic::new("wrong-page", *span, format!("the pages of a snapshot cannot be found by `{way}`"))
                .help("say `cursor` or `next`: what comes and goes between two pages must not be missed"),
        );
    }
}

fn mapped(subject: &Subject<'_>, spec: &Spec, snapshot: &Snapshot) {
    let problems = subject.problems;
    if spec.file.mappings.get(&snapshot.mapping.value).is_none() {
        if !problems.misread(snapshot.mapping.span) {
            let known = spec.file.mappings.names();
            problems.push(unknown("unknown-mapping", "mapping", &snapshot.mapping.value, snapshot.mapping.span, known));
        }
        return;
    }
    let streams = spec.file.data_streams.iter().filter(|(_, it)| it.mapping.value == snapshot.mapping.value);
    for (stream, word) in streams.filter(|(_, it)| it.every != snapshot.every.value) {
        if !problems.misread(snapshot.every.span) {
            let message = "two times are said to lie between two readings";
            problems.push(
                Diagnostic::new("two-intervals", snapshot.every.span, message)
                    .label(format!("`{}` says {} hours", stream.value, word.every.0.div_ceil(3600)))
                    .help("say the same in both: how long documents are kept is held against it"),
            );
        }
    }
}

fn gone(subject: &Subject<'_>, snapshot: &Snapshot) {
    let Some(gone) = &snapshot.gone else { return };
    let keeps =
        |path: &str| gone.keep.iter().any(|kept| path == kept.value || path.starts_with(&format!("{}.", kept.value)));
    if !keeps(&snapshot.id.value) && !gone.keep.iter().any(|kept| subject.problems.misread(kept.span)) {
        let span = gone.keep.first().map_or(snapshot.id.span, |kept| kept.span);
        let message = format!("nobody could tell which record has disappeared: `{}` is not kept", snapshot.id.value);
        subject
            .problems
            .push(Diagnostic::new("missing-key", span, message).help(format!("add `{}` to `keep`", snapshot.id.value)));
    }
    for path in gone.keep.iter().chain(gone.set.iter().map(|(path, _)| path)) {
        if path.value.contains("[]") && !subject.problems.misread(path.span) {
            subject.problems.push(
                Diagnostic::new("bad-path", path.span, format!("`{}` is the path of many values", path.value))
                    .help("name a field that a record has once"),
            );
        }
    }
}

fn deferred(subject: &Subject<'_>, spec: &Spec, deferred: &Deferred) {
    let Some(connection) = &spec.file.connection else { return };
    if connection.parameters.get(&deferred.asked.value).is_none() && !subject.problems.misread(deferred.asked.span) {
        let known = connection.parameters.names();
        let asked = &deferred.asked;
        subject.problems.push(unknown("unknown-parameter", "parameter", &asked.value, asked.span, known));
    }
    if deferred.pending.iter().any(|state| state.value == deferred.done.value) {
        let message = format!("`{}` means that it goes on, and that it is done", deferred.done.value);
        subject
            .problems
            .push(Diagnostic::new("name-clash", deferred.done.span, message).help("leave it out of `pending`"));
    }
}
