//! Tasks.

use connectome_core::ErrorKind;
use connectome_tests::script::{Prepared, Script};
use serde_json::json;

use crate::{answered, connect, objects, operation, output, request, task, wrong};

const OBJECT_LISTS: [(&str, &str, u16); 4] = [
    ("add_to_exception_list", "block_objects", 201),
    ("add_to_suspicious_list", "suspicious_block_objects", 201),
    ("remove_from_exception_list", "block_objects", 204),
    ("remove_from_suspicious_list", "block_objects", 204),
];

// 1
#[tokio::test]
pub async fn object_lists_show_the_text_none_for_a_task() {
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
pub fn the_text_none_is_no_task_to_ask_for() {
    assert_eq!(wrong("get_task_result", json!({ "task_id": "None" })), ["/task_id"]);
    assert_eq!(request("get_task_result", json!({ "task_id": "00002195" })).target, "/v3.0/response/tasks/00002195");
}

#[tokio::test]
pub async fn both_spellings_of_a_terminated_process_come_out_as_they_came_in() {
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
pub async fn what_a_task_lacks_is_left_out() {
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
pub async fn every_kind_of_task_is_read() {
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
pub async fn a_state_that_is_neither_queued_nor_running_ends_the_wait() {
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
