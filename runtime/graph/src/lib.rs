//! An account as a graph: steps read records, records become entities, entities hang together by relationships; the
//! result is compared with what was there before and kept with its history.
//!
//! [`table`] is what generated code fills. [`map`] turns one record into objects. [`store`] keeps them in SQLite, where a
//! run is staged, joined, compared and applied in one transaction. [`sync`] runs the steps. [`export`] and [`changes`]
//! read what is kept.

pub mod changes;
pub mod export;
pub mod map;
pub mod object;
pub mod report;
pub mod resolve;
pub mod source;
pub mod stage;
pub mod store;
pub mod sync;
pub mod table;
#[cfg(test)]
mod tests;

pub use table::Graph;

/// A connector and the graph that it sees an account as.
pub type Seen = (&'static connectome_core::connector::Connector, &'static Graph);
