//! The pages of an action, a stream or a step are found in one way, by sizes that the service takes.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text;
use crate::spec::exchange::Page;

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        let streams = spec.file.streams.iter().map(|(_, stream)| &stream.page);
        let steps = spec.file.steps.iter().map(|(_, step)| &step.page);
        let actions = spec.file.actions.iter().filter_map(|(_, action)| action.exchange.page.as_ref());
        let snapshots = spec.file.snapshots.iter().map(|(_, snapshot)| &snapshot.page);
        streams.chain(steps).chain(snapshots).chain(actions).for_each(|it| page(subject, it));
    }
}

fn page(subject: &Subject<'_>, page: &Page) {
    let problems = subject.problems;
    let offset = page.offset.as_ref().and_then(|it| it.more.as_ref());
    let after = page.after.as_ref().map(|it| [&it.field, &it.body]);
    let cursor = page.cursor.as_ref().map(|it| &it.from);
    for path in
        [Some(&page.items), page.next.as_ref(), offset, cursor].into_iter().flatten().chain(after.into_iter().flatten())
    {
        text::checked_path(path, problems);
    }
    if let [(first, _), (second, span), ..] = page.ways.as_slice() {
        problems.push(
            Diagnostic::new("wrong-page", *span, format!("pages are found by `{first}` and by `{second}`"))
                .help("say one of `next`, `offset`, `after` and `cursor`"),
        );
    }
    if let Some(cursor) =
        page.cursor.as_ref().filter(|it| it.body.is_some() == it.query.is_some() && !problems.misread(it.span))
    {
        let place = if cursor.body.is_some() { "two places" } else { "no place" };
        problems.push(
            Diagnostic::new("wrong-page", cursor.from.span, format!("the cursor goes into {place}"))
                .help("say one of `query: NAME` and `body: PATH`"),
        );
    }
    let Some(size) = page.size.as_ref().filter(|it| !problems.misread(it.span)) else { return };
    if size.body.is_some() == size.query.is_some() {
        let place = if size.body.is_some() { "two places" } else { "no place" };
        problems.push(
            Diagnostic::new("wrong-page", size.ask.span, format!("the page size goes into {place}"))
                .help("say one of `query: NAME` and `body: PATH`"),
        );
    }
    if !size.one_of.is_empty() && !size.one_of.contains(&size.ask.value) {
        let sizes: Vec<String> = size.one_of.iter().map(u64::to_string).collect();
        problems.push(
            Diagnostic::new("bad-limit", size.ask.span, format!("the service takes no pages of {}", size.ask.value))
                .help(format!("ask for one of {}", sizes.join(", "))),
        );
    }
}
