//! Requests of which a part fails.

use connectome_core::ErrorKind;
use connectome_tests::script::{Prepared, Script};
use serde_json::{Value, json};

use crate::{answered, connect, list, operation, output};

// 27
fn two_endpoints() -> Value {
    json!({ "endpoint_identifiers": [{ "endpoint_name": "a" }, { "endpoint_name": "b" }] })
}

#[tokio::test]
pub async fn a_failed_part_fails_the_action_and_hides_nothing() {
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
pub async fn a_key_that_was_made_beside_a_failed_one_is_given_and_printed_nowhere() {
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
pub async fn an_answer_for_other_elements_than_were_sent_is_an_error() {
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
