//! Where the vendor's document and the service disagree, or either is odd: what is taken, what is sent, what comes out.
//!
//! The peculiarities are numbered; [`REGISTER`] names the tests of each.

use std::sync::Arc;

use connectome::trend_vision_one::{CONNECTOR, Client, GetSandboxSubmissionStatusInput, GetTaskResultInput};
use connectome_collect::rounds::Rounds;
use connectome_core::clock::ManualClock;
use connectome_core::operation::Operation;
use connectome_core::request::{Body, Content, Request};
use connectome_core::{Connection, Error, ErrorKind, Settings};
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::settings;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// What becomes of a peculiarity.
enum Seen {
    /// These tests show it.
    Tested(&'static [fn()]),
    /// It cannot show here, for this reason.
    #[allow(dead_code)]
    Moot(&'static str),
}

use Seen::Tested;

const REGISTER: &[(u8, &str, Seen)] = &[
    (
        1,
        "object lists start no task",
        Tested(&[object_lists_show_the_text_none_for_a_task, the_text_none_is_no_task_to_ask_for]),
    ),
    (2, "days to expiry have two names", Tested(&[days_to_expiry_come_under_either_name_and_must_agree])),
    (3, "list entries have a type and a value", Tested(&[list_entries_come_as_type_and_value_whatever_their_kind])),
    (
        4,
        "a mailbox goes with Internet message ids only",
        Tested(&[a_mailbox_goes_with_an_internet_message_id_and_with_no_other]),
    ),
    (
        5,
        "an endpoint is named in one way",
        Tested(&[an_endpoint_is_named_by_its_guid_or_else_by_its_name_and_never_by_both]),
    ),
    (6, "alerts have an old status and a new pair", Tested(&[an_alert_s_status_is_sent_in_the_older_form])),
    (
        7,
        "sandbox texts are Base64, once",
        Tested(&[
            sandbox_texts_are_encoded_once,
            sandbox_texts_are_measured_before_encoding,
            sandbox_passwords_are_shown_nowhere,
        ]),
    ),
    (8, "numbers stand where texts belong", Tested(&[whole_numbers_are_taken_for_texts_and_texts_come_out])),
    (9, "examples spell some keys as on the wire", Tested(&[keys_come_out_in_snake_case_at_every_depth])),
    (10, "an alert is nested under a key", Tested(&[an_alert_s_details_are_under_the_key_alert])),
    (11, "activity events have nulls", Tested(&[an_activity_event_holds_what_the_service_gave_and_no_nulls])),
    (
        12,
        "detections are limited to fifty",
        Tested(&[detections_are_asked_for_once_and_more_than_fifty_are_an_error, a_trigger_reads_all_detections]),
    ),
    (
        13,
        "a submission's error is nested once",
        Tested(&[a_submission_s_error_comes_un_nested_and_only_if_there_is_one]),
    ),
    (14, "an action's name is misspelt", Tested(&[both_spellings_of_a_terminated_process_come_out_as_they_came_in])),
    (15, "a task's answer lacks most fields", Tested(&[what_a_task_lacks_is_left_out])),
    (
        16,
        "some tasks and states are recent",
        Tested(&[every_kind_of_task_is_read, a_state_that_is_neither_queued_nor_running_ends_the_wait]),
    ),
    (17, "titles hide names", Tested(&[names_that_titles_hide_are_the_ones_taken_and_given])),
    (
        18,
        "required cells are not what is required",
        Tested(&[
            a_file_is_required,
            risk_and_reaction_are_not_required,
            page_sizes_have_a_default,
            a_search_needs_fields_and_a_list_does_not,
        ]),
    ),
    (19, "some defaults are samples", Tested(&[a_sample_stands_in_for_nothing])),
    (
        20,
        "dates come in many forms",
        Tested(&[
            dates_are_taken_in_many_forms_and_sent_in_one,
            what_is_no_date_is_refused,
            dates_of_answers_stay_as_they_came,
        ]),
    ),
    (21, "operators come in any case", Tested(&[an_operator_is_taken_in_any_case_and_with_blanks])),
    (22, "entity tags come in three forms", Tested(&[entity_tags_go_out_as_each_endpoint_wants_them_or_not_at_all])),
    (23, "default descriptions", Tested(&[a_description_is_the_caller_s_or_the_action_s_own])),
    (24, "counts are of two kinds", Tested(&[counts_are_of_what_is_given_or_of_what_would_be_found])),
    (25, "statuses that come out", Tested(&[statuses_that_come_out_are_the_service_s_own])),
    (26, "months to expiry", Tested(&[months_to_expiry_go_out_as_a_number_and_are_never_left_out])),
    (
        27,
        "parts of a request fail",
        Tested(&[
            a_failed_part_fails_the_action_and_hides_nothing,
            a_key_that_was_made_beside_a_failed_one_is_given_and_printed_nowhere,
            an_answer_for_other_elements_than_were_sent_is_an_error,
        ]),
    ),
    (28, "descriptions are copied by mistake", Tested(&[no_description_is_a_copy_of_another_s])),
    (29, "backslashes are doubled on paper", Tested(&[a_backslash_stays_one_backslash])),
    (30, "commands of another product are named", Tested(&[ids_of_submissions_are_what_the_sandbox_actions_take])),
    (31, "partial matches are promised", Tested(&[wildcards_are_taken_where_a_list_has_them_and_nowhere_else])),
    (32, "permissions are missing", Tested(&[permissions_that_the_document_leaves_out_are_there])),
    (33, "types of outputs", Tested(&[outputs_have_types_of_their_own])),
    (
        34,
        "windows overlap",
        Tested(&[what_a_round_gave_is_not_given_again, what_a_round_gave_is_remembered_between_runs]),
    ),
];

#[test]
fn every_peculiarity_is_registered_once_with_its_tests() {
    let numbers: Vec<u8> = REGISTER.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=34).collect::<Vec<u8>>());
    for (number, what, seen) in REGISTER {
        let shown = match seen {
            Seen::Tested(tests) => !tests.is_empty(),
            Seen::Moot(reason) => !reason.is_empty(),
        };
        assert!(shown, "{number}, {what}, has neither a test nor a reason");
    }
    // A function that is named here and is no test would show nothing.
    let source = include_str!("quirks.rs");
    let tests = source.matches("#[test]\n").count() + source.matches("#[tokio::test]\n").count();
    let named: usize =
        REGISTER.iter().map(|(.., seen)| if let Seen::Tested(tests) = seen { tests.len() } else { 0 }).sum();
    assert_eq!(tests, named + 1);
}

// What the tests share.

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn operation(name: &str) -> &'static Operation {
    CONNECTOR.operation(name).expect("an action")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn connect(url: &str, now: &str) -> (Connection, Arc<ManualClock>) {
    let (settings, clock) = settings(url, at(now));
    (Connection::new(&CONNECTOR, settings).expect("a connection"), clock)
}

/// The request that an input becomes.
fn built(action: &str, input: Value) -> Result<Request, Error> {
    let (connection, _) = connect("https://api.example.com", "2024-06-12T00:00:00Z");
    let input = connection.validate(operation(action), &input)?;
    connection.request(operation(action), &input)
}

#[track_caller]
fn request(action: &str, input: Value) -> Request {
    built(action, input).unwrap_or_else(|error| panic!("{error}"))
}

/// The JSON that an input becomes.
#[track_caller]
fn body(action: &str, input: Value) -> Value {
    match request(action, input).body {
        Body::Json(body) => body,
        other => panic!("{other:?} is not JSON"),
    }
}

/// Where an input is wrong.
#[track_caller]
fn wrong(action: &str, input: Value) -> Vec<String> {
    let error = built(action, input).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Input);
    error.parts().violations.iter().map(|violation| violation.pointer.clone()).collect()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

/// The value of a query parameter, as sent.
fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let (_, query) = request.target.split_once('?')?;
    query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// What an action gives when the service answers so, and how often it asked.
async fn answered(action: &str, input: Value, answers: Vec<Prepared>) -> (Result<Value, Error>, usize) {
    let script = Script::start(answers).await;
    let (connection, clock) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let output = connection.call(operation(action), input).await;
    assert!(clock.waits().is_empty(), "{:?}", clock.waits());
    (output, script.asked().len())
}

/// What an action gives when the service answers so.
async fn output(action: &str, input: Value, status: u16, answer: Value) -> Value {
    let (output, _) = answered(action, input, vec![Prepared::json(status, &answer)]).await;
    output.unwrap_or_else(|error| panic!("{error}"))
}

fn objects(value: &str) -> Value {
    json!({ "block_objects": [{ "object_type": "ip", "object_value": value }] })
}

const OBJECT_LISTS: [(&str, &str, u16); 4] = [
    ("add_to_exception_list", "block_objects", 201),
    ("add_to_suspicious_list", "suspicious_block_objects", 201),
    ("remove_from_exception_list", "block_objects", 204),
    ("remove_from_suspicious_list", "block_objects", 204),
];

const ENDPOINT_ACTIONS: [(&str, &str); 4] = [
    ("isolate_endpoint", "endpoint_identifiers"),
    ("restore_endpoint", "endpoint_identifiers"),
    ("collect_file", "collect_files"),
    ("terminate_process", "process_identifiers"),
];

const SEARCHES: [&str; 4] = [
    "get_email_activity_data",
    "get_email_activity_data_count",
    "get_endpoint_activity_data",
    "get_endpoint_activity_data_count",
];

// 1

#[tokio::test]
async fn object_lists_show_the_text_none_for_a_task() {
    for (action, input, status) in OBJECT_LISTS {
        let given = json!({ input: [{ "object_type": "ip", "object_value": "203.0.113.77" }] });
        assert_eq!(
            output(action, given, 207, json!([{ "status": status }])).await,
            json!({ "multi_response": [{ "status": status, "task_id": "None" }] }),
            "{action}"
        );
    }
    // Where tasks are started, a missing one is not dressed up as one.
    assert_eq!(
        output("add_to_block_list", objects("203.0.113.77"), 207, json!([{ "status": 202 }])).await,
        json!({ "multi_response": [{ "status": 202 }] })
    );
}

#[test]
fn the_text_none_is_no_task_to_ask_for() {
    assert_eq!(wrong("get_task_result", json!({ "task_id": "None" })), ["/task_id"]);
    assert_eq!(request("get_task_result", json!({ "task_id": "00002195" })).target, "/v3.0/response/tasks/00002195");
}

// 2

#[test]
fn days_to_expiry_come_under_either_name_and_must_agree() {
    let object = |days: Value| {
        let mut object = json!({ "object_type": "ip", "object_value": "203.0.113.77" });
        object.as_object_mut().expect("an object").extend(days.as_object().expect("an object").clone());
        json!({ "suspicious_block_objects": [object] })
    };
    for (given, sent) in [
        (json!({ "days_to_expiration": 30 }), json!(30)),
        (json!({ "days_to_expiration": "30" }), json!(30)),
        (json!({ "expiry_days": "30" }), json!(30)),
        (json!({ "expiry_days": 0 }), json!(0)),
        (json!({ "expiry_days": "-1" }), json!(-1)),
        (json!({ "expiry_days": 365 }), json!(365)),
        (json!({ "days_to_expiration": 30, "expiry_days": "30" }), json!(30)),
        (json!({ "days_to_expiration": null, "expiry_days": 7 }), json!(7)),
    ] {
        assert_eq!(
            body("add_to_suspicious_list", object(given.clone())),
            json!([{ "ip": "203.0.113.77", "daysToExpiration": sent }]),
            "{given}"
        );
    }
    assert_eq!(body("add_to_suspicious_list", object(json!({}))), json!([{ "ip": "203.0.113.77" }]));
    for (given, place) in [
        (json!({ "days_to_expiration": 30, "expiry_days": 31 }), "expiry_days"),
        (json!({ "days_to_expiration": -2 }), "days_to_expiration"),
        (json!({ "expiry_days": 366 }), "expiry_days"),
        (json!({ "expiry_days": "soon" }), "expiry_days"),
        (json!({ "expiry_days": 1.5 }), "expiry_days"),
    ] {
        assert_eq!(
            wrong("add_to_suspicious_list", object(given.clone())),
            [format!("/suspicious_block_objects/0/{place}")],
            "{given}"
        );
    }
}

// 3

#[tokio::test]
async fn list_entries_come_as_type_and_value_whatever_their_kind() {
    let kinds = ["url", "domain", "ip", "senderMailAddress", "fileSha1", "fileSha256"];
    let entry = |kind: &str| json!({ kind: "x", "type": kind, "lastModifiedDateTime": "2024-06-11T08:05:00Z" });
    let answer = json!({ "items": kinds.iter().map(|kind| entry(kind)).collect::<Vec<_>>() });
    let expected: Vec<Value> =
        kinds.iter().map(|kind| json!({ "type": kind, "value": "x", "last_modified_date_time": "2024-06-11T08:05:00Z", "description": "" })).collect();
    assert_eq!(
        output("get_suspicious_list", json!({}), 200, answer.clone()).await,
        json!({ "suspicious_objects": expected })
    );
    assert_eq!(output("get_exception_list", json!({}), 200, answer).await, json!({ "exception_objects": expected }));
    // A kind that nobody has seen yet loses nothing.
    let new = json!({ "items": [{ "type": "fileMd5", "fileMd5": "x", "description": "d" }] });
    assert_eq!(
        output("get_exception_list", json!({}), 200, new).await,
        json!({ "exception_objects": [{ "type": "fileMd5", "file_md5": "x", "description": "d" }] })
    );
}

// 4

#[test]
fn a_mailbox_goes_with_an_internet_message_id_and_with_no_other() {
    for (action, why) in [
        ("delete_email_message", "Delete Email Message"),
        ("quarantine_email_message", "Quarantine Email Message"),
        ("restore_email_message", "Restore Email Message"),
    ] {
        for (given, sent) in [
            (
                json!({ "message_id": "<b1@mail.example>", "mailbox": "a@example.com" }),
                json!({ "messageId": "<b1@mail.example>", "mailBox": "a@example.com", "description": why }),
            ),
            (
                json!({ "message_id": "<b1@mail.example>", "mailbox": "" }),
                json!({ "messageId": "<b1@mail.example>", "description": why }),
            ),
            (
                json!({ "message_id": "<b1@mail.example>" }),
                json!({ "messageId": "<b1@mail.example>", "description": why }),
            ),
            (
                json!({ "message_id": "AAkALg", "mailbox": "a@example.com" }),
                json!({ "uniqueId": "AAkALg", "description": why }),
            ),
            (json!({ "message_id": "<half" }), json!({ "uniqueId": "<half", "description": why })),
        ] {
            assert_eq!(body(action, json!({ "email_identifiers": [given] })), json!([sent]), "{action} {given}");
        }
    }
}

// 5

#[test]
fn an_endpoint_is_named_by_its_guid_or_else_by_its_name_and_never_by_both() {
    let guid = "cb9c8412-1f64-4fa0-a36b-76bf41a07ede";
    let cases = [
        (json!({ "endpoint_name": "client1", "agent_guid": guid }), json!({ "agentGuid": guid })),
        (json!({ "endpoint_name": "client1", "agent_guid": "2839eu2983e23e" }), json!({ "endpointName": "client1" })),
        (json!({ "agent_guid": "2839eu2983e23e" }), json!({ "agentGuid": "2839eu2983e23e" })),
        (json!({ "agent_guid": guid, "endpoint_name": "" }), json!({ "agentGuid": guid })),
        (json!({ "endpoint_name": "client1" }), json!({ "endpointName": "client1" })),
        (json!({ "endpoint_name": "client1", "agent_guid": null }), json!({ "endpointName": "client1" })),
    ];
    let named = |sent: &Value| {
        let mut names = sent.as_object().expect("an object").clone();
        names.retain(|key, _| key == "agentGuid" || key == "endpointName");
        Value::Object(names)
    };
    let rest = json!({ "file_path": "C:/x", "file_sha1": "984afc7aaa2718984e15e3b5ab095b519a081321" });
    for (given, sent) in &cases {
        for (action, input) in ENDPOINT_ACTIONS {
            let mut element = given.clone();
            for key in [("collect_file", "file_path"), ("terminate_process", "file_sha1")]
                .iter()
                .filter(|(name, _)| *name == action)
                .map(|(_, key)| *key)
            {
                element[key] = rest[key].clone();
            }
            assert_eq!(named(&body(action, json!({ input: [element] }))[0]), *sent, "{action} {given}");
        }
        let mut flat = given.clone();
        flat["file_name"] = json!("stop-svc.ps1");
        assert_eq!(named(&body("run_custom_script", flat)[0]), *sent, "run_custom_script {given}");
    }
    for (action, input) in ENDPOINT_ACTIONS {
        let found = wrong(action, json!({ input: [{ "file_path": "C:/x", "file_sha1": rest["file_sha1"] }] }));
        assert!(found.contains(&format!("/{input}/0")), "{action} {found:?}");
    }
    assert_eq!(wrong("run_custom_script", json!({ "file_name": "stop-svc.ps1", "endpoint_name": "" })), [""]);
}

// 6

#[test]
fn an_alert_s_status_is_sent_in_the_older_form() {
    for status in ["New", "In Progress", "True Positive", "False Positive", "Benign True Positive", "Closed"] {
        assert_eq!(
            body("edit_alert_status", json!({ "id": "WB-1", "status": status })),
            json!({ "investigationStatus": status })
        );
    }
    for status in ["Open", "No Findings", ""] {
        assert_eq!(wrong("edit_alert_status", json!({ "id": "WB-1", "status": status })), ["/status"], "{status}");
    }
}

// 7

/// The text parts of a submission.
#[track_caller]
fn submitted(texts: Value) -> Map<String, Value> {
    let mut input = json!({ "file": { "content": "TVouLg==", "filename": "inv.exe" } });
    input.as_object_mut().expect("an object").extend(texts.as_object().expect("an object").clone());
    let Body::Form(parts) = request("submit_file_to_sandbox", input).body else { panic!("no form") };
    let texts = parts.into_iter().filter_map(|part| match part.content {
        Content::Text(text) => Some((part.name.to_owned(), json!(text))),
        Content::File(..) => None,
    });
    texts.collect()
}

const SANDBOX_TEXTS: [(&str, &str); 3] =
    [("archive_password", "archivePassword"), ("document_password", "documentPassword"), ("arguments", "arguments")];

#[test]
fn sandbox_texts_are_encoded_once() {
    for (given, sent) in [
        (json!("1234"), "MTIzNA=="),
        (json!(1234), "MTIzNA=="),
        (json!("IFMlYztbQA=="), "IFMlYztbQA=="),
        (json!("infected"), "aW5mZWN0ZWQ="),
        (json!("LS1kcnktcnVu"), "LS1kcnktcnVu"),
        (json!("--dry-run"), "LS1kcnktcnVu"),
        // Not padded as Base64 is, so not taken for it.
        (json!("IFMlYztbQA"), "SUZNbFl6dGJRQQ=="),
        // Base64 of a line break, which nobody types.
        (json!("Cg=="), "Q2c9PQ=="),
        (json!("pässwörd"), "cMOkc3N3w7ZyZA=="),
    ] {
        for (input, part) in SANDBOX_TEXTS {
            assert_eq!(Value::Object(submitted(json!({ input: given }))), json!({ part: sent }), "{input} {given}");
        }
    }
    for (input, _) in SANDBOX_TEXTS {
        for given in [json!({ input: "" }), json!({ input: null }), json!({})] {
            assert!(submitted(given.clone()).is_empty(), "{given}");
        }
    }
}

#[test]
fn sandbox_texts_are_measured_before_encoding() {
    // Base64 of 128 letters, and of 129 and more.
    let (fits, long) = (format!("{}YWE=", "YWFh".repeat(42)), "YWFh".repeat(43));
    let file = json!({ "content": "TVouLg==", "filename": "inv.exe" });
    for input in ["archive_password", "document_password"] {
        assert_eq!(submitted(json!({ input: fits })).len(), 1);
        assert_eq!(submitted(json!({ input: "-".repeat(128) })).len(), 1);
        for given in [long.clone(), "-".repeat(129), "ä".repeat(65)] {
            assert_eq!(wrong("submit_file_to_sandbox", json!({ "file": file, input: given })), [format!("/{input}")]);
        }
    }
    assert_eq!(submitted(json!({ "arguments": "-".repeat(1024) })).len(), 1);
    assert_eq!(wrong("submit_file_to_sandbox", json!({ "file": file, "arguments": "-".repeat(1025) })), ["/arguments"]);
}

#[tokio::test]
async fn sandbox_passwords_are_shown_nowhere() {
    let file = json!({ "content": "TVouLg==", "filename": "inv.exe" });
    let answer =
        json!({ "error": { "code": "BadRequest", "message": "archivePassword=aW5mZWN0ZWQ= (infected) is wrong" } });
    let (result, _) = answered(
        "submit_file_to_sandbox",
        json!({ "file": file, "archive_password": "infected" }),
        vec![Prepared::json(400, &answer)],
    )
    .await;
    let error = result.expect_err("a refusal");
    for said in [error.to_string(), error.to_json().to_string(), format!("{error:?}")] {
        assert!(!said.contains("infected") && !said.contains("aW5mZWN0ZWQ="), "{said}");
        assert!(said.contains("archivePassword="), "{said}");
    }
    let error = built("submit_file_to_sandbox", json!({ "file": file, "document_password": "s3cret-".repeat(30) }))
        .expect_err("a refusal");
    assert!(!format!("{error} {error:?} {}", error.to_json()).contains("s3cret"), "{error}");
}

// 8

#[tokio::test]
async fn whole_numbers_are_taken_for_texts_and_texts_come_out() {
    assert_eq!(request("get_task_result", json!({ "task_id": 3_456_346 })).target, "/v3.0/response/tasks/3456346");
    assert_eq!(
        request("download_sandbox_analysis_result", json!({ "id": 6_345_645 })).target,
        "/v3.0/sandbox/analysisResults/6345645/report"
    );
    assert_eq!(body("add_alert_note", json!({ "alert_id": 7, "content": 7731 })), json!({ "content": "7731" }));
    for given in [json!(1.5), json!(true), json!(["1"]), json!({})] {
        assert_eq!(wrong("get_task_result", json!({ "task_id": given })), ["/task_id"], "{given}");
    }
    for (action, input, status, expected) in [
        (
            "add_alert_note",
            json!({ "alert_id": "WB-1", "content": "x" }),
            201,
            json!({ "note_id": "345", "result_code": "SUCCESS" }),
        ),
        ("edit_alert_status", json!({ "id": "WB-1", "status": "New" }), 204, json!({ "result_code": "SUCCESS" })),
        ("delete_custom_script", json!({ "script_id": 1 }), 204, json!({ "result_code": "SUCCESS" })),
        (
            "update_custom_script",
            json!({ "script_id": "1", "file": { "content": "bHM=", "filename": "a.sh" } }),
            204,
            json!({ "result_code": "SUCCESS" }),
        ),
    ] {
        let answer =
            Prepared::empty(status).header("Location", "https://api.example.com/v3.0/workbench/alerts/WB-1/notes/345");
        assert_eq!(answered(action, input, vec![answer]).await.0.expect("an output"), expected, "{action}");
    }
}

// 9

#[tokio::test]
async fn keys_come_out_in_snake_case_at_every_depth() {
    let made = json!([{ "status": 201, "body": { "id": "1", "value": "a-very-secret-key", "expiredDateTime": "2024-09-11T08:00:00Z" } }]);
    let input = json!({ "api_keys_objects": [{ "name": "a", "role": "Auditor" }] });
    let expected = json!({ "api_keys_resp": [{ "status": 201, "id": "1", "value": "a-very-secret-key", "expired_date_time": "2024-09-11T08:00:00Z" }] });
    assert_eq!(output("create_api_keys", input, 207, made).await, expected);

    let key = json!({ "items": [{ "id": "1", "name": "a", "role": "Auditor", "status": "enabled", "expiredDateTime": "x", "lastUsedDateTime": "y" }] });
    let listed = output("list_api_keys", json!({ "fields": {} }), 200, key).await;
    assert_eq!(
        listed["items"][0],
        json!({ "id": "1", "name": "a", "role": "Auditor", "status": "enabled", "expired_date_time": "x", "last_used_date_time": "y" })
    );

    let target = json!({ "status": "failed", "lastActionDateTime": "x", "agentGuid": "g", "error": { "code": "TaskError", "number": 4_009_999, "innerError": { "whyNot": "n" } } });
    let task = json!({ "id": "00000001", "status": "failed", "action": "isolateForMultiple", "createdDateTime": "x", "lastActionDateTime": "x", "tasks": [target] });
    let told = output("get_task_result", json!({ "task_id": "00000001" }), 200, task).await;
    let expected = json!({ "status": "failed", "last_action_date_time": "x", "agent_guid": "g", "error": { "code": "TaskError", "number": 4_009_999, "inner_error": { "why_not": "n" } } });
    assert_eq!(told["tasks"], json!([expected]));

    // The catalog keeps the document's own cells.
    assert_eq!(
        entry("actions", "create_api_keys")["example_output"]["api_keys_resp"][0]["expiredDateTime"],
        "2025-02-06T10:00:00Z"
    );
}

fn catalog() -> Value {
    serde_json::from_str(CONNECTOR.catalog).expect("JSON")
}

/// An action, trigger or type of the catalog.
fn entry(kind: &str, name: &str) -> Value {
    list(&catalog()[kind]).iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
}

// 10

#[tokio::test]
async fn an_alert_s_details_are_under_the_key_alert() {
    let answer = Prepared::json(200, &json!({ "id": "WB-1", "schemaVersion": "1.15" })).header("ETag", "\"4b1c\"");
    let (details, _) = answered("get_alert_details", json!({ "alert_id": "WB-1" }), vec![answer]).await;
    assert_eq!(
        details.expect("an output"),
        json!({ "alert_details": { "alert": { "id": "WB-1", "schema_version": "1.15" } }, "etag": "4b1c" })
    );
    let alerts = output("get_alert_list", day(), 200, json!({ "items": [{ "id": "WB-1" }] })).await;
    assert_eq!(alerts, json!({ "alerts": [{ "id": "WB-1" }], "total_count": 1 }));
    assert_eq!(
        entry("actions", "get_alert_details")["example_output"]["alert_details"],
        json!({ "alert": "<<referenced:bigdata>>" })
    );
}

fn day() -> Value {
    json!({ "start_date_time": "2024-06-11T00:00:00Z", "end_date_time": "2024-06-12T00:00:00Z" })
}

// 11

#[tokio::test]
async fn an_activity_event_holds_what_the_service_gave_and_no_nulls() {
    let event = json!({
        "uuid": "u", "dpt": null, "spt": 0, "tags": null, "objectSigner": [], "objectSignerValid": null, "logonUser": null, "objectPort": null, "dst": "", "newField": { "aB": 1 },
    });
    let answers =
        vec![Prepared::json(200, &json!({ "totalCount": 1 })), Prepared::json(200, &json!({ "items": [event] }))];
    let (output, _) = answered("get_endpoint_activity_data", json!({ "fields": { "uuid": "u" } }), answers).await;
    let given = json!({ "uuid": "u", "spt": 0, "object_signer": [], "dst": "", "new_field": { "a_b": 1 } });
    assert_eq!(output.expect("an output"), json!({ "endpoint_activity_data_resp": [given] }));
}

// 12

fn detections() -> Value {
    json!({
        "detected_start_date_time": "2024-06-11T00:00:00Z", "detected_end_date_time": "2024-06-12T00:00:00Z",
        "ingested_start_date_time": "2024-06-11T00:00:00Z", "ingested_end_date_time": "2024-06-12T00:00:00Z", "fields": {},
    })
}

/// Detections with these numbers, and where there are more.
fn page(numbers: std::ops::Range<u32>, total: u32, next: Option<&str>) -> Prepared {
    let items: Vec<Value> = numbers.map(|number| json!({ "uuid": format!("u{number}"), "source": "detections", "filters": [], "entityType": "endpoint", "detectedDateTime": "x", "detail": {} })).collect();
    Prepared::json(200, &json!({ "totalCount": total, "count": items.len(), "items": items, "nextLink": next }))
}

#[tokio::test]
async fn detections_are_asked_for_once_and_more_than_fifty_are_an_error() {
    assert_eq!(parameter(&request("get_oat_list", detections()), "top"), Some("50"));
    let (output, asked) = answered("get_oat_list", detections(), vec![page(0..50, 50, None)]).await;
    assert_eq!((output.expect("an output")["total_count"].clone(), asked), (json!(50), 1));
    let (output, asked) = answered(
        "get_oat_list",
        detections(),
        vec![page(0..50, 51, Some("https://api.example.com/v3.0/oat/detections?x=1"))],
    )
    .await;
    let error = output.expect_err("too many");
    assert_eq!((error.kind(), asked), (ErrorKind::TooMany, 1));
    assert!(error.to_string().contains("51 results match, and at most 50 are fetched"), "{error}");
}

#[tokio::test]
async fn a_trigger_reads_all_detections() {
    let script = Script::start(vec![
        page(0..50, 51, Some("https://api.example.com/v3.0/oat/detections?nextBatchToken=b")),
        page(50..51, 51, None),
    ])
    .await;
    let (connection, _) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let input = json!({ "detected_start_date_time": "2024-06-11T00:00:00Z", "ingested_start_date_time": "2024-06-11T00:00:00Z", "fields": {} });
    let round = Rounds::new(connection, CONNECTOR.trigger("poll_oat_list").expect("a trigger"), &input, None)
        .expect("rounds")
        .next()
        .await
        .expect("a round");
    assert_eq!((round.event["total_count"].clone(), list(&round.event["oats"]).len()), (json!(51), 51));
    assert_eq!(script.asked()[1].target, "/v3.0/oat/detections?nextBatchToken=b");
}

// 13

#[tokio::test]
async fn a_submission_s_error_comes_un_nested_and_only_if_there_is_one() {
    let told = async |error: Value| {
        let answer = json!({ "id": "1", "action": "analyzeFile", "status": "failed", "createdDateTime": "x", "lastActionDateTime": "x", "error": error });
        output("get_sandbox_submission_status", json!({ "task_id": "1" }), 200, answer).await.get("error").cloned()
    };
    assert_eq!(
        told(json!({ "code": "Unsupported", "message": "no" })).await,
        Some(json!({ "code": "Unsupported", "message": "no" }))
    );
    assert_eq!(told(json!({ "code": "Unsupported" })).await, Some(json!({ "code": "Unsupported" })));
    for nothing in [json!({}), json!(null), json!({ "code": "", "message": "" })] {
        assert_eq!(told(nothing.clone()).await, None, "{nothing}");
    }
}

// 14, 15, 16

/// A task with these further fields.
fn task(more: Value) -> Value {
    let mut task = json!({ "id": "00000001", "status": "succeeded", "action": "block", "createdDateTime": "x", "lastActionDateTime": "y" });
    task.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    task
}

#[tokio::test]
async fn both_spellings_of_a_terminated_process_come_out_as_they_came_in() {
    for action in ["teminateProcess", "terminateProcess"] {
        let told = output(
            "get_task_result",
            json!({ "task_id": "1" }),
            200,
            task(json!({ "action": action, "fileName": "inv.exe" })),
        )
        .await;
        assert_eq!((&told["action"], &told["filename"]), (&json!(action), &json!("inv.exe")));
    }
}

#[tokio::test]
async fn what_a_task_lacks_is_left_out() {
    let bare = json!({ "id": "00000001", "status": "succeeded", "action": "block", "created_date_time": "x", "last_action_date_time": "y" });
    assert_eq!(output("get_task_result", json!({ "task_id": "1" }), 200, task(json!({}))).await, bare);
    let nulls = task(json!({ "description": null, "fileSize": null, "pid": null, "tasks": null, "error": null }));
    assert_eq!(output("get_task_result", json!({ "task_id": "1" }), 200, nulls).await, bare);
    // What is there is given, however little it says.
    let given = output(
        "get_task_result",
        json!({ "task_id": "1" }),
        200,
        task(json!({ "description": "", "fileSize": 0, "pid": 0, "tasks": [] })),
    )
    .await;
    assert_eq!(
        (&given["description"], &given["file_size"], &given["pid"], &given["tasks"]),
        (&json!(""), &json!(0), &json!(0), &json!([]))
    );
    // What always comes and does not is an error rather than a hole.
    for key in ["id", "status", "action", "createdDateTime", "lastActionDateTime"] {
        let mut holed = task(json!({}));
        holed.as_object_mut().expect("an object").shift_remove(key);
        let (result, _) =
            answered("get_task_result", json!({ "task_id": "1" }), vec![Prepared::json(200, &holed)]).await;
        assert_eq!(result.expect_err("a refusal").kind(), ErrorKind::Protocol, "{key}");
    }
}

#[tokio::test]
async fn every_kind_of_task_is_read() {
    for action in [
        "isolateForMultiple",
        "restoreIsolateForMultiple",
        "runCustomScript",
        "runCustomScriptForMultiple",
        "dumpProcessMemory",
        "collectEvidence",
        "runOsquery",
        "runYaraRules",
        "somethingNew",
    ] {
        let told = output(
            "get_task_result",
            json!({ "task_id": "1" }),
            200,
            task(json!({ "action": action, "tasks": [{ "agentGuid": "g" }], "newField": { "aB": 1 } })),
        )
        .await;
        assert_eq!(
            (&told["action"], &told["tasks"], &told["new_field"]),
            (&json!(action), &json!([{ "agent_guid": "g" }]), &json!({ "a_b": 1 })),
            "{action}"
        );
    }
}

#[tokio::test]
async fn a_state_that_is_neither_queued_nor_running_ends_the_wait() {
    for status in ["succeeded", "failed", "canceled", "rejected", "pendingApproval", "waitForApproval", "somethingNew"]
    {
        let (result, asked) = answered(
            "get_task_result",
            json!({ "task_id": "1" }),
            vec![Prepared::json(200, &task(json!({ "status": status })))],
        )
        .await;
        assert_eq!((result.expect("an output")["status"].clone(), asked), (json!(status), 1));
    }
    let script = Script::start(
        ["queued", "running", "canceled"]
            .iter()
            .map(|status| Prepared::json(200, &task(json!({ "status": status }))))
            .collect(),
    )
    .await;
    let (connection, clock) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let output = connection.call(operation("get_task_result"), json!({ "task_id": "1" })).await.expect("an output");
    assert_eq!((output["status"].clone(), clock.waits().len()), (json!("canceled"), 2));
    // When the time is up, a task is given as it is.
    let script = Script::start(vec![Prepared::json(200, &task(json!({ "status": "running" }))); 9]).await;
    let (connection, clock) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let output = connection
        .call(operation("get_task_result"), json!({ "task_id": "1", "poll_time_sec": 15.5 }))
        .await
        .expect("an output");
    assert_eq!(
        (output["status"].clone(), clock.waits().iter().sum::<std::time::Duration>().as_millis()),
        (json!("running"), 15_500)
    );
}

// 17

#[tokio::test]
async fn names_that_titles_hide_are_the_ones_taken_and_given() {
    for (of, title, name) in [
        ("process_identifiers", "Endpoint", "endpoint_name"),
        ("endpoint_identifiers", "Endpoint", "endpoint_name"),
        ("collect_files", "Endpoint", "endpoint_name"),
        ("process_identifiers", "Filename", "filename"),
        ("custom_scripts_list_resp", "File Name", "file_name"),
        ("block_objects", "Value", "object_value"),
        ("suspicious_block_objects", "Value", "object_value"),
        ("sandbox_suspicious_list_resp", "Value", "value"),
        ("api_keys_resp", "Value", "value"),
        ("alert", "Matched Indicator Patters", "matched_indicator_patterns"),
        ("email_activity_data_resp", "Mail Message Subject", "mail_msg_subject"),
        ("email_activity_data_resp", "Mail Message ID", "mail_msg_id"),
        ("email_activity_data_resp", "Message UUID", "msg_uuid"),
        ("email_activity_data_resp", "Search Data Lake", "search_d_l"),
        ("email_activity_data_resp", "Organization ID", "org_id"),
        ("endpoint_activity_data_resp", "The process file path", "process_file_path"),
        ("endpoint_activity_data_resp", "Search Data Lake", "search_d_l"),
    ] {
        let fields = entry("types", of)["fields"].clone();
        assert!(
            list(&fields).iter().any(|field| field["title"] == title && field["name"] == name),
            "{of}.{name} {title}"
        );
    }
    for (action, input) in [
        ("isolate_endpoint", json!({ "endpoint_identifiers": [{ "endpoint_name": "a", "endpoint": "a" }] })),
        (
            "terminate_process",
            json!({ "process_identifiers": [{ "endpoint_name": "a", "file_sha1": "984afc7aaa2718984e15e3b5ab095b519a081321", "file_name": "a" }] }),
        ),
        (
            "add_to_block_list",
            json!({ "block_objects": [{ "object_type": "ip", "object_value": "203.0.113.77", "value": "203.0.113.77" }] }),
        ),
    ] {
        assert_eq!(wrong(action, input).len(), 1, "{action}");
    }
    // The one key that is in snake case on the wire as well.
    let answers = vec![
        Prepared::json(200, &json!({ "totalCount": 1 })),
        Prepared::json(200, &json!({ "items": [{ "org_id": "o", "searchDL": "CAS" }] })),
    ];
    let (output, _) = answered("get_email_activity_data", json!({ "fields": { "orgId": "o" } }), answers).await;
    assert_eq!(
        output.expect("an output"),
        json!({ "email_activity_data_resp": [{ "org_id": "o", "search_d_l": "CAS" }] })
    );
}

// 18

#[test]
fn a_file_is_required() {
    for (action, input) in [
        ("add_custom_script", json!({})),
        ("update_custom_script", json!({ "script_id": "1" })),
        ("submit_file_to_sandbox", json!({})),
    ] {
        assert_eq!(wrong(action, input), ["/file"], "{action}");
    }
}

#[test]
fn risk_and_reaction_are_not_required() {
    let object = json!({ "object_type": "URL", "object_value": "http://cdn.bad-parcel.example/pay", "risk_level": "High", "scan_action": "LOG" });
    let sent = json!([{ "url": "http://cdn.bad-parcel.example/pay", "riskLevel": "high", "scanAction": "log" }]);
    assert_eq!(body("add_to_suspicious_list", json!({ "suspicious_block_objects": [object] })), sent);
    assert_eq!(
        body(
            "add_to_suspicious_list",
            json!({ "suspicious_block_objects": [{ "object_type": "ip", "object_value": "::1" }] })
        ),
        json!([{ "ip": "::1" }])
    );
}

#[test]
fn page_sizes_have_a_default() {
    for action in SEARCHES {
        assert_eq!(parameter(&request(action, json!({ "fields": { "uuid": "u" } })), "top"), Some("500"), "{action}");
        assert_eq!(
            parameter(&request(action, json!({ "fields": { "uuid": "u" }, "top": "50" })), "top"),
            Some("50"),
            "{action}"
        );
        assert_eq!(wrong(action, json!({ "fields": { "uuid": "u" }, "top": 51 })), ["/top"], "{action}");
    }
    assert_eq!(parameter(&request("list_api_keys", json!({ "fields": {} })), "top"), Some("50"));
    assert_eq!(wrong("list_api_keys", json!({ "fields": {}, "top": 500 })), ["/top"]);
}

#[test]
fn a_search_needs_fields_and_a_list_does_not() {
    let with = |action: &str, fields: Value| {
        let mut input = if action == "get_oat_list" { detections() } else { json!({}) };
        input["fields"] = fields;
        input
    };
    for action in ["get_custom_script_list", "get_oat_list", "list_api_keys"] {
        let request = request(action, with(action, json!({})));
        assert_eq!((header(&request, "TMV1-Filter"), parameter(&request, "filter")), (None, None), "{action}");
        assert_eq!(wrong(action, with(action, Value::Null)), ["/fields"], "{action}");
    }
    for action in SEARCHES.into_iter().chain(["get_endpoint_data"]) {
        assert_eq!(wrong(action, json!({ "fields": {} })), ["/fields"], "{action}");
        assert_eq!(wrong(action, json!({ "fields": { "uuid": null } })), ["/fields"], "{action}");
        assert!(header(&request(action, json!({ "fields": { "uuid": "u" } })), "TMV1-Query").is_some(), "{action}");
    }
}

// 19

#[test]
fn a_sample_stands_in_for_nothing() {
    let error = Connection::new(&CONNECTOR, Settings::new(Map::new())).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.parts().violations.iter().any(|violation| violation.pointer == "/api_key"), "{error}");
    assert_eq!(wrong("run_custom_script", json!({ "endpoint_name": "ledger-pc-07" })), ["/file_name"]);
}

// 20

#[test]
fn dates_are_taken_in_many_forms_and_sent_in_one() {
    for (given, start, end) in [
        ("2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15 10:00:00+00:00", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15 12:00:00+0200", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-14T20:30:00-13:30", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00.000Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:00Z"),
        ("2020-06-15T10:00:00.25Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:01Z"),
        ("2020-06-15T10:00:00.999999999Z", "2020-06-15T10:00:00Z", "2020-06-15T10:00:01Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ] {
        let searched = json!({ "fields": { "uuid": "u" }, "start_date_time": given, "end_date_time": given });
        for (action, input) in [
            ("get_alert_list", json!({ "start_date_time": given, "end_date_time": given })),
            ("get_email_activity_data_count", searched.clone()),
            ("get_endpoint_activity_data", searched),
        ] {
            let request = request(action, input);
            assert_eq!(
                (parameter(&request, "startDateTime"), parameter(&request, "endDateTime")),
                (Some(start), Some(end)),
                "{action} {given}"
            );
        }
    }
    // The services' own defaults stay theirs.
    let request = request("get_endpoint_activity_data", json!({ "fields": { "uuid": "u" } }));
    assert_eq!((parameter(&request, "startDateTime"), parameter(&request, "endDateTime")), (None, None));
}

#[test]
fn what_is_no_date_is_refused() {
    for given in [
        "startDateTime=2020-06-15T10:00:00Z",
        "2020-06-15",
        "yesterday",
        "2020-02-30T10:00:00Z",
        "2020-06-15T25:00:00Z",
        "2020-06-15T10:00:00 Z",
        "next_link",
        "",
    ] {
        assert_eq!(
            wrong("get_alert_list", json!({ "start_date_time": given, "end_date_time": "2024-06-12T00:00:00Z" })),
            ["/start_date_time"],
            "{given}"
        );
    }
    assert_eq!(
        wrong(
            "get_alert_list",
            json!({ "start_date_time": "2024-06-12T00:00:01Z", "end_date_time": "2024-06-12T01:00:00+01:00" })
        ),
        ["/end_date_time"]
    );
    let mut old = detections();
    old["detected_start_date_time"] = json!("2023-06-12T23:59:59Z");
    assert_eq!(wrong("get_oat_list", old.clone()), ["/detected_start_date_time"]);
    old["detected_start_date_time"] = json!("2023-06-13T00:00:00Z");
    assert!(built("get_oat_list", old).is_ok());
}

#[tokio::test]
async fn dates_of_answers_stay_as_they_came() {
    let times = ["2024-06-11T06:58:22.431Z", "2024-06-11T07:11:59.000000+00:00", "", "soon"];
    let items: Vec<Value> =
        times.iter().map(|time| json!({ "ip": { "updatedDateTime": time, "value": [] } })).collect();
    let told =
        output("get_endpoint_data", json!({ "fields": { "ip": "10.44.7.31" } }), 200, json!({ "items": items })).await;
    let given: Vec<&Value> =
        list(&told["endpoint_data"]).iter().map(|endpoint| &endpoint["ip"]["updated_date_time"]).collect();
    assert_eq!(given, times);
}

// 21

#[test]
fn an_operator_is_taken_in_any_case_and_with_blanks() {
    for (given, joined) in [
        ("or", " or "),
        ("OR", " or "),
        (" or ", " or "),
        ("Or", " or "),
        ("and", " and "),
        ("AND", " and "),
        ("\tAnd ", " and "),
    ] {
        let fields = json!({ "endpointName": "a", "ip": "10.44.7.31" });
        let request = request("get_endpoint_data", json!({ "fields": fields, "query_op": given }));
        assert_eq!(
            header(&request, "TMV1-Query"),
            Some(format!("endpointName eq 'a'{joined}ip eq '10.44.7.31'").as_str()),
            "{given:?}"
        );
    }
    for given in [json!("xor"), json!("and or"), json!("&"), json!(1)] {
        assert_eq!(
            wrong("get_endpoint_data", json!({ "fields": { "ip": "10.44.7.31" }, "query_op": given })),
            ["/query_op"],
            "{given}"
        );
    }
    let request = request("get_email_activity_data", json!({ "fields": { "msgUuid": "a", "uuid": 1 } }));
    assert_eq!(header(&request, "TMV1-Query"), Some("msgUuid:\"a\" or uuid:\"1\""));
}

// 22

#[test]
fn entity_tags_go_out_as_each_endpoint_wants_them_or_not_at_all() {
    let edit = |tag: Value| json!({ "id": "WB-1", "status": "New", "if_match": tag });
    let update =
        |tag: Value| json!({ "id": "1", "name": "a", "role": "Auditor", "status": "enabled", "if_match": tag });
    for tag in ["4b1c9d0e", "\"4b1c9d0e\"", "W/\"4b1c9d0e\"", " \"4b1c9d0e\" "] {
        assert_eq!(header(&request("edit_alert_status", edit(json!(tag))), "If-Match"), Some("\"4b1c9d0e\""), "{tag}");
        assert_eq!(header(&request("update_api_key", update(json!(tag))), "If-Match"), Some("4b1c9d0e"), "{tag}");
    }
    for nothing in [Value::Null, json!("")] {
        assert_eq!(header(&request("edit_alert_status", edit(nothing.clone())), "If-Match"), None);
        assert_eq!(header(&request("update_api_key", update(nothing)), "If-Match"), None);
    }
    for tag in ["a\r\nX-Evil: 1".to_owned(), "a".repeat(129)] {
        assert_eq!(wrong("edit_alert_status", edit(json!(tag))), ["/if_match"]);
        assert_eq!(wrong("update_api_key", update(json!(tag))), ["/if_match"]);
    }
}

// 23

#[test]
fn a_description_is_the_caller_s_or_the_action_s_own() {
    let object = json!({ "object_type": "ip", "object_value": "203.0.113.77" });
    let endpoint = json!({ "endpoint_name": "a" });
    let collected = json!({ "endpoint_name": "a", "file_path": "C:/x" });
    let process = json!({ "endpoint_name": "a", "file_sha1": "984afc7aaa2718984e15e3b5ab095b519a081321" });
    let (message, account) = (json!({ "message_id": "<a@b.example>" }), json!({ "account_name": "a" }));
    for (action, input, element, usual) in [
        ("add_to_block_list", "block_objects", &object, Some("Add to Block List")),
        ("remove_from_block_list", "block_objects", &object, Some("Remove from Block List")),
        ("add_to_exception_list", "block_objects", &object, Some("Add to Exception List")),
        ("add_to_suspicious_list", "suspicious_block_objects", &object, None),
        ("isolate_endpoint", "endpoint_identifiers", &endpoint, Some("Isolate Endpoint")),
        ("restore_endpoint", "endpoint_identifiers", &endpoint, Some("Restore Endpoint")),
        ("collect_file", "collect_files", &collected, None),
        ("terminate_process", "process_identifiers", &process, None),
        ("delete_email_message", "email_identifiers", &message, Some("Delete Email Message")),
        ("quarantine_email_message", "email_identifiers", &message, Some("Quarantine Email Message")),
        ("restore_email_message", "email_identifiers", &message, Some("Restore Email Message")),
        ("disable_account", "account_identifiers", &account, None),
        ("enable_account", "account_identifiers", &account, None),
        ("reset_password_account", "account_identifiers", &account, Some("Reset Account Password")),
        ("sign_out_account", "account_identifiers", &account, None),
    ] {
        let sent = |description: Value| {
            let mut element = element.clone();
            element["description"] = description;
            body(action, json!({ input: [element] }))[0].get("description").cloned()
        };
        assert_eq!(sent(json!("case 7731")), Some(json!("case 7731")), "{action}");
        assert_eq!(sent(Value::Null), usual.map(Value::from), "{action}");
        assert_eq!(sent(json!("")), usual.map(Value::from), "{action}");
    }
    for action in ["remove_from_exception_list", "remove_from_suspicious_list"] {
        let mut element = object.clone();
        element["description"] = json!("there is no place for it");
        assert_eq!(body(action, json!({ "block_objects": [element] })), json!([{ "ip": "203.0.113.77" }]), "{action}");
    }
    assert_eq!(
        body("run_custom_script", json!({ "endpoint_name": "a", "file_name": "b.sh" })),
        json!([{ "endpointName": "a", "fileName": "b.sh" }])
    );
}

// 24

#[tokio::test]
async fn counts_are_of_what_is_given_or_of_what_would_be_found() {
    for (action, input) in
        [("get_alert_list", day()), ("get_oat_list", detections()), ("list_api_keys", json!({ "fields": {} }))]
    {
        let told = output(action, input, 200, json!({ "totalCount": 7, "count": 2, "items": [{}, {}] })).await;
        assert_eq!(told["total_count"], 2, "{action}");
    }
    for action in ["get_email_activity_data_count", "get_endpoint_activity_data_count"] {
        assert_eq!(
            output(action, json!({ "fields": { "uuid": "u" } }), 200, json!({ "totalCount": 700_000 })).await,
            json!({ "total_count": 700_000 }),
            "{action}"
        );
    }
}

// 25

#[tokio::test]
async fn statuses_that_come_out_are_the_service_s_own() {
    assert_eq!(
        output("delete_api_keys", json!({ "id": ["1", "2"] }), 207, json!([{ "status": 204 }, { "status": 204 }]))
            .await,
        json!({ "status": 207 })
    );
    let change = json!({ "id": "1", "name": "a", "role": "Auditor", "status": "enabled" });
    assert_eq!(
        answered("update_api_key", change, vec![Prepared::empty(204)]).await.0.expect("an output"),
        json!({ "status": 204 })
    );
    let made = output(
        "create_api_keys",
        json!({ "api_keys_objects": [{ "name": "a", "role": "b" }] }),
        207,
        json!([{ "status": 201, "body": { "id": "1", "value": "v" } }]),
    )
    .await;
    assert_eq!(made["api_keys_resp"][0]["status"], 201);
}

// 26

#[test]
fn months_to_expiry_go_out_as_a_number_and_are_never_left_out() {
    let months =
        |given: Value| json!({ "api_keys_objects": [{ "name": "a", "role": "b", "months_to_expiration": given }] });
    for (given, sent) in [
        (json!("3"), 3),
        (json!(3), 3),
        (json!("0"), 0),
        (json!(0), 0),
        (json!("12"), 12),
        (json!(6), 6),
        (json!("1"), 1),
        (Value::Null, 1),
        (json!(""), 1),
    ] {
        assert_eq!(
            body("create_api_keys", months(given.clone())),
            json!([{ "name": "a", "role": "b", "monthsToExpiration": sent, "status": "enabled" }]),
            "{given}"
        );
    }
    for given in [json!("2"), json!(24), json!("-1"), json!("three"), json!(1.5)] {
        assert_eq!(
            wrong("create_api_keys", months(given.clone())),
            ["/api_keys_objects/0/months_to_expiration"],
            "{given}"
        );
    }
}

// 27

fn two_endpoints() -> Value {
    json!({ "endpoint_identifiers": [{ "endpoint_name": "a" }, { "endpoint_name": "b" }] })
}

#[tokio::test]
async fn a_failed_part_fails_the_action_and_hides_nothing() {
    let started = json!({ "status": 202, "headers": [{ "name": "operation-location", "value": "https://api.example.com/v3.0/xdr/response/tasks/00004010/?a=b" }] });
    let failed = json!({ "status": 403, "body": { "error": { "code": "AccessDenied", "message": "Out of scope.", "number": 7 } } });
    let (result, _) =
        answered("isolate_endpoint", two_endpoints(), vec![Prepared::json(207, &json!([failed, started]))]).await;
    let error = result.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Partial);
    let told = error.to_json();
    assert_eq!(
        told["error"]["items"],
        json!([
            { "index": 0, "status": 403, "error": { "status": 403, "code": "AccessDenied", "message": "Out of scope.", "number": 7 } },
            { "index": 1, "status": 202, "task_id": "00004010" },
        ])
    );
    assert_eq!(
        error.parts().output,
        Some(json!({ "multi_response": [{ "status": 403 }, { "status": 202, "task_id": "00004010" }] }))
    );
    for part in ["1 of 2 did not work", "item 0: 403, AccessDenied (7): Out of scope.", "item 1: 202, task 00004010"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    // A request that is refused as a whole is no partial failure.
    let (result, _) = answered(
        "isolate_endpoint",
        two_endpoints(),
        vec![Prepared::json(403, &json!({ "error": { "code": "AccessDenied", "message": "No." } }))],
    )
    .await;
    let error = result.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.to_string().contains("Isolate endpoint"), "{error}");
}

#[tokio::test]
async fn a_key_that_was_made_beside_a_failed_one_is_given_and_printed_nowhere() {
    let made = json!([
        { "status": 201, "body": { "id": "1", "value": "a-very-secret-key", "expiredDateTime": "x" } },
        { "status": 400, "body": { "code": "BadRequest", "message": "Role does not exist." } },
    ]);
    let echo = json!({ "error": { "code": "BadRequest", "message": "a-very-secret-key is no id" } });
    let script = Script::start(vec![Prepared::json(207, &made), Prepared::json(400, &echo)]).await;
    let (connection, _) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let keys =
        json!({ "api_keys_objects": [{ "name": "a", "role": "Auditor" }, { "name": "b", "role": "No Such Role" }] });
    let error = connection.call(operation("create_api_keys"), keys).await.expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Partial);
    // The service shows it only once, so it is with what was done.
    let output = error.parts().output.clone().expect("an output");
    assert_eq!(
        output["api_keys_resp"],
        json!([{ "status": 201, "id": "1", "value": "a-very-secret-key", "expired_date_time": "x" }, { "status": 400 }])
    );
    let later = connection.call(operation("get_api_key"), json!({ "id": "1" })).await.expect_err("a refusal");
    for said in
        [error.to_string(), error.to_json().to_string(), format!("{error:?}"), later.to_string(), format!("{later:?}")]
    {
        assert!(!said.contains("a-very-secret-key"), "{said}");
    }
    assert!(later.to_string().contains("[secret] is no id"), "{later}");
}

#[tokio::test]
async fn an_answer_for_other_elements_than_were_sent_is_an_error() {
    let started = |task: u32| json!({ "status": 202, "headers": [{ "name": "Operation-Location", "value": format!("/v3.0/xdr/response/tasks/0000401{task}") }] });
    for answer in [json!([started(0)]), json!([started(0), started(1), started(2)])] {
        let (result, _) = answered("isolate_endpoint", two_endpoints(), vec![Prepared::json(207, &answer)]).await;
        let error = result.expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        // The tasks have started all the same.
        assert!(error.to_string().contains("00004010"), "{error}");
        assert_eq!(
            list(&error.parts().output.as_ref().expect("an output")["multi_response"]).len(),
            list(&answer).len()
        );
    }
    let none = json!({ "error": { "code": "InternalServerError", "message": "Broken." } });
    for (answer, kind) in
        [(json!({}), ErrorKind::Protocol), (json!(null), ErrorKind::Protocol), (none, ErrorKind::Server)]
    {
        let (result, _) = answered("isolate_endpoint", two_endpoints(), vec![Prepared::json(207, &answer)]).await;
        assert_eq!(result.expect_err("a refusal").kind(), kind, "{answer}");
    }
    // A script is run on one endpoint, whichever status says so.
    let script = json!({ "endpoint_name": "a", "file_name": "b.sh" });
    for status in [202, 207] {
        let one = output("run_custom_script", script.clone(), status, json!([started(0)])).await;
        assert_eq!(one, json!({ "multi_response": [{ "status": 202, "task_id": "00004010" }] }));
    }
    for answer in [json!([]), json!([started(0), started(1)])] {
        let (result, _) = answered("run_custom_script", script.clone(), vec![Prepared::json(207, &answer)]).await;
        assert_eq!(result.expect_err("a refusal").kind(), ErrorKind::Protocol, "{answer}");
    }
}

// 28

#[test]
fn no_description_is_a_copy_of_another_s() {
    let said = |action: &str, side: &str, name: &str| {
        let entry = entry("actions", action);
        let field = list(&entry[side])
            .iter()
            .find(|field| field["name"] == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .clone();
        field["description"].as_str().expect("a description").to_lowercase()
    };
    assert_ne!(said("add_alert_note", "inputs", "content"), said("add_alert_note", "inputs", "alert_id"));
    assert!(!said("edit_alert_status", "inputs", "status").contains("id of"));
    assert_ne!(entry("actions", "get_alert_details")["description"], entry("actions", "get_alert_list")["description"]);
    for action in ["get_endpoint_activity_data", "get_endpoint_activity_data_count"] {
        assert!(!said(action, "inputs", "fields").contains("msguuid"), "{action}");
    }
    assert!(!said("list_api_keys", "inputs", "fields").contains("file"));
    for (action, foreign) in [
        ("collect_file", "block"),
        ("remove_from_suspicious_list", "exception"),
        ("restore_email_message", "delet"),
        ("run_custom_script", "block"),
    ] {
        assert!(!said(action, "outputs", "multi_response").contains(foreign), "{action}");
    }
}

// 29

#[tokio::test]
async fn a_backslash_stays_one_backslash() {
    let path = r"C:\Program Files\x.exe";
    assert_eq!(
        body("collect_file", json!({ "collect_files": [{ "endpoint_name": "a", "file_path": path }] }))[0]["filePath"],
        path
    );
    // In a search it is escaped, so that it stands for itself.
    let search = request("get_endpoint_activity_data", json!({ "fields": { "processFilePath": path } }));
    assert_eq!(header(&search, "TMV1-Query"), Some(r#"processFilePath:"C:\\Program Files\\x.exe""#));
    let filter = request("get_endpoint_data", json!({ "fields": { "loginAccount": r"NORTHFJORD\o'brien" } }));
    assert_eq!(header(&filter, "TMV1-Query"), Some(r"loginAccount eq 'NORTHFJORD\o''brien'"));
    let answers = vec![
        Prepared::json(200, &json!({ "totalCount": 1 })),
        Prepared::json(200, &json!({ "items": [{ "processFilePath": path }] })),
    ];
    let (output, _) = answered("get_endpoint_activity_data", json!({ "fields": { "uuid": "u" } }), answers).await;
    assert_eq!(output.expect("an output")["endpoint_activity_data_resp"][0]["process_file_path"], path);
}

// 30

#[tokio::test]
async fn ids_of_submissions_are_what_the_sandbox_actions_take() {
    let digest = json!({ "md5": "m", "sha1": "s", "sha256": "t" });
    let file = json!({ "file": { "content": "TVouLg==", "filename": "inv.exe" } });
    let submitted = output("submit_file_to_sandbox", file, 202, json!({ "id": "c2b7e9d4", "digest": digest })).await;
    let element = json!({ "status": 202, "body": { "url": "http://a.example", "id": "1e8d5c3b", "digest": digest } });
    let urls = output("submit_urls_to_sandbox", json!({ "urls": ["http://a.example"] }), 207, json!([element])).await;
    for id in [&submitted["id"], &urls["submit_urls_resp"][0]["id"]] {
        for (action, input) in [
            ("get_sandbox_submission_status", "task_id"),
            ("get_sandbox_analysis_result", "report_id"),
            ("download_sandbox_analysis_result", "id"),
            ("download_sandbox_investigation_package", "id"),
            ("get_sandbox_suspicious_list", "id"),
        ] {
            assert!(request(action, json!({ input: id })).target.contains(id.as_str().expect("an id")), "{action}");
        }
    }
    let catalog = CONNECTOR.catalog.to_lowercase();
    assert!(!catalog.contains("trendmicro-visionone") && !catalog.contains("xsoar"));
}

// 31

#[test]
fn wildcards_are_taken_where_a_list_has_them_and_nowhere_else() {
    let lists =
        |action: &str| if action == "add_to_suspicious_list" { "suspicious_block_objects" } else { "block_objects" };
    let block = ["add_to_block_list", "remove_from_block_list"];
    let suspicious = ["add_to_suspicious_list", "remove_from_suspicious_list"];
    let exceptions = ["add_to_exception_list", "remove_from_exception_list"];
    let object = |action: &str, kind: &str, value: &str| json!({ lists(action): [{ "object_type": kind, "object_value": value }] });
    for (actions, kind, value, fits) in [
        (exceptions, "domain", "*.northfjord.example", true),
        (suspicious, "domain", "*.northfjord.example", true),
        (block, "domain", "*.northfjord.example", false),
        (exceptions, "domain", "north*.example", false),
        (suspicious, "domain", "*northfjord*", false),
        (exceptions, "url", "https://*.northfjord.example/portal/*", true),
        (exceptions, "url", "*.northfjord.example/*", true),
        (suspicious, "url", "http://*.bad-parcel.example/pay", false),
        (block, "url", "http://*.bad-parcel.example/pay", false),
        (block, "ip", "203.0.113.*", false),
        (exceptions, "ip", "203.0.113.0/24", false),
        (suspicious, "senderMailAddress", "example.com", false),
        (block, "fileSha1", "984afc7aaa2718984e15e3b5ab095b519a08132", false),
        (block, "fileSha256", "984afc7aaa2718984e15e3b5ab095b519a081321", false),
    ] {
        for action in actions {
            let input = object(action, kind, value);
            match fits {
                true => assert_eq!(body(action, input)[0][kind], value, "{action}"),
                false => assert_eq!(
                    wrong(action, input),
                    [format!("/{}/0/object_value", lists(action))],
                    "{action} {kind} {value}"
                ),
            }
        }
    }
}

// 32

#[test]
fn permissions_that_the_document_leaves_out_are_there() {
    let needed: &[(&str, &[&str])] = &[("Sandbox Analysis", &["View, filter, and search", "Submit objects"])];
    assert_eq!(operation("get_sandbox_analysis_result").permissions, needed);
    assert_eq!(CONNECTOR.trigger("poll_sandbox_suspicious_list").expect("a trigger").operation.permissions, needed);
    for (kind, name) in [("actions", "get_sandbox_analysis_result"), ("triggers", "poll_sandbox_suspicious_list")] {
        let entry = entry(kind, name);
        assert!(
            entry.get("permissions").is_none()
                && entry["note"].as_str().is_some_and(|note| note.contains("permissions")),
            "{entry}"
        );
    }
    let without: Vec<&str> = CONNECTOR
        .operations
        .iter()
        .filter(|operation| operation.permissions.is_empty())
        .map(|operation| operation.name)
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

// 33

#[tokio::test]
async fn outputs_have_types_of_their_own() {
    let submission = json!({
        "id": "1", "action": "analyzeFile", "status": "succeeded", "createdDateTime": "x", "lastActionDateTime": "y", "isCached": true,
        "digest": { "md5": "m", "sha1": "s", "sha256": "t" },
    });
    let collected = task(json!({ "fileSize": 48213, "pid": 4312, "expiredDateTime": "2024-06-12T08:00:41Z" }));
    let script = Script::start(vec![Prepared::json(200, &submission), Prepared::json(200, &collected)]).await;
    let client = Client::from(connect(&script.url(), "2024-06-12T00:00:00Z").0);
    let submission =
        client.get_sandbox_submission_status(&GetSandboxSubmissionStatusInput::new("1")).await.expect("a submission");
    let digest = submission.digest.expect("a digest");
    assert_eq!(
        (digest.md5.as_deref(), digest.sha1.as_deref(), digest.sha256.as_deref(), submission.is_cached),
        (Some("m"), Some("s"), Some("t"), Some(true))
    );
    let task = client.get_task_result(&GetTaskResultInput::new("00000001")).await.expect("a task");
    assert_eq!(
        (task.file_size, task.pid, task.expired_date_time.as_deref()),
        (Some(48213_i64), Some(4312_i64), Some("2024-06-12T08:00:41Z"))
    );
}

// 34

/// Alerts with these ids.
fn alerts(ids: &[&str]) -> Prepared {
    Prepared::json(200, &json!({ "items": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() }))
}

fn ids(event: &Value) -> Vec<&str> {
    list(&event["alerts"]).iter().filter_map(|alert| alert["id"].as_str()).collect()
}

#[tokio::test]
async fn what_a_round_gave_is_not_given_again() {
    let script = Script::start(vec![alerts(&["a", "b"]), alerts(&["b", "c"]), alerts(&["c", "d"])]).await;
    let (connection, clock) = connect(&script.url(), "2024-06-12T00:00:00Z");
    let trigger = CONNECTOR.trigger("poll_alert_list").expect("a trigger");
    let mut rounds =
        Rounds::new(connection, trigger, &json!({ "start_date_time": "2024-06-11T00:00:00Z" }), None).expect("rounds");
    let mut given = Vec::new();
    for _ in 0..3 {
        let round = rounds.next().await.expect("a round");
        given.push((ids(&round.event).join(" "), round.event["total_count"].clone(), round.repeated));
        rounds.accept(round);
        clock.advance(rounds.interval());
    }
    assert_eq!(given, [("a b".to_owned(), json!(2), 0), ("c".to_owned(), json!(1), 1), ("d".to_owned(), json!(1), 1)]);
    let windows: Vec<String> = script.asked().iter().map(|asked| asked.target.replace("%3A", ":")).collect();
    for (target, window) in windows.iter().zip([
        "startDateTime=2024-06-11T00:00:00Z&endDateTime=2024-06-12T00:00:00Z",
        "startDateTime=2024-06-11T23:50:00Z&endDateTime=2024-06-12T00:30:00Z",
        "startDateTime=2024-06-12T00:20:00Z&endDateTime=2024-06-12T01:00:00Z",
    ]) {
        assert!(window.split('&').all(|pair| target.contains(pair)), "{target} {window}");
    }
}

#[tokio::test]
async fn what_a_round_gave_is_remembered_between_runs() {
    let script = Script::start(vec![page(0..2, 2, None), page(1..3, 2, None)]).await;
    let trigger = CONNECTOR.trigger("poll_oat_list").expect("a trigger");
    let input = json!({ "detected_start_date_time": "2024-06-01T00:00:00Z", "ingested_start_date_time": "2024-06-11T00:00:00Z", "fields": {} });
    let mut first =
        Rounds::new(connect(&script.url(), "2024-06-12T00:00:00Z").0, trigger, &input, None).expect("rounds");
    let round = first.next().await.expect("a round");
    let saved = first.accept(round);
    let second =
        Rounds::new(connect(&script.url(), "2024-06-12T00:30:00Z").0, trigger, &input, Some(&saved)).expect("rounds");
    let round = second.next().await.expect("a round");
    let uuids: Vec<&Value> = list(&round.event["oats"]).iter().map(|oat| &oat["uuid"]).collect();
    assert_eq!((uuids, round.repeated), (vec![&json!("u2")], 1));
    // The range of detection keeps its start; only the range of arrival moves on.
    let target = script.asked()[1].target.clone();
    for pair in [
        "detectedStartDateTime=2024-06-01T00:00:00Z",
        "detectedEndDateTime=2024-06-12T00:30:00Z",
        "ingestedStartDateTime=2024-06-11T23:30:00Z",
    ] {
        assert!(target.contains(pair), "{target}");
    }
}
