//! What one run after another does to the local graph.

use std::path::Path;

use connectome_sim::Grants;
use connectome_tests::command::{Simulation, parsed, run};
use connectome_tests::simulated::TOKEN;
use serde_json::{Map, Value, json};

use crate::{Clinic, NAMES, SERVICES, USER, fault, of_type, sum};

#[test]
fn a_second_run_finds_what_the_first_one_left() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(home.path(), NAMES[0], &[NAMES[1]]);
    let variables = simulation.all_variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, title, entities) in
        [(NAMES[0], "PagerDuty, pagerduty", 34), (NAMES[1], "Trend Micro Workload Security, trend-micro", 113)]
    {
        let (code, out, said) = run(home.path(), &["sync", name], &variables);
        assert_eq!((code, said.as_str()), (0, ""), "{out}");
        assert!(out.starts_with(title) && out.contains(&format!("`connectome graph changes {name}`")), "{out}");
        let (code, out, _) = run(home.path(), &["sync", name, "--output", "json"], &variables);
        let report = parsed(&out);
        assert_eq!((code, &report["instance"]), (0, &json!(name)));
        assert_eq!(["created", "updated", "deleted", "kept"].map(|what| sum(&report, what)), [0; 4], "{report}");
        let types = report["types"].as_object().unwrap().values().filter(|it| it["kind"] == "entity");
        assert_eq!(types.map(|it| it["unchanged"].as_u64().unwrap()).sum::<u64>(), entities, "{report}");
        let (code, out, said) = run(home.path(), &["sync", name], &variables);
        assert_eq!((code, said.as_str(), out.lines().last()), (0, "", Some("nothing changed")));
    }
    let (_, out, _) = run(home.path(), &["graph", "show", "--output", "json"], &[]);
    let kept = parsed(&out);
    let instances: Vec<&Value> = kept["graph"].as_array().unwrap().iter().map(|row| &row["instance"]).collect();
    assert!(instances.contains(&&json!(NAMES[0])) && instances.contains(&&json!(NAMES[1])), "{out}");
}

#[test]
fn a_graph_that_is_forgotten_is_gone_with_its_history_and_others_stay() {
    let home = tempfile::tempdir().unwrap();
    let simulation = Simulation::start(home.path(), NAMES[0], &[NAMES[1]]);
    let variables = simulation.all_variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let run = |arguments: &[&str]| run(home.path(), arguments, &variables);
    for name in NAMES {
        assert_eq!(run(&["sync", name]).0, 0);
    }
    let (_, shown, _) = run(&["state", "show", "--output", "json"]);
    let names: Vec<Value> = parsed(&shown).as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, [json!("graph/pagerduty"), json!("graph/trend-micro")]);
    let (code, _, said) = run(&["state", "reset", "graph/pagerduty"]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    assert_eq!(run(&["state", "reset", "graph/pagerduty", "--yes"]).0, 0);
    let (_, exported, _) = run(&["graph", "export"]);
    assert!(!exported.contains("pagerduty") && exported.contains("trend_micro_computer"));
    let (code, _, said) = run(&["graph", "changes", "pagerduty"]);
    assert!(code == 2 && said.contains("never synchronised"), "{said}");
    let (code, shown, _) = run(&["sync", "pagerduty", "--output", "json"]);
    assert_eq!((code, sum(&parsed(&shown), "created") > 0), (0, true));
}

#[test]
fn what_changed_in_the_account_is_told_property_by_property() {
    let clinic = Clinic::new();
    assert_eq!(sum(&clinic.sync(NAMES[0]), "created"), 104);
    let before = clinic.promote(USER, "read_only_user");
    let simulator = &clinic.accounts[0].simulator;
    assert!(simulator.remove("services", "id", "PSSIM1002"));
    let report = clinic.sync(NAMES[0]);
    let gone = 1 + of_edges(&report);
    assert_eq!((sum(&report, "updated"), sum(&report, "created"), sum(&report, "deleted")), (1, 0, gone), "{report}");

    let text = clinic.good(&["graph", "changes", NAMES[0]]);
    let updated: Vec<&str> = text.lines().filter(|line| line.starts_with('~')).collect();
    assert_eq!(updated.len(), 1, "{text}");
    let user = format!("~ pagerduty_user user:{USER} (");
    assert!(updated[0].starts_with(&user), "{text}");
    assert!(updated[0].contains(&format!("): role \"{before}\" -> \"read_only_user\"")), "{text}");
    assert!(text.contains("- pagerduty_service service:PSSIM1002 ("), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with('-')).count() as u64, gone, "{text}");

    let changes: Vec<Value> = clinic.good(&["graph", "changes", "--output", "jsonl"]).lines().map(parsed).collect();
    let change = changes.iter().find(|change| change["change"] == "updated").unwrap();
    assert_eq!(change["_key"], format!("user:{USER}"));
    let role = json!({ "name": "role", "before": before, "after": "read_only_user" });
    assert!(change["properties"].as_array().unwrap().contains(&role), "{change}");

    // A run that finds nothing leaves the last changes as they are; from the start on there are those of the first run.
    clinic.sync(NAMES[0]);
    assert_eq!(clinic.good(&["graph", "changes"]), text);
    let all = clinic.good(&["graph", "changes", "--since", "2020-01-01T00:00:00Z"]);
    assert_eq!(all.lines().count(), 104 + text.lines().count());
    let (code, out, said) = clinic.run(&["graph", "changes", "--since", "2100-01-01T00:00:00Z"]);
    assert_eq!((code, out.as_str(), said.trim()), (0, "", "nothing changed"));
}

/// How many relationships went with what they hung on.
fn of_edges(report: &Value) -> u64 {
    let types = report["types"].as_object().unwrap().values().filter(|it| it["kind"] != "entity");
    types.map(|it| it["deleted"].as_u64().unwrap()).sum()
}

#[test]
fn a_step_that_fails_is_told_and_nothing_of_its_types_goes() {
    let denied = || Grants::AllBut(vec![("Trend Micro Workload Security".into(), "View roles".into())]);
    let table: [(usize, &str, &str, &[&str], u64); 2] = [
        (0, "Who is on call", "pagerduty_user_oncall_service", &["500", "/oncalls", "what to do: try again later"], 20),
        (1, "Administrator roles", "trend_micro_administrator_role", &["403", "View roles", "what to do: the key"], 3),
    ];
    for (which, step, ty, causes, kept) in table {
        let mut clinic = Clinic::new();
        clinic.sync(NAMES[which]);
        let before = clinic.graph();
        clinic.worsen(|options| {
            options.faults = vec![fault("server-error@/oncalls")];
            options.tokens[0].grants = denied();
        });
        let (code, out, said) = clinic.run(&["sync", NAMES[which]]);
        assert_eq!(code, 3, "{out}{said}");
        let line = out.lines().find(|line| line.starts_with(step)).expect("the step");
        assert!(line.contains("failed: ") && causes.iter().all(|cause| line.contains(cause)), "{line}");
        for told in ["read in part", ty, &format!("the step {step:?} failed"), "run it again"] {
            assert!(said.contains(told), "{told}: {said}");
        }
        assert_eq!(clinic.graph(), before);

        let (code, out, said) = clinic.run(&["sync", NAMES[which], "--output", "json"]);
        let (report, error) = (parsed(&out), parsed(&said));
        assert_eq!((code, &error["error"]["kind"]), (3, &json!("partial")));
        let failed: Vec<&Value> =
            report["steps"].as_array().unwrap().iter().filter(|step| step["status"] != "done").collect();
        assert_eq!((failed.len(), &failed[0]["title"], &failed[0]["status"]), (1, &json!(step), &json!("failed")));
        assert!(failed[0]["cause"].is_string() && failed[0]["remedy"].is_string(), "{failed:?}");
        assert_eq!((&report["types"][ty]["deleted"], &report["types"][ty]["kept"]), (&json!(0), &json!(kept)));
        assert!(report["partial"][ty].is_string() && sum(&report, "deleted") == 0, "{report}");
    }
}

#[test]
fn a_run_in_which_nobody_is_let_in_changes_nothing() {
    let mut clinic = Clinic::new();
    for name in NAMES {
        clinic.sync(name);
    }
    let before = clinic.graph();
    clinic.worsen(|options| options.tokens[0].grants = Grants::Expired);
    for (name, key) in NAMES.iter().zip(["General Access REST API key", "a role that may view computers"]) {
        let (code, out, said) = clinic.run(&["sync", name]);
        assert_eq!((code, out.as_str()), (1, ""), "{said}");
        assert!(said.contains("401") && said.contains(key), "{said}");
    }
    assert_eq!(clinic.graph(), before);
    assert_eq!(clinic.requests(), [1, 1], "no step runs");
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn secrets_are_in_no_file_log_or_output() {
    let clinic = Clinic::new();
    let made = "2:bWFkZS1ieS10aGUtc2VydmljZQ==";
    let change = |collection, field, id: &str, set: Value| {
        assert!(SERVICES.iter().zip(&clinic.accounts).any(|(_, account)| {
            account.simulator.change(collection, field, id, &set.as_object().cloned().unwrap_or_else(Map::new))
        }));
    };
    change("api_keys", "ID", "1", json!({ "secretKey": made }));
    // A service may say what it was told.
    change("users", "id", USER, json!({ "description": format!("uses {TOKEN} at night"), "job_title": TOKEN }));
    change("computers", "ID", "7", json!({ "description": TOKEN, "displayName": TOKEN }));
    let mut told = String::new();
    for name in NAMES {
        for arguments in [
            &["sync", name, "--plan", "--output", "json", "--log", "trace", "--log-bodies"][..],
            &["sync", name, "--log", "trace", "--log-bodies"],
            &["graph", "changes", name, "--output", "json"],
            &["graph", "export", name, "--raw"],
        ] {
            let (code, out, said) = clinic.run(arguments);
            assert_eq!(code, 0, "{said}");
            told += &(out + &said);
        }
    }
    assert!(told.contains("graph-reader") || told.contains("key-"), "the key itself is told of");
    let holds = |bytes: &[u8], secret: &str| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    let kept = files(clinic.home.path());
    assert!(kept.iter().any(|path| path.ends_with("state.sqlite")), "{kept:?}");
    for secret in [TOKEN, made] {
        let at = told.find(secret);
        assert!(at.is_none(), "{:?}", at.map(|at| &told[at.saturating_sub(300)..at]));
        for path in &kept {
            assert!(!holds(&std::fs::read(path).unwrap(), secret), "{} holds a secret", path.display());
        }
    }
}

#[test]
fn a_run_asks_for_as_many_pages_as_there_are_and_at_most_three_times_more() {
    // Lists of a hundred by offset; and by id, where a page of a thousand that is empty ends each of five lists.
    let pages = |scale: u64| -> [u64; 2] {
        let by_offset = [4, 20, 10, 10].map(|count: u64| (count * scale).div_ceil(100));
        let by_id = [4, 1, 2, 1, 100].map(|count: u64| (count * scale).div_ceil(1000) + 1);
        [by_offset.iter().sum(), by_id.iter().sum()]
    };
    for scale in [1, 100] {
        let clinic = Clinic::with(|options| options.scale = scale);
        for name in NAMES {
            clinic.sync(name);
        }
        for ((name, asked), pages) in NAMES.iter().zip(clinic.requests()).zip(pages(scale as u64)) {
            assert!((pages..=pages + 3).contains(&asked), "{name}: {asked} requests for {pages} pages");
        }
        let users = of_type(&clinic.graph(), "pagerduty_user").len();
        assert_eq!(users, 20 * scale);
    }
}
