//! Where the document hides something, or says too little.

use connectome::trend_vision_one::CONNECTOR;
use connectome_tests::script::Prepared;
use serde_json::{Value, json};

use crate::{answered, body, detections, entry, header, list, operation, parameter, request, wrong};

const SEARCHES: [&str; 4] = [
    "get_email_activity_data",
    "get_email_activity_data_count",
    "get_endpoint_activity_data",
    "get_endpoint_activity_data_count",
];

// 17
#[tokio::test]
pub async fn names_that_titles_hide_are_the_ones_taken_and_given() {
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
pub fn a_file_is_required() {
    for (action, input) in [
        ("add_custom_script", json!({})),
        ("update_custom_script", json!({ "script_id": "1" })),
        ("submit_file_to_sandbox", json!({})),
    ] {
        assert_eq!(wrong(action, input), ["/file"], "{action}");
    }
}

#[test]
pub fn risk_and_reaction_are_not_required() {
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
pub fn page_sizes_have_a_default() {
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
pub fn a_search_needs_fields_and_a_list_does_not() {
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

// 28
#[test]
pub fn no_description_is_a_copy_of_another_s() {
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

// 32
#[test]
pub fn permissions_that_the_document_leaves_out_are_there() {
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
