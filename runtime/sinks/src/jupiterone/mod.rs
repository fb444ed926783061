//! The synchronization protocol of the graph platform JupiterOne.
//!
//! A job is the complete new state of an integration instance's part of the graph. [`upload`] makes one: entities first,
//! then relationships, in batches that are compressed as they fill, so that a graph of any size needs little memory. The
//! platform compares when the job is finalized; until then nothing of its graph changes, and a job that is aborted leaves
//! everything as it was.

mod batch;
mod calls;
mod destination;
mod event;
mod job;
#[cfg(feature = "simulator")]
pub mod simulated;
mod upload;

pub use destination::{Destination, KEY_VARIABLE, Limits};
pub use event::{Event, reason};
pub use job::{Job, Summary};
pub use upload::{Feed, Plan, feed, upload};
