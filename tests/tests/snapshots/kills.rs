//! Processes that are killed at any moment, while the account goes on to change.

use std::time::Duration;

use serde_json::{Map, json};

use crate::World;

#[test]
fn the_latest_documents_are_the_account_however_often_the_process_is_killed() {
    let world = World::new(|options| {
        options.scale = 12;
        options.latency = Duration::from_millis(3);
    });
    let to = format!("{}?documents=20", world.to());
    let (mut dice, mut killed) = (0x5eed_u64, 0);
    let mut below = |most: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % most
    };
    for turn in 0..25_u64 {
        let mut child = world.start(&["--once", "--to", &to]);
        std::thread::sleep(Duration::from_millis(20 + below(160)));
        if child.try_wait().expect("a state").is_none() {
            child.kill().expect("a signal");
            killed += 1;
        }
        child.wait().expect("an end");
        let number = |most: u64, below: &mut dyn FnMut(u64) -> u64| format!("{:012}", below(most));
        let one = format!("f1d00000-0000-4000-8000-{}", number(300, &mut below));
        let set = Map::from_iter([("turn".to_owned(), json!(turn % 2))]);
        world.account.simulator.change("findings", "id", &one, &set);
        let one = format!("c4e00000-0000-4000-8000-{}", number(300, &mut below));
        world.account.simulator.remove("vulnerabilities", "id", &one);
    }
    assert!(killed >= 15, "only {killed} were killed");
    world.read_into(&to, &[]);
    assert_eq!(world.alive(), world.there());
    let latest = world.latest();
    for record in world.account.simulator.records("findings") {
        let record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
        let document = &latest[record["id"].as_str().expect("an id")];
        assert_eq!(document.pointer("/jupiter_one/asset/turn"), record.get("turn"), "{document}");
    }
    // Nothing was stored more often than it was different: what was first sent, what changed, what is gone.
    let (documents, records) = (world.documents().len(), latest.len());
    assert!(documents <= records + 50, "{documents} documents of {records} records");
    println!("{killed} kills, {documents} documents of {records} records");
}
