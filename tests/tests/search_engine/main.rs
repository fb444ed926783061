//! Documents, templates and dashboards in a real search engine: what is stored is found, every panel shows what the documents
//! say, and the vendor's own client reads the same.
//!
//! The engine knows no data streams and no lifecycles, and its constant fields say their value. So of what we generate for
//! Elasticsearch exactly these are left out: `data_stream`, `index.lifecycle.name`, and that a field without a value is
//! constant. What it does not know is tested against a simulated Elasticsearch.

mod client;
mod panel;

use std::collections::BTreeMap;

use connectome::jupiterone::CONNECTOR;
use connectome_collect::sink::{Chunk, Sink, Taken};
use connectome_core::Settings;
use connectome_sinks::destination::Destination;
use connectome_sinks::elasticsearch::{Credentials, Elasticsearch};
use connectome_tests::peer::Osmem;
use connectome_tests::risks;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

/// The index of the latest documents, into which the transform writes in Elasticsearch.
const LATEST: &str = "logs-jupiter_one_latest.dest_risks_and_alerts-1";

/// A search engine with our templates and a client for it.
struct Engine {
    server: Osmem,
    client: reqwest::Client,
    runtime: Runtime,
    home: tempfile::TempDir,
}

impl Engine {
    fn start() -> Option<Self> {
        let server = Osmem::start()?;
        // It is asked for, though nothing here is encrypted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let runtime = Runtime::new().expect("a runtime");
        let engine = Self { server, client, runtime, home: tempfile::tempdir().expect("a folder") };
        for request in risks::requests() {
            let path = request["path"].as_str().expect("a path");
            if path.starts_with("/_component_template/") || path.starts_with("/_index_template/") {
                engine.ask(reqwest::Method::PUT, path, &known(request["body"].clone()));
            }
        }
        Some(engine)
    }

    fn ask(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let request = self.client.request(method, format!("{}{path}", self.server.url));
        let request = request.header("Content-Type", "application/json").body(body.to_string());
        self.runtime.block_on(async {
            let answer = request.send().await.expect("an answer");
            let status = answer.status();
            let text = answer.text().await.expect("a text");
            assert!(status.is_success(), "{path}: {status} {text}");
            serde_json::from_str(&text).expect("JSON")
        })
    }

    fn search(&self, body: &Value) -> Value {
        self.ask(reqwest::Method::POST, "/logs-*/_search", body)
    }

    /// Stores documents as the command does, and makes them found.
    fn store(&self, chunk: &Chunk) -> Taken {
        let text = format!("elasticsearch+{}?index={LATEST}", self.server.url);
        let Ok(Destination::Elasticsearch(address)) = Destination::parse(&text) else { panic!("{text}") };
        let settings = Settings::new(Map::new());
        let letters = self.letters();
        let mut sink = Elasticsearch::open(&address, Some(Credentials::None), settings, &letters).expect("a sink");
        let taken = self.runtime.block_on(sink.deliver(chunk)).expect("stored");
        self.ask(reqwest::Method::POST, &format!("/{LATEST}/_refresh"), &json!({}));
        taken
    }

    fn letters(&self) -> std::path::PathBuf {
        self.home.path().join("dead.jsonl")
    }

    fn count(&self) -> u64 {
        self.search(&json!({ "size": 0, "track_total_hits": true }))["hits"]["total"]["value"]
            .as_u64()
            .expect("a number")
    }
}

/// A template without what the engine does not know.
fn known(mut template: Value) -> Value {
    fn fields(value: &mut Value) {
        if value["type"] == "constant_keyword" && value["value"].is_null() {
            value["type"] = json!("keyword");
        }
        for (_, below) in value.as_object_mut().into_iter().flatten() {
            if below.is_object() {
                fields(below);
            }
        }
    }
    if let Some(members) = template.as_object_mut() {
        members.remove("data_stream");
    }
    if let Some(settings) = template.pointer_mut("/template/settings").and_then(Value::as_object_mut) {
        settings.remove("index.lifecycle.name");
    }
    if let Some(properties) = template.pointer_mut("/template/mappings/properties") {
        fields(properties);
    }
    template
}

/// Nine alerts, findings and vulnerabilities, and one that is gone.
fn records() -> Vec<Value> {
    let mut records: Vec<Value> = risks::examples().into_iter().map(|(_, record)| record).take(9).collect();
    let mut gone = records[4].clone();
    for place in ["/id", "/entity/_id"] {
        *gone.pointer_mut(place).expect("an id") = json!("1c0a5e0e-8a58-5a51-9a36-0c5d1a3f0099");
    }
    gone["entity"]["_deleted"] = json!(true);
    records.push(gone);
    records
}

#[test]
fn documents_are_stored_once_and_what_cannot_be_is_put_aside() {
    let Some(engine) = Engine::start() else { return };
    let records = records();
    let mut chunk = risks::chunk(&records, &[]);
    let bad = json!({ "@timestamp": "2026-02-05T08:00:00.000Z", "event": { "created": "nowhere" } }).to_string();
    chunk.push("bad", 0, |line| line.extend_from_slice(bad.as_bytes()));
    for _ in 0..2 {
        assert_eq!(engine.store(&chunk), Taken { aside: 1 });
        assert_eq!(engine.count(), 10);
    }
    let letters = std::fs::read_to_string(engine.letters()).expect("dead letters");
    let letter: Value = serde_json::from_str(letters.lines().next().expect("a line")).expect("JSON");
    assert_eq!(letter["key"], "bad");
    assert!(letter["reason"].as_str().expect("why").contains("failed to parse field [event.created]"), "{letter}");
    // What is found is what was sent, to the last field.
    let found = engine.search(&json!({ "size": 100 }));
    let found: BTreeMap<String, Value> = found["hits"]["hits"]
        .as_array()
        .expect("documents")
        .iter()
        .map(|hit| (hit["_source"]["event"]["id"].to_string(), hit["_source"].clone()))
        .collect();
    let sent: Vec<Value> =
        chunk.events().take(10).map(|event| serde_json::from_slice(event.body).expect("JSON")).collect();
    assert_eq!(found.len(), 10);
    for document in sent {
        assert_eq!(found[&document["event"]["id"].to_string()], document);
    }
}

/// What a panel shows: a number for each value, or one number.
type Shown = &'static [(&'static str, u64)];

const PANELS: [(&str, Shown); 17] = [
    ("Assets by Status", &[("ACTIVE", 1), ("INACTIVE", 1), ("new", 1), ("open", 1)]),
    (
        // Of the types that are there once each, the first ones: there is room for five.
        "Assets by Type",
        &[
            ("jupiterone_rule_alert", 2),
            ("aws_guardduty_finding", 1),
            ("crowdstrike_alert", 1),
            ("crowdstrike_vulnerability", 1),
            ("custom_vuln", 1),
        ],
    ),
    ("Assets by Source", &[("integration-managed", 7), ("system-internal", 2)]),
    ("Assets by Class", &[("Finding", 5), ("Vulnerability", 4), ("Alert", 2)]),
    ("Assets by Classification", &[("internal", 1)]),
    ("Total Open Alerts", &[("", 1)]),
    ("Total Closed Alerts", &[("", 1)]),
    ("Total Open Vulnerabilities", &[("", 2)]),
    ("Total Affected Entities", &[("", 14)]),
    // All came at the same time; severities in bands of ten.
    ("Severity over Time", &[("0", 7), ("70", 1)]),
    ("Findings by Device Status", &[("normal", 1)]),
    ("Findings by MITRE Technique", &[("OS Credential Dumping", 1)]),
    ("Findings by MITRE Tactic", &[("Credential Access", 1)]),
    (
        "Risks and Alerts by Category",
        &[("alert", 2), ("Code", 1), ("Endpoint", 1), ("Host", 1), ("Recon", 1), ("Security Policy", 1)],
    ),
    ("Findings by Product", &[("epp", 1)]),
    ("Top Device IP", &[("2001:db8::55", 1), ("203.0.113.7", 1)]),
    ("Top Product Name Version", &[("SampleOS 11 23h2", 1)]),
];

#[test]
fn every_panel_shows_what_the_documents_say() {
    let Some(engine) = Engine::start() else { return };
    assert_eq!(engine.store(&risks::chunk(&records(), &[])), Taken::default());
    let panels = panel::all(CONNECTOR.search[0].dashboards);
    let mut shown = Vec::new();
    for panel in &panels {
        let answer = engine.search(&panel.request);
        shown.push((panel.title.as_str(), panel.shown(&answer)));
    }
    let wanted: Vec<(&str, Vec<(String, u64)>)> = PANELS
        .iter()
        .map(|(title, shown)| (*title, shown.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect()))
        .collect();
    assert_eq!(shown, wanted);
}
