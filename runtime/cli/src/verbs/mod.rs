//! A verb of the command line each.

pub mod action;
pub mod catalog;
pub mod check;
pub mod collect;
pub mod demo;
pub mod describe;
pub mod graph;
pub mod permissions;
pub mod setup;
pub mod shell;
pub mod simulate;
pub mod state;
pub mod sync;
pub mod trigger;
