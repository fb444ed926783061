//! `connectome check` tries every stream, and `connectome state` knows collections.

use connectome_tests::command::{Simulation, parsed, run};
use serde_json::json;

const NAME: &str = "trend-vision-one";
const STREAMS: [&str; 4] = ["workbench", "observed_attack_technique", "search_detection", "audit"];

#[test]
fn a_check_names_each_stream_that_fails_and_why() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(home.path(), NAME, &["--deny", "Trend Vision One: Audit Logs"]);
    let check = |options: &[&str]| run(home.path(), &[&["check", NAME][..], options].concat(), &simulation.variables());
    let (code, shown, said) = check(&[]);
    assert_eq!(code, 3, "{shown}{said}");
    for good in &STREAMS[..3] {
        assert!(shown.contains(&format!("stream {good}: good")), "{shown}");
    }
    assert!(shown.contains("stream audit: ") && shown.contains("403"), "{shown}");
    assert!(shown.contains("the permission \"Audit Logs\""), "{shown}");
    assert!(said.contains("these cannot: audit") && said.contains("--connection-only"), "{said}");
    let (code, shown, _) = check(&["--output", "json"]);
    let told = parsed(&shown);
    assert_eq!((code, &told["ok"], &told["streams"]["workbench"]), (3, &json!(false), &json!({ "ok": true })));
    let audit = &told["streams"]["audit"];
    assert!(audit["lacks_permission"].as_str().is_some_and(|it| it.contains("Audit Logs")), "{audit}");
    assert_eq!(check(&["--connection-only"]).0, 0);
    assert_eq!(check(&["--stream", "workbench"]).0, 0);
    let (code, _, said) = check(&["--stream", "workbenhc"]);
    assert!(code == 2 && said.contains("workbench"), "{said}");
}

#[test]
fn a_collection_is_listed_and_can_be_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(home.path(), NAME, &[]);
    let run = |arguments: &[&str]| run(home.path(), arguments, &simulation.variables());
    for to in ["sqlite:events.db", "file:events.jsonl"] {
        let (code, _, said) = run(&["collect", NAME, "--stream", "audit", "--to", to, "--once"]);
        assert_eq!((code, said.as_str()), (0, ""));
    }
    let (_, shown, _) = run(&["state", "show", "--output", "json"]);
    let all = parsed(&shown);
    let names: Vec<&str> = all.as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    let collections: Vec<&&str> =
        names.iter().filter(|name| name.starts_with("collect/trend-vision-one/audit/")).collect();
    assert_eq!(collections.len(), 2, "{names:?}");
    let (code, shown, said) = run(&["state", "reset", "--yes", "collect/trend-vision-one/audit/"]);
    assert_eq!(code, 0, "{said}");
    assert!(shown.starts_with("forgot collect/"), "{shown}");
    assert!(!run(&["state", "show"]).1.contains("collect/trend-vision-one"), "still there");
    // What was forgotten is collected again; the file of events still knows each.
    let (code, shown, _) = run(&["collect", NAME, "--stream", "audit", "--to", "sqlite:events.db", "--once"]);
    assert!(code == 0 && !shown.contains(" 0 events"), "{shown}");
    let (code, _, said) = run(&["state", "reset", "--yes", "collect/nobody"]);
    assert!(code == 2 && said.contains("no collection"), "{said}");
}
