//! The benchmarks still work: each is run once, over a hundredth of what it measures otherwise.

use std::process::Command;

use serde_json::Value;

#[test]
fn every_figure_is_still_measured_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("figures.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["bench", "--quick", "--json"]).arg(&file).output().expect("the chore runs");
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}\n{said}");
    let figures: Value = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    let figures = figures["figures"].as_array().expect("figures");
    for about in [
        "size of the binary",
        "start-up",
        "generation of all specs",
        "generation that changes nothing",
        "1,000 isolate calls",
        "10,000 typed alerts",
        "20,000 isolate requests",
        "--output json",
        "sync of 100,000 computers",
        "20 ms latency",
        "collect --transforms none",
        "collect --transforms declared",
        "pages of one event",
        "mapped to the Elastic Common Schema",
        "an event, collected",
        "a record of a list",
        "a computer, read into the graph",
    ] {
        let named = |figure: &&Value| figure["name"].as_str().is_some_and(|name| name.contains(about));
        let figure = figures.iter().find(named).unwrap_or_else(|| panic!("no figure of {about}: {shown}"));
        // What takes no time that the system counts is none, and no mistake.
        assert!(figure["value"].as_f64().is_none_or(|it| it >= 0.0) && figure["unit"].is_string(), "{figure}");
    }
    let counts = Command::new("valgrind").arg("--version").output().is_ok();
    let counted = figures.iter().any(|it| it["name"] == "instructions: 2,000 typed alerts: beside the plain loop");
    assert_eq!((counted, shown.contains("instructions are not counted")), (counts, !counts), "{shown}");
    // An option that there is not is told.
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let output = command.args(["bench", "--fast"]).output().expect("the chore runs");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--quick"));
}
