//! Results, inputs and settings: where they come from, and in which form.

use std::io::Write;
use std::process::Stdio;

use connectome_tests::command::{Simulation, connectome, home, parsed, run, simulated, told};
use serde_json::{Value, json};

use crate::{ALL_TIME, KEY, NAME, ONE, TWO, URL, nobody, words};

#[test]
fn results_come_as_text_json_or_lines() {
    let (home, simulation) = simulated(&[]);
    let shown = |arguments: &[&str]| {
        let (code, shown, said) = run(home.path(), arguments, &simulation.variables());
        assert_eq!((code, said.as_str()), (0, ""), "{arguments:?}");
        shown
    };
    assert!(shown(&["check", NAME]).contains("the address and the key are good; nothing is encrypted"));
    assert_eq!(
        parsed(&shown(&["check", NAME, "--connection-only", "--output", "json"])),
        json!({ "connector": NAME, "url": simulation.url, "ok": true })
    );
    let list = ["action", NAME, "get_alert_list", "--input", ALL_TIME, "--output"];
    let whole = parsed(&shown(&[&list[..], &["json"]].concat()));
    assert_eq!((whole["alerts"].as_array().unwrap().len(), &whole["total_count"]), (25, &json!(25)));
    let lines: Vec<Value> = shown(&[&list[..], &["jsonl"]].concat()).lines().map(parsed).collect();
    assert_eq!(json!(lines), whole["alerts"]);
    // An empty list is a document as well.
    let none = r#"{"start_date_time": "1970-01-01T00:00:00Z", "end_date_time": "1970-01-02T00:00:00Z"}"#;
    assert_eq!(
        parsed(&shown(&["action", NAME, "get_alert_list", "--input", none])),
        json!({ "alerts": [], "total_count": 0 })
    );
    let catalog = parsed(&shown(&["catalog", "--json"]));
    assert_eq!(catalog, parsed(&shown(&["catalog", "--output", "jsonl"])));
    let entry = catalog["connectors"].as_array().unwrap().iter().find(|entry| entry["name"] == NAME).unwrap();
    assert_eq!(*entry, parsed(&shown(&["describe", NAME, "--output", "json"])));
    let words = words(&shown(&["catalog"])).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert!(words.contains("trend-vision-one Trend Vision One 48 3 7 "), "{words}");
    // Whatever the catalog names can be described.
    for kind in ["actions", "triggers", "streams", "further_streams", "types"] {
        let all = entry[kind].as_array().unwrap();
        for one in all.iter().step_by(5) {
            let name = one["name"].as_str().unwrap();
            assert_eq!(parsed(&shown(&["describe", NAME, name, "--output", "json"])), *one);
            assert!(shown(&["describe", NAME, name]).contains(name));
        }
    }
}

#[test]
fn an_input_comes_from_the_line_a_file_or_standard_input() {
    let (home, simulation) = simulated(&[]);
    std::fs::write(home.path().join("input.json"), format!("\u{feff}{ALL_TIME}")).unwrap();
    let list = ["action", NAME, "get_alert_list", "--input"];
    let (_, wanted, _) = run(home.path(), &[&list[..], &[ALL_TIME]].concat(), &simulation.variables());
    assert!(wanted.contains("WB-31007"));
    let (_, of_file, said) = run(home.path(), &[&list[..], &["input.json"]].concat(), &simulation.variables());
    assert_eq!(of_file, wanted, "{said}");
    let mut child = connectome(home.path())
        .args([&list[..], &["-"]].concat())
        .envs(simulation.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(ALL_TIME.as_bytes()).unwrap();
    assert_eq!(told(&child.wait_with_output().unwrap()), (0, wanted, String::new()));
}

#[test]
fn what_is_done_in_part_ends_with_three_and_tells_every_part() {
    let (home, simulation) = simulated(&[]);
    let (code, shown, said) =
        run(home.path(), &["action", NAME, "isolate_endpoint", "--input", TWO], &simulation.variables());
    assert_eq!(code, 3, "{said}");
    let shown = parsed(&shown);
    assert_eq!(
        (&shown["partial"], &shown["items"][0]["status"], &shown["items"][1]["status"]),
        (&json!(true), &json!(202), &json!(400))
    );
    let task = shown["items"][0]["task_id"].as_str().unwrap();
    for part in
        ["1 of 2 did not work", &format!("item 0: 202, task {task}"), "item 1: 400, BadRequest: Target not found."]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, _, said) = run(
        home.path(),
        &["action", NAME, "get_task_result", "--input", r#"{"task_id": "99"}"#],
        &simulation.variables(),
    );
    assert!(code == 1 && said.contains("404") && said.contains("No such task."), "{code}: {said}");
}

#[test]
fn a_dry_run_prints_the_request_and_sends_nothing() {
    let home = home();
    let url = nobody();
    let dry = ["action", NAME, "isolate_endpoint", "--input", ONE, "--dry-run"];
    // Not even a key is needed.
    let (code, shown, said) = run(home.path(), &dry, &[(URL, &url)]);
    assert_eq!((code, said.as_str()), (0, "nothing was sent\n"));
    let (head, body) = shown.rsplit_once("\n\n").unwrap();
    assert_eq!(head.lines().next().unwrap(), format!("POST {url}/v3.0/response/endpoints/isolate"));
    assert_eq!(parsed(body)[0]["endpointName"], "ledger-pc-07");
    let (_, shown, _) =
        run(home.path(), &[&dry[..], &["--output", "json"]].concat(), &[(URL, &url), (KEY, "a-key-that-is-long")]);
    let request = parsed(&shown);
    assert_eq!(request["url"], json!(format!("{url}/v3.0/response/endpoints/isolate")));
    assert_eq!(request["body"], parsed(body));
    assert!(!shown.contains("a-key-that-is-long"), "{shown}");
}

#[test]
fn settings_come_from_flags_then_the_environment_then_an_instance() {
    let home = home();
    std::fs::create_dir(home.path().join("keys")).unwrap();
    std::fs::write(home.path().join("keys/east"), "key-of-a-file\n").unwrap();
    let (first, second) = (
        Simulation::start(home.path(), NAME, &["--token", "key-of-a-file"]),
        Simulation::start(home.path(), NAME, &["--token", "key-of-a-variable"]),
    );
    let written = format!(
        "[instances.east]\nconnector = {NAME:?}\nparameters = {{ api_url = {:?}, api_key = {{ file = \"keys/east\" }} }}\n\
         [instances.west]\nconnector = {NAME:?}\nparameters = {{ api_url = {:?}, api_key = {{ env = \"WEST\" }} }}\n",
        first.url, second.url
    );
    let file = home.path().join("some.toml");
    std::fs::write(&file, &written).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let check = |arguments: &[&str], variables: &[(&str, &str)]| {
        run(home.path(), &[&["check", NAME][..], &config, arguments].concat(), variables)
    };
    let west = [("WEST", "key-of-a-variable")];
    for (arguments, variables, wanted) in [
        (&["--instance", "east"][..], &[][..], &first.url),
        (&["--instance", "west"], &west, &second.url),
        (&["--instance", "east"], &[(URL, second.url.as_str()), (KEY, "key-of-a-variable")], &second.url),
        (
            &["--instance", "west", "--param", &format!("api_url={}", first.url)],
            &[(URL, "http://127.0.0.1:1"), (KEY, "key-of-a-file"), ("WEST", "wrong")],
            &first.url,
        ),
    ] {
        let (code, shown, said) = check(arguments, variables);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        assert!(shown.contains(wanted.as_str()), "{arguments:?}: {shown}");
    }
    for (arguments, says) in [
        (&[][..], &["several instances", "--instance", "east, west"][..]),
        (&["--instance", "north"], &["no instance \"north\"", "east, west"]),
        (&["--instance", "west"], &["the variable WEST, which is not set"]),
    ] {
        let (code, _, said) = check(arguments, &[]);
        assert!(code == 2 && says.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
    }
    // An instance goes by its own name as well.
    let (code, _, said) = run(home.path(), &[&["check", "west"][..], &config].concat(), &[]);
    assert!(code == 2 && said.contains("the variable WEST, which is not set"), "{said}");
    // The file is found without a flag, and a lone instance without its name; a mistake in it is named.
    let here = home.path().join("connectome.toml");
    std::fs::write(&here, written.split("[instances.west]").next().unwrap()).unwrap();
    assert_eq!(run(home.path(), &["check", NAME], &[]).0, 0);
    for (broken, says) in [
        ("[instances.east\n", &["line 1", "not TOML"][..]),
        ("[instance.east]\n", &["unknown key \"instance\""]),
        ("[instances.east]\nconnector = \"trend\"\n", &["no connector \"trend\"", NAME]),
        (
            "[instances.east]\nconnector = \"trend-vision-one\"\napi_url = \"x\"\n",
            &["unknown key \"api_url\"", "parameters"],
        ),
        (
            "[instances.east]\nconnector = \"trend-vision-one\"\nparameters = { api_key = { file = \"absent\" } }\n",
            &["absent, which cannot be read"],
        ),
    ] {
        std::fs::write(&here, broken).unwrap();
        let (code, _, said) = run(home.path(), &["check", NAME], &[]);
        assert!(
            code == 2 && said.contains("connectome.toml") && says.iter().all(|part| said.contains(part)),
            "{broken}: {said}"
        );
    }
}

#[test]
fn logs_go_to_standard_error_and_leave_the_result_alone() {
    let (home, simulation) = simulated(&[]);
    let (_, quiet, _) = run(home.path(), &["check", NAME], &simulation.variables());
    let (code, shown, said) = run(home.path(), &["check", NAME, "--log", "debug"], &simulation.variables());
    assert!(code == 0 && shown == quiet && said.contains("DEBUG"), "{said}");
    let (_, _, said) =
        run(home.path(), &["check", NAME, "--log", "debug", "--output", "json"], &simulation.variables());
    assert!(!said.is_empty() && said.lines().all(|line| parsed(line)["level"].is_string()), "{said}");
}
