//! The simulated platform itself.

use connectome_graph::object::Object;
use connectome_sim::Respond;
use connectome_sim::http::Request;
use connectome_sinks::jupiterone::simulated::Platform;
use serde_json::{Value, json};

use crate::{ACCOUNT, INSTANCE, KEY, edge, platform, properties, run, to, user};

fn asked(method: &str, path: &str, body: &Value) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers: [
            ("authorization", format!("Bearer {KEY}").as_str()),
            ("lifeomic-account", ACCOUNT),
            ("content-type", "application/json"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        body: if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() },
    }
}

fn ask(platform: &Platform, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let reply = platform.respond(&asked(method, path, body));
    (reply.status, serde_json::from_slice(&reply.body).expect("JSON"))
}

#[test]
fn the_simulated_platform_refuses_what_the_platform_refuses() {
    const JOBS: &str = "/persister/synchronization/jobs";
    let platform = Platform::new(ACCOUNT, KEY, INSTANCE);
    let new = json!({ "source": "integration-external", "integrationInstanceId": INSTANCE });
    let (_, job) = ask(&platform, "POST", JOBS, &new);
    let job = format!("{JOBS}/{}", job["job"]["id"].as_str().expect("an id"));
    let entities = |own: Value| {
        let mut one = json!({ "_key": "user:00000001", "_type": "a_user", "_class": "User" });
        one.as_object_mut().unwrap().extend(properties(own));
        json!({ "entities": [one] })
    };
    let path = |rest: &str| format!("{job}/{rest}");
    let taken = ask(&platform, "POST", &path("entities"), &entities(json!({ "name": "a", "tag.x": 1 })));
    assert_eq!((taken.0, &taken.1["job"]["numEntitiesUploaded"]), (200, &json!(1)));
    let another = json!({ "_key": "user:00000002" });
    let merged = |own: Value| {
        let mut all = properties(another.clone());
        all.extend(properties(own));
        entities(Value::Object(all))
    };
    let raw = json!([{ "name": "a", "rawData": {} }, { "name": "a", "rawData": {} }]);
    let cases = [
        ("entities", json!({ "entities": {} }), 400, "ENTITY_IS_NOT_ARRAY"),
        ("relationships", json!({}), 400, "RELATIONSHIP_IS_NOT_ARRAY"),
        ("entities", entities(json!({})), 400, "DUPLICATE_KEY_DETECTED"),
        ("entities?ignoreDuplicates=true", entities(json!({})), 200, ""),
        ("entities", merged(json!({ "first_name": "a" })), 400, "ILLEGAL_PROPERTY"),
        ("entities", merged(json!({ "address": { "a": 1 } })), 400, "ILLEGAL_PROPERTY"),
        ("entities", merged(json!({ "_rawData": raw })), 400, "DUPLICATE_RAW_DATA_NAME"),
        ("entities", merged(json!({ "_key": "short" })), 400, "MISSING_PROPERTY"),
        ("entities?ignoreIllegalProperties=true", merged(json!({ "first_name": "a" })), 200, ""),
        (
            "entities",
            merged(json!({ "_key": "user:00000003", "notes": "x".repeat(6_000_000) })),
            413,
            "RequestEntityTooLargeException",
        ),
        ("nothing", json!({}), 404, "NOT_FOUND"),
        ("abort", json!({ "reason": "enough" }), 200, ""),
        ("entities", merged(json!({ "_key": "user:00000004" })), 400, "JOB_NOT_AWAITING_UPLOADS"),
        ("finalize", json!({ "partialDatasets": { "types": [] } }), 400, "JOB_NOT_AWAITING_UPLOADS"),
    ];
    for (call, body, status, code) in cases {
        let (got, said) = ask(&platform, "POST", &path(call), &body);
        let code = if code.is_empty() { Value::Null } else { json!(code) };
        assert_eq!((got, &said["error"]["code"]), (status, &code), "{call}");
    }
    let wrong = [
        (json!({ "source": "api", "scope": "x" }), 400),
        (json!({ "source": "integration-external", "integrationInstanceId": "x" }), 404),
        (json!({ "source": "integration-external", "integrationInstanceId": INSTANCE, "scope": "x" }), 400),
        (
            json!({ "source": "integration-external", "integrationInstanceId": INSTANCE, "syncMode": "CREATE_OR_UPDATE" }),
            400,
        ),
    ];
    for (body, status) in wrong {
        assert_eq!(ask(&platform, "POST", JOBS, &body).0, status, "{body}");
    }
    for header in ["authorization", "lifeomic-account"] {
        let mut request = asked("POST", JOBS, &new);
        request.headers.retain(|(name, _)| name != header);
        assert_eq!(platform.respond(&request).status, 401, "{header}");
    }
}

#[tokio::test]
async fn what_was_uploaded_can_be_read_back_page_by_page() {
    let service = platform().await;
    let (destination, _) = to(&service.url());
    let mut objects: Vec<Object> = (0..5).map(user).collect();
    objects.push(edge("user:00000000", "KNOWS", "user:00000001", "user_knows_user"));
    objects.push(edge("user:00000000", "KNOWS", "user:99999999", "user_knows_user"));
    let summary = run(&destination, objects).await.expect("an upload");
    // An edge without an end is counted and not made.
    assert_eq!(summary.job.count("numRelationshipCreateErrors"), 1);
    assert!(summary.warnings[0].contains("1 relationships were not created"), "{:?}", summary.warnings);
    let read = |path: String| ask(&service.simulator, "GET", &path, &Value::Null).1;
    let mut keys = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = read(format!("/entities?limit=2{cursor}"));
        keys.extend(page["items"].as_array().unwrap().iter().map(|it| it["_key"].as_str().unwrap().to_owned()));
        let Some(next) = page["endCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(keys, (0..5).map(|number| user(number).key).collect::<Vec<_>>());
    let edges = read("/relationships".to_owned());
    assert_eq!(edges["items"].as_array().unwrap().len(), 1);
    assert!(edges["items"][0]["_fromEntityId"].is_string() && edges["items"][0]["_accountId"] == ACCOUNT);
    assert_eq!(ask(&service.simulator, "GET", "/entities?limit=4001", &Value::Null).0, 422);
    // What is gone is read only when asked for, and comes back as a new version.
    run(&destination, vec![user(1)]).await.expect("an upload");
    let count = |path: &str| read(path.to_owned())["items"].as_array().unwrap().len();
    assert_eq!((count("/entities"), count("/entities?includeDeleted=true"), count("/relationships")), (1, 5, 0));
    run(&destination, vec![user(0), user(1)]).await.expect("an upload");
    let back = service.simulator.object(ACCOUNT, "user:00000000").expect("a user");
    assert_eq!((&back["_version"], &back["_deleted"], &back["_endOn"]), (&json!(2), &json!(false), &Value::Null));
    assert_eq!(service.simulator.object(ACCOUNT, "user:00000001").expect("a user")["_version"], 1);
}
