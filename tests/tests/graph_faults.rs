//! Whatever goes wrong while an account is read: nothing that is there is taken for gone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use connectome_core::clock::ManualClock;
use connectome_core::{Connection, Error, Settings};
use connectome_graph::map::{Instance, Mapper};
use connectome_graph::report::{Counts, Report};
use connectome_graph::store::Store;
use connectome_graph::sync::gather;
use connectome_sim::{FAULT_KINDS, Fault, Options, Simulator};
use connectome_tests::simulated::{TOKEN, serve};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

/// The two accounts, and the beginnings of the paths that are read.
const ACCOUNTS: [(&str, [&str; 5]); 2] = [
    ("pagerduty", ["/abilities", "/teams", "/users", "/services", "/oncalls"]),
    ("trend-micro", ["/administrators", "/roles", "/apikeys", "/computergroups", "/computers"]),
];

/// These only take long.
const HARMLESS: [&str; 3] = ["slow", "slow-body", "clock-skew"];

/// These take a hundred megabytes each, so they are tried on one list of each account.
const LARGE: [&str; 3] = ["huge-body", "compression-bomb", "deep-json"];

/// One run against a service with these faults.
async fn run(name: &str, path: &Path, faults: &[Fault]) -> Result<Report, Error> {
    let (connector, graph) = connectome::GRAPHS.iter().find(|(connector, _)| connector.name == name).expect("a graph");
    let service = connectome::SERVICES.iter().find(|service| service.connector.name == name).expect("a service");
    let mut options = Options::new(TOKEN);
    options.start = "2024-06-11T07:00:00Z".parse().expect("a time");
    options.faults = faults.to_vec();
    let running = serve(Simulator::new(service, options)).await;
    let parameters = json!({ "api_key": TOKEN, "api_url": running.url() });
    let mut settings = Settings::new(parameters.as_object().expect("an object").clone());
    settings.clock = Arc::new(ManualClock::at(Timestamp::now()));
    settings.tries = 2;
    let connection = Connection::new(connector, settings)?;
    let mapper = Mapper { graph, dialect: &graph.dialects[0], instance: Instance::default() };
    let gathered = gather(&connection, mapper, Store::open(path)?, name).await?;
    let (_, report, _) = gathered.apply(name).await?;
    Ok(report)
}

fn live(path: &Path, name: &str) -> BTreeMap<String, u64> {
    let store = Store::open(path).expect("a store");
    store.counts(name).expect("counts").into_iter().map(|(ty, _, count)| (ty, count)).collect()
}

/// That a run with these faults, after one without any, deletes nothing of an account that did not change.
async fn assert_nothing_is_lost(name: &str, faults: &[Fault]) {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("graph.sqlite");
    run(name, &path, &[]).await.expect("a run without faults");
    let before = live(&path, name);
    let outcome = run(name, &path, faults).await;
    if let Ok(report) = &outcome {
        let lost: Vec<(&String, &Counts)> = report.types.iter().filter(|(_, counts)| counts.deleted > 0).collect();
        assert!(lost.is_empty(), "{name} with {faults:?} loses {lost:?}: {:#}", report.json());
    }
    assert_eq!(live(&path, name), before, "{name} with {faults:?}: {outcome:?}");
    // The next run without faults finds all as it was.
    let report = run(name, &path, &[]).await.expect("a run without faults");
    assert_eq!((report.changes(), report.is_whole()), (0, true), "{name} after {faults:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_any_kind_on_any_list_deletes_nothing() {
    for (name, paths) in ACCOUNTS {
        for path in paths {
            for (kind, _) in FAULT_KINDS.iter().filter(|(kind, _)| !HARMLESS.contains(kind)) {
                if LARGE.contains(kind) && !matches!(path, "/users" | "/computers") {
                    continue;
                }
                let fault: Fault = format!("{kind}@{path}").parse().expect("a fault");
                assert_nothing_is_lost(name, &[fault]).await;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn faults_of_several_kinds_on_several_lists_delete_nothing(
        account in 0_usize..2,
        faults in proptest::collection::vec((0..FAULT_KINDS.len(), 0_usize..5, 1_u32..4), 1..4),
    ) {
        let (name, paths) = ACCOUNTS[account];
        let faults: Vec<Fault> = faults
            .into_iter()
            .filter(|(kind, ..)| ![HARMLESS, LARGE].concat().contains(&FAULT_KINDS[*kind].0))
            .map(|(kind, path, times)| format!("{}*{times}@{}", FAULT_KINDS[kind].0, paths[path]).parse().expect("a fault"))
            .collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        runtime.block_on(assert_nothing_is_lost(name, &faults));
    }
}
