//! Instructions, counted by valgrind's callgrind: the same each time, whatever else the machine is doing.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::collecting::Bench;
use super::report::Report;
use super::simulate;

/// What is counted runs about fifty times as long, so there is less of it than where time is measured.
const ALERTS: u64 = 2000;
const DOCUMENTS: u64 = 2500;
const EVENTS: u64 = 10_000;

/// Prints every figure, where there is valgrind.
pub fn run(xtask: &Path, bench: &Bench<'_>, report: &mut Report) -> Result<(), String> {
    let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|it| it.success()) {
        println!("instructions are not counted: there is no valgrind here");
        return Ok(());
    }
    let (effort, folder) = (bench.effort, bench.folder);
    let mut generate = Command::new(xtask);
    generate.args(["gen", "--out"]).arg(folder);
    report.row("instructions: generation that changes nothing", count(&generate, folder)?, "million", f64::INFINITY);

    let simulated = simulate(bench.connectome, &["trend-vision-one", "--scale", &effort.of(417).max(5).to_string()])?;
    let alerts = |way: &str| {
        let mut command = Command::new(bench.examples.join("calls"));
        command.args(["alerts", way, &simulated.url, &simulated.token, &effort.of(ALERTS).to_string()]);
        count(&command, folder)
    };
    let counted = (alerts("plain")?, alerts("ours")?);
    compare(report, "2,000 typed alerts", counted, 1.5);

    let documents = |way: &str| {
        let mut command = Command::new(bench.examples.join("documents"));
        command.args([way, &effort.of(DOCUMENTS).to_string()]).arg(folder.join("documents.jsonl"));
        count(&command, folder)
    };
    let counted = (documents("plain")?, documents("mapped")?);
    compare(report, "2,500 documents", counted, 3.0);

    let pages = bench.serve("workbench", EVENTS, 200)?;
    let mut plain = Command::new(bench.examples.join("plain"));
    plain.arg(&pages.start).arg(folder.join("plain.jsonl"));
    let counted = (count(&plain, folder)?, count(&bench.collect("workbench", &pages, "none")?, folder)?);
    compare(report, "10,000 events of workbench", counted, 1.5);
    Ok(())
}

fn compare(report: &mut Report, what: &str, (plain, ours): (f64, f64), most: f64) {
    report.row(&format!("instructions of a plain loop: {what}"), plain, "million", f64::INFINITY);
    report.row(&format!("instructions: {what}"), ours, "million", f64::INFINITY);
    report.row("  beside the plain loop", ours / plain, "times", most);
}

/// Millions of instructions of a whole process.
fn count(command: &Command, folder: &Path) -> Result<f64, String> {
    let told = folder.join("callgrind.out");
    let mut counted = Command::new("valgrind");
    counted.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", told.display()));
    counted.arg(command.get_program()).args(command.get_args()).stdout(Stdio::null()).stderr(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => counted.env(name, value),
            None => counted.env_remove(name),
        };
    }
    crate::run(&mut counted)?;
    let text = fs::read_to_string(&told).map_err(|error| format!("{}: {error}", told.display()))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals:")).and_then(|it| it.trim().parse::<f64>().ok());
    total.map(|instructions| instructions / 1e6).ok_or_else(|| format!("{}: no total", told.display()))
}
