//! Reads connector specs, reports every mistake in them, and turns them into a crate.
//!
//! `read → resolve → check → emit`: texts become the language's words ([`spec`]), words become a [`mod@model`] in which
//! nothing must be looked up, rules of [`check`] look at it, and each file of [`emit`] prints one kind of output.
//! [`generate`] is a pure function from texts to texts; only [`output`] and [`input`] touch the disk.

pub mod check;
pub mod diagnostic;
pub mod emit;
pub mod input;
pub mod model;
pub mod names;
pub mod output;
pub mod read;
pub mod resolve;
pub mod source;
pub mod spec;
pub mod yaml;

use diagnostic::Diagnostic;
use emit::Layout;
use model::Model;
use output::File;
use read::{Form, Problems};
use source::{FileId, Source};
use spec::Spec;

/// Every file that the specs become, or every mistake in them.
pub fn generate(sources: &[Source], layout: &Layout) -> Result<Vec<File>, Vec<Diagnostic>> {
    Ok(emit::files(&model(sources)?, layout))
}

/// The resolved and checked model, or every mistake.
pub fn model(sources: &[Source]) -> Result<Model, Vec<Diagnostic>> {
    let problems = Problems::default();
    let specs = read(sources, &problems);
    problems.all_read();
    let (specs, model) = resolve::resolve(specs, sources, &problems);
    check::check(&check::Subject { specs: &specs, model: &model, sources, problems: &problems });
    let mut mistakes = problems.into_inner();
    let misspelt: Vec<&str> =
        mistakes.iter().filter(|it| it.code == "unknown-key").map(|it| folder(it, sources)).collect();
    let lost: Vec<bool> = mistakes.iter().map(|it| it.lost && misspelt.contains(&folder(it, sources))).collect();
    let mut lost = lost.into_iter();
    mistakes.retain(|_| !lost.next().unwrap_or_default());
    mistakes.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
    mistakes.dedup();
    if mistakes.is_empty() { Ok(model) } else { Err(mistakes) }
}

/// The connector's folder in which a mistake is.
fn folder<'a>(mistake: &Diagnostic, sources: &'a [Source]) -> &'a str {
    sources.get(mistake.span.file as usize).and_then(|source| source.path.rsplit('/').nth(1)).unwrap_or_default()
}

/// Reads the files, a spec for each folder, in the order of the folders' names.
fn read(sources: &[Source], problems: &Problems) -> Vec<Spec> {
    let mut folders: std::collections::BTreeMap<String, Vec<(FileId, Option<spec::File>)>> =
        std::collections::BTreeMap::new();
    for (id, source) in sources.iter().enumerate() {
        let id = id as FileId;
        let folder = source.path.rsplit('/').nth(1).unwrap_or_default().to_owned();
        folders.entry(folder).or_default().push((id, file(id, &source.text, problems)));
    }
    folders.into_iter().map(|(folder, files)| resolve::join(folder, files, sources, problems)).collect()
}

/// One file, or nothing when it cannot be read at all.
fn file(id: FileId, text: &str, problems: &Problems) -> Option<spec::File> {
    let mut syntax = Vec::new();
    let node = yaml::parse(id, text, &mut syntax);
    syntax.into_iter().for_each(|diagnostic| problems.push(diagnostic));
    match node {
        Ok(Some(node)) if !matches!(node.value, yaml::Value::Map(_) | yaml::Value::Null) => {
            let sections = "begin with a section such as `connector:`, `actions:` or `types:`";
            problems.push(read::wrong_kind(&node, "the sections of a spec file").help(sections));
            None
        }
        Ok(Some(node)) if node.value != yaml::Value::Null => {
            let file = spec::File::take(&node, problems);
            // `atcions:` hides what it declares, and every use of that would be a mistake.
            let sections = if let yaml::Value::Map(entries) = &node.value { entries.as_slice() } else { &[] };
            file.filter(|_| !sections.iter().any(|(key, _)| problems.told_as("unknown-key", key.span)))
        }
        // A file of comments says nothing, and nothing wrong.
        Ok(_) => Some(spec::File::default()),
        Err(yaml::Unreadable) => None,
    }
}
