//! What the command prints.

use connectome_core::secret::MASK;
use connectome_tests::command::{Simulation, home, run};
use serde_json::{Value, json};

use crate::{ARCHIVE, KEY, Told, base64, bytes, sample};

#[test]
fn a_dry_run_shows_the_request_without_secrets() {
    let home = home();
    let mut told = Told::default();
    let variables = [("CONNECTOME_TREND_VISION_ONE_API_KEY", KEY)];
    let described =
        json!({ "api_keys_objects": [{ "name": "a", "role": "Analyst", "description": format!("as {KEY} had") }] })
            .to_string();
    for output in ["text", "json"] {
        for (action, input) in
            [("submit_file_to_sandbox", sample().to_string()), ("create_api_keys", described.clone())]
        {
            let arguments = [
                "action",
                "trend-vision-one",
                action,
                "--dry-run",
                "--input",
                &input,
                "--output",
                output,
                "--log",
                "trace",
                "--log-bodies",
            ];
            let (code, shown, said) = run(home.path(), &arguments, &variables);
            assert_eq!(code, 0, "{said}");
            assert!(shown.contains(MASK), "{shown}");
            told.hear(&format!("dry run of {action} as {output}"), shown);
            told.hear(&format!("dry run of {action} as {output}, errors"), said);
        }
        // However short a password is.
        for password in ["a", "ab", "abc", "abcd", "abcde"] {
            let input = json!({ "file": { "content": "dGVzdA==", "filename": "a.zip" }, "archive_password": password, "document_password": password }).to_string();
            let (_, shown, said) = run(
                home.path(),
                &[
                    "action",
                    "trend-vision-one",
                    "submit_file_to_sandbox",
                    "--dry-run",
                    "--input",
                    &input,
                    "--output",
                    output,
                ],
                &variables,
            );
            assert!(!shown.contains(&base64(password)) && !said.contains(&base64(password)), "{shown}");
            assert!(shown.contains("archivePassword") && shown.contains("documentPassword"), "{shown}");
        }
    }
    told.assert_silent();
}

#[test]
fn the_command_prints_a_secret_only_as_the_result() {
    let home = home();
    let simulation = Simulation::start(home.path(), "trend-vision-one", &["--token", KEY]);
    let variables = [
        ("CONNECTOME_TREND_VISION_ONE_API_KEY", KEY),
        ("CONNECTOME_TREND_VISION_ONE_API_URL", simulation.url.as_str()),
    ];
    let mut told = Told::default();
    let finest = ["--log", "trace", "--log-bodies"];
    let (code, shown, said) = run(home.path(), &[&["check", "trend-vision-one"][..], &finest].concat(), &variables);
    assert!(code == 0 && said.contains("answer body"), "{said}");
    told.hear("check", shown + &said);
    let input =
        json!({ "api_keys_objects": [{ "name": "a", "role": "Analyst" }, { "name": "b", "role": "no such role" }] })
            .to_string();
    let (code, shown, said) = run(
        home.path(),
        &[&["action", "trend-vision-one", "create_api_keys", "--input", &input][..], &finest].concat(),
        &variables,
    );
    // The key was made, though its neighbour was not: it is told, and only there.
    let result: Value = serde_json::from_str(&shown).unwrap_or_else(|error| panic!("{error}: {shown} {said}"));
    let made = result["output"]["api_keys_resp"][0]["value"].as_str().unwrap().to_owned();
    assert_eq!(code, 3, "{said}");
    assert!(made.starts_with("eyJ") && said.contains("answer body") && !said.contains(&made), "{said}");
    told.hear("create_api_keys", said);
    let (_, shown, said) = run(
        home.path(),
        &[&["action", "trend-vision-one", "submit_file_to_sandbox", "--input", &sample().to_string()][..], &finest]
            .concat(),
        &variables,
    );
    assert!(shown.contains("digest"), "{said}");
    told.hear("submit_file_to_sandbox", shown + &said);
    let start = json!({ "start_date_time": "1970-01-01T00:00:00Z" }).to_string();
    let (code, shown, said) = run(
        home.path(),
        &[&["trigger", "trend-vision-one", "poll_alert_list", "--once", "--input", &start][..], &finest].concat(),
        &variables,
    );
    assert_eq!(code, 0, "{said}");
    told.hear("poll_alert_list", shown + &said);
    // All of this left a database behind, with progress in it and nothing else.
    let left = String::from_utf8_lossy(&bytes(home.path())).into_owned();
    assert!(left.contains("SQLite format") && left.contains("trigger/trend-vision-one/poll_alert_list"));
    told.hear("the files", left);
    told.assert_silent();
}

#[test]
fn a_secret_in_the_wrong_place_is_refused_without_being_shown() {
    let home = home();
    let mut told = Told::default();
    let name = "CONNECTOME_TREND_VISION_ONE_API_KEY";
    let action = ["action", "trend-vision-one", "submit_file_to_sandbox", "--input"];
    let broken = format!("{}, oops", sample());
    let toml = home.path().join("broken.toml");
    std::fs::write(
        &toml,
        format!(
            "[instances.a]\nconnector = \"trend-vision-one\"\nparameters = {{ api_key = \"{} }}\n",
            KEY.replace(['"', '\\'], "")
        ),
    )
    .unwrap();
    let plain = home.path().join("plain.toml");
    std::fs::write(
        &plain,
        format!("[instances.a]\nconnector = \"trend-vision-one\"\nparameters = {{ api_key = '{KEY}' }}\n"),
    )
    .unwrap();
    let absent = json!({ "archive_password": ARCHIVE }).to_string();
    let given = format!("api_key={KEY}");
    let cases: Vec<(Vec<&str>, String)> = vec![
        (vec!["check", "trend-vision-one", "--param", &given], KEY.to_owned()),
        (vec!["check", "trend-vision-one"], format!("{KEY} with blanks")),
        (vec!["check", "trend-vision-one"], format!("{KEY}é")),
        (vec!["--config", toml.to_str().unwrap(), "check", "trend-vision-one"], String::new()),
        (vec!["--config", plain.to_str().unwrap(), "check", "trend-vision-one"], String::new()),
        ([&action[..], &[&broken]].concat(), KEY.to_owned()),
        ([&action[..], &[&absent]].concat(), KEY.to_owned()),
    ];
    for (arguments, key) in cases {
        let (code, shown, said) = run(home.path(), &arguments, &[(name, &key)]);
        assert_eq!((code, shown.as_str()), (2, ""), "{said}");
        told.hear(&arguments[..2].join(" "), said);
    }
    told.assert_silent();
}
