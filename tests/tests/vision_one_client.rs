//! The vendor's own Python client drives the simulated Trend Vision One, as a process of its own. Where the two agree,
//! the simulator is not merely what our own client expects.

use std::path::Path;
use std::process::Command;

use connectome_tests::command::{Simulation, told};
use connectome_tests::peer;
use serde_json::Value;

#[test]
fn the_vendor_s_own_client_and_the_simulated_service_agree() {
    let Some(python) = peer::python("pytmv1") else { return };
    let home = tempfile::tempdir().unwrap();
    let service = Simulation::start(home.path(), "trend-vision-one", &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/vision_one_client.py");
    let mut command = Command::new(python);
    for (name, _) in std::env::vars().filter(|(name, _)| name.to_lowercase().ends_with("_proxy")) {
        command.env_remove(name);
    }
    let output = command.arg(script).args([&service.url, &service.token]).output().expect("Python runs");
    let (code, out, error) = told(&output);
    assert_eq!(code, 0, "{out}{error}");
    let last = out.lines().last().unwrap_or_default();
    let summary: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no summary: {out}{error}"));
    assert_eq!(summary["failed"], 0, "{out}");
    let calls = summary["calls"].as_array().expect("a list of calls").len();
    assert!(calls >= 25, "only {calls} different calls were made: {summary}");
}
