//! In which form a value is taken, and in which it goes out.

use serde_json::{Value, json};

use crate::{body, header, request, wrong};

const ENDPOINT_ACTIONS: [(&str, &str); 4] = [
    ("isolate_endpoint", "endpoint_identifiers"),
    ("restore_endpoint", "endpoint_identifiers"),
    ("collect_file", "collect_files"),
    ("terminate_process", "process_identifiers"),
];

// 2
#[test]
pub fn days_to_expiry_come_under_either_name_and_must_agree() {
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

// 4
#[test]
pub fn a_mailbox_goes_with_an_internet_message_id_and_with_no_other() {
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
pub fn an_endpoint_is_named_by_its_guid_or_else_by_its_name_and_never_by_both() {
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
pub fn an_alert_s_status_is_sent_in_the_older_form() {
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

// 21
#[test]
pub fn an_operator_is_taken_in_any_case_and_with_blanks() {
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
pub fn entity_tags_go_out_as_each_endpoint_wants_them_or_not_at_all() {
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
pub fn a_description_is_the_caller_s_or_the_action_s_own() {
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

// 26
#[test]
pub fn months_to_expiry_go_out_as_a_number_and_are_never_left_out() {
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

// 31
#[test]
pub fn wildcards_are_taken_where_a_list_has_them_and_nowhere_else() {
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
