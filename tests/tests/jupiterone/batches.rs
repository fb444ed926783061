//! How objects become batches.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectome_core::{Error, ErrorKind};
use connectome_graph::object::Object;
use connectome_sim::Respond;
use connectome_sim::http::{Reply, Request};
use connectome_sinks::jupiterone::simulated::{Fault, Platform};
use connectome_sinks::jupiterone::{Plan, feed, upload};
use connectome_tests::simulated::serve;
use serde_json::{Value, json};

use crate::{ACCOUNT, INSTANCE, KEY, bodies, calls, edge, entity, platform, run, to, user};

#[tokio::test]
async fn twenty_thousand_objects_go_in_batches_below_the_limit_and_nobody_runs_ahead() {
    const ENTITIES: usize = 16_000;
    const LIMIT: usize = 50_000;
    let service = platform().await;
    let (mut destination, _) = to(&service.url());
    destination.limits.batch = LIMIT;
    let seen = service.simulator.clone();
    let lead = Arc::new(AtomicUsize::new(0));
    let furthest = lead.clone();
    let objects = feed(move |give| {
        let mut handed = 0;
        let mut hand = |object: Object, give: &mut dyn FnMut(Object) -> Result<(), Error>| {
            handed += Value::Object(object.json(true)).to_string().len();
            furthest.fetch_max((handed / LIMIT).saturating_sub(seen.asked()), Ordering::Relaxed);
            give(object)
        };
        (0..ENTITIES).try_for_each(|number| hand(user(number), give))?;
        (1..4_001).try_for_each(|number| {
            let ends = [number - 1, number].map(|number| format!("user:{number:08}"));
            hand(edge(&ends[0], "KNOWS", &ends[1], "pagerduty_user_knows_user"), give)
        })
    });
    let summary = upload(&destination, Plan::default(), objects, std::future::pending()).await.expect("an upload");
    assert_eq!((summary.entities, summary.relationships), (16_000, 4_000));
    assert_eq!(summary.job.count("numEntitiesCreated") + summary.job.count("numRelationshipsCreated"), 20_000);
    // Six batches on their way, one that is filled, one that waits to be handed over.
    assert!(lead.load(Ordering::Relaxed) <= 8, "{lead:?} batches ahead");
    let order = calls(&service.simulator);
    let first = order.iter().position(|call| call == "relationships").expect("relationships");
    assert!(!order[first..].contains(&"entities".to_owned()));
    for call in ["entities", "relationships"] {
        let batches = service.simulator.calls(call);
        assert!(batches.len() > 10);
        // Those on their way at once arrive in any order; only the last of all may be small.
        let small = batches.iter().filter(|batch| batch.size < LIMIT - 400).count();
        assert!(small <= 1 && batches.iter().all(|batch| batch.size < LIMIT), "{call}: {small} are small");
        let ids: BTreeSet<_> = batches.iter().map(|batch| batch.header("jupiterone-correlation-id")).collect();
        assert_eq!(ids.len(), batches.len());
    }
}

#[tokio::test]
async fn a_batch_holds_what_stays_below_five_million_bytes() {
    let service = platform().await;
    let (destination, _) = to(&service.url());
    let of_size = |number: usize, size: usize| {
        let mut object = user(number);
        let empty =
            Value::Object(Object { raw: Some(json!({ "a": "" })), ..object.clone() }.json(true)).to_string().len();
        object.raw = Some(json!({ "a": "x".repeat(size - empty) }));
        object
    };
    let frame = r#"{"entities":[]}"#.len();
    // Two that leave one byte, then two that would leave none, with the comma between.
    let sizes = [2_000_000, 2_999_999 - frame - 1, 2_000_000, 3_000_000 - frame - 1];
    let objects = sizes.iter().enumerate().map(|(number, size)| of_size(number, *size)).collect();
    run(&destination, objects).await.expect("an upload");
    let mut sent: Vec<usize> = service.simulator.calls("entities").iter().map(|seen| seen.size).collect();
    sent.sort_unstable();
    assert_eq!(sent, [2_000_000 + frame, 3_000_000 - 1, 4_999_999]);
}

#[tokio::test]
async fn what_is_too_large_loses_its_record_and_then_its_place() {
    let service = platform().await;
    let (mut destination, _) = to(&service.url());
    destination.limits.batch = 2_000;
    let mut with_record = user(1);
    with_record.raw = Some(json!({ "a": "x".repeat(3_000) }));
    let mut too_large = entity("host:00000001", "pagerduty_host", "Host", json!({ "notes": "x".repeat(3_000) }), None);
    too_large.raw = Some(json!({ "a": 1 }));
    let summary = run(&destination, vec![with_record, too_large, user(2)]).await.expect("an upload");
    assert_eq!((summary.entities, summary.skipped, summary.warnings.len()), (2, 1, 2));
    let sent = bodies(&service.simulator.calls("entities"));
    let keys: Vec<&str> = sent[0]["entities"].as_array().unwrap().iter().filter_map(|it| it["_key"].as_str()).collect();
    assert_eq!(keys, ["user:00000001", "user:00000002"]);
    assert!(sent[0]["entities"][0].get("_rawData").is_none());
    let log = service.simulator.jobs().pop().expect("a job").2;
    assert_eq!(log[0]["name"], "warn_ingestion_limit_encountered");
    // An earlier version of what was left out is not deleted.
    assert_eq!(bodies(&service.simulator.calls("finalize"))[0]["partialDatasets"]["types"], json!(["pagerduty_host"]));
}

#[tokio::test]
async fn a_batch_that_is_refused_as_too_large_is_cut_and_sent_again() {
    let large = |number: usize| {
        let mut object = user(number);
        object.raw = Some(json!({ "id": number, "history": "x".repeat(1_000 + number), "text": "y".repeat(500) }));
        object
    };
    for refusal in [Fault::Error(413, "PayloadTooLarge"), Fault::Error(400, "RequestEntityTooLargeException")] {
        let service = platform().await;
        let (destination, _) = to(&service.url());
        service.simulator.fail("entities", 1, refusal);
        run(&destination, vec![large(1), large(2)]).await.expect("an upload");
        let sent = service.simulator.calls("entities");
        assert_eq!(sent.len(), 2);
        assert!(sent[1].size < sent[0].size / 4 * 3);
        let records =
            sent[1].body["entities"].as_array().unwrap().iter().map(|it| it["_rawData"][0]["rawData"].clone());
        let text = "y".repeat(500);
        // The largest record loses its largest member, and that is enough.
        let whole = json!({ "id": 1, "history": "x".repeat(1_001), "text": text });
        assert_eq!(records.collect::<Vec<_>>(), [whole, json!({ "id": 2, "history": "TRUNCATED", "text": text })]);
        assert_eq!(sent[0].header("jupiterone-correlation-id"), sent[1].header("jupiterone-correlation-id"));
    }
    // Nothing left to cut: the rest goes on.
    let service = platform().await;
    let (destination, _) = to(&service.url());
    service.simulator.fail("entities", 1, Fault::Error(413, "PayloadTooLarge"));
    let error = run(&destination, vec![user(1)]).await.expect_err("a part");
    assert_eq!((error.kind(), service.simulator.calls("entities").len()), (ErrorKind::Partial, 1));
}

/// A platform in front of which uploads wait for each other.
#[derive(Debug)]
struct Crowd {
    platform: Platform,
    inside: Mutex<(usize, usize)>,
    enough: std::sync::Condvar,
}

impl Respond for Crowd {
    fn respond(&self, request: &Request) -> Reply {
        if request.path.ends_with("/entities") {
            tokio::task::block_in_place(|| {
                let mut inside = self.inside.lock().expect("no panic");
                inside.0 += 1;
                inside.1 = inside.1.max(inside.0);
                self.enough.notify_all();
                // Twelve batches: nobody leaves before six have been here at once.
                let wait = self.enough.wait_timeout_while(inside, Duration::from_secs(60), |inside| inside.1 < 6);
                let (mut inside, waited) = wait.expect("no panic");
                assert!(!waited.timed_out(), "six uploads never met");
                // A seventh would come now.
                let wait = self.enough.wait_timeout_while(inside, Duration::from_millis(200), |inside| inside.1 < 7);
                inside = wait.expect("no panic").0;
                inside.0 -= 1;
            });
        }
        self.platform.respond(request)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_uploads_go_side_by_side_and_no_more() {
    let crowd = Crowd {
        platform: Platform::new(ACCOUNT, KEY, INSTANCE),
        inside: Mutex::default(),
        enough: std::sync::Condvar::new(),
    };
    let service = serve(crowd).await;
    let (mut destination, _) = to(&service.url());
    destination.limits.batch = 300;
    let summary = run(&destination, (0..24).map(user).collect()).await.expect("an upload");
    assert!(summary.batches >= 12, "{}", summary.batches);
    assert_eq!(service.simulator.inside.lock().expect("no panic").1, 6);
}
