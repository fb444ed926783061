//! No record holds itself, not even by way of others.

use super::Subject;
use crate::diagnostic::Diagnostic;
use crate::model::{Connector, RecordId};

pub fn check(subject: &Subject<'_>) {
    for connector in &subject.model.connectors {
        for at in 0..connector.records.len() {
            if connector.records[at].refines.is_some() {
                continue;
            }
            if let Some(path) = cycle(connector, RecordId(at)) {
                let record = &connector.records[at];
                let names: Vec<String> = path.iter().map(|id| format!("`{}`", connector.record(*id).name)).collect();
                subject.problems.push(
                    Diagnostic::new(
                        "type-cycle",
                        record.span,
                        format!("`{}` holds itself: {} → `{}`", record.name, names.join(" → "), record.name),
                    )
                    .help("give one of the fields `type: object`"),
                );
            }
        }
    }
}

/// A way from a record back to itself, found once: at the first record of the cycle.
fn cycle(connector: &Connector, start: RecordId) -> Option<Vec<RecordId>> {
    let mut seen = vec![false; connector.records.len()];
    let mut open = vec![vec![start]];
    while let Some(path) = open.pop() {
        let last = *path.last()?;
        for next in connector.record(last).fields.iter().filter_map(|field| field.ty.record()) {
            if next == start {
                return (path.iter().min() == Some(&start)).then_some(path);
            }
            if !std::mem::replace(&mut seen[next.0], true) {
                open.push([path.as_slice(), &[next]].concat());
            }
        }
    }
    None
}
