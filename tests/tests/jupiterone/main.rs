//! Uploads to JupiterOne: what goes over the wire, what the platform's graph is afterwards, and what goes wrong.

mod batches;
mod key;
mod platform;
mod trouble;
mod wire;

use std::sync::Arc;

use connectome_core::clock::ManualClock;
use connectome_core::{Error, Secret, Settings};
use connectome_graph::object::{Kind, Object};
use connectome_graph::report::{Report, Status, StepReport};
use connectome_sim::Running;
use connectome_sinks::jupiterone::simulated::{Platform, Seen};
use connectome_sinks::jupiterone::{Destination, Feed, Plan, Summary, feed, upload};
use connectome_tests::simulated::serve;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

const KEY: &str = "MARKERkey/+c0ffee==q-1234";
const ACCOUNT: &str = "harbor";
const INSTANCE: &str = "6d0c2f6e-1111-4222-8333-0000000000a1";

async fn platform() -> Running<Platform> {
    serve(Platform::new(ACCOUNT, KEY, INSTANCE)).await
}

fn to_with(url: &str, change: impl FnOnce(&mut Settings)) -> (Destination, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::now()));
    let mut settings = Settings::new(Map::new());
    settings.clock = clock.clone();
    change(&mut settings);
    let text = format!("jupiterone+{url}?account={ACCOUNT}&integration_instance={INSTANCE}");
    (Destination::parse(&text, Some(Secret::new(KEY)), settings).expect("a destination"), clock)
}

fn to(url: &str) -> (Destination, Arc<ManualClock>) {
    to_with(url, |_| {})
}

fn properties(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn entity(key: &str, ty: &str, class: &str, own: Value, raw: Option<Value>) -> Object {
    let kind = Kind::Entity(vec![class.to_owned()]);
    Object { key: key.to_owned(), ty: ty.to_owned(), kind, properties: properties(own), raw }
}

fn user(number: usize) -> Object {
    let name = format!("user {number}");
    entity(&format!("user:{number:08}"), "pagerduty_user", "User", json!({ "name": name, "displayName": name }), None)
}

fn edge(from: &str, class: &str, to: &str, ty: &str) -> Object {
    let kind = Kind::Relationship { class: class.to_owned(), from: from.to_owned(), to: to.to_owned() };
    let key = format!("{from}|{}|{to}", class.to_lowercase());
    Object { key, ty: ty.to_owned(), kind, properties: properties(json!({ "displayName": class })), raw: None }
}

fn fed(objects: Vec<Object>) -> mpsc::Receiver<Feed> {
    feed(move |give| objects.into_iter().try_for_each(give))
}

async fn run(destination: &Destination, objects: Vec<Object>) -> Result<Summary, Error> {
    upload(destination, Plan::default(), fed(objects), std::future::pending()).await
}

fn bodies(seen: &[Seen]) -> Vec<Value> {
    seen.iter().map(|seen| seen.body.clone()).collect()
}

fn calls(platform: &Platform) -> Vec<String> {
    platform.seen().into_iter().map(|seen| seen.call).collect()
}

fn report(outcomes: Vec<(&'static str, Status)>, partial: &[&str]) -> Report {
    let steps = outcomes.into_iter().map(|(title, status)| StepReport { name: "step", title, status, records: 1 });
    let partial = partial.iter().map(|ty| ((*ty).to_owned(), "a step failed".to_owned()));
    Report { steps: steps.collect(), partial: partial.collect(), ..Report::default() }
}

fn ines(name: &str) -> Object {
    let mail = "Ines.Varga@harborclinic.example";
    let own = json!({ "id": "PUAAA01", "name": name, "displayName": name, "username": mail, "email": mail, "tag.AccountName": "Harbor PD" });
    let raw = json!({ "id": "PUAAA01", "name": name });
    entity("user:PUAAA01", "pagerduty_user", "User", own, Some(raw))
}

fn imaging() -> Object {
    let own = json!({ "id": "PTAAA01", "name": "Imaging Platform", "displayName": "Imaging Platform", "tag.AccountName": "Harbor PD" });
    let raw = json!({ "id": "PTAAA01", "name": "Imaging Platform" });
    entity("team:PTAAA01", "pagerduty_team", "Team", own, Some(raw))
}
