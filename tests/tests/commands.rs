//! Whole commands: what is printed where, and the exit code, against `connectome simulate` as a process of its own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Output, Stdio};

use connectome_tests::command::{Simulation, connectome, run, told};
use serde_json::{Value, json};
use tempfile::TempDir;

const NAME: &str = "trend-vision-one";
const KEY: &str = "CONNECTOME_TREND_VISION_ONE_API_KEY";
const URL: &str = "CONNECTOME_TREND_VISION_ONE_API_URL";
const ONE: &str = r#"{"endpoint_identifiers": [{"endpoint_name": "ledger-pc-07"}]}"#;
const TWO: &str = r#"{"endpoint_identifiers": [{"endpoint_name": "build-srv-02"}, {"endpoint_name": "no-such-host"}]}"#;
const ALL_TIME: &str = r#"{"start_date_time": "1970-01-01T00:00:00Z", "end_date_time": "2100-01-01T00:00:00Z"}"#;

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Words of a line; the text of a command is not quoted anywhere here.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A simulation, and a folder that is the user's home.
fn simulated(options: &[&str]) -> (TempDir, Simulation) {
    let home = home();
    let simulation = Simulation::start(home.path(), NAME, options);
    (home, simulation)
}

/// A root at which nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn every_verb_explains_itself_with_an_example() {
    let home = home();
    let verbs = "demo catalog describe check action trigger permissions simulate state completions man";
    let (code, help, _) = run(home.path(), &["--help"], &[]);
    assert_eq!(code, 0);
    let help = words(&help).join(" ");
    for told in ["0 done", "1 failed", "2 bad usage", "3 done in part", "130 interrupted"] {
        assert!(help.contains(told), "{told}: {help}");
    }
    for verb in words(verbs) {
        assert!(help.contains(&format!(" {verb} ")), "{verb}: {help}");
    }
    for verb in verbs.split(' ').chain(["state show", "state reset"]) {
        let (code, help, said) = run(home.path(), &[&words(verb)[..], &["--help"]].concat(), &[]);
        assert!(code == 0 && said.is_empty(), "{verb}: {said}");
        assert!(help.contains("Example:\n  ") && help.contains(&format!("connectome {verb}")), "{verb}: {help}");
    }
}

/// Arguments after which nothing is sent, and what standard error must say. Nothing is on standard output.
const MISTAKES: &[(&[&str], &[&str])] = &[
    (&["actoin"], &["unrecognized subcommand 'actoin'", "'action'"]),
    (&["action", NAME], &["<ACTION>", "Usage:"]),
    (&["catalog", "--output", "yaml"], &["'yaml'", "text, json, jsonl"]),
    (&["describe", "trend-visoin-one"], &["no connector \"trend-visoin-one\"", "did you mean `trend-vision-one`?"]),
    (
        &["describe", "carbon"],
        &["no connector \"carbon\"", "there are: jupiterone, pagerduty, trend-micro, trend-vision-one"],
    ),
    (&["describe", NAME, "isolate_endpiont"], &["did you mean `isolate_endpoint`?"]),
    (&["describe", NAME, "mult_response"], &["did you mean `multi_response`?"]),
    (&["action", NAME, "isolte_endpoint"], &["no action \"isolte_endpoint\"", "did you mean `isolate_endpoint`?"]),
    (&["action", NAME, "isolate"], &["perhaps: isolate_endpoint"]),
    (&["action", NAME, "xyz"], &["`connectome describe trend-vision-one` lists them"]),
    (&["action", NAME, "poll_alert_list"], &["it is a trigger: `connectome trigger trend-vision-one poll_alert_list`"]),
    (&["trigger", NAME, "get_alert_list"], &["it is an action: `connectome action trend-vision-one get_alert_list`"]),
    (&["trigger", NAME, "poll_alerts_list"], &["did you mean `poll_alert_list`?", "poll_oat_list"]),
    (&["permissions", NAME, "isolate_endpont"], &["did you mean `isolate_endpoint`?"]),
    (&["permissions", NAME], &["<OPERATIONS>"]),
    (&["simulate", "trend-vision-on"], &["did you mean `trend-vision-one`?"]),
    (&["simulate", "--listen", "192.0.2.1:80"], &["not a loopback address", "127.0.0.1"]),
    (&["simulate", "--fault", "tron"], &["\"tron\" is not a fault", "torn"]),
    (&["simulate", "--deny", "Workbench"], &["write `App: permission`"]),
    (
        &["action", NAME, "isolate_endpoint", "--input", "{\"endpoint_identifiers\": [}"],
        &["--input is not JSON", "line 1 column 27"],
    ),
    (&["action", NAME, "isolate_endpoint", "--input", "broken.json"], &["broken.json is not JSON", "line 3 column 1"]),
    (
        &["action", NAME, "isolate_endpoint", "--input", "absent.json"],
        &["absent.json cannot be read", "give a file of JSON"],
    ),
    (&["action", NAME, "isolate_endpoint", "--input", "-"], &["standard input is empty"]),
    (
        &[
            "action",
            NAME,
            "isolate_endpoint",
            "--input",
            "{\"endpoint_identifiers\": [{\"description\": \"a\"}, {\"endpoint_nam\": \"a\"}]}",
        ],
        &["isolate_endpoint: ", "/endpoint_identifiers/0", "/endpoint_identifiers/1", "nothing was sent"],
    ),
    (
        &["trigger", NAME, "poll_alert_list", "--once", "--input", "{\"interval\": 0}"],
        &["/interval", "/start_date_time", "describe"],
    ),
    (&["check", NAME, "--param", "api_ulr=x"], &["no parameter \"api_ulr\"", "api_url"]),
    (&["check", NAME, "--param", "api_url"], &["write NAME=VALUE"]),
    (&["check", NAME, "--param", "api_key=x"], &["api_key is a secret", KEY]),
    (&["check", NAME, "--param", "api_url=ftp://x"], &["/api_url"]),
    (&["check", NAME, "--param", "verify_ssl=perhaps"], &["/verify_ssl", "\"perhaps\""]),
    (&["check", NAME, "--instance", "west"], &["no instance \"west\"", "connectome.toml"]),
    (&["--config", "absent.toml", "check", NAME], &["absent.toml cannot be read", "--config"]),
    (&["--state", "nowhere.sqlite", "state", "reset", "trigger"], &["there is no state in nowhere.sqlite"]),
    (&["completions", "csh"], &["'csh'", "bash"]),
];

#[test]
fn a_mistake_ends_with_two_says_what_would_be_right_and_sends_nothing() {
    let home = home();
    std::fs::write(home.path().join("broken.json"), "{\n  \"endpoint_identifiers\": [],\n}\n").unwrap();
    // Nobody listens there: had anything been sent, the code would be 1.
    let url = nobody();
    for (arguments, says) in MISTAKES {
        let (code, shown, said) = run(home.path(), arguments, &[(KEY, "some-key"), (URL, &url)]);
        assert_eq!((code, shown.as_str()), (2, ""), "{arguments:?}: {said}");
        for part in *says {
            assert!(said.contains(part), "{arguments:?} does not say {part:?}: {said}");
        }
    }
    // A key that is not set, or empty, is named with its variable.
    for variables in [&[(URL, url.as_str())][..], &[(URL, &url), (KEY, "")]] {
        for verb in ["check trend-vision-one", "action trend-vision-one get_exception_list"] {
            let (code, shown, said) = run(home.path(), &words(verb), variables);
            assert_eq!((code, shown.as_str()), (2, ""), "{said}");
            assert!(said.contains("/api_key") && said.contains(&format!("set {KEY} in the environment")), "{said}");
        }
    }
}

#[test]
fn an_error_is_json_where_json_is_asked_for() {
    let home = home();
    for form in ["json", "jsonl"] {
        let (_, _, said) =
            run(home.path(), &["action", NAME, "isolate_endpoint", "--input", "{}", "--output", form], &[(KEY, "k")]);
        let error = &parsed(&said)["error"];
        assert_eq!((&error["kind"], &error["operation"]), (&json!("input"), &json!("isolate_endpoint")), "{said}");
        assert_eq!(error["violations"][0]["pointer"], "/endpoint_identifiers", "{said}");
    }
}

#[test]
fn a_service_that_cannot_be_reached_ends_with_one_and_names_the_request() {
    let home = home();
    let refused = nobody();
    let cases: [(&str, &[&str]); 2] = [
        (&refused, &["Connection refused", "check the URL, the network and the proxy"]),
        ("https://no-such-host.invalid", &["no-such-host.invalid: failed to lookup address"]),
    ];
    for (url, says) in cases {
        let (code, shown, said) = run(home.path(), &["check", NAME, "--tries", "1"], &[(KEY, "k"), (URL, url)]);
        assert_eq!((code, shown.as_str()), (1, ""), "{said}");
        for part in says.iter().copied().chain([&*format!("GET {url}/v3.0/healthcheck/connectivity"), "what to do:"]) {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn what_a_service_does_wrong_ends_with_one_and_is_told() {
    let cases: [(&str, &[&str]); 6] = [
        ("torn", &["GET ", "/v3.0/healthcheck/connectivity"]),
        ("expired-token", &["401", "Authentication failed", "key"]),
        ("not-json", &["JSON", "Sign in to the network"]),
        ("error-in-success", &["the service answered, but status is not \"available\""]),
        ("server-error", &["500", "InternalServerError"]),
        ("redirect-away", &["a redirect (302), which is not followed"]),
    ];
    for (fault, says) in cases {
        let (home, simulation) = simulated(&["--fault", fault]);
        let (code, shown, said) = run(home.path(), &["check", NAME, "--tries", "1"], &simulation.variables());
        assert_eq!((code, shown.as_str()), (1, ""), "{fault}: {said}");
        for part in says.iter().chain(&["what to do:"]) {
            assert!(said.contains(part), "{fault} does not say {part}: {said}");
        }
        assert!(!said.contains(&simulation.token), "{said}");
    }
}

#[test]
fn a_certificate_is_trusted_only_when_its_authority_was_named() {
    let home = home();
    let file = home.path().join("authority.pem");
    let file = file.to_str().unwrap();
    let simulation = Simulation::start(home.path(), NAME, &["--tls", file]);
    assert!(simulation.url.starts_with("https://"), "{}", simulation.url);
    let (code, _, said) = run(home.path(), &["check", NAME], &simulation.variables());
    assert!(code == 1 && said.contains("certificate") && said.contains("--ca-file"), "{code}: {said}");
    let (code, _, said) = run(home.path(), &["check", NAME, "--ca-file", file], &simulation.variables());
    assert_eq!((code, said.as_str()), (0, ""));
    let (code, _, said) = run(home.path(), &["check", NAME, "--param", "verify_ssl=false"], &simulation.variables());
    assert!(code == 0 && said.starts_with("warning: "), "{code}: {said}");
}

#[test]
fn results_come_as_text_json_or_lines() {
    let (home, simulation) = simulated(&[]);
    let shown = |arguments: &[&str]| {
        let (code, shown, said) = run(home.path(), arguments, &simulation.variables());
        assert_eq!((code, said.as_str()), (0, ""), "{arguments:?}");
        shown
    };
    assert!(shown(&["check", NAME]).contains("the address, the certificate and the key are good"));
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

#[test]
fn the_least_role_is_told_and_is_what_the_service_asks_for() {
    let home = home();
    let (code, shown, _) =
        run(home.path(), &["permissions", NAME, "isolate_endpoint", "poll_alert_list", "--output", "json"], &[]);
    assert_eq!(code, 0);
    let told = parsed(&shown);
    let apps = told["permissions"].as_object().unwrap();
    let all: Vec<String> = apps
        .iter()
        .flat_map(|(app, names)| {
            names.as_array().unwrap().iter().map(move |name| format!("{app}: {}", name.as_str().unwrap()))
        })
        .collect();
    assert_eq!(
        all,
        [
            "Response Management: View, filter, and search (Task List tab)",
            "Response Management: Isolate endpoint",
            "Workbench: View, filter, and search"
        ]
    );
    let master = told["roles"].as_array().unwrap().iter().find(|role| role["role"] == "Master Administrator").unwrap();
    assert_eq!(master["suffices"], true);
    // Without any one of them an action is refused, and the message names it.
    for lacking in &all {
        let simulation = Simulation::start(home.path(), NAME, &["--deny", lacking]);
        let (action, input) =
            if lacking.starts_with("Workbench") { ("get_alert_list", ALL_TIME) } else { ("isolate_endpoint", ONE) };
        let (code, _, said) = run(home.path(), &["action", NAME, action, "--input", input], &simulation.variables());
        assert!(code == 1 && said.contains("403") && said.contains(lacking), "{lacking}: {said}");
    }
}

#[test]
fn the_demonstration_shows_one_thing_of_each_kind_and_what_it_suggests_works() {
    let home = home();
    let (code, shown, said) = run(home.path(), &["demo"], &[]);
    assert_eq!((code, said.as_str()), (0, ""), "{shown}");
    assert!(shown.lines().count() <= 135 && shown.lines().all(|line| line.chars().count() <= 120), "{shown}");
    for part in [
        "status: succeeded",
        "action: isolate",
        "1 of 2 did not work",
        "exit code 3",
        "total_count: 25",
        "WB-31007-",
        "total_count: 0",
        "pagerduty_user_oncall_service  ",
        "role \"user\" -> \"admin\"",
        "trend_micro_computer_group_has_computer  ",
        "\"inactive\"",
        "killed with SIGKILL after ",
        "0 new, 5 changed, 0 sent again, 3 gone",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (_, proof) = shown.split_once("compared byte by byte:\n").unwrap();
    for line in proof.lines().skip(1).take(4) {
        let [_, happened, kept, lost, twice] = words(line).try_into().unwrap();
        assert!(happened == kept && happened.len() >= 4 && lost == "0" && twice == "0", "{proof}");
    }
    let left = "What is remembered is in ";
    let left = shown.lines().find_map(|line| line.strip_prefix(left)).unwrap();
    let (_, listed, _) = run(home.path(), &["--state", left, "state", "show"], &[]);
    assert!(listed.contains("trigger/trend-vision-one/poll_alert_list/"), "{listed}");
    assert!(listed.contains("graph/pagerduty") && listed.contains("graph/trend-micro"), "{listed}");
    let (_, next) = shown.split_once("Try next:\n").unwrap();
    assert_eq!(next.lines().count(), 3, "{next}");
    for line in next.lines() {
        // What it is for stands after a wide gap.
        let (command, purpose) = line.trim().split_once("   ").unwrap();
        assert!(!purpose.trim().is_empty(), "{line}");
        let arguments = &words(command)[1..];
        if arguments[0] == "simulate" {
            let simulation = Simulation::start(home.path(), arguments[1], &[]);
            assert_eq!(run(home.path(), &["check", NAME], &simulation.variables()).0, 0);
        } else {
            let (code, shown, said) = run(home.path(), arguments, &[]);
            assert!(code == 0 && said.is_empty() && shown.lines().count() > 3, "{line}: {said}");
        }
    }
    // A second run begins anew.
    let again = run(home.path(), &["demo"], &[]).1;
    assert!(again.contains("total_count: 25") && again.contains("total_count: 0"), "{again}");
}

#[test]
fn shells_complete_every_verb_and_the_manual_has_a_page_for_each() {
    let home = home();
    let verbs = words("demo catalog describe check action trigger permissions simulate state completions man");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, said) = run(home.path(), &["completions", shell], &[]);
        assert_eq!((code, said.as_str()), (0, ""));
        assert!(verbs.iter().all(|verb| script.contains(verb)) && script.contains("dry-run"), "{shell}");
    }
    let (code, _, said) = run(home.path(), &["man", "deep/man"], &[]);
    assert_eq!((code, said.as_str()), (0, ""));
    for verb in verbs {
        let page = std::fs::read_to_string(home.path().join(format!("deep/man/connectome-{verb}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains("Example"), "{verb}");
    }
    std::fs::write(home.path().join("file"), "").unwrap();
    let (code, _, said) = run(home.path(), &["man", "file/man"], &[]);
    assert!(code == 1 && said.contains("file/man") && said.contains("what to do:"), "{code}: {said}");
}

/// Runs a command whose streams are the caller's.
#[cfg(unix)]
fn streams(
    home: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
    out: impl Into<Stdio>,
    err: impl Into<Stdio>,
) -> Output {
    let mut command = connectome(home);
    command.args(arguments).envs(variables.iter().copied()).stdout(out).stderr(err);
    command.spawn().and_then(std::process::Child::wait_with_output).expect("the command runs")
}

/// The writing end of a pipe whose reader has gone.
#[cfg(unix)]
fn closed() -> std::io::PipeWriter {
    std::io::pipe().expect("a pipe").1
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (home, simulation) = simulated(&[]);
    let alerts = ["action", NAME, "get_alert_list", "--input", ALL_TIME];
    let polled = ["trigger", NAME, "poll_alert_list", "--input", r#"{"start_date_time": "1970-01-01T00:00:00Z"}"#];
    let cases: [&[&str]; 8] = [
        &["catalog", "--json"],
        &["catalog"],
        &["demo"],
        &["--help"],
        &["completions", "zsh"],
        &["simulate", "--listen", "127.0.0.1:0"],
        &alerts,
        &polled,
    ];
    for arguments in cases {
        let (code, _, said) = told(&streams(home.path(), arguments, &simulation.variables(), closed(), Stdio::piped()));
        assert_eq!((code, said.as_str()), (0, ""), "{arguments:?}");
    }
    // Nobody reads errors either: the code still says what happened.
    let cases: [(&[&str], i32); 4] = [
        (&["catalog", "--json"], 0),
        (&["describe", "carbon"], 2),
        (&["action", NAME, "isolate_endpoint", "--input", TWO], 3),
        (&["action", NAME, "get_task_result", "--input", r#"{"task_id": "99"}"#], 1),
    ];
    for (arguments, wanted) in cases {
        let output = streams(home.path(), arguments, &simulation.variables(), closed(), closed());
        assert_eq!(output.status.code(), Some(wanted), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_loses_no_task() {
    let (home, simulation) = simulated(&[]);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let written =
        |arguments: &[&str]| told(&streams(home.path(), arguments, &simulation.variables(), full(), Stdio::piped()));
    for arguments in [
        &["catalog", "--json"][..],
        &["describe", NAME],
        &["demo"],
        &["completions", "bash"],
        &["check", NAME],
        &["action", NAME, "get_alert_list", "--input", ALL_TIME],
    ] {
        let (code, _, said) = written(arguments);
        assert!(
            code == 1 && said.contains("No space left on device") && said.contains("what to do:"),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(written(&["--help"]).0, 1);
    // What worked and what did not is told all the same.
    let (code, _, said) = written(&["action", NAME, "isolate_endpoint", "--input", TWO]);
    assert!(code == 3 && said.contains("No space left") && said.contains("item 0: 202, task "), "{said}");
    let (code, _, said) = written(&["action", NAME, "isolate_endpoint", "--input", ONE]);
    assert!(code == 1 && said.contains("the action was carried out"), "{said}");
}

/// A service that answers some requests and leaves the next without an answer. Gives its root; the channel tells when
/// that request has come.
#[cfg(unix)]
fn silent(answers: Vec<Value>) -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (come, waited) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut answers = answers.into_iter();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut heard = Vec::new();
            let mut piece = [0; 4096];
            while !heard.windows(4).any(|it| it == b"\r\n\r\n") {
                let count = stream.read(&mut piece).unwrap_or(0);
                heard.extend_from_slice(&piece[..count]);
                if count == 0 {
                    break;
                }
            }
            match answers.next().map(|it| it.to_string()) {
                Some(body) => {
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all((head + &body).as_bytes());
                }
                None => {
                    kept.push(stream);
                    let _ = come.send(());
                }
            }
        }
    });
    (url, waited)
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_a_call_in_good_order() {
    let home = home();
    let page = json!({ "items": [{ "id": "WB-1" }, { "id": "WB-2" }], "nextLink": "https://x/v3.0/workbench/alerts?skipToken=a" });
    let list = ["action", NAME, "get_alert_list", "--input", ALL_TIME];
    let lines = [&list[..], &["--output", "jsonl"]].concat();
    // The signal, the command, what is answered before it comes, what is printed, and what is said.
    type Case<'a> = (&'a str, &'a [&'a str], Vec<Value>, Value, &'a str);
    let cases: [Case<'_>; 6] = [
        ("-INT", &["check", NAME], vec![], Value::Null, "interrupted"),
        ("-TERM", &["check", NAME], vec![], Value::Null, "interrupted"),
        (
            "-INT",
            &["action", NAME, "isolate_endpoint", "--input", ONE],
            vec![],
            Value::Null,
            "may have been carried out",
        ),
        ("-INT", &list, vec![], Value::Null, "interrupted"),
        // A document that was begun is closed, and says that it is incomplete.
        (
            "-TERM",
            &list,
            vec![page.clone()],
            json!({ "alerts": [{ "id": "WB-1" }, { "id": "WB-2" }], "incomplete": true }),
            "interrupted",
        ),
        ("-INT", &lines, vec![page], json!([{ "id": "WB-1" }, { "id": "WB-2" }]), "interrupted"),
    ];
    for (signal, arguments, answers, wanted, says) in cases {
        let (url, waited) = silent(answers);
        let mut command = connectome(home.path());
        command.args(arguments).env(KEY, "a-key").env(URL, url).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        waited.recv().unwrap();
        let sent = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let (code, shown, said) = told(&child.wait_with_output().unwrap());
        assert_eq!(code, 130, "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
        match wanted {
            Value::Null => assert_eq!(shown, "", "{arguments:?}"),
            Value::Array(lines) => assert_eq!(shown.lines().map(parsed).collect::<Vec<_>>(), lines),
            whole => assert_eq!(parsed(&shown), whole),
        }
    }
}
