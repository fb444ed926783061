//! What every input may be: values right at each limit pass, and one step beyond is told, with its place, what was
//! expected and what was found, before anything is sent.

mod rule;
mod rules;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::rounds::{Plan, Progress, Rounds};
use connectome_core::shape::{Record, Shape};
use connectome_core::validate::{Violation, validate};
use connectome_core::{Connection, Error, ErrorKind};
use connectome_tests::script::Script;
use connectome_tests::simulated::settings;
use serde_json::{Map, Value, json};

use rule::{Break, EMPTY, Rule};
use rules::{FIELD, ID, rules};

/// When the examples are of today.
const NOW: &str = "2021-04-08T00:00:00Z";

/// An action's or a trigger's example, with the value at this pointer in it.
fn with(name: &str, pointer: &str, value: &Value) -> Value {
    let mut input = EXAMPLES[name].clone();
    if pointer.is_empty() {
        return value.clone();
    }
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match input.pointer_mut(parent).unwrap_or_else(|| panic!("{name} has no {parent}")) {
        Value::Array(items) => items[key.parse::<usize>().expect("a place")] = value.clone(),
        object => object[key] = value.clone(),
    }
    input
}

static EXAMPLES: LazyLock<Value> = LazyLock::new(|| {
    let catalog: Value = serde_json::from_str(CONNECTOR.catalog).expect("JSON");
    let entries =
        ["actions", "triggers"].into_iter().flat_map(|kind| catalog[kind].as_array().expect("a list").clone());
    let example = |entry: &Value| entry.get("example_input").cloned().unwrap_or_else(|| json!({}));
    entries
        .map(|entry| (entry["name"].as_str().expect("a name").to_owned(), example(&entry)))
        .collect::<Map<_, _>>()
        .into()
});

fn connection(url: &str) -> Connection {
    let (settings, _) = settings(url, NOW.parse().expect("a time"));
    Connection::new(&CONNECTOR, settings).expect("a connection")
}

fn parted(place: &str) -> (&str, &str) {
    place.find('/').map_or((place, ""), |at| place.split_at(at))
}

/// Checks an input as far as its request.
fn check(connection: &Connection, name: &str, input: &Value) -> Result<(), Error> {
    let now = connection.clock().now();
    let (operation, input) = match CONNECTOR.trigger(name) {
        None => (CONNECTOR.operation(name).expect("an action"), input.clone()),
        Some(trigger) => {
            let wrong = |violations| Error::new(ErrorKind::Input, name).violations(violations);
            let input = validate(trigger.input, input, now).map_err(wrong)?;
            (trigger.operation, Plan::new(trigger, input, Progress::default()).ask(now).into())
        }
    };
    connection.validate(operation, &input).and_then(|input| connection.request(operation, &input)).map(|_| ())
}

/// Runs an action, or a trigger's first round.
async fn run(connection: &Connection, name: &str, input: Value) -> Result<Value, Error> {
    match CONNECTOR.trigger(name) {
        None => connection.call(CONNECTOR.operation(name).expect("an action"), input).await,
        Some(trigger) => Ok(Rounds::new(connection.clone(), trigger, &input, None)?.next().await?.event),
    }
}

/// What a refusal says: pointers, what was expected, what was found.
fn told(outcome: Result<Value, Error>) -> Vec<[String; 3]> {
    let error = match outcome {
        Err(error) if error.kind() == ErrorKind::Input => error,
        other => panic!("no refusal: {other:?}"),
    };
    let text = error.to_string();
    let told = error.parts().violations.iter().cloned().map(|Violation { pointer, expected, found }| {
        assert!(text.contains(&format!("expected {expected}, found {found}")), "{text}");
        [pointer, expected, found]
    });
    told.collect()
}

#[test]
fn what_is_right_at_a_limit_passes() {
    let connection = connection("https://api.example.com");
    for Rule { places, passes, .. } in rules() {
        for (place, value) in places.iter().flat_map(|place| passes.iter().map(move |value| (place, value))) {
            let (name, pointer) = parted(place);
            if let Err(error) = check(&connection, name, &with(name, pointer, value)) {
                panic!("{place}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn what_breaks_a_rule_is_told_and_not_sent() {
    let script = Script::start(Vec::new()).await;
    let connection = connection(&script.url());
    for Rule { places, breaks, .. } in rules() {
        for (place, Break { value, at, expected, found }) in
            places.iter().flat_map(|place| breaks.iter().map(move |it| (place, it)))
        {
            let (name, pointer) = parted(place);
            let outcome = run(&connection, name, with(name, pointer, value)).await;
            let one = [format!("{pointer}{at}"), expected.clone(), found.clone()];
            assert_eq!(told(outcome), [one], "{place}");
        }
    }
    assert_eq!(script.asked().len(), 0);
}

#[test]
fn every_input_has_its_rules_here() {
    fn places(record: &Record, before: &str, all: &mut BTreeSet<String>) {
        for field in record.fields {
            let place = format!("{before}/{}", field.name);
            if let Shape::List(Shape::Record(element)) = field.shape {
                places(element, &format!("{place}/0"), all);
            }
            all.insert(place);
        }
    }
    let mut wanted = BTreeSet::new();
    CONNECTOR.operations.iter().for_each(|operation| places(operation.input, operation.name, &mut wanted));
    CONNECTOR.triggers.iter().for_each(|trigger| places(trigger.input, trigger.name, &mut wanted));
    for Rule { places, breaks, .. } in rules() {
        for (place, it) in places.iter().flat_map(|place| breaks.iter().map(move |it| (place, it))) {
            wanted.remove(&format!("{place}{}", it.at));
        }
    }
    assert_eq!(wanted, BTreeSet::new());
}

/// What must be there, and what is expected where it is not. All other inputs may be left out.
const REQUIRED: &[(&str, &str)] = &[
    (
        "text",
        "add_alert_note/alert_id add_alert_note/content edit_alert_status/id get_alert_details/alert_id \
        delete_custom_script/script_id download_custom_script/script_id update_custom_script/script_id \
        run_custom_script/file_name get_api_key/id update_api_key/id update_api_key/name update_api_key/role \
        create_api_keys/api_keys_objects/0/name create_api_keys/api_keys_objects/0/role \
        add_to_block_list/block_objects/0/object_value remove_from_block_list/block_objects/0/object_value \
        add_to_exception_list/block_objects/0/object_value remove_from_exception_list/block_objects/0/object_value \
        add_to_suspicious_list/suspicious_block_objects/0/object_value \
        remove_from_suspicious_list/block_objects/0/object_value collect_file/collect_files/0/file_path \
        terminate_process/process_identifiers/0/file_sha1 delete_email_message/email_identifiers/0/message_id \
        quarantine_email_message/email_identifiers/0/message_id restore_email_message/email_identifiers/0/message_id \
        disable_account/account_identifiers/0/account_name enable_account/account_identifiers/0/account_name \
        reset_password_account/account_identifiers/0/account_name sign_out_account/account_identifiers/0/account_name \
        get_alert_list/start_date_time get_alert_list/end_date_time get_oat_list/detected_start_date_time \
        get_oat_list/detected_end_date_time get_oat_list/ingested_start_date_time get_oat_list/ingested_end_date_time \
        download_sandbox_analysis_result/id download_sandbox_investigation_package/id \
        get_sandbox_analysis_result/report_id get_sandbox_submission_status/task_id get_sandbox_suspicious_list/id \
        get_task_result/task_id poll_alert_list/start_date_time poll_oat_list/detected_start_date_time \
        poll_oat_list/ingested_start_date_time poll_sandbox_suspicious_list/id",
    ),
    (
        "a list",
        "add_to_block_list/block_objects remove_from_block_list/block_objects \
        add_to_exception_list/block_objects remove_from_exception_list/block_objects \
        add_to_suspicious_list/suspicious_block_objects remove_from_suspicious_list/block_objects \
        collect_file/collect_files terminate_process/process_identifiers isolate_endpoint/endpoint_identifiers \
        restore_endpoint/endpoint_identifiers delete_email_message/email_identifiers \
        quarantine_email_message/email_identifiers restore_email_message/email_identifiers \
        disable_account/account_identifiers enable_account/account_identifiers \
        reset_password_account/account_identifiers sign_out_account/account_identifiers \
        create_api_keys/api_keys_objects delete_api_keys/id submit_urls_to_sandbox/urls",
    ),
    (
        "an object",
        "get_custom_script_list/fields list_api_keys/fields get_oat_list/fields poll_oat_list/fields \
        get_endpoint_data/fields get_email_activity_data/fields get_email_activity_data_count/fields \
        get_endpoint_activity_data/fields get_endpoint_activity_data_count/fields",
    ),
    (
        "a file: {\"content\": BASE64, \"filename\": NAME}",
        "add_custom_script/file update_custom_script/file submit_file_to_sandbox/file",
    ),
    ("one of \"enabled\", \"disabled\"", "update_api_key/status"),
    (
        "one of \"New\", \"In Progress\", \"True Positive\", \"False Positive\", \"Benign True Positive\", \"Closed\"",
        "edit_alert_status/status",
    ),
    (
        "one of \"domain\", \"ip\", \"fileSha1\", \"fileSha256\", \"senderMailAddress\", \"url\"",
        "add_to_block_list/block_objects/0/object_type remove_from_block_list/block_objects/0/object_type \
        add_to_exception_list/block_objects/0/object_type remove_from_exception_list/block_objects/0/object_type \
        add_to_suspicious_list/suspicious_block_objects/0/object_type \
        remove_from_suspicious_list/block_objects/0/object_type",
    ),
];

#[tokio::test]
async fn what_must_be_there_is_missed_and_nothing_else() {
    fn leaves(value: &Value, at: String, all: &mut Vec<String>) {
        if let Value::Object(fields) = value {
            fields.keys().for_each(|key| all.push(format!("{at}/{key}")));
            for (key, value) in fields {
                if let Some([first @ Value::Object(_), ..]) = value.as_array().map(Vec::as_slice) {
                    leaves(first, format!("{at}/{key}/0"), all);
                }
            }
        }
    }
    let script = Script::start(Vec::new()).await;
    let connection = connection(&script.url());
    let mut missed = BTreeSet::new();
    for (name, example) in EXAMPLES.as_object().expect("an object") {
        let mut places = Vec::new();
        leaves(example, String::new(), &mut places);
        for place in places {
            let (parent, key) = place.rsplit_once('/').expect("a pointer");
            for (found, null) in [("nothing", false), ("null", true)] {
                let mut input = example.clone();
                let parent = input.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
                parent.remove(key);
                if null {
                    parent.insert(key.to_owned(), Value::Null);
                }
                if check(&connection, name, &input).is_ok() {
                    continue;
                }
                let told = told(run(&connection, name, input).await);
                let [[pointer, expected, seen]] = told.as_slice() else { panic!("{name}{place}: {told:?}") };
                assert_eq!((pointer, seen.as_str()), (&place, found), "{name}");
                missed.insert((expected.clone(), format!("{name}{place}")));
            }
        }
    }
    let listed = REQUIRED.iter().flat_map(|(expected, places)| {
        places.split_whitespace().map(|place| ((*expected).to_owned(), place.to_owned()))
    });
    assert_eq!(missed, listed.collect());
    assert_eq!(script.asked().len(), 0);
}

#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let script = Script::start(Vec::new()).await;
    let connection = connection(&script.url());
    let long_text = "x".repeat(256);
    for (name, input, mistakes) in [
        (
            "create_api_keys",
            json!({ "api_keys_objects": [
                { "name": "", "months_to_expiration": 2, "status": "on", "colour": "red" },
                { "name": "n", "role": "Analyst" },
                "third",
            ] }),
            vec![
                [
                    "/api_keys_objects/0/colour",
                    "one of description, months_to_expiration, name, role, status",
                    "an unknown field",
                ],
                ["/api_keys_objects/0/months_to_expiration", r#"one of "1", "3", "6", "12", "0""#, "\"2\""],
                ["/api_keys_objects/0/name", "at least 1 character", EMPTY],
                ["/api_keys_objects/0/role", "text", "nothing"],
                ["/api_keys_objects/0/status", r#"one of "enabled", "disabled""#, "\"on\""],
                ["/api_keys_objects/2", "an object of type api_keys_objects", "\"third\""],
            ],
        ),
        (
            "add_to_suspicious_list",
            json!({ "suspicious_block_objects": [
                { "object_type": "ip", "object_value": "6.6.6", "risk_level": "grave" },
                { "object_type": "hash", "scan_action": "eat", "expiry_days": 366 },
            ] }),
            vec![
                ["/suspicious_block_objects/0/object_value", "an IPv4 or IPv6 address", "\"6.6.6\""],
                ["/suspicious_block_objects/0/risk_level", r#"one of "high", "medium", "low""#, "\"grave\""],
                ["/suspicious_block_objects/1/expiry_days", "a number from -1 to 365", "366"],
                [
                    "/suspicious_block_objects/1/object_type",
                    r#"one of "domain", "ip", "fileSha1", "fileSha256", "senderMailAddress", "url""#,
                    "\"hash\"",
                ],
                ["/suspicious_block_objects/1/object_value", "text", "nothing"],
                ["/suspicious_block_objects/1/scan_action", r#"one of "block", "log""#, "\"eat\""],
            ],
        ),
        // Some rules are of a value, some of several, some of what they become.
        (
            "get_endpoint_activity_data",
            json!({
                "start_date_time": "2021-04-07T00:00:00Z", "end_date_time": "2021-04-06T00:00:00Z", "top": 7,
                "fields": { "dpt": [443], "a b": 1 }, "query_op": "nor",
                "select": ["a".repeat(1024), "b".repeat(1024)],
            }),
            vec![
                ["/end_date_time", "a time that is not before start_date_time", "2021-04-06T00:00:00Z"],
                ["/fields/a b", FIELD, "\"a b\""],
                ["/fields/dpt", "text, a number, true or false", "a list of 1"],
                ["/query_op", r#"one of "or", "and""#, "\"nor\""],
                ["/select", "at most 2048 characters when joined", "2049"],
                ["/top", "one of 50, 100, 500, 1000, 5000", "7"],
            ],
        ),
        (
            "submit_file_to_sandbox",
            json!({
                "archive_password": "hunter2-".repeat(20), "document_password": ["hunter2"],
                "arguments": "x".repeat(1025), "file": { "content": "?", "filename": "a.exe", "mode": 7 },
            }),
            vec![
                ["/archive_password", "at most 128 bytes before encoding", "[secret]"],
                ["/arguments", "at most 1024 bytes before encoding", "1025"],
                ["/document_password", "text", "[secret]"],
                ["/file/content", "the file's bytes in Base64", "1 character of something other than Base64"],
                ["/file/mode", "content and filename only", "an unknown field"],
            ],
        ),
        (
            "run_custom_script",
            json!({ "file_name": long_text, "parameter": 1.5 }),
            vec![
                ["", "one of agent_guid or endpoint_name", "none that fits"],
                ["/file_name", "at most 255 characters", "256 characters"],
                ["/parameter", "text", "1.5"],
            ],
        ),
        (
            "poll_sandbox_suspicious_list",
            json!({ "id": "a/b", "interval": 0, "poll_time_sec": true, "poll": "yes" }),
            vec![
                ["/id", ID, "\"a/b\""],
                ["/interval", "a number of 1 or more", "0"],
                ["/poll", "true or false", "\"yes\""],
                ["/poll_time_sec", "a number", "true"],
            ],
        ),
        (
            "get_alert_list",
            json!(["2021-04-07T00:00:00Z"]),
            vec![["", "an object of type get_alert_list", "a list of 1"]],
        ),
    ] {
        let outcome = run(&connection, name, input).await;
        let shown =
            outcome.as_ref().err().map(|error| format!("{error} {error:?} {}", error.to_json())).unwrap_or_default();
        assert!(!shown.contains("hunter2"), "{shown}");
        let mut told = told(outcome);
        told.sort();
        assert_eq!(told, mistakes, "{name}");
    }
    assert_eq!(script.asked().len(), 0);
}

const KEY: &str = "a token without blanks or control characters";
const ROOT: &str = "a URL of scheme and host such as https://api.example.com";

#[test]
fn a_connection_s_parameters_have_rules_too() {
    let connect = |given: Value| {
        let (mut settings, _) = settings("https://api.example.com", NOW.parse().expect("a time"));
        settings.parameters.extend(given.as_object().expect("an object").clone());
        Connection::new(&CONNECTOR, settings)
    };
    for passes in [
        json!({ "api_key": "x" }),
        json!({ "api_key": "12345678-ABCD:~!#%&/\\" }),
        json!({ "api_key": { "secretKey": "eyJ0eXAi.abc-_.def" } }),
        json!({ "api_key": "default" }),
        json!({ "api_url": "https://api.example.com/" }),
        json!({ "api_url": "https://new-region.example:8443/v3.0/" }),
        json!({ "api_url": "http://127.0.0.1:1" }),
        json!({ "api_url": null }),
        json!({ "verify_ssl": false }),
    ] {
        assert!(connect(passes.clone()).is_ok(), "{passes}");
    }
    for (given, pointer, expected, found) in [
        (json!({ "api_key": null }), "/api_key", "text", "null"),
        (json!({ "api_key": "" }), "/api_key", "at least 1 character", "[secret]"),
        (json!({ "api_key": "hunter2 hunter2" }), "/api_key", KEY, "[secret]"),
        (json!({ "api_key": "hunter2\n" }), "/api_key", KEY, "[secret]"),
        (json!({ "api_key": "hunter2\u{7f}" }), "/api_key", KEY, "[secret]"),
        (json!({ "api_key": "hunter2é" }), "/api_key", KEY, "[secret]"),
        (json!({ "api_key": { "secretKey": "hunter2 " } }), "/api_key", KEY, "[secret]"),
        (json!({ "api_key": ["hunter2"] }), "/api_key", "text", "[secret]"),
        (json!({ "api_key": { "secret": "hunter2" } }), "/api_key", "text", "[secret]"),
        (json!({ "api_url": "api.example.com" }), "/api_url", ROOT, "\"api.example.com\""),
        (json!({ "api_url": "/v3.0" }), "/api_url", ROOT, "\"/v3.0\""),
        (json!({ "api_url": "ftp://api.example.com" }), "/api_url", ROOT, "\"ftp://api.example.com\""),
        (json!({ "api_url": "https://a.example?x=1" }), "/api_url", ROOT, "\"https://a.example?x=1\""),
        (json!({ "api_url": "https://a.example#x" }), "/api_url", ROOT, "\"https://a.example#x\""),
        (json!({ "api_url": "https://u:hunter2@a.example" }), "/api_url", ROOT, "\"https://[secret]@a.example\""),
        (json!({ "verify_ssl": "no" }), "/verify_ssl", "true or false", "\"no\""),
        (json!({ "region": "eu" }), "/region", "one of api_key, api_url, verify_ssl", "an unknown field"),
    ] {
        let error = connect(given.clone()).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let wrong: Vec<_> =
            error.parts().violations.iter().map(|it| (&*it.pointer, &*it.expected, &*it.found)).collect();
        assert_eq!(wrong, [(pointer, expected, found)], "{given}");
        let shown = format!("{error} {error:?} {}", error.to_json());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    // Plain HTTP would show the key to anybody, but for this machine.
    let error = connect(json!({ "api_url": "http://api.example.com" })).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("would send the token unencrypted"), "{error}");
    let error = connect(json!({ "api_key": "a b", "api_url": "x", "verify_ssl": 1 })).expect_err("a refusal");
    assert_eq!(error.parts().violations.len(), 3, "{error}");
}
