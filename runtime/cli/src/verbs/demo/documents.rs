//! A scene of the demonstration: an account is read as a whole by a process that is killed on the way, becomes documents in a
//! simulated Elasticsearch, changes, and is read again. What the account holds and what the latest documents say is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use connectome_core::snapshot::Snapshot;
use connectome_core::{Error, ErrorKind, Settings};
use connectome_sim::{Options, Running, Service, Simulator, serve};
use connectome_sinks::destination::Destination;
use connectome_sinks::elasticsearch::Credentials;
use connectome_sinks::elasticsearch::setup::{Installer, assets};
use connectome_sinks::elasticsearch::simulated::Search;
use serde_json::{Map, Value, json};

use super::TOKEN;
use super::process::{Collecting, LATENCY, forget};
use crate::exit::Outcome;
use crate::print;

/// Times as many records as there are otherwise.
const CROWD: usize = 20;

/// How many records change, and how many disappear.
const CHANGES: (usize, usize) = (5, 3);

pub async fn show(service: &'static Service, snapshot: &'static Snapshot, folder: &Path) -> Outcome {
    let port = |error| Error::new(ErrorKind::Connect, format!("no loopback port could be opened: {error}"));
    let mut options = Options::new(TOKEN);
    (options.scale, options.latency) = (CROWD, LATENCY);
    let here = ([127, 0, 0, 1], 0).into();
    let account = serve(Simulator::new(service, options), here, None).await.map_err(port)?;
    let search = serve(Search::new(None), here, None).await.map_err(port)?;
    let run = Collecting {
        connector: service.connector,
        url: account.url(),
        to: format!("elasticsearch+{}?auth=none&documents=100", search.url()),
        state: folder.join("demo-documents.sqlite"),
        further: &[],
    };
    forget(&run.state);
    let name = service.connector.name;
    print::line(&format!("  $ connectome setup elasticsearch {name} --to elasticsearch+http://search.example"))?;
    print::line(&format!("    {} things installed: templates, a lifecycle policy, a transform", install(&run).await?))?;
    print::line(&format!("  $ connectome collect {name} --to elasticsearch+http://search.example --once"))?;
    let all = records(service, snapshot, &account);
    run.killed((all.len() / 3) as u64, "documents", || search.simulator.documents().len() as u64).await?;
    run.to_its_end("the reading").await?;
    let (changed, gone) = change(service, snapshot, &account);
    print::line(&format!("    meanwhile {changed} records change in the account and {gone} disappear"))?;
    run.to_its_end("the reading").await?;
    compare(&records(service, snapshot, &account), all.len() + changed + gone, &search, snapshot)
}

/// The collections that a snapshot lists.
fn collections(service: &'static Service, snapshot: &Snapshot) -> impl Iterator<Item = &'static str> {
    let call = snapshot.read.call;
    let found = service.calls.iter().filter(move |it| it.method == call.method && it.path == call.path);
    found.flat_map(|it| it.of.into_iter().chain(it.and_of.iter().copied()))
}

/// The ids of everything that a snapshot lists.
fn records(service: &'static Service, snapshot: &Snapshot, account: &Running) -> BTreeSet<String> {
    let all = collections(service, snapshot).flat_map(|collection| account.simulator.records(collection));
    all.filter_map(|text| id(&serde_json::from_str(&text).ok()?, snapshot.id)).collect()
}

fn id(record: &Value, path: &[&str]) -> Option<String> {
    path.iter().try_fold(record, |value, key| value.get(*key))?.as_str().map(str::to_owned)
}

/// Some records change and some disappear, as many of each as it says.
fn change(service: &'static Service, snapshot: &Snapshot, account: &Running) -> (usize, usize) {
    let (mut changed, mut gone) = (0, 0);
    for collection in collections(service, snapshot) {
        let Some(key) = service.collections.iter().find(|it| it.name == collection).map(|it| it.key) else { continue };
        for text in account.simulator.records(collection).iter().take(CHANGES.0 + CHANGES.1) {
            let record: Value = serde_json::from_str(text).unwrap_or_default();
            let Some(name) = record[key].as_str() else { continue };
            if changed < CHANGES.0 {
                let set = Map::from_iter([("noticed".to_owned(), json!(true))]);
                changed += usize::from(account.simulator.change(collection, key, name, &set));
            } else if gone < CHANGES.1 {
                gone += usize::from(account.simulator.remove(collection, key, name));
            }
        }
    }
    (changed, gone)
}

async fn install(run: &Collecting) -> Result<usize, Error> {
    let Destination::Elasticsearch(address) = Destination::parse(&run.to)? else { return Ok(0) };
    let installer = Installer::open(&address, Some(Credentials::None), Settings::new(Map::new()))?;
    let mut all = Vec::new();
    for search in run.connector.search {
        all.extend(assets(search.requests)?);
    }
    let steps = installer.plan(all).await?;
    installer.install(&steps, false).await?;
    Ok(steps.len())
}

/// Says what is missing, what came twice and what should be marked and is not; nothing may be.
fn compare(there: &BTreeSet<String>, expected: usize, search: &Running<Search>, snapshot: &Snapshot) -> Outcome {
    let documents = search.simulator.documents();
    let mut latest: BTreeMap<String, &Value> = BTreeMap::new();
    for (_, _, document) in &documents {
        if let Some(id) = document.pointer("/event/id").and_then(Value::as_str) {
            latest.insert(id.to_owned(), document);
        }
    }
    let is_gone = |document: &Value| document.to_string().contains("\"_deleted\":true");
    let alive: BTreeSet<&String> = latest.iter().filter(|(_, it)| !is_gone(it)).map(|(id, _)| id).collect();
    let lost = there.iter().filter(|id| !alive.contains(id)).count();
    let unmarked = alive.iter().filter(|id| !there.contains(**id)).count();
    let twice = documents.len().saturating_sub(expected);
    print::line("  What the account holds now, and what the latest documents say:")?;
    let numbers = [there.len(), documents.len(), latest.len() - alive.len(), lost, twice, unmarked];
    let row = std::iter::once(snapshot.name.to_owned()).chain(numbers.map(|it| it.to_string())).collect();
    let heads = ["snapshot", "records", "documents", "marked as gone", "lost", "twice", "gone and not marked"];
    for line in print::table(&heads, std::iter::once(row)).lines() {
        print::line(&format!("    {line}"))?;
    }
    match lost + twice + unmarked {
        0 => Ok(()),
        _ => Err(Error::new(ErrorKind::Partial, "documents were lost, came twice or say what is not so")),
    }
}
