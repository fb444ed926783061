//! What a data model makes of events is said of streams and generations that there are, and of fields with a path.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::{self, unknown};
use crate::spec::Spec;
use crate::spec::modelling::{Modelling, Row};

pub fn check(subject: &Subject<'_>) {
    for spec in subject.specs {
        for (_, modelling) in spec.file.modelling.iter() {
            streams(subject, spec, modelling);
            for row in modelling.streams.iter().flat_map(|(_, rows)| rows) {
                self::row(subject, modelling, row);
            }
        }
    }
}

fn streams(subject: &Subject<'_>, spec: &Spec, modelling: &Modelling) {
    let known = || spec.file.streams.names();
    for (name, _) in modelling.streams.iter().filter(|(name, _)| !known().any(|it| it == name.value)) {
        subject.problems.push(unknown("unknown-stream", "stream", &name.value, name.span, known()));
    }
}

fn row(subject: &Subject<'_>, modelling: &Modelling, row: &Row) {
    for path in &row.from.0 {
        text::checked_path(path, subject.problems);
    }
    let known = || modelling.generations.names();
    for (name, _) in row.within.iter().filter(|(name, _)| !known().any(|it| it == name.value)) {
        subject.problems.push(unknown("unknown-generation", "generation", &name.value, name.span, known()));
    }
    if row.to.0.is_empty() && row.within.0.is_empty() && !subject.problems.misread(row.span) {
        subject.problems.push(
            Diagnostic::new("missing-key", row.span, "nothing says what the field becomes")
                .help("say `to:`, or `in:` with a generation"),
        );
    }
}
