//! Chores of this repository. Each is a line that calls what does the work.

mod generate;

use std::process::ExitCode;

const HELP: &str = "\
Chores of this repository.

cargo xtask gen [--check] [--specs DIR] [--out DIR]
    turns the specs into the crate; with --check writes nothing and shows what would change
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["gen", options @ ..] => generate::run(options),
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
