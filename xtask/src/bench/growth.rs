//! What a record costs as there are more of them: one, ten and a hundred times as many. It should cost the same, and
//! take no more memory.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::collecting::Bench;
use super::report::Report;
use super::{Simulated, children, peak, simulate, syncing};

/// How often the cost of a record among few it may be among many.
const MOST: f64 = 1.5;

/// How many times as many there are.
const TIMES: [u64; 3] = [1, 10, 100];

/// What a record costs in seconds of CPU, and what all of them take in MiB.
struct Cost {
    cpu: f64,
    memory: f64,
}

/// Runs a command over so many records.
fn cost(records: u64, command: Command) -> Result<Cost, String> {
    let before = children()?;
    let memory = peak(command)?;
    Ok(Cost { cpu: (children()? - before) / records as f64, memory })
}

/// Prints every figure.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<(), String> {
    let effort = bench.effort;
    let sizes = |most: u64| TIMES.map(|times| (effort.of(most) * times / 100).max(1));
    grown("an event, collected", report, || {
        let stream = "observed_attack_technique";
        let of = |events: u64| {
            let pages = bench.serve(stream, events * effort.part, 200)?;
            cost(events, bench.collect(stream, &pages, "declared")?)
        };
        sizes(1_000_000).map(of).into_iter().collect()
    })?;
    grown("a record, mapped to a document", report, || {
        let of = |records: u64| {
            let mut command = Command::new(bench.examples.join("documents"));
            command.args(["mapped", &records.to_string()]).arg(bench.folder.join("mapped.jsonl")).stdout(Stdio::null());
            cost(records, command)
        };
        sizes(500_000).map(of).into_iter().collect()
    })?;
    grown("a record of a list, read and stored", report, || {
        let of = |scale: u64| {
            let simulated = simulate(bench.connectome, &["jupiterone", "--scale", &scale.to_string()])?;
            // What one reading holds is told by its lines.
            let file = bench.folder.join("list.jsonl");
            let _ = fs::remove_file(&file);
            let whole = cost(1, list(bench, &simulated, &file, scale))?;
            let lines = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let records = lines.iter().filter(|byte| **byte == b'\n').count();
            Ok(Cost { cpu: whole.cpu / records as f64, ..whole })
        };
        sizes(100).map(of).into_iter().collect()
    })?;
    grown("a computer, read into the graph", report, || {
        let of = |scale: u64| {
            let simulated = simulate(bench.connectome, &["trend-micro", "--scale", &scale.to_string()])?;
            let folder = bench.folder.join(format!("graph-{scale}"));
            fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            cost(100 * scale, syncing(bench.connectome, &folder, "trend-micro", &simulated))
        };
        sizes(1000).map(of).into_iter().collect()
    })
}

/// A reading of the whole list.
fn list(bench: &Bench<'_>, simulated: &Simulated, file: &Path, scale: u64) -> Command {
    let mut command = Command::new(bench.connectome);
    command.args(["collect", "jupiterone", "--once", "--max-pages", "1000000", "--to"]);
    command.arg(format!("file:{}", file.display()));
    command.arg("--state").arg(bench.folder.join(format!("list-{scale}.sqlite"))).stdout(Stdio::null());
    command.env("CONNECTOME_JUPITERONE_URL", &simulated.url).env("CONNECTOME_JUPITERONE_API_TOKEN", &simulated.token);
    command.env("CONNECTOME_JUPITERONE_ACCOUNT_ID", "j1dev");
    command
}

fn grown(what: &str, report: &mut Report, costs: impl FnOnce() -> Result<Vec<Cost>, String>) -> Result<(), String> {
    let costs = costs()?;
    for (cost, times) in costs.iter().zip(TIMES) {
        report.row(&format!("{what}, {times} times as many"), cost.cpu * 1e6, "us CPU", f64::INFINITY);
        report.row(&format!("peak memory: {what}, {times} times as many"), cost.memory, "MiB", f64::INFINITY);
    }
    if let [few, more, many] = costs.as_slice() {
        report.row(&format!("{what}, 100 times as many: CPU beside few"), many.cpu / few.cpu, "times", MOST);
        // Among few, caches of a set size are not full yet.
        report.row(&format!("{what}, 100 times as many: memory beside 10"), many.memory / more.memory, "times", MOST);
    }
    Ok(())
}
