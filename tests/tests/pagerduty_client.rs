//! The vendor's own Python client reads the simulated PagerDuty over TLS. What it reads is what the simulator holds, and
//! what our own connector reads.

use connectome::pagerduty;
use connectome_sim::{Options, Simulator, Tls};
use connectome_tests::command::{connectome, told};
use connectome_tests::peer;
use connectome_tests::simulated::{TOKEN, serve_tls};
use serde_json::Value;

#[test]
fn the_vendor_s_own_client_and_the_simulated_service_agree() {
    let Some(python) = peer::python("pagerduty") else { return };
    let home = tempfile::tempdir().unwrap();
    let [authority, file] = ["ca.pem", "read.json"].map(|name| home.path().join(name));
    let tls = Tls::for_names(&["127.0.0.1"]).unwrap();
    std::fs::write(&authority, &tls.authority).unwrap();
    let mut options = Options::new(TOKEN);
    options.scale = 30;
    // The script expects as many refusals.
    options.faults = ["rate-limit-bare*2@/services", "rate-limit*1@/oncalls"].map(|it| it.parse().unwrap()).to_vec();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = Simulator::new(&pagerduty::simulator::SERVICE, options);
    let service = runtime.block_on(serve_tls(simulator, &tls));

    let mut script = peer::script(&python, "pagerduty_client.py");
    script.args([&service.url(), TOKEN]).arg(&file).env("SSL_CERT_FILE", &authority);
    let summary = peer::summary(&mut script);
    assert_eq!(summary["checks"], 11, "{summary}");

    let read: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    for (list, count) in [("teams", 120), ("users", 600), ("services", 300)] {
        let records = read[list].as_array().unwrap();
        assert_eq!(records.len(), count, "{list}");
        for record in records {
            let id = record["id"].as_str().unwrap();
            assert_eq!(service.simulator.record(list, "id", id).as_ref(), Some(record), "{list} {id}");
        }
    }
    assert_eq!(read["oncalls"].as_array().unwrap().len(), 300);

    let mut command = connectome(home.path());
    let url = service.url();
    command.args(["sync", "pagerduty", "--output", "json"]).args(["--ca-file".as_ref(), authority.as_os_str()]);
    command.envs([("CONNECTOME_PAGERDUTY_API_URL", url.as_str()), ("CONNECTOME_PAGERDUTY_API_KEY", TOKEN)]);
    let (code, out, error) = told(&command.output().expect("the command runs"));
    assert_eq!(code, 0, "{error}");
    let report: Value = serde_json::from_str(&out).unwrap();
    for step in report["steps"].as_array().unwrap() {
        let list = step["step"].as_str().unwrap();
        assert_eq!(step["records"], read[list].as_array().unwrap().len(), "{list}");
    }
}
