//! A stream reads a window of time by a field that its events have, and changes events by one verb at a time.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text;
use crate::spec::stream::{Stream, Transform};

pub fn check(subject: &Subject<'_>) {
    for (name, stream) in subject.specs.iter().flat_map(|spec| spec.file.streams.iter()) {
        call(subject, stream);
        let paths = [&stream.window.clock, &stream.event.time]
            .into_iter()
            .chain(&stream.window.count)
            .chain(&stream.event.id.0);
        for path in paths {
            text::checked_path(path, subject.problems);
        }
        let (from, to) = (&stream.window.from, &stream.window.to);
        if from.value == to.value && !subject.problems.misread(from.span) && !subject.problems.misread(to.span) {
            subject.problems.push(
                Diagnostic::new(
                    "name-clash",
                    to.span,
                    format!("start and end of `{}` go into one parameter", name.value),
                )
                .help("name the parameter that takes the end"),
            );
        }
        if let (Some(step), Some(widest)) = (stream.window.step, stream.window.widest)
            && step.0 > widest.0
        {
            subject.problems.push(
                Diagnostic::new(
                    "bad-limit",
                    stream.window.step_span,
                    "`step` is wider than `widest`, which the service refuses",
                )
                .help("make `step` at most `widest`"),
            );
        }
        if let Some(expired) = stream
            .expired_cursor
            .as_ref()
            .filter(|it| it.message_contains.is_none() && it.status.0.is_empty() && !subject.problems.misread(it.span))
        {
            subject.problems.push(
                Diagnostic::new("missing-key", expired.span, "nothing says what the refusal of an old cursor is like")
                    .help("say `message_contains:` or `status:`"),
            );
        }
        stream.transforms.iter().for_each(|it| transform(subject, it));
    }
}

fn call(subject: &Subject<'_>, stream: &Stream) {
    let call = text::call(&stream.read, subject.sources, subject.problems);
    if let Some(parameter) = call.parameters.first().filter(|_| !subject.problems.told(stream.read.span)) {
        let placeholder = format!("{{{parameter}}}");
        subject.problems.push(
            Diagnostic::new(
                "open-placeholder",
                stream.read.span.narrow(subject.sources, &placeholder),
                format!("nothing fills `{placeholder}`: a stream has no inputs"),
            )
            .help("write the path out"),
        );
    }
}

fn transform(subject: &Subject<'_>, transform: &Transform) {
    super::one_verb(subject, "transform", &transform.verbs, transform.span, &Transform::VERBS);
    let copied = transform.copy.iter().map(|(_, from)| from);
    for path in transform
        .join
        .iter()
        .chain(&transform.epoch_to_text)
        .chain(&transform.fill_null)
        .chain(&transform.drop)
        .chain(copied)
    {
        text::checked_path(path, subject.problems);
    }
}
