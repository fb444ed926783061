//! XSIAM: events over HTTP, as its log collector takes them, or as its own integrations send them.

mod address;

pub use address::{Address, Route, TOKEN_VARIABLE};
