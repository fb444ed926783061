//! The vendor's own Python client drives the simulated Trend Vision One, as a process of its own. Where the two agree,
//! the simulator is not merely what our own client expects.

use connectome_tests::command::Simulation;
use connectome_tests::peer;

#[test]
fn the_vendor_s_own_client_and_the_simulated_service_agree() {
    let Some(python) = peer::python("pytmv1") else { return };
    let home = tempfile::tempdir().unwrap();
    let service = Simulation::start(home.path(), "trend-vision-one", &[]);
    let mut script = peer::script(&python, "vision_one_client.py");
    let summary = peer::summary(script.args([&service.url, &service.token]));
    let calls = summary["calls"].as_array().expect("a list of calls").len();
    assert!(calls >= 25, "only {calls} different calls were made: {summary}");
}
