//! Reads connector specs, reports every mistake in them, and turns them into a crate.
//!
//! `read → resolve → check → emit`: texts become the language's words ([`spec`]), words become a [`model`] in which
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
    let model = resolve::resolve(&specs, sources, &problems);
    if model.connectors.len() == specs.len() {
        check::check(&check::Subject { specs: &specs, model: &model, sources, problems: &problems });
    }
    let mut mistakes = problems.into_inner();
    mistakes.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
    mistakes.dedup();
    if mistakes.is_empty() { Ok(model) } else { Err(mistakes) }
}

/// Reads the files, a spec for each folder, in the order of the folders' names.
fn read(sources: &[Source], problems: &Problems) -> Vec<Spec> {
    let mut folders: std::collections::BTreeMap<String, Vec<(FileId, spec::File)>> = std::collections::BTreeMap::new();
    for (id, source) in sources.iter().enumerate() {
        let id = id as FileId;
        let mut syntax = Vec::new();
        let node = yaml::parse(id, &source.text, &mut syntax);
        syntax.into_iter().for_each(|diagnostic| problems.push(diagnostic));
        let folder = source.path.rsplit('/').nth(1).unwrap_or_default().to_owned();
        let file = node.and_then(|node| spec::File::take(&node, problems)).unwrap_or_default();
        folders.entry(folder).or_default().push((id, file));
    }
    folders.into_iter().map(|(folder, files)| resolve::join(folder, files, sources, problems)).collect()
}
