//! `cargo xtask test`.

use std::process::{Command, ExitCode};

use crate::peers;

/// Prepares the peers and runs every test, in the profile in which the command is built.
fn all() -> Result<(), String> {
    peers::prepare()?;
    crate::run(
        Command::new(env!("CARGO")).args(["test", "--release", "--workspace"]).env("CONNECTOME_PEERS_REQUIRED", "1"),
    )
}

/// Runs it.
pub fn run() -> ExitCode {
    crate::ended(all())
}
