//! The whole input is checked before anything is sent.

use connectome_core::ErrorKind;
use connectome_tests::script::Script;
use connectome_tests::simulated::connect;
use serde_json::json;

use crate::call;

#[tokio::test]
async fn every_mistake_of_an_input_is_named_at_once_and_nothing_is_sent() {
    let script = Script::start(vec![]).await;
    let (connection, _) = connect(&script.url());
    let input = json!({
        "api_keys_objects": [
            { "name": "", "role": "Analyst", "status": "on" },
            { "name": "fine", "role": "Analyst", "months_to_expiration": 2, "colour": "red" },
            "not an object",
            { "name": "fine", "role": "r".repeat(129), "a/b~c": 1 },
        ],
        "extra": true,
    });
    let error = call(&connection, "create_api_keys", input).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let mut pointers: Vec<&str> = error.parts().violations.iter().map(|violation| violation.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(
        pointers,
        [
            "/api_keys_objects/0/name",
            "/api_keys_objects/0/status",
            "/api_keys_objects/1/colour",
            "/api_keys_objects/1/months_to_expiration",
            "/api_keys_objects/2",
            "/api_keys_objects/3/a~1b~0c",
            "/api_keys_objects/3/role",
            "/extra",
        ]
    );
    let months =
        error.parts().violations.iter().find(|violation| violation.pointer.ends_with("months_to_expiration")).unwrap();
    assert!(months.expected.contains("12") && months.found.contains('2'), "{months}");
    assert!(script.asked().is_empty());
    assert_eq!(error.to_json()["error"]["violations"].as_array().unwrap().len(), 8);
}
