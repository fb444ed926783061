//! What is wrong on the line, at the service or on the way: the exit code, and what is told.

use connectome_tests::command::{Simulation, home, parsed, run, simulated};
use serde_json::json;

use crate::{KEY, NAME, URL, nobody, words};

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
    (&["check", NAME, "--burst", "3"], &["--requests-per-second"]),
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
