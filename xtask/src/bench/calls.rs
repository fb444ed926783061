//! What a call costs, beside the least that a program could do: an action a thousand times, a list as typed records, and
//! what the simulated service itself takes for a request.

use std::path::Path;
use std::process::Command;

use super::report::Report;
use super::{Effort, cpu, middle, own, simulate};

/// Prints every figure.
pub fn run(connectome: &Path, examples: &Path, effort: Effort, report: &mut Report) -> Result<(), String> {
    let simulated = simulate(connectome, &["trend-vision-one", "--scale", &effort.of(417).max(5).to_string()])?;
    let command = |what: &str, way: &str, number: u64| {
        let mut command = Command::new(examples.join("calls"));
        command.args([what, way, &simulated.url, &simulated.token, &effort.of(number).to_string()]);
        command
    };
    for (what, number, name, most) in
        [("isolate", 1000, "1,000 isolate calls", 2.5), ("alerts", 10_000, "10,000 typed alerts", 1.5)]
    {
        let (mut plain, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..effort.times {
            plain.push(cpu(&mut command(what, "plain", number))?);
            ours.push(cpu(&mut command(what, "ours", number))?);
        }
        let (plain, ours) = (middle(plain), middle(ours));
        report.row(&format!("plain loop: {name}"), plain, "s CPU", f64::INFINITY);
        report.row(&format!("the client: {name}"), ours, "s CPU", f64::INFINITY);
        report.row("  beside the plain loop", ours / plain, "times", most);
    }
    // 20,000 in a second of CPU, with validation and state, asked by several at once.
    const REQUESTS: u64 = 20_000;
    let before = own(simulated.child.id())?;
    crate::run(command("isolate", "together", REQUESTS).stdout(std::process::Stdio::null()))?;
    let took = own(simulated.child.id())? - before;
    report.row("the simulated service: 20,000 isolate requests", took, "s CPU", 1.0);
    Ok(())
}
