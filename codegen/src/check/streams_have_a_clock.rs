//! A stream reads a window of time by a field that its events have, and knows where its records are.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text;

pub fn check(subject: &Subject<'_>) {
    for (name, stream) in subject.specs.iter().flat_map(|spec| spec.file.streams.iter()) {
        let call = text::call(&stream.read, subject.sources, subject.problems);
        if let Some(parameter) = call.parameters.first() {
            subject.problems.push(
                Diagnostic::new("open-placeholder", stream.read.span.narrow(subject.sources, &format!("{{{parameter}}}")), format!("nothing fills `{{{parameter}}}`: a stream has no inputs"))
                    .help("write the path out"),
            );
        }
        for path in [&stream.window.clock, &stream.event.time, &stream.page.items] {
            text::checked_path(path, subject.problems);
        }
        if stream.window.from.value == stream.window.to.value {
            subject.problems.push(
                Diagnostic::new("name-clash", stream.window.to.span, format!("start and end of `{}` go into one parameter", name.value)).help("name the parameter that takes the end"),
            );
        }
        let ways = [stream.page.next.is_some(), stream.page.offset.is_some(), stream.page.after.is_some(), stream.page.cursor.is_some()];
        if ways.iter().filter(|it| **it).count() > 1 {
            subject.problems.push(Diagnostic::new("placed-twice", stream.page.items.span, "pages are found in two ways").help("say one of `next`, `offset`, `after` and `cursor`"));
        }
        if let Some(size) = &stream.page.size
            && !size.one_of.is_empty()
            && !size.one_of.contains(&size.ask)
        {
            let sizes: Vec<String> = size.one_of.iter().map(u64::to_string).collect();
            subject.problems.push(Diagnostic::new("bad-limit", stream.page.items.span, format!("the service takes no pages of {}", size.ask)).help(format!("ask for one of {}", sizes.join(", "))));
        }
        if let (Some(step), Some(widest)) = (stream.window.step, stream.window.widest)
            && step.0 > widest.0
        {
            subject.problems.push(Diagnostic::new("bad-limit", stream.window.from.span, "`step` is wider than `widest`, which the service refuses").help("make `step` at most `widest`"));
        }
    }
}
