//! Requests of which a part is refused: what was started is never lost.

use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::exchange::exchange;
use crate::{assert_says, refused, unsent};

/// Index, status, task, code, message and number of each element.
fn elements(error: &Error) -> Vec<Value> {
    let told = |item: &connectome_core::error::Item| {
        let said = item.error.clone().unwrap_or_default();
        json!([item.index, item.status, item.task_id, said.code, said.message, said.number])
    };
    error.parts().items.iter().map(told).collect()
}

#[tokio::test]
async fn a_block_that_fails_in_part_tells_each_element_with_its_task() {
    let mut partial = exchange("block-add-partial");
    let object = |value: &str| json!({ "object_type": "ip", "object_value": value, "description": "c2" });
    let input = |last: &str| json!({ "block_objects": [object("203.0.113.78"), object("203.0.113.78"), object(last)] });
    assert_eq!(unsent("add_to_block_list", input("not-an-ip")).await, ["/block_objects/2/object_value"]);

    partial.request["body"][2]["ip"] = json!("203.0.113.79");
    let error = refused("add_to_block_list", input("203.0.113.79"), &[&partial]).await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(error.kind().exit_code(), 3);
    assert_eq!(
        elements(&error),
        [
            json!([0, 202, "00004003", "", "", null]),
            json!([1, 400, "00004003", "TaskError", "Task duplication.", null]),
            json!([2, 400, null, "BadRequest", "Invalid field format: ip.", null]),
        ]
    );
    let output = json!({ "multi_response": [{ "status": 202, "task_id": "00004003" }, { "status": 400, "task_id": "00004003" }, { "status": 400 }] });
    assert_eq!(error.parts().output.as_ref(), Some(&output));
    assert_says(
        &error,
        &[
            "2 of 3 did not work",
            "item 1: 400, task 00004003, TaskError: Task duplication.",
            "the tasks of the others have started",
        ],
    );
}

#[tokio::test]
async fn an_exception_that_fails_in_part_tells_which_element_and_why() {
    let mut partial = exchange("exception-add-bad-item");
    let input = |last: &str| json!({ "block_objects": [{ "object_type": "ip", "object_value": "198.51.100.9" }, { "object_type": "ip", "object_value": last }] });
    assert_eq!(unsent("add_to_exception_list", input("999.1.1.1")).await, ["/block_objects/1/object_value"]);

    partial.request["body"][1]["ip"] = json!("198.51.100.10");
    let error = refused("add_to_exception_list", input("198.51.100.10"), &[&partial]).await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(
        elements(&error),
        [json!([0, 201, null, "", "", null]), json!([1, 400, null, "BadRequest", "Bad object value.", 4_000_102])]
    );
    assert_says(&error, &["1 of 2 did not work", "the others are done"]);
}

#[tokio::test]
async fn an_endpoint_that_does_not_exist_is_told_though_the_whole_answer_says_207() {
    let unknown = exchange("isolate-unknown-host");
    let error = refused(
        "isolate_endpoint",
        json!({ "endpoint_identifiers": [{ "endpoint_name": "no-such-host" }] }),
        &[&unknown],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(elements(&error), [json!([0, 400, null, "BadRequest", "Target not found.", null])]);
    assert_says(&error, &["1 of 1 did not work"]);
}

#[tokio::test]
async fn a_key_that_could_not_be_made_is_told_though_its_error_is_not_wrapped() {
    let mut refusal = exchange("apikey-create-bad");
    // Which state a new key is in is always said.
    refusal.request["body"][0]["status"] = json!("enabled");
    let error = refused(
        "create_api_keys",
        json!({ "api_keys_objects": [{ "name": "x", "role": "No Such Role" }] }),
        &[&refusal],
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(elements(&error), [json!([0, 400, null, "BadRequest", "Role does not exist.", null])]);
}

#[tokio::test]
async fn urls_that_fail_in_part_keep_the_submission_of_the_others() {
    // What is a URL is for the service to say: malicious ones are often odd.
    let input = json!({ "urls": ["http://cdn.bad-parcel.example/pay", "not a url"] });
    let error = refused("submit_urls_to_sandbox", input, &[&exchange("sandbox-urls-partial")]).await;
    assert_eq!(error.kind(), ErrorKind::Partial);
    let task = "1e8d5c3b-7a90-4f26-9d1b-3c5e7f9a0b2d";
    assert_eq!(
        elements(&error),
        [json!([0, 202, task, "", "", null]), json!([1, 400, null, "BadRequest", "Malformed URL.", null])]
    );
    let output = error.parts().output.clone().expect("an output");
    assert_eq!(output["submit_urls_resp"][0]["id"], task);
    assert_eq!(output["submit_urls_resp"][1], json!({ "url": "not a url", "status": 400 }));
}
