//! What documents need before they arrive, installed into a simulated Elasticsearch and a simulated Kibana: once, renewed when
//! it is old, removed, and nothing of anybody else touched.

mod kibana;

use connectome::jupiterone::CONNECTOR;
use connectome_collect::sink::{Chunk, Sink};
use connectome_core::{Error, ErrorKind, Secret, Settings};
use connectome_sim::Running;
use connectome_sinks::destination::Destination;
use connectome_sinks::elasticsearch::setup::{Found, Installer, assets};
use connectome_sinks::elasticsearch::simulated::Search;
use connectome_sinks::elasticsearch::{API_KEY, Credentials, Elasticsearch};
use connectome_tests::command::{connectome, told};
use connectome_tests::simulated::serve;
use serde_json::{Map, Value, json};

/// With letters that change when a text is quoted, escaped or encoded.
const KEY: &str = r#"MARKER"to\ken/+c0ffee=="#;

fn authorization() -> String {
    format!("ApiKey {KEY}")
}

fn api_key() -> Credentials {
    Credentials::ApiKey(Secret::new(KEY))
}

async fn closed() -> Running<Search> {
    serve(Search::new(Some(&authorization()))).await
}

fn requests() -> &'static str {
    CONNECTOR.search[0].requests
}

fn installer(search: &Running<Search>) -> Installer {
    let text = format!("elasticsearch+{}", search.url());
    let Ok(Destination::Elasticsearch(address)) = Destination::parse(&text) else { panic!("{text}") };
    Installer::open(&address, Some(api_key()), Settings::new(Map::new())).expect("an installer")
}

/// What became of each thing, as the command tells it.
fn outcomes(out: &str) -> Vec<String> {
    let out: Value = serde_json::from_str(out).expect("JSON");
    let list = out["setup"].as_array().expect("a list");
    list.iter().map(|it| it["outcome"].as_str().expect("text").to_owned()).collect()
}

/// What is there of each asset, one letter each: missing, same, old, foreign.
async fn found(installer: &Installer) -> String {
    let steps = installer.plan(assets(requests()).expect("assets")).await.expect("a plan");
    steps
        .iter()
        .map(|step| match step.found {
            Found::Missing => 'm',
            Found::Same => 's',
            Found::Old => 'o',
            Found::Foreign => 'f',
        })
        .collect()
}

async fn install(installer: &Installer, replace: bool) -> Result<(), Error> {
    let steps = installer.plan(assets(requests())?).await?;
    installer.install(&steps, replace).await
}

fn changes(search: &Running<Search>) -> usize {
    search.simulator.seen().iter().filter(|seen| !seen.call.starts_with("GET ")).count()
}

#[tokio::test]
async fn what_documents_need_is_installed_once_renewed_when_it_is_old_and_removed() {
    let search = closed().await;
    let installer = installer(&search);
    assert_eq!(found(&installer).await, "mmmmmmm");
    assert_eq!(changes(&search), 0, "a plan changes nothing");
    install(&installer, false).await.expect("installed");
    assert_eq!((found(&installer).await.as_str(), changes(&search)), ("sssssss", 7));
    install(&installer, false).await.expect("installed");
    assert_eq!(changes(&search), 7, "the second time there is nothing to do");

    // An earlier version of ours, and a transform that was stopped.
    let old = json!({ "_meta": { "managed_by": "connectome", "digest": "old" } });
    search.simulator.install("/_index_template/logs-jupiter_one.risks_and_alerts", old.clone());
    search.simulator.install("/_transform/logs-jupiter_one.latest_risks_and_alerts-connectome", old);
    assert_eq!(found(&installer).await, "ssossos");
    install(&installer, false).await.expect("renewed");
    assert_eq!(found(&installer).await, "sssssss");

    let steps = installer.plan(assets(requests()).expect("assets")).await.expect("a plan");
    assert_eq!(installer.remove(&steps).await.expect("removed"), []);
    assert_eq!(search.simulator.installed(), (Vec::new(), Vec::new()));
    let steps = installer.plan(assets(requests()).expect("assets")).await.expect("a plan");
    assert_eq!(installer.remove(&steps).await.expect("nothing to remove"), []);
}

#[tokio::test]
async fn what_somebody_else_installed_is_left_alone_unless_it_is_to_be_replaced() {
    let search = closed().await;
    let installer = installer(&search);
    let policy = "/_ilm/policy/logs-jupiter_one.risks_and_alerts-default_policy";
    search.simulator.install(policy, json!({ "policy": { "_meta": { "managed_by": "fleet" }, "phases": {} } }));
    assert_eq!(found(&installer).await, "fmmmmmm");
    let error = install(&installer, false).await.expect_err("somebody else's");
    assert_eq!((error.kind(), changes(&search)), (ErrorKind::Conflict, 0));
    assert!(error.to_string().contains(policy) && error.to_string().contains("--replace"), "{error}");
    let steps = installer.plan(assets(requests()).expect("assets")).await.expect("a plan");
    assert_eq!(installer.remove(&steps).await.expect("nothing of ours"), []);
    assert_eq!(search.simulator.installed().0, [policy]);
    install(&installer, true).await.expect("replaced");
    assert_eq!(found(&installer).await, "sssssss");
}

/// One document, in a data stream that needs what was installed.
async fn store_a_document(search: &Running<Search>) {
    let text = format!("elasticsearch+{}?index=other", search.url());
    let Ok(Destination::Elasticsearch(address)) = Destination::parse(&text) else { panic!("{text}") };
    let folder = tempfile::tempdir().expect("a folder");
    let letters = folder.path().join("dead.jsonl");
    let mut sink = Elasticsearch::open(&address, Some(api_key()), Settings::new(Map::new()), &letters).expect("a sink");
    let mut chunk = Chunk::new("hosts");
    chunk.push("hosts:1", 0, |line| line.extend_from_slice(b"{}"));
    sink.deliver(&chunk).await.expect("stored");
}

#[tokio::test]
async fn a_policy_that_documents_still_need_is_kept_and_told() {
    let search = closed().await;
    let installer = installer(&search);
    install(&installer, false).await.expect("installed");
    store_a_document(&search).await;
    let steps = installer.plan(assets(requests()).expect("assets")).await.expect("a plan");
    let kept = installer.remove(&steps).await.expect("removed");
    assert_eq!(kept.len(), 1);
    assert!(kept[0].0.starts_with("/_ilm/") && kept[0].1.contains("in use"), "{kept:?}");
    assert_eq!(search.simulator.installed().0.len(), 1);

    let stranger = serve(Search::new(Some("another"))).await;
    let error = install(&self::installer(&stranger), false).await.expect_err("a stranger");
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(!format!("{error} {error:?}").contains("MARKER"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_a_plan_installs_and_removes() {
    let search = closed().await;
    let home = tempfile::tempdir().expect("a folder");
    let to = format!("elasticsearch+{}", search.url());
    let run = |arguments: &[&str]| {
        let mut command = connectome(home.path());
        command.args(["setup", "elasticsearch"]).args(arguments).env(API_KEY, KEY);
        told(&command.output().expect("the command runs"))
    };
    let jupiterone = ["jupiterone", "--to", to.as_str(), "--output", "json"];
    let (code, out, _) = run(&[&jupiterone[..], &["--plan"]].concat());
    assert_eq!((code, outcomes(&out)), (0, vec!["would be installed".to_owned(); 7]));
    assert_eq!(changes(&search), 0);
    let (code, out, error) = run(&jupiterone);
    assert_eq!((code, outcomes(&out)), (0, vec!["installed".to_owned(); 7]));
    assert!(error.contains("the dashboards are not imported") && error.contains("--kibana https://HOST"), "{error}");
    let (code, out, _) = run(&jupiterone);
    assert_eq!((code, outcomes(&out), changes(&search)), (0, vec!["was there".to_owned(); 7], 7));
    let (code, out, _) = run(&["jupiterone", "--to", &to, "--plan"]);
    assert!(code == 0 && out.contains("/_transform/logs-jupiter_one.latest_risks_and_alerts-connectome"), "{out}");
    let (code, out, _) = run(&[&jupiterone[..], &["--remove"]].concat());
    assert_eq!((code, outcomes(&out)), (0, vec!["removed".to_owned(); 7]));
    assert_eq!(search.simulator.installed(), (Vec::new(), Vec::new()));

    // What documents need stays, and the command says so and that it did not all work.
    assert_eq!(run(&jupiterone).0, 0);
    store_a_document(&search).await;
    let (code, out, error) = run(&[&jupiterone[..], &["--remove"]].concat());
    assert_eq!(code, 3, "{error}");
    assert_eq!(outcomes(&out).iter().filter(|it| *it == "stays; documents need it").count(), 1, "{out}");
    assert!(error.contains("could not be removed: /_ilm/") && error.contains("delete them first"), "{error}");

    let asked = search.simulator.seen().len();
    for (arguments, said) in [
        (["pagerduty", "--to", &to], "these do: jupiterone"),
        (["jupiterone", "--to", "stdout:"], "write --to elasticsearch+https://HOST"),
        (["nobody", "--to", &to], "there is no connector"),
    ] {
        let (code, out, error) = run(&arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(error.contains(said), "{error}");
    }
    assert_eq!(search.simulator.seen().len(), asked, "nothing was sent");
    let traced = run(&["jupiterone", "--to", &to, "--log", "trace"]);
    assert!(!format!("{traced:?}").contains("MARKER"), "{traced:?}");
}
