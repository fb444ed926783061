//! A synchronization job: its state, its counters, and what an upload says of it in the end.

use std::collections::{BTreeMap, BTreeSet};

use connectome_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};

/// A job, as the platform tells of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// Its state.
    pub status: String,
    /// Everything that it counts: `numEntitiesCreated` and the like.
    pub counters: BTreeMap<String, u64>,
    /// Whether the platform says that it has ended.
    done: bool,
}

/// What a state means for somebody who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It goes on.
    Going,
    /// It is done.
    Finished,
    /// It will not be done; what to do.
    Failed(&'static str),
}

const AGAIN: &str = "the graph is as it was before; run it again";

impl Job {
    /// Reads `{ "job": … }`.
    pub(super) fn read(answer: &Value) -> Result<Self, Error> {
        let job = &answer["job"];
        let text = |key: &str| job[key].as_str().unwrap_or_default().to_owned();
        let id = text("id");
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if id.is_empty() || id.len() > 200 || !id.chars().all(plain) {
            return Err(Error::new(ErrorKind::Protocol, "the answer does not tell of a job")
                .advice("check that the destination's URL is the platform's"));
        }
        let counters = job.as_object().into_iter().flatten();
        let counters = counters
            .filter(|(name, _)| name.starts_with("num"))
            .filter_map(|(name, value)| Some((name.clone(), value.as_u64()?)))
            .collect();
        Ok(Self { id, status: text("status"), counters, done: job["done"].as_bool().unwrap_or_default() })
    }

    pub(super) fn phase(&self) -> Phase {
        match self.status.as_str() {
            "FINISHED" => Phase::Finished,
            "AWAITING_UPLOADS" | "FINALIZE_PENDING" | "FINALIZING_ENTITIES" | "FINALIZING_RELATIONSHIPS" => {
                Phase::Going
            }
            "ABORTED" => Phase::Failed("somebody stopped the job; the graph is as it was before; run it again"),
            "ABORTED_DUE_TO_INVALID_CONFIGURATION" => {
                Phase::Failed("check the integration instance in the product, then run it again")
            }
            "ERROR_BAD_DATA" => {
                Phase::Failed("the platform did not take the objects: see the job's log in the product")
            }
            "ERROR_UNEXPECTED_FAILURE" | "UNKNOWN" => Phase::Failed(AGAIN),
            // A state that nobody has heard of fails nothing, unless it is the last.
            _ if self.done => Phase::Failed(AGAIN),
            _ => Phase::Going,
        }
    }

    /// A counter; 0 when the platform does not tell it.
    pub fn count(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or_default()
    }
}

/// What an upload did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// The job as it ended.
    pub job: Job,
    /// Entities that were taken.
    pub entities: u64,
    /// Relationships that were taken, mapped ones among them.
    pub relationships: u64,
    /// Batches that were taken.
    pub batches: u64,
    /// Types of which nothing is deleted.
    pub partial: BTreeSet<String>,
    /// What somebody should look at; at most a hundred are kept.
    pub warnings: Vec<String>,
    /// How many objects were too large even without their records.
    pub skipped: u64,
    /// Batches that were not taken: their types and why.
    pub failed: Vec<(BTreeSet<String>, String)>,
}

/// How many warnings are told one by one.
const TOLD: usize = 100;

impl Summary {
    pub(super) fn warn(&mut self, text: String) {
        tracing::warn!("{text}");
        if self.warnings.len() < TOLD {
            self.warnings.push(text);
        }
    }

    /// The summary as JSON.
    pub fn json(&self) -> Value {
        let failed: Vec<Value> =
            self.failed.iter().map(|(types, cause)| json!({ "types": types, "cause": cause })).collect();
        let counters: Map<String, Value> =
            self.job.counters.iter().map(|(name, count)| (name.clone(), json!(count))).collect();
        json!({
            "job": self.job.id, "status": self.job.status, "counters": counters, "entities": self.entities,
            "relationships": self.relationships, "batches": self.batches, "partial": self.partial,
            "warnings": self.warnings, "skipped": self.skipped, "failed": failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(job: Value) -> Phase {
        let mut job = job;
        job["id"] = json!("a-1");
        Job::read(&json!({ "job": job })).unwrap().phase()
    }

    #[test]
    fn every_state_is_going_finished_or_failed() {
        assert_eq!(phase(json!({ "status": "FINISHED" })), Phase::Finished);
        for going in ["AWAITING_UPLOADS", "FINALIZE_PENDING", "FINALIZING_ENTITIES", "FINALIZING_RELATIONSHIPS", "NEW"]
        {
            assert_eq!(phase(json!({ "status": going })), Phase::Going, "{going}");
        }
        assert!(matches!(phase(json!({ "status": "NEW", "done": true })), Phase::Failed(_)));
    }

    #[test]
    fn a_job_needs_an_id_that_can_stand_in_a_path() {
        for id in [json!(null), json!(""), json!(".."), json!("a/b"), json!(7), json!("a".repeat(201))] {
            assert!(Job::read(&json!({ "job": { "id": id, "status": "AWAITING_UPLOADS" } })).is_err(), "{id}");
        }
        assert!(Job::read(&json!([])).is_err());
    }
}
