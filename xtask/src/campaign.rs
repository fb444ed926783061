//! `cargo xtask campaign`: as many trials of collecting in simulated time as one has patience for.

use std::process::{Command, ExitCode};

const HELP: &str = "\
cargo xtask campaign [--trials NUMBER] [--seed NUMBER]
    runs trials one after another from a seed on, 100000 from 1 when left out, and prints events, kills, what was lost
    and what came twice; a trial that fails is named by its seed, and `--trials 1 --seed SEED` runs it again
";

/// Runs it.
pub fn run(options: &[&str]) -> ExitCode {
    let (mut trials, mut seed) = (100_000_u64, 1_u64);
    for pair in options.chunks(2) {
        let (place, number) = match pair {
            ["--trials", number] => (&mut trials, number.parse()),
            ["--seed", number] => (&mut seed, number.parse()),
            _ => return usage(&format!("unknown option `{}`", pair.join(" "))),
        };
        match number {
            Ok(number) => *place = number,
            Err(_) => return usage(&format!("`{}` needs a number", pair.join(" "))),
        }
    }
    let result = crate::run(
        Command::new(env!("CARGO"))
            .args(["test", "--release", "--quiet", "--package", "connectome-collect", "--test", "campaign"])
            .args(["--", "--ignored", "--exact", "--nocapture", "as_many_trials_as_wanted"])
            .env("CONNECTOME_TRIALS", trials.to_string())
            .env("CONNECTOME_SEED", seed.to_string()),
    );
    crate::ended(result)
}

fn usage(message: &str) -> ExitCode {
    eprint!("{message}\n\n{HELP}");
    ExitCode::from(2)
}
