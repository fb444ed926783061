//! `cargo xtask dependencies`: what is taken from others, counted, held against what ARCHITECTURE.md says, and judged by
//! cargo-deny.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, ExitCode, Stdio};

use crate::{peers, root};

/// What cargo-deny judges without a database that changes every day.
const ALWAYS: [&str; 3] = ["bans", "licenses", "sources"];

/// Crates of others that a selection builds on this system.
fn count(selection: &[&str]) -> Result<usize, String> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--quiet", "--prefix", "none", "--format", "{p}"]).args(selection).current_dir(root());
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo tree: {}", output.status));
    }
    let tree = String::from_utf8_lossy(&output.stdout);
    // Ours are shown with the folder that they are in.
    let theirs = tree.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.contains('/'));
    Ok(theirs.filter(|line| !line.is_empty()).collect::<BTreeSet<_>>().len())
}

/// The numbers in the first paragraph of the section `Dependencies` of ARCHITECTURE.md, in their order.
fn written() -> Result<Vec<usize>, String> {
    let page =
        fs::read_to_string(root().join("ARCHITECTURE.md")).map_err(|error| format!("ARCHITECTURE.md: {error}"))?;
    let section = page.split("\n## Dependencies\n\n").nth(1).and_then(|section| section.split("\n\n").next());
    let paragraph = section.ok_or("ARCHITECTURE.md has no section `Dependencies`")?;
    Ok(paragraph.split(|letter: char| !letter.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect())
}

fn all(advisories: bool) -> Result<(), String> {
    let library = ["--package", "connectome", "--no-default-features", "--features", "trend-vision-one"];
    let mut counts = Vec::new();
    for (what, selection) in [
        ("the library with one connector", &[&library[..], &["--edges", "normal"]].concat()[..]),
        ("the command, with everything", &["--package", "connectome", "--edges", "normal"]),
        ("  and what builds them", &["--package", "connectome", "--edges", "normal,build"]),
        ("the generator and the chores", &["--package", "xtask", "--edges", "normal,build"]),
        ("the whole workspace, with tests", &["--workspace", "--edges", "normal,build,dev"]),
    ] {
        let count = count(selection)?;
        println!("{what:34} {count:4} crates of others");
        counts.push(count);
    }
    // The page speaks of Linux. Other systems take other crates.
    let written = written()?;
    if cfg!(target_os = "linux") && written != counts {
        return Err(format!("ARCHITECTURE.md says {written:?} in its section `Dependencies`: write {counts:?}"));
    }
    let deny = peers::cargo_deny()?;
    let mut command = Command::new(deny);
    command.args(["--log-level", "warn", "check", "--hide-inclusion-graph"]).args(ALWAYS);
    if advisories {
        command.arg("advisories");
    }
    crate::run(&mut command)
}

/// Runs it; with `--advisories`, the public database of weaknesses is fetched and asked too.
pub fn run(options: &[&str]) -> ExitCode {
    let advisories = match options {
        [] => false,
        ["--advisories"] => true,
        _ => {
            eprintln!("cargo xtask dependencies [--advisories]");
            return ExitCode::from(2);
        }
    };
    crate::ended(all(advisories))
}
