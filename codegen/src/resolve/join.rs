//! The files of a folder, read as one. A name said in two files is a mistake that names both.

use crate::diagnostic::Diagnostic;
use crate::read::{Names, Problems};
use crate::source::{FileId, Source};
use crate::spec::{File, Spec};

/// Joins the files of one connector.
pub fn join(folder: String, files: Vec<(FileId, Option<File>)>, sources: &[Source], problems: &Problems) -> Spec {
    let whole = files.iter().all(|(_, file)| file.is_some());
    let mut spec = Spec { folder, file: File::default(), files: files.iter().map(|(id, _)| *id).collect(), whole };
    for file in files.into_iter().filter_map(|(_, file)| file) {
        let whole = &mut spec.file;
        once(&mut whole.connector, file.connector, |it| it.name.span, "connector", problems);
        once(&mut whole.connection, file.connection, |it| it.base.span, "connection", problems);
        once(&mut whole.simulator, file.simulator, |it| it.collections.0.first().map_or_else(Default::default, |(name, _)| name.span), "simulator", problems);
        let named = Joining { sources, problems };
        named.extend(&mut whole.enums, file.enums);
        named.extend(&mut whole.variants, file.variants);
        named.extend(&mut whole.types, file.types);
        named.extend(&mut whole.actions, file.actions);
        named.extend(&mut whole.triggers, file.triggers);
        named.extend(&mut whole.roles, file.roles);
        named.extend(&mut whole.streams, file.streams);
        named.extend(&mut whole.dialects, file.dialects);
        named.extend(&mut whole.steps, file.steps);
        named.extend(&mut whole.entities, file.entities);
        named.extend(&mut whole.mappings, file.mappings);
        whole.relationships.extend(file.relationships);
        whole.demo.extend(file.demo);
    }
    spec
}

fn once<T>(whole: &mut Option<T>, part: Option<T>, span: impl Fn(&T) -> crate::source::Span, name: &str, problems: &Problems) {
    let Some(part) = part else { return };
    if whole.is_some() {
        problems.push(Diagnostic::new("said-twice", span(&part), format!("`{name}` is said in two files")).help("say it in one"));
    } else {
        *whole = Some(part);
    }
}

struct Joining<'a> {
    sources: &'a [Source],
    problems: &'a Problems,
}

impl Joining<'_> {
    fn extend<T>(&self, whole: &mut Names<T>, part: Names<T>) {
        for (name, value) in part.0 {
            match whole.0.iter().find(|(known, _)| known.value == name.value) {
                Some((known, _)) => self.problems.push(
                    Diagnostic::new("said-twice", name.span, format!("`{}` is said twice", name.value))
                        .label(format!("it is also in {}", self.sources[known.span.file as usize].path))
                        .help("keep one of the two, or give this one another name"),
                ),
                None => whole.0.push((name, value)),
            }
        }
    }
}
