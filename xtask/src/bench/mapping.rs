//! What it costs to map records to documents, beside a plain loop that reads the same pages into trees and writes them.

use std::path::Path;
use std::process::{Command, Stdio};

use super::report::Report;
use super::{Effort, cpu, middle, peak};

const RECORDS: u64 = 100_000;

/// Prints every figure.
pub fn run(examples: &Path, folder: &Path, effort: Effort, report: &mut Report) -> Result<(), String> {
    let command = |way: &str, records: u64| {
        let mut command = Command::new(examples.join("documents"));
        command
            .args([way, &effort.of(records).to_string()])
            .arg(folder.join(format!("{way}.jsonl")))
            .stdout(Stdio::null());
        command
    };
    let (mut plain, mut mapped) = (Vec::new(), Vec::new());
    for _ in 0..effort.times {
        plain.push(cpu(&mut command("plain", RECORDS))?);
        mapped.push(cpu(&mut command("mapped", RECORDS))?);
    }
    let (plain, mapped) = (middle(plain), middle(mapped));
    report.row("plain loop: 100,000 alerts, findings, vulnerabilities", plain, "s CPU", f64::INFINITY);
    report.row("mapped to the Elastic Common Schema: the same", mapped, "s CPU", 0.8);
    report.row("  beside the plain loop", mapped / plain, "times", 3.0);
    for records in [1000, 10 * RECORDS] {
        let memory = peak(command("mapped", records))?;
        report.row(&format!("peak memory: {records} of them"), memory, "MiB", 32.0);
    }
    Ok(())
}
