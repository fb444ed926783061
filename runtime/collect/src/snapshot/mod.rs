//! Lists that are read as a whole each time: what changed since the last time is sent, and what has disappeared is marked.
//!
//! A reading goes from the first page to the last. Of each record is remembered what it held when a sink last took it, so
//! that a reading that ends anywhere goes on, next time, with what is not delivered yet; no cursor outlives a process.

mod content;
mod due;
mod endpoint;
mod poller;
mod progress;

pub use endpoint::Endpoint;
pub use poller::{Pages, Poller, Rules};
pub use progress::{Progress, Reading, Totals};

#[cfg(test)]
mod tests;
