//! The vendor's own Python client reads what our sink wrote, from a search engine and from the simulated Elasticsearch.

use std::path::Path;

use connectome_core::{Secret, Settings};
use connectome_sim::Running;
use connectome_sinks::elasticsearch::setup::{Installer, assets};
use connectome_sinks::elasticsearch::simulated::Search;
use connectome_tests::peer;
use connectome_tests::simulated::serve;

use super::*;

const KEY: &str = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==";
const STREAM: &str = "logs-jupiter_one.risks_and_alerts-default";

/// A simulated service in which everything is installed, with the documents in the data stream and in the index.
fn simulated(runtime: &Runtime, home: &Path, chunk: &Chunk) -> Running<Search> {
    runtime.block_on(async {
        let search = Search::new(Some(&format!("ApiKey {KEY}")));
        let search = serve(search).await;
        let key = || Some(Credentials::ApiKey(Secret::new(KEY)));
        for index in ["".to_owned(), format!("?index={LATEST}")] {
            let text = format!("elasticsearch+{}{index}", search.url());
            let Ok(Destination::Elasticsearch(address)) = Destination::parse(&text) else { panic!("{text}") };
            let installer = Installer::open(&address, key(), Settings::new(Map::new())).expect("an installer");
            let all = assets(CONNECTOR.search[0].requests).expect("assets");
            let steps = installer.plan(all).await.expect("a plan");
            installer.install(&steps, false).await.expect("installed");
            let letters = home.join("none.jsonl");
            let mut sink = Elasticsearch::open(&address, key(), Settings::new(Map::new()), &letters).expect("a sink");
            assert_eq!(sink.deliver(chunk).await.expect("stored"), Taken::default());
        }
        search
    })
}

#[test]
fn the_vendor_s_own_client_reads_what_was_stored() {
    let Some(python) = peer::python("elasticsearch") else { return };
    let Some(engine) = Engine::start() else { return };
    let chunk = risks::chunk(&records(), &[]);
    assert_eq!(engine.store(&chunk), Taken::default());
    let search = simulated(&engine.runtime, engine.home.path(), &chunk);
    let file = engine.home.path().join("read.json");

    let mut script = peer::script(&python, "elasticsearch_client.py");
    let summary = peer::summary(script.args([&engine.server.url, &search.url(), KEY, STREAM, LATEST]).arg(&file));
    assert_eq!(summary["checks"], 11, "{summary}");

    let read: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).expect("a file")).expect("JSON");
    let sent: Vec<Value> = chunk.events().map(|event| serde_json::from_slice(event.body).expect("JSON")).collect();
    assert_eq!(read.len(), sent.len());
    for document in &sent {
        assert!(read.contains(document), "{document}");
    }
    // What the client created is there as well, once.
    let streams = search.simulator.documents();
    assert_eq!(streams.iter().filter(|(index, ..)| index.ends_with("-peer")).count(), sent.len());
}
