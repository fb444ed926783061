//! What a run did: step by step, and type by type.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What became of the objects of one type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// 0 for entities, 1 for relationships, 2 for relationships with other integrations' entities.
    pub kind: i64,
    /// Not there before.
    pub created: u64,
    /// Different from before.
    pub updated: u64,
    /// As before.
    pub unchanged: u64,
    /// No longer there.
    pub deleted: u64,
    /// Not seen, and kept because the type is partial.
    pub kept: u64,
}

/// How a step ended.
#[derive(Debug, Clone)]
pub enum Status {
    /// All records were read.
    Done,
    /// The account has no such records.
    Absent(String),
    /// Some records were read.
    Cut(String),
    /// It failed: the error, and what to do.
    Failed(connectome_core::Error),
}

/// A step's part of a report.
#[derive(Debug, Clone)]
pub struct StepReport {
    /// Its name.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// How it ended.
    pub status: Status,
    /// How many records it read.
    pub records: u64,
}

/// What a run did.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The steps, in the order of the spec.
    pub steps: Vec<StepReport>,
    /// Types of which nothing is deleted, and why.
    pub partial: BTreeMap<String, String>,
    /// What became of the objects, by type.
    pub types: BTreeMap<String, Counts>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
    /// What breaks the rules of the data model; at most a hundred are kept.
    pub violations: Vec<String>,
    /// How many violations there are.
    pub violated: u64,
    /// Relationships that were left out because an end is not there, by type.
    pub dangling: BTreeMap<String, u64>,
    /// Relationships with other integrations' entities that are in the local graph.
    pub found: u64,
}

/// How many violations are told one by one.
pub const TOLD: usize = 100;

impl Report {
    /// Whether everything was read.
    pub fn is_whole(&self) -> bool {
        self.partial.is_empty() && self.steps.iter().all(|step| matches!(step.status, Status::Done | Status::Absent(_)))
    }

    /// Whether nothing was read.
    pub fn is_nothing(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| matches!(step.status, Status::Failed(_)))
    }

    /// How many objects were created, updated and deleted.
    pub fn changes(&self) -> u64 {
        self.types.values().map(|counts| counts.created + counts.updated + counts.deleted).sum()
    }

    /// Notes a violation.
    pub fn violation(&mut self, text: String) {
        self.violated += 1;
        if self.violations.len() < TOLD {
            self.violations.push(text);
        }
    }

    /// The report as JSON.
    pub fn json(&self) -> Value {
        let steps: Vec<Value> = self
            .steps
            .iter()
            .map(|step| {
                let (status, cause, advice) = match &step.status {
                    Status::Done => ("done", None, None),
                    Status::Absent(why) => ("absent", Some(why.clone()), None),
                    Status::Cut(why) => ("partial", Some(why.clone()), None),
                    Status::Failed(error) => ("failed", Some(error.to_string()), error.parts().advice.clone()),
                };
                let mut one = Map::new();
                one.insert("step".to_owned(), json!(step.name));
                one.insert("title".to_owned(), json!(step.title));
                one.insert("status".to_owned(), json!(status));
                one.insert("records".to_owned(), json!(step.records));
                one.extend(cause.map(|cause| ("cause".to_owned(), json!(cause))));
                one.extend(advice.map(|advice| ("remedy".to_owned(), json!(advice))));
                Value::Object(one)
            })
            .collect();
        let types: Map<String, Value> = self
            .types
            .iter()
            .map(|(ty, counts)| {
                let kind = ["entity", "relationship", "mapped relationship"][counts.kind.clamp(0, 2) as usize];
                let Counts { created, updated, unchanged, deleted, kept, .. } = counts;
                (
                    ty.clone(),
                    json!({ "kind": kind, "created": created, "updated": updated, "unchanged": unchanged, "deleted": deleted, "kept": kept }),
                )
            })
            .collect();
        json!({
            "steps": steps, "types": types, "partial": self.partial, "warnings": self.warnings,
            "violations": self.violations, "violated": self.violated, "dangling": self.dangling, "found": self.found,
        })
    }
}
