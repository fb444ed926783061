//! What the library prints, logs and keeps.

use connectome::trend_vision_one::{
    ApiKeysObjects, CONNECTOR, Client, CreateApiKeysInput, GetTaskResultInput, Parameters, SubmitFileToSandboxInput,
};
use connectome_collect::rounds::Rounds;
use connectome_collect::state::State;
use connectome_core::file::File;
use connectome_core::secret::MASK;
use connectome_core::{Connection, Error, ErrorKind, Settings};
use connectome_sim::Options;
use connectome_tests::command::home;
use connectome_tests::log::Log;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::connect_with;
use serde_json::{Value, json};

use crate::{ARCHIVE, DOCUMENT, KEY, Told, base64, bytes, sample};

/// A key that the service made.
const MADE: &str = "eyJuZXc.MARKERmade.s/+=\"";

/// The password that a task's result needs.
const TASK: &str = r#"pw-"MARKERtask\/"#;

/// The password of a proxy.
const PROXY: &str = "MARKERproxy";

fn talkative(settings: &mut Settings) {
    settings.parameters.insert("api_key".to_owned(), json!(KEY));
    settings.log_bodies = true;
    settings.tries = 1;
}

fn open(url: &str) -> Connection {
    connect_with(url, talkative).0
}

async fn call(connection: &Connection, action: &str, input: Value) -> Result<Value, Error> {
    connection.call(CONNECTOR.operation(action).expect("an action"), input).await
}

fn percent(text: &str, hex: fn(u8) -> String) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { hex(byte) })
        .collect()
}

/// A text as others write it: plainly, escaped as JSON by several habits, and encoded as in a URL.
fn echoes(secret: &str) -> Vec<String> {
    let json = json!(secret).to_string();
    let quoted = json[1..json.len() - 1].to_owned();
    let ascii: String = secret.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    vec![
        secret.to_owned(),
        quoted.clone(),
        quoted.replace('/', "\\/"),
        ascii,
        percent(secret, |byte| format!("%{byte:02X}")),
        percent(secret, |byte| format!("%{byte:02x}")),
        format!("Bearer {secret}"),
        format!("{secret:?}"),
    ]
}

/// Answers that hold secrets, with what is asked for each.
fn answers() -> Vec<(&'static str, Value, Prepared)> {
    let raw =
        |status: u16, body: String| Prepared { body: bytes::Bytes::from(body), ..Prepared::json(status, &Value::Null) };
    let key = json!({ "api_keys_objects": [{ "name": "a", "role": "Analyst", "description": KEY }] });
    let made = json!({ "status": 201, "headers": [], "body": { "id": "1", "value": MADE, "expiredDateTime": "2030-01-01T00:00:00Z" } });
    let task = json!({ "id": "1", "status": "succeeded", "action": "collectFile", "createdDateTime": "", "lastActionDateTime": "", "password": TASK, "tasks": [{ "password": TASK }] });
    let mut all = vec![
        ("create_api_keys", key.clone(), Prepared::json(207, &json!([made]))),
        (
            "create_api_keys",
            json!({ "api_keys_objects": [{ "name": "a", "role": "x" }, { "name": "b", "role": "x" }] }),
            Prepared::json(
                207,
                &json!([made, { "status": 400, "body": { "code": "BadRequest", "message": format!("no role for {KEY}") } }]),
            ),
        ),
        ("get_task_result", json!({ "task_id": "1" }), Prepared::json(200, &task)),
        ("get_task_result", json!({ "task_id": "1" }), raw(200, task.to_string().replace('/', "\\/"))),
        ("submit_file_to_sandbox", sample(), Prepared::json(202, &json!({ "id": "1", "digest": {} }))),
        (
            "submit_file_to_sandbox",
            sample(),
            Prepared::json(202, &json!({ "id": 1, "archivePassword": ARCHIVE, "documentPassword": base64(DOCUMENT) })),
        ),
        (
            "submit_file_to_sandbox",
            sample(),
            Prepared::json(
                400,
                &json!({ "error": { "code": "BadRequest", "message": format!("{ARCHIVE:?} or {} opens nothing", base64(DOCUMENT)) } }),
            ),
        ),
        (
            "get_alert_details",
            json!({ "alert_id": "WB-1" }),
            Prepared::empty(302).header("Location", &format!("https://elsewhere.example/?key={KEY}")),
        ),
    ];
    let range = json!({ "start_date_time": "2024-06-11T00:00:00Z", "end_date_time": "2024-06-12T00:00:00Z" });
    for echo in echoes(KEY) {
        let message =
            json!({ "error": { "code": echo, "message": format!("the token {echo} is wrong"), "target": echo } });
        all.push(("get_alert_list", range.clone(), Prepared::json(400, &message)));
        all.push(("create_api_keys", key.clone(), Prepared::json(500, &message)));
        all.push(("get_alert_list", range.clone(), raw(400, format!("<html><h1>Denied</h1>token {echo}</html>"))));
        all.push(("get_alert_list", range.clone(), raw(200, format!("no JSON for {echo}"))));
        all.push((
            "get_alert_list",
            range.clone(),
            raw(200, json!({ "items": [], "nextLink": format!("https://{echo}") }).to_string()),
        ));
        all.push((
            "get_alert_list",
            range.clone(),
            raw(200, json!({ "items": [], "nextLink": format!("/elsewhere?token={echo}") }).to_string()),
        ));
        all.push((
            "get_alert_list",
            range.clone(),
            raw(
                200,
                json!({ "items": [], "nextLink": format!("https://x.example/v3.0/workbench/alerts?token={echo}&a=b") })
                    .to_string(),
            ),
        ));
        // Cut off at every length that a message may have.
        for before in [120, 150, 165, 180, 190, 250, 270, 280, 290] {
            all.push((
                "get_alert_list",
                range.clone(),
                raw(400, format!("{} {echo}{}", "x".repeat(before), " y".repeat(200))),
            ));
            all.push((
                "get_alert_list",
                range.clone(),
                raw(200, format!("{} {echo}{}", "x".repeat(before), " y".repeat(200))),
            ));
        }
    }
    all
}

#[tokio::test]
async fn no_secret_is_in_a_log_or_an_error() {
    for form in ["text", "json"] {
        let mut told = Told::default();
        let mut failed = 0;
        for (action, input, answer) in answers() {
            let log = if form == "json" { Log::json_lines() } else { Log::text_lines() };
            let script = Script::start(vec![answer.clone()]).await;
            let connection = open(&script.url());
            let place =
                format!("{action} answered {} {}", answer.status, String::from_utf8_lossy(&answer.body).escape_debug());
            if let Err(error) = call(&connection, action, input).await {
                told.error(&place, &error);
                failed += 1;
            }
            let text = log.text();
            assert!(text.contains("answer body") && text.contains("outcome"), "nothing was logged: {text}");
            told.hear(&format!("{place}: log"), text);
        }
        assert!(failed > 20);
        // What is asserted above is worth something only if secrets did come by.
        assert!(told.0.iter().filter(|(_, text)| text.contains(MASK)).count() > 100);
        told.assert_silent();
    }
}

#[tokio::test]
async fn bodies_are_logged_only_when_asked() {
    let answer = || Prepared::json(207, &json!([{ "status": 201, "body": { "id": "id-in-the-body", "value": MADE } }]));
    let input = json!({ "api_keys_objects": [{ "name": "name-in-the-body", "role": "Analyst" }] });
    for asked in [false, true] {
        let log = Log::text_lines();
        let script = Script::start(vec![answer()]).await;
        let (connection, _) = connect_with(&script.url(), |settings| settings.log_bodies = asked);
        call(&connection, "create_api_keys", input.clone()).await.unwrap();
        let text = log.text();
        assert!(text.contains("/v3.0/iam/apiKeys"), "{text}");
        assert_eq!((text.contains("name-in-the-body"), text.contains("id-in-the-body")), (asked, asked), "{text}");
    }
}

#[tokio::test]
async fn what_an_action_gives_it_does_give() {
    let made = json!({ "status": 201, "body": { "id": "1", "value": MADE } });
    let script = Script::start(vec![
        Prepared::json(207, &json!([made])),
        Prepared::json(207, &json!([made, { "status": 400, "body": { "code": "a", "message": "b" } }])),
    ])
    .await;
    let connection = open(&script.url());
    let one = json!({ "name": "a", "role": "Analyst" });
    let output = call(&connection, "create_api_keys", json!({ "api_keys_objects": [one] })).await.unwrap();
    assert_eq!(output["api_keys_resp"][0]["value"], MADE);
    // A key is shown once: when others fail, it is still at hand, and still not printed.
    let error = call(&connection, "create_api_keys", json!({ "api_keys_objects": [one, one] })).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Partial);
    assert_eq!(error.parts().output.as_ref().unwrap()["api_keys_resp"][0]["value"], MADE);
    let mut told = Told::default();
    told.error("a partial error", &error);
    told.assert_silent();
}

#[tokio::test]
async fn no_value_prints_a_secret_that_it_holds() {
    let mut told = Told::default();
    let mut settings = Settings::new(
        json!({ "api_key": KEY, "api_url": format!("https://user:{PROXY}@api.example.com") })
            .as_object()
            .unwrap()
            .clone(),
    );
    settings.network.proxy = Some(format!("http://user:{PROXY}@127.0.0.1:3128"));
    told.hear("settings", format!("{settings:?} {settings:#?}"));
    told.hear("network", format!("{:?}", settings.network));
    told.error("a URL with a password", &Connection::new(&CONNECTOR, settings.clone()).unwrap_err());
    settings.parameters.insert("api_url".to_owned(), json!("https://api.example.com"));
    told.hear("a connection through a proxy", format!("{:?}", Connection::new(&CONNECTOR, settings.clone()).unwrap()));
    settings.network.proxy = Some(format!("http//user:{PROXY}@127.0.0.1"));
    if let Err(error) = Connection::new(&CONNECTOR, settings) {
        told.error("a proxy that is no URL", &error);
    }
    let wrapped = Settings::new(json!({ "api_key": { "secretKey": KEY } }).as_object().unwrap().clone());
    told.hear("wrapped settings", format!("{wrapped:?}"));
    told.hear("a connection", format!("{:?}", Connection::new(&CONNECTOR, wrapped).unwrap()));
    for wrong in [
        json!(format!("{KEY} with blanks")),
        json!([KEY]),
        json!({ "secretKey": format!("{KEY}\n") }),
        json!({ "secretkey": KEY }),
    ] {
        let settings = Settings::new(json!({ "api_key": wrong }).as_object().unwrap().clone());
        told.error("a key that is none", &Connection::new(&CONNECTOR, settings).unwrap_err());
    }

    let parameters = Parameters::new(KEY);
    told.hear("parameters", format!("{parameters:?}"));
    told.hear("a client", format!("{:?}", Client::connect(parameters).unwrap()));

    let script = Script::start(vec![
        Prepared::json(202, &json!({ "id": "1", "digest": { "md5": "65a8e27d8879283831b664bd8b7f0ad4", "sha1": "0a0a9f2a6772942557ab5355d76af442f8f65e01", "sha256": "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f" } })),
        Prepared::json(207, &json!([{ "status": 201, "body": { "id": "1", "value": MADE } }])),
        Prepared::json(200, &json!({ "id": "1", "status": "succeeded", "action": "collectFile", "createdDateTime": "", "lastActionDateTime": "", "password": TASK })),
        Prepared::json(200, &json!({ "id": "1", "status": "succeeded", "action": "collectFile", "createdDateTime": "", "lastActionDateTime": "", "password": TASK })),
        Prepared::json(200, &json!({ "items": [{ "password": TASK }], "nextLink": format!("https://x.example/v3.0/a?token={}", percent(KEY, |byte| format!("%{byte:02X}"))) })),
    ])
    .await;
    let client = Client::connect(Parameters::new(KEY).with_api_url(script.url())).unwrap();
    let input = SubmitFileToSandboxInput::new(File::new("a.zip", "test"))
        .with_archive_password(ARCHIVE)
        .with_document_password(DOCUMENT);
    told.hear("a typed input", format!("{input:?}"));
    client.submit_file_to_sandbox(&input).await.unwrap();
    let made =
        client.create_api_keys(&CreateApiKeysInput::new(vec![ApiKeysObjects::new("a", "Analyst")])).await.unwrap();
    assert_eq!(made.api_keys_resp[0].value.expose(), MADE);
    told.hear("a typed output", format!("{made:?}"));
    let task = client.get_task_result(&GetTaskResultInput::new("1")).await.unwrap();
    assert_eq!(task.password.as_ref().unwrap().expose(), TASK);
    told.hear("another typed output", format!("{task:?}"));

    let connection = client.connection();
    let operation = CONNECTOR.operation("submit_file_to_sandbox").unwrap();
    let request = connection.request(operation, &connection.validate(operation, &sample()).unwrap()).unwrap();
    told.hear("a request", format!("{request:?} {:?} {request:#?}", request.body));
    told.hear(
        "an open call",
        format!(
            "{:?}",
            connection.open(CONNECTOR.operation("get_task_result").unwrap(), &json!({ "task_id": "1" })).await.unwrap()
        ),
    );
    let mut items =
        connection.items::<_, Value>(CONNECTOR.operation("get_exception_list").unwrap(), &json!({})).unwrap();
    items.next().await.unwrap().unwrap();
    told.hear("records that are being read", format!("{items:?}"));
    let waiting = connection.items::<_, Value>(operation, &sample()).unwrap();
    told.hear("records that were not asked for yet", format!("{waiting:?}"));
    told.assert_silent();
}

#[tokio::test]
async fn an_input_that_is_refused_keeps_its_secrets() {
    let script = Script::start(vec![]).await;
    let connection = open(&script.url());
    let mut told = Told::default();
    for wrong in
        [json!(ARCHIVE.repeat(20)), json!([ARCHIVE]), json!({ "is": ARCHIVE }), json!([{ "secretKey": ARCHIVE }])]
    {
        let mut input = sample();
        input["archive_password"] = wrong;
        input["document_password"] = json!(DOCUMENT.repeat(20));
        input["file"] = json!(1);
        let error = call(&connection, "submit_file_to_sandbox", input).await.unwrap_err();
        assert_eq!(error.parts().violations.len(), 3, "{error}");
        told.error("a refused input", &error);
    }
    assert!(script.asked().is_empty());
    told.assert_silent();
}

#[tokio::test]
async fn an_answer_of_the_wrong_form_keeps_its_secrets() {
    let number = 7_700_770_077_007_700_i64;
    let script =
        Script::start(vec![
            Prepared::json(207, &json!([{ "status": 201, "body": { "id": "1", "value": number } }]));
            2
        ])
        .await;
    let client = Client::connect_with(Parameters::new(KEY).with_api_url(script.url()), talkative).unwrap();
    let log = Log::text_lines();
    let error =
        client.create_api_keys(&CreateApiKeysInput::new(vec![ApiKeysObjects::new("a", "Analyst")])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    for text in [error.to_string(), format!("{error:?}"), error.to_json().to_string(), log.text()] {
        assert!(!text.contains(&number.to_string()), "{text}");
    }
}

#[tokio::test]
async fn a_checkpoint_holds_no_secret() {
    let home = home();
    let running = connectome_tests::simulated::vision_one(|options: &mut Options| *options = Options::new(KEY)).await;
    let (connection, _) = connect_with(&running.url(), talkative);
    let path = home.path().join("state.sqlite");
    let state = State::open(&path).unwrap();
    let mut rounds = Rounds::new(
        connection.clone(),
        CONNECTOR.trigger("poll_alert_list").unwrap(),
        &json!({ "start_date_time": "1970-01-01T00:00:00Z" }),
        None,
    )
    .unwrap();
    let round = rounds.next().await.unwrap();
    assert!(!round.event["alerts"].as_array().unwrap().is_empty());
    state.save("trigger/x", &rounds.accept(round)).unwrap();
    let mut told = Told::default();
    told.hear("rounds", format!("{rounds:?}"));
    told.hear("the database", String::from_utf8_lossy(&bytes(home.path())));
    assert!(told.0[1].1.contains("WB-"));
    told.assert_silent();
}
