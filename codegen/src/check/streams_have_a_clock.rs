//! A stream reads a window of time by a field that its events have, and changes events by one verb at a time.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::read::Names;
use crate::resolve::stream::TIME;
use crate::resolve::text;
use crate::spec::Name;
use crate::spec::stream::{Stream, Transform};

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        called(subject, &spec.file.streams);
    }
    for (name, stream) in subject.specs.iter().flat_map(|spec| spec.file.streams.iter()) {
        call(subject, stream);
        super::refusals(subject, &stream.passing);
        stream.expired_cursor.iter().for_each(|it| super::refusals(subject, &it.status));
        let paths = [Some(&stream.window.clock), stream.event.time.as_ref(), stream.window.count.as_ref()];
        for path in paths.into_iter().flatten().chain(&stream.event.id.0) {
            single(subject, path);
        }
        parameters(subject, name, stream);
        delivered(subject, stream);
        example(subject, stream);
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

/// Names by which commands find a stream, in any case and with blanks or hyphens between words.
fn called(subject: &Subject<'_>, streams: &Names<Stream>) {
    let plain = |name: &str| name.to_lowercase().replace([' ', '-'], "_");
    let mut known: Vec<(String, &str)> = Vec::new();
    for (name, stream) in streams.iter() {
        for called in [name].into_iter().chain(&stream.aliases) {
            match known.iter().find(|(it, _)| *it == plain(&called.value)) {
                Some((_, other)) => subject.problems.push(
                    Diagnostic::new(
                        "name-clash",
                        called.span,
                        format!("`{}` is a name of stream `{other}` already", called.value),
                    )
                    .help("leave it out, or give it another name"),
                ),
                None => known.push((plain(&called.value), &name.value)),
            }
        }
    }
}

/// A path to one value.
fn single(subject: &Subject<'_>, path: &Name) {
    text::checked_path(path, subject.problems);
    if path.value.contains("[]") && !subject.problems.misread(path.span) {
        subject.problems.push(
            Diagnostic::new("bad-path", path.span, format!("`{}` is the path of many values", path.value))
                .help("name a field that an event has once"),
        );
    }
}

/// What goes into the query: values that would overwrite each other.
fn parameters(subject: &Subject<'_>, name: &Name, stream: &Stream) {
    let problems = subject.problems;
    let (from, to) = (&stream.window.from, &stream.window.to);
    if from.value == to.value && !problems.misread(from.span) && !problems.misread(to.span) {
        problems.push(
            Diagnostic::new("name-clash", to.span, format!("start and end of `{}` go into one parameter", name.value))
                .help("name the parameter that takes the end"),
        );
        return;
    }
    let size = stream.page.size.as_ref().and_then(|size| size.query.as_ref());
    for (at, fixed) in [from, to].into_iter().chain(size).enumerate() {
        let taken = stream.query.iter().any(|(known, _)| known.value == fixed.value)
            || (at == 2 && [from, to].iter().any(|it| it.value == fixed.value));
        if taken && !problems.misread(fixed.span) {
            problems.push(
                Diagnostic::new(
                    "name-clash",
                    fixed.span,
                    format!("the query parameter `{}` is said twice", fixed.value),
                )
                .help("leave one of the two out"),
            );
        }
    }
}

/// The names that a delivered event gets: values that would overwrite each other.
fn delivered(subject: &Subject<'_>, stream: &Stream) {
    let copied = stream.transforms.iter().flat_map(|it| it.copy.iter().map(|(name, _)| name));
    let added = stream.event.add.iter().map(|(name, _)| name);
    let time = stream.event.deliver_time_as.as_ref();
    let mut known: Vec<&str> = if time.is_none() { vec![TIME] } else { Vec::new() };
    for name in time.into_iter().chain(copied).chain(added) {
        if known.contains(&name.value.as_str()) && !subject.problems.misread(name.span) {
            let (why, help) = if name.value == time.map_or(TIME, |it| it.value.as_str()) {
                let why = format!("`{}` is the time of the event", name.value);
                (why, "leave this out, or name the time by `event.time` and `event.deliver_time_as`")
            } else {
                (format!("an event gets `{}` twice", name.value), "leave one of the two out, or give it another name")
            };
            subject.problems.push(Diagnostic::new("name-clash", name.span, why).help(help));
        }
        known.push(&name.value);
    }
}

/// The example is an event of the stream.
fn example(subject: &Subject<'_>, stream: &Stream) {
    let Some(example) = &stream.example else { return };
    let at = |path: &Name| text::path(&path.value).iter().try_fold(&example.value, |value, key| value.get(key));
    let problem = |message: String, help: &str| {
        subject.problems.push(Diagnostic::new("example-differs", example.span(), message).help(help));
    };
    if !example.value.is_object() {
        return problem("the example is no event".to_owned(), "write an object, as the service gives it");
    }
    for path in [Some(&stream.window.clock), stream.event.time.as_ref()].into_iter().flatten().chain(&stream.event.id.0)
    {
        if at(path).is_none() && !subject.problems.told(path.span) {
            problem(format!("the example has no `{}`", path.value), "add it, or correct the stream");
        }
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
