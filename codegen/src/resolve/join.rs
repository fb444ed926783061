//! The files of a folder, read as one. A name said in two files is a mistake that names both.

use crate::diagnostic::Diagnostic;
use crate::read::{Names, Problems};
use crate::source::{FileId, Source, Span};
use crate::spec::simulator::Simulator;
use crate::spec::{File, Spec};

/// Joins the files of one connector.
pub fn join(folder: String, files: Vec<(FileId, Option<File>)>, sources: &[Source], problems: &Problems) -> Spec {
    let whole = files.iter().all(|(_, file)| file.is_some());
    let mut spec = Spec { folder, file: File::default(), files: files.iter().map(|(id, _)| *id).collect(), whole };
    for file in files.into_iter().filter_map(|(_, file)| file) {
        let whole = &mut spec.file;
        let named = Joining { sources, problems };
        once(&mut whole.connector, file.connector, |it| it.span, "connector", &named);
        once(&mut whole.connection, file.connection, |it| it.span, "connection", &named);
        named.simulator(&mut whole.simulator, file.simulator);
        named.extend(&mut whole.enums, file.enums);
        named.extend(&mut whole.variants, file.variants);
        named.extend(&mut whole.types, file.types);
        named.extend(&mut whole.actions, file.actions);
        named.extend(&mut whole.triggers, file.triggers);
        named.extend(&mut whole.roles, file.roles);
        named.extend(&mut whole.streams, file.streams);
        once(&mut whole.collection, file.collection, |it| it.span, "collection", &named);
        named.extend(&mut whole.modelling, file.modelling);
        named.extend(&mut whole.dialects, file.dialects);
        named.extend(&mut whole.classes, file.classes);
        named.extend(&mut whole.lookups, file.lookups);
        named.extend(&mut whole.steps, file.steps);
        named.extend(&mut whole.entities, file.entities);
        named.extend(&mut whole.mappings, file.mappings);
        named.extend(&mut whole.snapshots, file.snapshots);
        named.extend(&mut whole.data_streams, file.data_streams);
        whole.relationships.extend(file.relationships);
        whole.demo.extend(file.demo);
    }
    spec
}

fn once<T>(whole: &mut Option<T>, part: Option<T>, span: impl Fn(&T) -> Span, name: &str, joining: &Joining<'_>) {
    let Some(part) = part else { return };
    match whole {
        Some(known) => joining.twice(name, span(&part), span(known), "keep one of the two"),
        None => *whole = Some(part),
    }
}

struct Joining<'a> {
    sources: &'a [Source],
    problems: &'a Problems,
}

impl Joining<'_> {
    fn twice(&self, name: &str, here: Span, there: Span, help: &str) {
        let label = format!("it is also in {}", self.sources[there.file as usize].path);
        self.problems
            .push(Diagnostic::new("said-twice", here, format!("`{name}` is said twice")).label(label).help(help));
    }

    /// Each file may say what the simulated service holds and does for its theme.
    fn simulator(&self, whole: &mut Option<Simulator>, part: Option<Simulator>) {
        let Some(part) = part else { return };
        let Some(known) = whole else {
            *whole = Some(part);
            return;
        };
        once(&mut known.public_origin, part.public_origin, |it| it.span, "public_origin", self);
        self.extend(&mut known.collections, part.collections);
        self.extend(&mut known.errors, part.errors);
        self.extend(&mut known.calls, part.calls);
    }

    fn extend<T>(&self, whole: &mut Names<T>, part: Names<T>) {
        for (name, value) in part.0 {
            match whole.0.iter().find(|(known, _)| known.value == name.value) {
                Some((known, _)) => {
                    self.twice(&name.value, name.span, known.span, "keep one of the two, or give this one another name")
                }
                None => whole.0.push((name, value)),
            }
        }
    }
}
