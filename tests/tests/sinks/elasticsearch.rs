//! Documents into a simulated Elasticsearch that is strict about them: what is sent, what counts as stored, what is sent
//! again, and what is put aside.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use connectome_collect::sink::{Chunk, Sink, Taken};
use connectome_core::clock::ManualClock;
use connectome_core::{Error, ErrorKind, Secret, Settings};
use connectome_sim::{Running, Tls};
use connectome_sinks::destination::Destination;
use connectome_sinks::elasticsearch::simulated::{Fault, Search};
use connectome_sinks::elasticsearch::{Credentials, Elasticsearch};
use connectome_tests::log::Log;
use connectome_tests::risks;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{serve, serve_tls};
use serde_json::{Map, Value, json};

use crate::{letters, lines, settings};

/// With letters that change when a text is quoted, escaped or encoded.
const KEY: &str = r#"MARKER"to\ken/+c0ffee=="#;

fn authorization() -> String {
    format!("ApiKey {KEY}")
}

async fn closed() -> Running<Search> {
    serve(Search::new(Some(&authorization()))).await
}

/// A sink at this root, its clock, and the folder of its dead letters.
fn sink(url: &str, options: &str, credentials: Credentials) -> (Elasticsearch, Arc<ManualClock>, tempfile::TempDir) {
    let (settings, clock) = settings();
    let (sink, folder) = sink_with(url, options, credentials, settings);
    (sink, clock, folder)
}

fn sink_with(
    url: &str,
    options: &str,
    credentials: Credentials,
    settings: Settings,
) -> (Elasticsearch, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("elasticsearch+{url}{options}");
    let Ok(Destination::Elasticsearch(address)) = Destination::parse(&text) else { panic!("{text}") };
    let sink = Elasticsearch::open(&address, Some(credentials), settings, &letters(&folder)).expect("a sink");
    (sink, folder)
}

fn api_key() -> Credentials {
    Credentials::ApiKey(Secret::new(KEY))
}

/// Documents with these numbers.
fn chunk(numbers: impl IntoIterator<Item = u64>) -> Chunk {
    let mut chunk = Chunk::new("hosts");
    for number in numbers {
        let document = json!({ "n": number, "@timestamp": "2026-02-05T08:00:00.000Z" }).to_string();
        chunk.push(&format!("hosts:{number}"), 0, |line| line.extend_from_slice(document.as_bytes()));
    }
    chunk
}

fn stored(search: &Running<Search>) -> Vec<u64> {
    search.simulator.documents().iter().map(|(_, _, document)| document["n"].as_u64().expect("a number")).collect()
}

fn sent(search: &Running<Search>) -> Vec<usize> {
    search.simulator.seen().iter().map(|seen| seen.documents).collect()
}

#[tokio::test]
async fn documents_go_over_the_wire_as_the_service_takes_them() {
    let basic = Credentials::Basic("elastic".to_owned(), Secret::new("change me"));
    let bearer = Credentials::Bearer(Secret::new("ey.token"));
    for (options, credentials, header, path) in [
        ("?index=logs-x", api_key(), Some(authorization()), "POST /_bulk"),
        ("/es/?index=logs-x&compress=none", basic, Some("Basic ZWxhc3RpYzpjaGFuZ2UgbWU=".to_owned()), "POST /es/_bulk"),
        ("?index=logs-x&op=index", bearer, Some("Bearer ey.token".to_owned()), "POST /_bulk"),
        ("?index=logs-x&id=none", Credentials::None, None, "POST /_bulk"),
    ] {
        let search = serve(Search::new(header.as_deref())).await;
        let (mut sink, ..) = sink(&search.url(), options, credentials);
        for _ in 0..2 {
            assert_eq!(sink.deliver(&chunk([1, 2])).await.expect(options), Taken::default(), "{options}");
        }
        let seen = search.simulator.seen();
        assert_eq!(seen[0].call, path);
        assert_eq!(seen[0].header("authorization"), header.as_deref(), "{options}");
        assert_eq!(seen[0].header("content-encoding").is_some(), !options.contains("compress=none"));
        assert!(seen[0].header("content-length").is_some() && !seen[0].query.contains("require_data_stream"));
        // What is sent again is the same to the byte, and stored once where ids follow from keys.
        assert_eq!(seen[0].body, seen[1].body);
        let once = !options.contains("id=none");
        assert_eq!(stored(&search), if once { vec![1, 2] } else { vec![1, 2, 1, 2] }, "{options}");
        assert!(search.simulator.documents().iter().all(|(_, id, _)| id.len() == 32 || !once));
    }
    let search = closed().await;
    let (mut sink, ..) = sink(&search.url(), "", api_key());
    assert_eq!(sink.deliver(&Chunk::new("hosts")).await.expect("nothing"), Taken::default());
    assert!(search.simulator.seen().is_empty());
}

#[tokio::test]
async fn what_can_never_be_stored_is_put_aside_and_the_rest_is_stored() {
    let search = closed().await;
    let fields = json!({ "properties": { "n": { "type": "long" }, "at": { "type": "ip" } } });
    let template = json!({ "index_patterns": ["logs-*"], "template": { "mappings": fields } });
    search.simulator.install("/_index_template/logs", template);
    let (mut sink, _, folder) = sink(&search.url(), "?index=logs-x", api_key());
    let mut chunk = chunk([1, 2]);
    chunk.push("hosts:bad", 0, |line| line.extend_from_slice(br#"{"n":3,"at":"nowhere"}"#));
    chunk.push("hosts:list", 0, |line| line.extend_from_slice(b"[4]"));
    assert_eq!(sink.deliver(&chunk).await.expect("taken"), Taken { aside: 2 });
    assert_eq!((stored(&search), sent(&search)), (vec![1, 2], vec![4]));
    let letters = lines(&letters(&folder));
    let told: Vec<(&str, &str)> =
        letters.iter().map(|it| (it["key"].as_str().expect("a key"), it["reason"].as_str().expect("why"))).collect();
    assert_eq!(
        told,
        [
            ("hosts:bad", "400 document_parsing_exception: failed to parse field [at] of type [ip]"),
            ("hosts:list", "400 document_parsing_exception: the document is no object"),
        ]
    );
    assert_eq!(letters[0]["event"], json!({ "n": 3, "at": "nowhere" }));
}

#[tokio::test]
async fn only_what_was_not_stored_is_sent_again() {
    for status in [429, 503] {
        let search = closed().await;
        search.simulator.fail(2, Fault::EverySecond(status));
        let (mut sink, clock, _folder) = sink(&search.url(), "?index=logs-x", api_key());
        assert_eq!(sink.deliver(&chunk(0..8)).await.expect("taken"), Taken::default());
        assert_eq!(sent(&search), [8, 4, 2], "{status}");
        assert_eq!(stored(&search), [0, 2, 4, 6, 1, 5, 3, 7]);
        let waited: Duration = clock.waits().iter().sum();
        assert!((Duration::from_secs(2)..Duration::from_secs(4)).contains(&waited), "{waited:?}");
    }
    // When it never ends, what was stored is remembered, and the rest comes with the next delivery of the same chunk.
    let search = closed().await;
    search.simulator.fail(5, Fault::EverySecond(429));
    let (mut sink, ..) = sink(&search.url(), "?index=logs-x&id=none", api_key());
    let error = sink.deliver(&chunk(0..64)).await.expect_err("too busy");
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.to_string().contains("2 documents were not stored in 5 tries: 429 es_rejected"), "{error}");
    assert_eq!(sink.deliver(&chunk(0..64)).await.expect("taken"), Taken::default());
    assert_eq!(sent(&search), [64, 32, 16, 8, 4, 2]);
    let mut all = stored(&search);
    all.sort_unstable();
    assert_eq!(all, (0..64).collect::<Vec<_>>(), "each once, though the service makes the ids");
}

#[tokio::test]
async fn a_request_that_fails_as_a_whole_is_sent_again_and_what_is_there_counts_as_stored() {
    let search = closed().await;
    search.simulator.fail(1, Fault::Lost);
    search.simulator.fail(1, Fault::Error(503));
    let (mut sink, ..) = sink(&search.url(), "?index=logs-x", api_key());
    assert_eq!(sink.deliver(&chunk([1, 2])).await.expect("taken"), Taken::default());
    assert_eq!((stored(&search), search.simulator.seen().len()), (vec![1, 2], 3));

    search.simulator.fail(1, Fault::RateLimit(Some(7)));
    let (mut sink, clock, _folder) = self::sink(&search.url(), "?index=logs-x", api_key());
    sink.deliver(&chunk([3])).await.expect("taken");
    assert!(clock.waits().iter().sum::<Duration>() >= Duration::from_secs(7), "{:?}", clock.waits());
    assert_eq!(stored(&search), [1, 2, 3]);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved_and_a_document_that_is_goes_aside() {
    let search = serve(Search::new(None).at_most(700)).await;
    let (mut sink, _, folder) = sink(&search.url(), "?index=logs-x", Credentials::None);
    let mut chunk = chunk(0..8);
    let large = json!({ "n": 8, "text": "x".repeat(800) }).to_string();
    chunk.push("hosts:large", 0, |line| line.extend_from_slice(large.as_bytes()));
    assert_eq!(sink.deliver(&chunk).await.expect("taken"), Taken { aside: 1 });
    let mut all = stored(&search);
    all.sort_unstable();
    assert_eq!(all, (0..8).collect::<Vec<_>>());
    assert_eq!(lines(&letters(&folder))[0]["reason"], "the service answered that it is too large (413)");

    let search = serve(Search::new(None)).await;
    let (mut sink, ..) = self::sink(&search.url(), "?index=logs-x&documents=3", Credentials::None);
    sink.deliver(&self::chunk(0..7)).await.expect("taken");
    let (mut sink, ..) = self::sink(&search.url(), "?index=logs-y&bytes=1000", Credentials::None);
    sink.deliver(&self::chunk(0..20)).await.expect("taken");
    assert_eq!(sent(&search), [3, 3, 1, 8, 8, 4]);
}

#[tokio::test]
async fn what_nobody_can_mend_but_the_user_stops_it_and_says_what_to_do() {
    let strict = json!({ "index_patterns": ["logs-*"], "data_stream": {} });
    let cases: [(&str, Fault, ErrorKind, &str); 6] = [
        ("?index=logs-x", Fault::Error(401), ErrorKind::Auth, "CONNECTOME_ELASTICSEARCH_API_KEY"),
        ("?index=logs-x", Fault::Error(403), ErrorKind::Permission, "create_doc"),
        ("?index=logs-x", Fault::EverySecond(403), ErrorKind::Permission, "create_doc"),
        ("?index=logs-x", Fault::Error(400), ErrorKind::Invalid, "not Kibana"),
        ("?index=logs-x", Fault::Says("<html>".to_owned()), ErrorKind::Protocol, "not Kibana"),
        ("?index=logs-x", Fault::Says(r#"{"errors":false,"items":[]}"#.to_owned()), ErrorKind::Protocol, "not Kibana"),
    ];
    for (options, fault, kind, advice) in cases {
        let search = closed().await;
        search.simulator.install("/_index_template/logs", strict.clone());
        search.simulator.fail(1, fault.clone());
        let (mut sink, ..) = sink(&search.url(), options, api_key());
        let error = sink.deliver(&chunk([1, 2])).await.expect_err("a fault");
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        assert!(error.parts().advice.as_deref().is_some_and(|it| it.contains(advice)), "{fault:?}: {error}");
        assert_eq!(search.simulator.seen().len(), 1, "{fault:?}");
        // Once it is mended, everything is there once.
        assert_eq!(sink.deliver(&chunk([1, 2])).await.expect("mended"), Taken::default());
        assert_eq!(stored(&search), [1, 2], "{fault:?}");
    }
    // Without its template there is no data stream, and none is made by accident.
    let search = closed().await;
    let (mut sink, _, _folder) = sink(&search.url(), "", api_key());
    let mut chunk = Chunk::new("hosts");
    let stream = json!({ "type": "logs", "dataset": "acme.hosts", "namespace": "eu" });
    let document = json!({ "n": 1, "@timestamp": "2026-02-05T08:00:00.000Z", "data_stream": stream }).to_string();
    chunk.push("hosts:1", 0, |line| line.extend_from_slice(document.as_bytes()));
    chunk.push("hosts:2", 0, |line| line.extend_from_slice(br#"{"n":2}"#));
    let error = sink.deliver(&chunk).await.expect_err("no template");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert!(error.to_string().contains("connectome setup elasticsearch"), "{error}");
    search.simulator.install("/_index_template/logs", strict);
    // What does not say where it belongs was put aside, once.
    assert_eq!(sink.deliver(&chunk).await.expect("installed"), Taken { aside: 1 });
    assert_eq!(search.simulator.documents()[0].0, "logs-acme.hosts-eu");
}

#[tokio::test]
async fn no_credential_is_in_a_log_an_error_or_a_file() {
    let (log, mut told) = (Log::text_lines(), Vec::new());
    for credentials in
        [api_key(), Credentials::Bearer(Secret::new(KEY)), Credentials::Basic("elastic".to_owned(), Secret::new(KEY))]
    {
        // The service says what it was sent.
        let search = serve(Search::new(Some("another"))).await;
        let (mut sink, _, folder) = sink(&search.url(), "?index=logs-x", credentials);
        let error = sink.deliver(&chunk([1])).await.expect_err("a stranger");
        told.extend([
            format!("{error} {error:?} {} {sink:?}", error.to_json()),
            fs::read_to_string(letters(&folder)).unwrap_or_default(),
        ]);
        let seen = search.simulator.seen()[0].header("authorization").expect("credentials").to_owned();
        let encoded = seen.split(' ').nth(1).expect("a value").to_owned();
        assert!(told.iter().all(|text| !text.contains(&encoded)), "{told:?}");
    }
    told.push(log.text());
    assert!(log.text().contains("store_documents"));
    for text in told {
        assert!(!text.contains("MARKER"), "{text}");
    }
}

#[tokio::test]
async fn a_service_is_trusted_for_its_certificate_only_and_a_redirect_leads_nowhere() {
    let tls = Tls::for_names(&["localhost"]).expect("a certificate");
    let search = serve_tls(Search::new(None), &tls).await;
    let url = format!("https://localhost:{}", search.address.port());
    let (mut sink, ..) = sink(&url, "?index=logs-x", Credentials::None);
    let error = sink.deliver(&chunk([1])).await.expect_err("a stranger");
    assert_eq!(error.kind(), ErrorKind::Tls);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    fs::write(&file, &tls.authority).expect("written");
    let mut settings = Settings::new(Map::new());
    settings.network.ca_file = Some(file);
    let (mut sink, _folder) = sink_with(&url, "?index=logs-x", Credentials::None, settings);
    sink.deliver(&chunk([1])).await.expect("trusted");

    let elsewhere = Script::start(vec![]).await;
    let moved = Prepared::empty(307).header("Location", &format!("{}/x", elsewhere.url()));
    let script = Script::start(vec![moved]).await;
    let (mut sink, ..) = self::sink(&script.url(), "?index=logs-x", api_key());
    let error: Error = sink.deliver(&chunk([1])).await.expect_err("a redirect");
    assert!(error.to_string().contains("redirect"), "{error}");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn every_example_of_risks_and_alerts_is_stored_in_what_is_installed_for_them() {
    let search = installed().await;
    let records = risks::examples();
    let (mut sink, _, folder) = sink(&search.url(), "", api_key());
    let chunk = risks::chunk(records.iter().map(|(_, record)| record), &[]);
    assert_eq!(sink.deliver(&chunk).await.expect("taken"), Taken::default(), "{:?}", lines(&letters(&folder)));
    let documents = search.simulator.documents();
    assert_eq!(documents.len(), records.len());
    assert!(documents.iter().all(|(index, ..)| index == "logs-jupiter_one.risks_and_alerts-default"));
}

#[tokio::test]
async fn what_could_not_be_mapped_is_stored_where_it_says_it_belongs() {
    let search = installed().await;
    let records =
        [json!({ "id": "x", "entity": 7 }), json!([1]), json!("text"), json!({ "entity": { "_class": null } })];
    let set = [("strict", json!(true)), ("namespace", json!("eu"))];
    let (mut sink, _, folder) = sink(&search.url(), "", api_key());
    let chunk = risks::chunk(&records, &set);
    assert_eq!(sink.deliver(&chunk).await.expect("taken"), Taken::default(), "{:?}", lines(&letters(&folder)));
    let documents = search.simulator.documents();
    assert_eq!(documents.len(), records.len());
    let requests = risks::requests();
    let template =
        requests.iter().find(|it| it["path"] == "/_index_template/logs-jupiter_one.asset").expect("a template");
    let mappings = &template["body"]["template"]["mappings"];
    for (index, _, document) in documents {
        assert_eq!(index, "logs-jupiter_one.asset-eu");
        // What the mapping made can be searched there; the record is only kept.
        let fields = leaves(&document, String::new());
        assert!(fields.iter().any(|it| it == "error.message") && fields.iter().any(|it| it == "event.original"));
        for field in fields.iter().filter(|it| !it.starts_with("jupiter_one")) {
            let ty = field.split('.').fold(mappings, |at, name| &at["properties"][name])["type"].clone();
            assert!(ty.is_string(), "{field} has no type");
        }
    }
    assert_eq!(mappings["dynamic"], false);
    assert_eq!(mappings["properties"]["event"]["properties"]["dataset"]["value"], "jupiter_one.asset");
}

/// The paths of what is neither an object nor a list of objects.
fn leaves(value: &Value, path: String) -> Vec<String> {
    let Some(members) = value.as_object() else { return vec![path] };
    let below = |name: &String| if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
    members.iter().flat_map(|(name, value)| leaves(value, below(name))).collect()
}

/// A service in which everything that JupiterOne's documents need is installed.
async fn installed() -> Running<Search> {
    let search = closed().await;
    for request in risks::requests() {
        search.simulator.install(request["path"].as_str().expect("a path"), request["body"].clone());
    }
    search
}
