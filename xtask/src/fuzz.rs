//! `cargo xtask fuzz`: strangers' bytes against everything that reads them, for as long as one has patience for.

use std::process::{Command, ExitCode};

/// The modules of `fuzz/tests/fuzz`.
const TARGETS: [&str; 8] = ["answers", "dates", "documents", "filters", "links", "pages", "saved", "specs"];

/// Runs it.
pub fn run(options: &[&str]) -> ExitCode {
    let (mut target, mut seconds, mut rest) = (None, 60_u64, options.iter());
    while let Some(option) = rest.next() {
        match *option {
            "--seconds" => match rest.next().and_then(|number| number.parse().ok()) {
                Some(number) => seconds = number,
                None => return usage("`--seconds` needs a number"),
            },
            name if TARGETS.contains(&name) && target.is_none() => target = Some(name),
            other => return usage(&format!("`{other}` is no target; there are: {}", TARGETS.join(", "))),
        }
    }
    let mut command = Command::new(env!("CARGO"));
    // With the features of a whole test run, so that nothing is built twice.
    command.args(["test", "--release", "--quiet", "--workspace", "--test", "fuzz", "--"]);
    command.args(["--test-threads", "1", "--nocapture"]).env("CONNECTOME_FUZZ_SECONDS", seconds.to_string());
    if let Some(target) = target {
        command.arg(format!("{target}::"));
    }
    crate::ended(crate::run(&mut command))
}

fn usage(message: &str) -> ExitCode {
    eprintln!("{message}\n\ncargo xtask fuzz [TARGET] [--seconds NUMBER]");
    ExitCode::from(2)
}
