//! Reading a service again and again: the [`rounds`] of a trigger, streams of events by a [`collector`], lists as a whole by a
//! [`snapshot`]. What is read goes through a [`mapping`] to a [`sink`]; [`state`] and [`ledger`] remember how far it came.

#[cfg(test)]
mod arbitrary;
pub mod canonical;
mod change;
pub mod checkpoint;
pub mod collector;
pub mod key;
pub mod ledger;
pub mod mapping;
pub mod moment;
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
