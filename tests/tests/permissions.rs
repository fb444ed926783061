//! The least role that `connectome permissions` computes is enough for its operations, and with anything less the
//! service refuses and names what is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use connectome::trend_vision_one::CONNECTOR;
use connectome_collect::rounds::Rounds;
use connectome_core::operation::{Operation, Repeat};
use connectome_core::request::{Body, Request};
use connectome_core::{Connection, Error, ErrorKind};
use connectome_sim::{Grants, Running, Token};
use connectome_tests::command::run;
use connectome_tests::simulated::{settings, vision_one};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Apps, their permissions, and what needs them.
const NEEDED: &[(&str, &str, &str)] = &[
    ("Workbench", "View, filter, and search", "get_alert_details get_alert_list poll_alert_list"),
    ("Workbench", "Modify alert details", "add_alert_note edit_alert_status"),
    (
        "Response Management",
        "View, filter, and search (Task List tab)",
        "add_custom_script add_to_block_list collect_file delete_custom_script delete_email_message disable_account \
         download_custom_script enable_account get_custom_script_list get_task_result isolate_endpoint \
         quarantine_email_message remove_from_block_list reset_password_account restore_email_message \
         restore_endpoint run_custom_script sign_out_account terminate_process update_custom_script",
    ),
    ("Response Management", "Add to block list", "add_to_block_list remove_from_block_list"),
    ("Response Management", "Collect file", "collect_file"),
    ("Response Management", "Isolate endpoint", "isolate_endpoint restore_endpoint"),
    ("Response Management", "Terminate process", "terminate_process"),
    ("Response Management", "Delete messages", "delete_email_message"),
    ("Response Management", "Quarantine/Restore messages", "quarantine_email_message restore_email_message"),
    (
        "Response Management",
        "Enable/Disable user account, force sign out, force password reset",
        "disable_account enable_account reset_password_account sign_out_account",
    ),
    ("Response Management", "Download task result", "get_task_result"),
    (
        "Response Management",
        "View, filter and search (Custom Scripts tab)",
        "add_custom_script delete_custom_script download_custom_script get_custom_script_list run_custom_script \
         update_custom_script",
    ),
    ("Response Management", "Manage custom scripts", "add_custom_script delete_custom_script update_custom_script"),
    ("Response Management", "Download custom scripts", "download_custom_script"),
    ("Response Management", "Run custom scripts", "run_custom_script"),
    (
        "Suspicious Object Management",
        "View, filter, and search",
        "add_to_block_list add_to_exception_list add_to_suspicious_list get_exception_list get_suspicious_list \
         remove_from_block_list remove_from_exception_list remove_from_suspicious_list",
    ),
    (
        "Suspicious Object Management",
        "Manage lists and configure settings",
        "add_to_block_list add_to_exception_list add_to_suspicious_list remove_from_block_list \
         remove_from_exception_list remove_from_suspicious_list",
    ),
    ("API Keys", "View", "create_api_keys delete_api_keys get_api_key list_api_keys update_api_key"),
    ("API Keys", "Configure Settings", "create_api_keys delete_api_keys update_api_key"),
    (
        "Search",
        "View, filter, and search",
        "get_email_activity_data get_email_activity_data_count get_endpoint_activity_data \
         get_endpoint_activity_data_count",
    ),
    ("Endpoint Inventory", "View", "get_endpoint_data"),
    ("Observed Attack Techniques", "View, filter, and search", "get_oat_list poll_oat_list"),
    ("Sandbox Analysis", "View, filter, and search", SANDBOX),
    ("Sandbox Analysis", "Submit objects", SANDBOX),
];

const SANDBOX: &str = "download_sandbox_analysis_result download_sandbox_investigation_package \
    get_sandbox_analysis_result get_sandbox_submission_status get_sandbox_suspicious_list poll_sandbox_suspicious_list \
    submit_file_to_sandbox submit_urls_to_sandbox";

/// When the services' records and the inputs are of yesterday.
const NOW: &str = "2024-06-12T00:00:00Z";

const MASTER: &str = "master-token";

type Permission = (String, String);

/// Inputs that are well formed, by action or trigger, and without entity tags of another day.
static INPUTS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let cases: Value = serde_json::from_str(include_str!("../cases/trend-vision-one/cases.json")).expect("JSON");
    let mut inputs = BTreeMap::new();
    for case in cases.as_array().expect("a list") {
        let mut input = case["input"].clone();
        input.as_object_mut().expect("an object").remove("if_match");
        inputs.entry(case["name"].as_str().expect("a name").to_owned()).or_insert(input);
    }
    inputs
});

/// What needs something that another action makes.
const FIRST: &[(&str, &str)] = &[
    ("get_task_result", "isolate_endpoint"),
    ("remove_from_exception_list", "add_to_exception_list"),
    ("remove_from_suspicious_list", "add_to_suspicious_list"),
];

fn names() -> impl Iterator<Item = &'static str> {
    let triggers = CONNECTOR.triggers.iter().map(|trigger| trigger.name);
    CONNECTOR.operations.iter().map(|operation| operation.name).chain(triggers)
}

/// What the table says of an operation.
fn needed(name: &str) -> BTreeSet<Permission> {
    let own = NEEDED.iter().filter(|(.., names)| names.split_whitespace().any(|it| it == name));
    own.map(|(app, permission, _)| ((*app).to_owned(), (*permission).to_owned())).collect()
}

/// What the command says of operations.
fn told(names: &[&str]) -> Value {
    let home = tempfile::tempdir().expect("a folder");
    let arguments = [&["permissions", CONNECTOR.name, "--output", "json"], names].concat();
    let (code, out, err) = run(home.path(), &arguments, &[]);
    assert_eq!((code, err.as_str()), (0, ""), "{names:?}");
    serde_json::from_str(&out).expect("JSON")
}

/// The least role for operations, as the command computes it.
fn least_role(names: &[&str]) -> Vec<Permission> {
    let told = told(names);
    let apps = told["permissions"].as_object().expect("an object").iter();
    apps.flat_map(|(app, listed)| {
        let listed = listed.as_array().expect("a list");
        listed.iter().map(|name| (app.clone(), name.as_str().expect("a name").to_owned()))
    })
    .collect()
}

/// The token of a role that lacks this one permission.
fn without(at: usize) -> String {
    format!("token-without-{at}")
}

/// A service that knows a role by the token `least`, the same less any one permission, and a token for everything.
async fn service(role: &[Permission]) -> Running {
    vision_one(|options| {
        options.start = NOW.parse().expect("a time");
        let listed = |secret: String, grants: Vec<Permission>| Token { secret, grants: Grants::Listed(grants) };
        let less = (0..role.len()).map(|at| {
            let rest = role.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| it.clone());
            listed(without(at), rest.collect())
        });
        options.tokens =
            [Token::master(MASTER), listed("least".to_owned(), role.to_vec())].into_iter().chain(less).collect();
    })
    .await
}

fn connect(service: &Running, token: &str) -> Connection {
    let now: Timestamp = NOW.parse().expect("a time");
    let (mut settings, _) = settings(&service.url(), now);
    settings.parameters.insert("api_key".to_owned(), json!(token));
    Connection::new(&CONNECTOR, settings).expect("a connection")
}

fn operation(name: &str) -> &'static Operation {
    CONNECTOR.operation(name).or_else(|| CONNECTOR.trigger(name).map(|it| it.operation)).expect("an operation")
}

async fn call(connection: &Connection, name: &str, input: &Value) -> Result<Value, Error> {
    match CONNECTOR.trigger(name) {
        None => connection.call(operation(name), input.clone()).await,
        Some(trigger) => Ok(Rounds::new(connection.clone(), trigger, input, None)?.next().await?.event),
    }
}

/// A request of an operation in which all is wrong that can be: no such record, no body, no header.
async fn ask_wrongly(connection: &Connection, name: &str) -> Option<ErrorKind> {
    let call = operation(name).call;
    let path: Vec<&str> =
        call.path.split('/').map(|part| if part.starts_with('{') { "unknown" } else { part }).collect();
    let target = format!("/v3.0{}?top=7", path.join("/"));
    let request = Request { method: call.method, target, headers: Vec::new(), body: Body::Empty };
    connection.ask(operation(name), &request, Repeat::Unsafe).await.err().map(|error| error.kind())
}

#[track_caller]
fn assert_refused(error: &Error, name: &str, (app, permission): &Permission) {
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Permission, "{name} without {app}: {permission}: {text}");
    let said = error.parts().service.as_ref().expect("an answer");
    assert_eq!((said.status, said.code.as_str()), (403, "AccessDenied"), "{name}");
    assert_eq!(said.message, format!("The role lacks {app}: {permission}."), "{name}");
    // The connector's own words name what the operation needs even where a service does not say what is missing.
    assert!(error.parts().message.contains(app) && error.parts().message.contains(permission), "{text}");
}

#[tokio::test]
async fn the_least_role_of_each_operation_is_enough_and_anything_less_is_not() {
    let mut operations = 0;
    for name in names() {
        let role = least_role(&[name]);
        assert_eq!(role.iter().cloned().collect::<BTreeSet<_>>(), needed(name), "{name}");
        let service = service(&role).await;
        let mut input = INPUTS[name].clone();
        if let Some((_, first)) = FIRST.iter().find(|(later, _)| *later == name) {
            let made = call(&connect(&service, MASTER), first, &INPUTS[*first])
                .await
                .unwrap_or_else(|error| panic!("{error}"));
            if input.get("task_id").is_some() {
                input["task_id"] = made["multi_response"][0]["task_id"].clone();
            }
        }
        for (at, missing) in role.iter().enumerate() {
            let connection = connect(&service, &without(at));
            let error = call(&connection, name, &input).await.expect_err("a refusal");
            assert_refused(&error, name, missing);
            // Nobody learns what there is, or what is wrong with a request, who may not ask.
            assert_eq!(ask_wrongly(&connection, name).await, Some(ErrorKind::Permission), "{name}");
        }
        let connection = connect(&service, "least");
        assert_ne!(ask_wrongly(&connection, name).await, Some(ErrorKind::Permission), "{name}");
        if let Err(error) = call(&connection, name, &input).await {
            panic!("{error}");
        }
        operations += 1;
    }
    assert_eq!(operations, 51);
}

#[tokio::test]
async fn the_least_role_of_several_operations_has_what_any_of_them_needs() {
    let all: Vec<&str> = names().collect();
    for set in [
        vec!["isolate_endpoint", "restore_endpoint"],
        vec!["isolate_endpoint", "isolate_endpoint", "get_task_result", "poll_alert_list"],
        vec!["add_to_block_list", "add_to_exception_list", "get_suspicious_list"],
        vec!["submit_file_to_sandbox", "poll_sandbox_suspicious_list", "list_api_keys"],
        all,
    ] {
        let role = least_role(&set);
        let union: BTreeSet<Permission> = set.iter().flat_map(|name| needed(name)).collect();
        assert_eq!((role.len(), role.iter().cloned().collect::<BTreeSet<_>>()), (union.len(), union), "{set:?}");
        let service = service(&role).await;
        let least = connect(&service, "least");
        for name in &set {
            assert_ne!(ask_wrongly(&least, name).await, Some(ErrorKind::Permission), "{name}");
        }
        for (at, missing) in role.iter().enumerate() {
            let connection = connect(&service, &without(at));
            for name in &set {
                let refused = ask_wrongly(&connection, name).await == Some(ErrorKind::Permission);
                assert_eq!(refused, needed(name).contains(missing), "{name} without {missing:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_connection_s_own_test_needs_no_permission() {
    let service = service(&[]).await;
    let connection = connect(&service, "least");
    connection.check().await.expect("a working connection");
    assert_eq!(ask_wrongly(&connection, "get_exception_list").await, Some(ErrorKind::Permission));
}

#[test]
fn built_in_roles_are_told_as_far_as_they_are_known() {
    let told = told(&["isolate_endpoint"]);
    let suffices = |role: &Value| (role["role"].as_str().expect("a name").to_owned(), role["suffices"].clone());
    let roles: Vec<_> = told["roles"].as_array().expect("a list").iter().map(suffices).collect();
    assert_eq!(roles.len(), 5);
    for (role, suffices) in roles {
        assert_eq!(suffices, if role == "Master Administrator" { json!(true) } else { json!(null) }, "{role}");
    }
}

#[test]
fn an_operation_that_is_not_there_is_told_with_the_nearest_that_is() {
    let home = tempfile::tempdir().expect("a folder");
    for (wrong, meant) in [
        ("isolate_endpont", "did you mean `isolate_endpoint`?"),
        ("Get-Alert-List", "did you mean `get_alert_list`?"),
        ("poll_oat_lists", "did you mean `poll_oat_list`?"),
        ("quarantine", "perhaps: quarantine_email_message"),
        ("xyz", "`connectome describe trend-vision-one` lists them"),
    ] {
        // One good name beside it makes it no better: half a role would be taken for a whole one.
        for before in [None, Some("get_alert_list")] {
            let arguments: Vec<&str> =
                ["permissions", CONNECTOR.name].into_iter().chain(before).chain([wrong]).collect();
            let (code, out, err) = run(home.path(), &arguments, &[]);
            assert_eq!((code, out.as_str()), (2, ""), "{wrong}");
            let says =
                format!("error: Trend Vision One has no action, trigger or stream {wrong:?}\n  what to do: {meant}");
            assert!(err.starts_with(&says), "{err}");
            let (code, out, err) = run(home.path(), &[&arguments[..], &["--output", "json"]].concat(), &[]);
            assert_eq!((code, out.as_str()), (2, ""), "{wrong}");
            let error: Value = serde_json::from_str(&err).expect("JSON");
            assert_eq!(error["error"]["kind"], "input", "{wrong}");
            assert!(error["error"]["advice"].as_str().expect("advice").starts_with(meant), "{err}");
        }
    }
}
