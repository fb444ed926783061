//! Reading a service again and again: the [`rounds`] of a trigger, and the [`state`] that they leave behind.
//!
//! No vendor is named here; what a round reads is data of a [`Trigger`](connectome_core::connector::Trigger).

#[cfg(test)]
mod arbitrary;
mod change;
pub mod checkpoint;
pub mod collector;
pub mod key;
pub mod ledger;
pub mod mapping;
pub mod plan;
pub mod prepare;
pub mod raw;
pub mod rounds;
pub mod sieve;
pub mod sink;
pub mod snapshot;
pub mod source;
pub mod state;
pub mod view;
