//! Actions and the actions that take them back, on the simulated service.

use std::collections::BTreeSet;

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::Connection;
use connectome_core::operation::Effect;
use connectome_sim::Running;
use connectome_tests::simulated::{connect, vision_one};
use serde_json::{Map, Value, json};

/// Actions that change something for which the service has no way back.
const ONE_WAY: &str = "reset_password_account sign_out_account add_alert_note edit_alert_status delete_api_keys update_api_key
    delete_email_message collect_file terminate_process submit_file_to_sandbox submit_urls_to_sandbox delete_custom_script
    run_custom_script update_custom_script";

/// Every action with the one that takes it back, as the catalog states them.
fn pairs() -> BTreeSet<(String, String)> {
    let catalog = serde_json::from_str::<Value>(CONNECTOR.catalog).expect("JSON");
    let actions = catalog["actions"].as_array().unwrap();
    let pair = |it: &Value| Some((it["name"].as_str()?.to_owned(), it["undo"].as_str()?.to_owned()));
    actions.iter().filter_map(pair).collect()
}

#[test]
fn an_action_that_changes_something_names_its_way_back_or_is_known_to_have_none() {
    let pairs = pairs();
    let one_way: BTreeSet<&str> = ONE_WAY.split_whitespace().collect();
    for operation in CONNECTOR.operations {
        let back = pairs.iter().find(|(name, _)| name == operation.name).map(|(_, back)| back.as_str());
        match (operation.effect, back) {
            (Effect::Read, None) => {}
            (Effect::Read, Some(back)) => panic!("{} changes nothing, and {back} takes it back", operation.name),
            (_, None) => assert!(one_way.contains(operation.name), "{} has no way back", operation.name),
            (_, Some(back)) => {
                assert!(!one_way.contains(operation.name), "{}", operation.name);
                // The way back leads back as well, unless it destroys.
                let named = pairs.contains(&(back.to_owned(), operation.name.to_owned()));
                assert!(named || one_way.contains(back), "{} and {back}", operation.name);
            }
        }
    }
    assert!(one_way.iter().all(|name| CONNECTOR.operation(name).is_some_and(|it| it.effect != Effect::Read)));
}

/// An action on the simulated service; its tasks are followed to their ends.
async fn act(connection: &Connection, action: &str, input: &Value) -> Value {
    let output = connection
        .call(CONNECTOR.operation(action).expect(action), input.clone())
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let items = output["multi_response"].as_array().cloned().unwrap_or_default();
    for task in items.iter().filter_map(|item| item["task_id"].as_str()).filter(|task| *task != "None") {
        let ended = connection
            .call(CONNECTOR.operation("get_task_result").unwrap(), json!({ "task_id": task, "poll_time_sec": 60 }))
            .await
            .unwrap();
        assert_eq!(ended["status"], "succeeded", "{action}");
    }
    output
}

/// Where the effect of a pair is seen.
enum Seen {
    /// A record of the simulated service: collection, field, value.
    Record(&'static str, &'static str, &'static str),
    /// A list that an action gives, and the fields that make an entry what it is.
    Listed(&'static str, Value, &'static [&'static str]),
    /// The service has no list of it.
    Nowhere,
}

async fn look(service: &Running, connection: &Connection, seen: &Seen) -> Value {
    match seen {
        Seen::Record(collection, field, value) => service.simulator.record(collection, field, value).expect(value),
        Seen::Nowhere => Value::Null,
        Seen::Listed(action, input, fields) => {
            let output = act(connection, action, input).await;
            let list = output.as_object().unwrap().values().find_map(Value::as_array).unwrap();
            let part = |it: &Value| {
                fields.iter().map(|field| ((*field).to_owned(), it[*field].clone())).collect::<Map<_, _>>()
            };
            let entries: BTreeSet<String> = list.iter().map(|it| json!(part(it)).to_string()).collect();
            assert!(!entries.is_empty() && entries.len() == list.len(), "{action}");
            json!(entries)
        }
    }
}

#[tokio::test]
async fn an_action_and_its_way_back_leave_everything_as_it_was() {
    let endpoints = json!({ "endpoint_identifiers": [{ "endpoint_name": "ledger-pc-07" }] });
    let accounts = json!({ "account_identifiers": [{ "account_name": "amelie.roy@northfjord.example" }] });
    let message = "AAMkADhkZTc3ZmY1LWQ4NzctNDc2Zi1hNmI0LTkyZTk1ZjA2MjA1NgBGAAAAAADo";
    let emails = json!({ "email_identifiers": [{ "message_id": message }] });
    let objects = json!({ "block_objects": [{ "object_type": "domain", "object_value": "undone.example" }] });
    let suspicious = json!({ "suspicious_block_objects": [{ "object_type": "domain", "object_value": "undone.example", "risk_level": "high", "scan_action": "block", "expiry_days": 30 }] });
    let script = json!({ "file_type": "bash", "file": { "content": "dGVzdA==", "filename": "undone.sh" } });
    let keys = json!({ "api_keys_objects": [{ "name": "undone", "role": "Auditor", "months_to_expiration": 1, "status": "enabled", "description": "" }] });
    let endpoint = || Seen::Record("endpoints", "endpointName", "ledger-pc-07");
    let account = || Seen::Record("accounts", "accountName", "amelie.roy@northfjord.example");
    let mail = || Seen::Record("messages", "uniqueId", message);
    let exceptions = || Seen::Listed("get_exception_list", json!({}), &["type", "value", "description"]);
    let suspects = || {
        Seen::Listed("get_suspicious_list", json!({}), &["type", "value", "description", "risk_level", "scan_action"])
    };
    // The action, its input, what is done first, and where it is seen; then the way back, whose input may name what was made.
    type Back<'a> = Box<dyn Fn(&Value) -> Value + 'a>;
    let same = |input: &Value| -> Back<'_> {
        let input = input.clone();
        Box::new(move |_| input.clone())
    };
    let cases: Vec<(&str, &Value, bool, Seen, &str, Back<'_>)> = vec![
        ("isolate_endpoint", &endpoints, false, endpoint(), "restore_endpoint", same(&endpoints)),
        ("restore_endpoint", &endpoints, true, endpoint(), "isolate_endpoint", same(&endpoints)),
        ("disable_account", &accounts, false, account(), "enable_account", same(&accounts)),
        ("enable_account", &accounts, true, account(), "disable_account", same(&accounts)),
        ("quarantine_email_message", &emails, false, mail(), "restore_email_message", same(&emails)),
        ("restore_email_message", &emails, true, mail(), "quarantine_email_message", same(&emails)),
        ("add_to_block_list", &objects, false, Seen::Nowhere, "remove_from_block_list", same(&objects)),
        ("remove_from_block_list", &objects, true, Seen::Nowhere, "add_to_block_list", same(&objects)),
        ("add_to_exception_list", &objects, false, exceptions(), "remove_from_exception_list", same(&objects)),
        ("remove_from_exception_list", &objects, true, exceptions(), "add_to_exception_list", same(&objects)),
        ("add_to_suspicious_list", &suspicious, false, suspects(), "remove_from_suspicious_list", same(&objects)),
        ("remove_from_suspicious_list", &objects, true, suspects(), "add_to_suspicious_list", same(&suspicious)),
        (
            "add_custom_script",
            &script,
            false,
            Seen::Listed(
                "get_custom_script_list",
                json!({ "fields": {} }),
                &["id", "file_name", "file_type", "description"],
            ),
            "delete_custom_script",
            Box::new(|made| json!({ "script_id": made["script_id"] })),
        ),
        (
            "create_api_keys",
            &keys,
            false,
            Seen::Listed("list_api_keys", json!({ "fields": {} }), &["id", "name", "role", "status", "description"]),
            "delete_api_keys",
            Box::new(|made| json!({ "id": [made["api_keys_resp"][0]["id"]] })),
        ),
    ];
    let covered: BTreeSet<(String, String)> = cases.iter().map(|case| (case.0.to_owned(), case.4.to_owned())).collect();
    assert_eq!(covered, pairs());
    for (action, input, is_done_before, seen, back, back_input) in cases {
        let service = vision_one(|_| {}).await;
        let (connection, _) = connect(&service.url());
        if is_done_before {
            act(&connection, back, &back_input(&Value::Null)).await;
        }
        let before = look(&service, &connection, &seen).await;
        let made = act(&connection, action, input).await;
        let after = look(&service, &connection, &seen).await;
        assert!(after != before || matches!(seen, Seen::Nowhere), "{action} does nothing: {after}");
        act(&connection, back, &back_input(&made)).await;
        assert_eq!(look(&service, &connection, &seen).await, before, "{action}, {back}");
    }
}
