//! The dashboards: into a simulated Kibana that reads what it is sent.

use connectome::jupiterone::CONNECTOR;
use connectome_core::{Error, ErrorKind, Settings};
use connectome_sim::Running;
use connectome_sinks::elasticsearch::kibana::simulated::Kibana;
use connectome_sinks::elasticsearch::kibana::{Address, Importer, Object, objects};
use connectome_sinks::elasticsearch::setup::Found;
use connectome_sinks::elasticsearch::{API_KEY, Credentials};
use connectome_tests::command::{connectome, told};
use connectome_tests::simulated::{free_address, serve};
use serde_json::{Map, Value, json};

use super::{KEY, api_key, authorization, closed, outcomes};

const OVERVIEW: &str = "jupiter_one-eb28c687-3b1c-43d4-acb3-6e1eb7b7b46e";

async fn kibana() -> Running<Kibana> {
    serve(Kibana::new(Some(&authorization()))).await
}

fn importer(kibana: &Running<Kibana>, space: &str) -> Importer {
    let address = Address::parse(&format!("{}{space}", kibana.url())).expect("an address");
    Importer::open(&address, &api_key(), Settings::new(Map::new())).expect("an importer")
}

fn dashboards() -> Vec<Object> {
    objects(CONNECTOR.search[0].dashboards).expect("saved objects")
}

/// What is there of each object, one letter each: missing, same, old, foreign.
async fn found(importer: &Importer) -> String {
    let letter = |found| match found {
        Found::Missing => 'm',
        Found::Same => 's',
        Found::Old => 'o',
        Found::Foreign => 'f',
    };
    importer.plan(dashboards()).await.expect("a plan").iter().map(|step| letter(step.found)).collect()
}

async fn import(importer: &Importer, replace: bool) -> Result<(), Error> {
    let steps = importer.plan(dashboards()).await?;
    importer.import(&steps, replace).await
}

fn changes(kibana: &Running<Kibana>) -> usize {
    kibana.simulator.calls().iter().filter(|call| !call.starts_with("GET ")).count()
}

/// What is in a space now, but for what Kibana adds.
fn saved(kibana: &Running<Kibana>, id: &str) -> Value {
    kibana.simulator.objects("default").into_iter().find(|(_, it, _)| it == id).expect("it is there").2
}

#[tokio::test]
async fn dashboards_are_imported_once_renewed_when_they_are_old_and_removed() {
    let kibana = kibana().await;
    let importer = importer(&kibana, "");
    assert_eq!((found(&importer).await.as_str(), changes(&kibana)), ("mmm", 0), "a plan changes nothing");
    import(&importer, false).await.expect("imported");
    assert_eq!((found(&importer).await.as_str(), changes(&kibana)), ("sss", 1));
    import(&importer, false).await.expect("imported");
    assert_eq!(changes(&kibana), 1, "the second time there is nothing to do");

    // Kibana writes parts anew, and somebody moved a panel: it is still what was imported.
    let before = saved(&kibana, OVERVIEW);
    let mut edited = before.clone();
    let mut panels: Vec<Value> =
        serde_json::from_str(edited["attributes"]["panelsJSON"].as_str().expect("text")).expect("JSON");
    panels.reverse();
    panels[0]["gridData"]["x"] = json!(1);
    panels.insert(0, json!({ "panelIndex": "3b5f", "gridData": { "i": "3b5f" } }));
    edited["attributes"]["panelsJSON"] = json!(json!(panels).to_string());
    edited["typeMigrationVersion"] = json!("10.3.0");
    kibana.simulator.save("default", &edited);
    assert_eq!(found(&importer).await, "sss");

    // What an earlier version imported, and what somebody imported by hand from the file.
    let digest = panels[1]["panelIndex"].as_str().and_then(|id| id.split('-').nth(1)).expect("a digest").to_owned();
    let old = serde_json::from_str(&before.to_string().replace(&digest, "00ff")).expect("JSON");
    kibana.simulator.save("default", &old);
    assert_eq!(found(&importer).await, "sos");
    for line in CONNECTOR.search[0].dashboards.lines() {
        kibana.simulator.save("default", &serde_json::from_str(line).expect("JSON"));
    }
    assert_eq!(found(&importer).await, "soo");
    let mut view: Value =
        serde_json::from_str(CONNECTOR.search[0].dashboards.lines().next().expect("a line")).expect("JSON");
    view["attributes"]["name"] = json!("Everything");
    kibana.simulator.save("default", &view);
    import(&importer, false).await.expect("renewed");
    assert_eq!(found(&importer).await, "sss");
    assert_eq!(saved(&kibana, "logs-*")["attributes"]["name"], "Everything", "others use it as well");

    importer.remove(&importer.plan(dashboards()).await.expect("a plan")).await.expect("removed");
    let left = kibana.simulator.objects("default");
    assert_eq!(left.iter().map(|(ty, ..)| ty.as_str()).collect::<Vec<_>>(), ["index-pattern"]);
    importer.remove(&importer.plan(dashboards()).await.expect("a plan")).await.expect("nothing to remove");
}

#[tokio::test]
async fn a_dashboard_of_somebody_else_is_left_alone_unless_it_is_to_be_replaced() {
    let kibana = kibana().await;
    let importer = importer(&kibana, "");
    let theirs = json!({
        "type": "dashboard", "id": OVERVIEW, "references": [],
        "attributes": { "title": "[Logs JupitorOne] Overview", "panelsJSON": r#"[{"panelIndex":"3b5f"}]"# },
    });
    kibana.simulator.save("default", &theirs);
    assert_eq!(found(&importer).await, "mfm");
    let error = import(&importer, false).await.expect_err("somebody else's");
    assert_eq!((error.kind(), changes(&kibana)), (ErrorKind::Conflict, 0));
    assert!(error.to_string().contains(OVERVIEW) && error.to_string().contains("--replace"), "{error}");
    importer.remove(&importer.plan(dashboards()).await.expect("a plan")).await.expect("nothing of ours");
    assert_eq!(saved(&kibana, OVERVIEW), theirs);
    import(&importer, true).await.expect("replaced");
    assert_eq!(found(&importer).await, "sss");
}

#[tokio::test]
async fn a_space_has_dashboards_of_its_own() {
    let kibana = kibana().await;
    let secops = importer(&kibana, "/s/secops");
    import(&secops, false).await.expect("imported");
    assert_eq!(found(&secops).await, "sss");
    assert_eq!(found(&importer(&kibana, "")).await, "mmm");
    assert_eq!((kibana.simulator.objects("secops").len(), kibana.simulator.objects("default").len()), (3, 0));
}

#[tokio::test]
async fn what_was_not_imported_is_told_although_the_answer_is_well() {
    let kibana = kibana().await;
    let importer = importer(&kibana, "");
    // The dashboards without the data view that they read, and something that no Kibana knows.
    let other = r#"{"type":"canvas","id":"c","attributes":{"title":"C"},"references":[]}"#;
    let lines: Vec<&str> = CONNECTOR.search[0].dashboards.lines().skip(2).chain([other]).collect();
    let steps = importer.plan(objects(&lines.join("\n")).expect("saved objects")).await.expect("a plan");
    let error = importer.import(&steps, false).await.expect_err("not imported");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    for said in
        ["dashboard jupiter_one-b38d47b8", "missing_references (index-pattern logs-*)", "canvas c: unsupported_type"]
    {
        assert!(error.to_string().contains(said), "{error}");
    }
    let advice = error.parts().advice.clone().expect("an advice");
    assert!(advice.contains("what they refer to") && advice.contains("too old"), "{advice}");
    assert!(kibana.simulator.objects("default").is_empty());

    // A part of them is there, and a part is not.
    let broken = CONNECTOR.search[0].dashboards.replace("control1", "control9").replacen("control9", "control1", 1);
    let steps = importer.plan(objects(&broken).expect("saved objects")).await.expect("a plan");
    let error = importer.import(&steps, false).await.expect_err("not imported as a whole");
    assert_eq!(error.kind(), ErrorKind::Partial, "{error}");
    assert!(error.to_string().contains("Could not find reference"), "{error}");
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_shows_no_credential() {
    let stranger = serve(Kibana::new(Some("another"))).await;
    let reader = serve(Kibana::new(Some(&authorization())).reads_only()).await;
    let nobody = format!("http://{}", free_address());
    // What takes no requests of Kibana's.
    let elsewhere = closed().await;
    for (url, kind, advice) in [
        (stranger.url(), ErrorKind::Auth, "CONNECTOME_ELASTICSEARCH_API_KEY"),
        (reader.url(), ErrorKind::Permission, "Saved Objects Management"),
        (elsewhere.url(), ErrorKind::NotFound, "not Elasticsearch"),
        (nobody, ErrorKind::Connect, ""),
    ] {
        let address = Address::parse(&url).expect("an address");
        let mut settings = Settings::new(Map::new());
        settings.tries = 1;
        let importer = Importer::open(&address, &api_key(), settings).expect("an importer");
        let error = import(&importer, false).await.expect_err(&url);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!format!("{error} {error:?} {} {importer:?}", error.to_json()).contains("MARKER"), "{error}");
    }
    let address = Address::parse("http://kibana.example").expect("an address");
    let error = Importer::open(&address, &Credentials::None, Settings::new(Map::new())).expect_err("unencrypted");
    assert!(error.to_string().contains("--allow-http"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_imports_dashboards_as_well() {
    let (search, kibana) = (closed().await, kibana().await);
    let home = tempfile::tempdir().expect("a folder");
    let [to, space] = [format!("elasticsearch+{}", search.url()), format!("{}/s/secops", kibana.url())];
    let run = |arguments: &[&str]| {
        let mut command = connectome(home.path());
        command.args(["setup", "elasticsearch", "jupiterone", "--to", &to, "--output", "json"]).args(arguments);
        told(&command.env(API_KEY, KEY).output().expect("the command runs"))
    };
    let with = ["--kibana", space.as_str()];
    let (code, out, _) = run(&[&with[..], &["--plan"]].concat());
    assert_eq!((code, outcomes(&out)), (0, vec!["would be installed".to_owned(); 10]));
    assert_eq!((changes(&kibana), super::changes(&search)), (0, 0));
    // Somebody else's dashboard keeps everything as it was, in Elasticsearch too.
    let theirs = json!({ "type": "dashboard", "id": OVERVIEW, "attributes": {}, "references": [] });
    kibana.simulator.save("secops", &theirs);
    let (code, _, error) = run(&with);
    assert!(code == 1 && error.contains("somebody else put it there"), "{error}");
    assert_eq!((changes(&kibana), super::changes(&search)), (0, 0));
    let (code, out, error) = run(&[&with[..], &["--replace"]].concat());
    assert_eq!(code, 0, "{error}");
    assert!(outcomes(&out).contains(&"replaced".to_owned()) && !error.contains("dashboards"), "{out}{error}");
    let (code, out, _) = run(&with);
    assert_eq!((code, outcomes(&out)), (0, vec!["was there".to_owned(); 10]));
    assert_eq!((changes(&kibana), kibana.simulator.objects("secops").len()), (1, 3));
    let (code, out, _) = run(&[&with[..], &["--remove"]].concat());
    assert_eq!(
        (code, &outcomes(&out)[6..]),
        (0, &["removed", "stays; others may use it", "removed", "removed"].map(str::to_owned)[..])
    );
    assert_eq!(kibana.simulator.objects("secops").len(), 1);

    let (code, out, error) = run(&["--kibana", "https://me:MARKER@kibana.example"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(error.contains("user name or password") && error.contains("leave it out"), "{error}");
    let traced = run(&[&with[..], &["--log", "trace"]].concat());
    assert!(!format!("{traced:?}").contains("MARKER"), "{traced:?}");
    assert!(!error.contains("MARKER"), "{error}");
}
