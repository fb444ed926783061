//! `cargo xtask faults`: everything that can be asked of every connector, times everything that can go wrong.

use std::process::{Command, ExitCode};

/// Runs every cell and prints them as a table; fails when one did not end as its rule says.
pub fn run() -> ExitCode {
    let result =
        crate::run(
            Command::new(env!("CARGO"))
                .args(["test", "--release", "--quiet", "--workspace", "--test", "faults"])
                .args(["--", "--ignored", "--exact", "--nocapture", "the_whole_matrix"]),
        );
    crate::ended(result)
}
