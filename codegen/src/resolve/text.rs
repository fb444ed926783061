//! The small notations inside texts: calls, paths, conditional names, sources.

use crate::diagnostic::Diagnostic;
use crate::model::{Call, Conditional, Source};
use crate::read::Problems;
use crate::source::{Source as File, Span};
use crate::spec::Name;
use crate::spec::field::Format;

/// `GET /alerts/{alert_id}`.
pub fn call(text: &Name, sources: &[File], problems: &Problems) -> Call {
    const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let (method, path) = text.value.split_once(' ').unwrap_or(if text.value.starts_with('/') {
        ("", text.value.as_str())
    } else {
        (text.value.as_str(), "")
    });
    let path = path.trim();
    let made = Call { method: method.to_owned(), path: path.to_owned(), parameters: braces(path).0 };
    if problems.misread(text.span) {
        return made;
    }
    if method.is_empty() {
        let path = if path.is_empty() { "/path" } else { path };
        problems.push(
            Diagnostic::new("bad-call", text.span, "a call begins with a method")
                .label("there is no method")
                .help(format!("write `GET {path}`")),
        );
    } else if !METHODS.contains(&method) {
        problems.push(
            Diagnostic::new("bad-call", text.span.narrow(sources, method), format!("`{method}` is not a method")).help(
                crate::diagnostic::nearest(method, METHODS)
                    .map_or("write it as `GET /path`".to_owned(), |near| format!("did you mean `{near}`?")),
            ),
        );
    } else if !path.starts_with('/') {
        problems.push(
            Diagnostic::new("bad-call", text.span, "a call is a method and a path that begins with `/`")
                .label(if path.is_empty() { "there is no path" } else { "the path does not begin with `/`" })
                .help(if path.is_empty() {
                    format!("write `{method} /path`")
                } else {
                    format!("write `{method} {}", below_host(path))
                }),
        );
    } else if let (_, Some((problem, part))) = braces(path) {
        problems.push(
            Diagnostic::new("bad-template", text.span.narrow(sources, part), problem)
                .help("a name stands in a pair of braces, as `{alert_id}`"),
        );
    } else if let Some(at) = path.find(['?', '#', ' ']) {
        let what = match path.as_bytes()[at] {
            b'?' => "a path holds no query",
            b'#' => "a path holds no fragment",
            _ => "a path holds no blank",
        };
        problems.push(Diagnostic::new("bad-call", text.span.narrow(sources, &path[at..]), what).help(
            if path[at..].starts_with('?') { "put query parameters under `query:`" } else { "end the path before it" },
        ));
    }
    made
}

/// The path of what was written as a whole address: `base` says the rest.
fn below_host(path: &str) -> String {
    match path.split_once("://") {
        Some((_, rest)) => {
            format!("/{}` without what `base` says already", rest.split_once('/').map_or("path", |it| it.1))
        }
        None => format!("/{path}`"),
    }
}

/// The names in braces of a template, and what is wrong with it: a message and the part it is about.
pub fn braces(template: &str) -> (Vec<String>, Option<(&'static str, &str)>) {
    let mut names = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find(['{', '}']) {
        if rest[open..].starts_with('}') {
            return (names, Some(("a `}` without its `{`", &rest[open..=open])));
        }
        let after = &rest[open + 1..];
        match after.find(['{', '}']) {
            Some(close) if after[close..].starts_with('}') && close > 0 => {
                names.push(after[..close].to_owned());
                rest = &after[close + 1..];
            }
            Some(close) if after[close..].starts_with('}') => {
                return (names, Some(("`{}` names nothing", &rest[open..open + 2])));
            }
            _ => return (names, Some(("a `{` without its `}`", &rest[open..]))),
        }
    }
    (names, None)
}

/// `NAME` or `NAME if FORMAT`.
pub fn conditional(text: &Name, sources: &[File], problems: &Problems) -> Conditional {
    let Some((name, format)) = text.value.split_once(" if ") else {
        return Conditional { name: text.value.trim().to_owned(), when: None };
    };
    let format = format.trim();
    let when = Format::parse(format);
    if when.is_none() {
        problems.push(
            Diagnostic::new(
                "unknown-choice",
                text.span.narrow_last(sources, format),
                format!("`{format}` is not a format"),
            )
            .suggest(format, Format::ALL.iter().map(|(name, _, _)| *name)),
        );
    }
    Conditional { name: name.trim().to_owned(), when }
}

/// `impact.entities` as its keys. A part may end in `[]`.
pub fn path(text: &str) -> Vec<String> {
    text.split('.').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A path that must be written well.
pub fn checked_path(text: &Name, problems: &Problems) -> Vec<String> {
    if !is_path(&text.value) && !problems.misread(text.span) {
        problems.push(no_path(text));
    }
    path(&text.value)
}

fn is_path(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '}')))
}

fn no_path(text: &Name) -> Diagnostic {
    Diagnostic::new("bad-path", text.span, format!("`{}` is not a path", text.value))
        .help("write keys with dots between them, as `data.items`")
}

/// Where an output comes from.
pub fn source(text: &Name, problems: &Problems) -> Source {
    let words: Vec<&str> = text.value.split_whitespace().collect();
    match words.as_slice() {
        ["body"] => Source::Body(Vec::new()),
        [word] if word.starts_with("body.") => {
            if !is_path(word) {
                problems.push(no_path(text));
            }
            Source::Body(path(&word[5..]))
        }
        ["header", name] => Source::Header((*name).to_owned()),
        ["items"] => Source::Items,
        ["count", "of", "items"] => Source::CountOfItems,
        ["each", "answer"] => Source::EachAnswer,
        ["status"] => Source::Status,
        _ => {
            const KNOWN: [&str; 5] = ["body", "items", "count of items", "each answer", "status"];
            let near = crate::diagnostic::nearest(&text.value, KNOWN);
            problems.push(
                Diagnostic::new("unknown-source", text.span, format!("`{}` is nothing that an answer has", text.value)).help(near.map_or_else(
                    || "write `body`, `body.PATH`, `header NAME`, `items`, `count of items`, `each answer` or `status`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                )),
            );
            Source::Body(Vec::new())
        }
    }
}

/// A name that nothing has.
pub fn unknown<'a>(
    code: &'static str,
    what: &str,
    name: &str,
    span: Span,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let known: Vec<&str> = known.into_iter().collect();
    let diagnostic =
        Diagnostic::new(code, span, format!("unknown {what} `{name}`")).suggest(name, known.iter().copied());
    match diagnostic.help {
        Some(_) => diagnostic,
        None if known.is_empty() => diagnostic
            .label(format!("no {what} is declared"))
            .help("declare one of this name, or leave this out")
            .lost(),
        None => diagnostic.help("use a name that is declared, or declare this one"),
    }
}
