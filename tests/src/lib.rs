//! What tests share: a server that answers from a script, a simulated service, and the command itself.

pub mod account;
pub mod command;
pub mod defaults;
pub mod log;
pub mod peer;
pub mod risks;
pub mod script;
pub mod simulated;
pub mod wire;
