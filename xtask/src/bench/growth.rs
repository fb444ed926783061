//! What a record costs as there are more of them: one, ten and a hundred times as many. It should cost the same.

use std::fs;

use super::collecting::Bench;
use super::report::Report;
use super::{cpu, simulate, syncing};

/// How often the cost of a record among few it may be among many.
const MOST: f64 = 1.5;

/// Prints every figure.
pub fn run(bench: &Bench<'_>, report: &mut Report) -> Result<(), String> {
    let mut events = Vec::new();
    for number in [10_000_u64, 100_000, 1_000_000] {
        events.push(bench.cost("observed_attack_technique", number)? / number as f64);
    }
    grown("an event, collected", &events, report);
    let mut vertices = Vec::new();
    for scale in [10_u64, 100, 1000] {
        let simulated = simulate(bench.connectome, &["trend-micro", "--scale", &scale.to_string()])?;
        let folder = bench.folder.join(format!("graph-{scale}"));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let mut command = syncing(bench.connectome, &folder, "trend-micro", &simulated);
        vertices.push(cpu(&mut command)? / (100 * scale) as f64);
    }
    grown("a computer, read into the graph", &vertices, report);
    Ok(())
}

fn grown(what: &str, costs: &[f64], report: &mut Report) {
    for (cost, times) in costs.iter().zip(["1", "10", "100"]) {
        report.row(&format!("{what}, {times} times as many"), cost * 1e6, "us CPU", f64::INFINITY);
    }
    if let [few, .., many] = costs {
        report.row("  beside those among few", many / few, "times", MOST);
    }
}
