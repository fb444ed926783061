//! Each stage of a mapping does something, converts to kinds that exist, and writes to fields with a name.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::resolve::text::{self, unknown};
use crate::spec::graph::Source;
use crate::spec::mapping::Stage;

/// The kinds that a field can be converted to.
const KINDS: [&str; 6] = ["date", "boolean", "long", "double", "ip", "string"];

pub fn check(subject: &Subject<'_>) {
    for (_, mapping) in subject.specs.iter().flat_map(|spec| spec.file.mappings.iter()) {
        for stage in &mapping.stages {
            if is_empty(stage) {
                subject.problems.push(
                    Diagnostic::new("empty-stage", stage.span, "this stage does nothing")
                        .help("say one of `set`, `copy_all`, `convert`, `copy`, `append`, `expand_dots`, `remove` and `remove_empty`"),
                );
            }
            for (kind, fields) in stage.convert.iter() {
                if !KINDS.contains(&kind.value.as_str()) {
                    subject.problems.push(unknown("unknown-converter", "converter", &kind.value, kind.span, KINDS));
                }
                for field in fields {
                    text::checked_path(field, subject.problems);
                }
            }
            for (target, source) in stage.copy.iter() {
                text::checked_path(target, subject.problems);
                if let Source::Path(path) = source {
                    text::checked_path(path, subject.problems);
                }
            }
        }
    }
}

fn is_empty(stage: &Stage) -> bool {
    stage.set.0.is_empty()
        && stage.copy_all.is_none()
        && stage.convert.0.is_empty()
        && stage.copy.0.is_empty()
        && stage.append.0.is_empty()
        && stage.expand_dots.is_none()
        && stage.remove.is_empty()
        && !stage.remove_empty
}
