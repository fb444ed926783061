//! Chores of this repository. Each is a line that calls what does the work.

mod bench;
mod campaign;
mod dependencies;
mod faults;
mod fuzz;
mod generate;
mod peers;
mod test;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
Chores of this repository.

cargo xtask gen [--check] [--specs DIR] [--out DIR]
    turns the specs into the crate; with --check writes nothing and shows what would change
cargo xtask test
    installs what the tests need below target/peers, then runs every test; none is skipped
cargo xtask campaign [--trials NUMBER] [--seed NUMBER]
    collects in simulated time with faults and kills, and prints what was lost and what came twice
cargo xtask bench [--json FILE] [--against FILE [--bound TIMES]] [--quick]
    measures start-up, size, generation, calls, collections and memory, and prints them with their limits;
    with --against it fails when something takes more than that times what an earlier run measured
cargo xtask fuzz [TARGET] [--seconds NUMBER]
    gives each reader of strangers' bytes inputs that nobody wrote, 60 seconds each, and shows the smallest that fails
cargo xtask faults
    runs everything that can be asked of every connector with every fault, and prints how each ends
cargo xtask dependencies [--advisories]
    counts what is taken from others, which must be as many as ARCHITECTURE.md says, and has cargo-deny check
    licences, duplicates and sources; with --advisories also known weaknesses, for which the public database is fetched
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["gen", options @ ..] => generate::run(options),
        ["test"] => test::run(),
        ["campaign", options @ ..] => campaign::run(options),
        ["bench", options @ ..] => bench::run(options),
        ["fuzz", options @ ..] => fuzz::run(options),
        ["dependencies", options @ ..] => dependencies::run(options),
        ["faults"] => faults::run(),
        ["help" | "--help" | "-h"] | [] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        [other, ..] => {
            eprint!("unknown chore `{other}`\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

/// The workspace's folder: this crate stands one level below it.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// How a chore ends: with what failed on standard error, if anything did.
fn ended(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a program in the workspace's folder; says what failed.
fn run(command: &mut Command) -> Result<(), String> {
    command.current_dir(root());
    let shown = format!("{command:?}").replace('"', "");
    // What cargo says of this program is no business of another cargo: build scripts would run again, and everything
    // that stands on them.
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` ended with {status}")),
        Err(error) => Err(format!("`{shown}` cannot be run: {error}")),
    }
}
