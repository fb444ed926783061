//! The sandbox.

use connectome::trend_vision_one::CONNECTOR;
use connectome_core::request::{Body, Content};
use connectome_core::{Connection, ErrorKind, Settings};
use connectome_tests::script::Prepared;
use serde_json::{Map, Value, json};

use crate::{answered, built, output, request, wrong};

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
pub fn sandbox_texts_are_encoded_once() {
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
pub fn sandbox_texts_are_measured_before_encoding() {
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
pub async fn sandbox_passwords_are_shown_nowhere() {
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

// 13
#[tokio::test]
pub async fn a_submission_s_error_comes_un_nested_and_only_if_there_is_one() {
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

// 19
#[test]
pub fn a_sample_stands_in_for_nothing() {
    let error = Connection::new(&CONNECTOR, Settings::new(Map::new())).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.parts().violations.iter().any(|violation| violation.pointer == "/api_key"), "{error}");
    assert_eq!(wrong("run_custom_script", json!({ "endpoint_name": "ledger-pc-07" })), ["/file_name"]);
}

// 30
#[tokio::test]
pub async fn ids_of_submissions_are_what_the_sandbox_actions_take() {
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
