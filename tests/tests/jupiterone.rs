//! Uploads to JupiterOne: what goes over the wire, what the platform's graph is afterwards, and what goes wrong.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectome_core::clock::ManualClock;
use connectome_core::error::ServiceError;
use connectome_core::{Error, ErrorKind, Secret, Settings};
use connectome_graph::object::{Kind, Object};
use connectome_graph::report::{Report, Status, StepReport};
use connectome_sim::http::{Reply, Request};
use connectome_sim::{Respond, Running, Tls, serve};
use connectome_sinks::jupiterone::simulated::{Fault, Platform, Seen};
use connectome_sinks::jupiterone::{Destination, Feed, Plan, Summary, feed, upload};
use connectome_tests::script::{Prepared, Script};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

const KEY: &str = "MARKERkey/+c0ffee==q-1234";
const ACCOUNT: &str = "harbor";
const INSTANCE: &str = "6d0c2f6e-1111-4222-8333-0000000000a1";

async fn platform() -> Running<Platform> {
    let platform = Platform::new(ACCOUNT, KEY, INSTANCE);
    serve(platform, ([127, 0, 0, 1], 0).into(), None).await.expect("a port")
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

fn refused(status: u16, kind: ErrorKind) -> Error {
    Error::new(kind, "the service refused")
        .service(ServiceError { status, ..ServiceError::default() })
        .request("GET https://api.pagerduty.com/services?limit=100")
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

fn is_person() -> Object {
    let mapping = json!({
        "relationshipDirection": "FORWARD", "sourceEntityKey": "user:PUAAA01",
        "targetEntity": { "_class": "Person", "email": "ines.varga@harborclinic.example" },
        "targetFilterKeys": [["_class", "email"]], "skipTargetCreation": true,
    });
    Object {
        key: "user:PUAAA01|is|FORWARD:_class=Person:email=ines.varga@harborclinic.example".to_owned(),
        ty: "pagerduty_user_is_person".to_owned(),
        kind: Kind::Mapped { class: "IS".to_owned(), mapping },
        properties: properties(json!({ "displayName": "IS" })),
        raw: None,
    }
}

#[tokio::test]
async fn three_runs_go_over_the_wire_as_the_platform_documents_them() {
    let service = platform().await;
    let (destination, _) = to(&service.url());
    let service_entity = entity("service:PSAAA01", "pagerduty_service", "Service", json!({ "name": "PACS" }), None);
    let team_has_user = edge("team:PTAAA01", "HAS", "user:PUAAA01", "pagerduty_team_has_user");
    let oncall = edge("user:PUAAA01", "ONCALL", "service:PSAAA01", "pagerduty_user_oncall_service");

    // The first run: everything is there.
    let plan = Plan::of(&report(vec![("Fetch Teams", Status::Done)], &[]));
    let objects = fed(vec![imaging(), ines("Ines Varga"), team_has_user.clone(), is_person()]);
    let summary = upload(&destination, plan, objects, std::future::pending()).await.expect("an upload");
    let seen = service.simulator.seen();
    let id = &summary.job.id;
    let jobs = "/persister/synchronization/jobs";
    let asked: Vec<(String, Value)> = seen.iter().map(|seen| (seen.path.clone(), seen.body.clone())).collect();
    let event = |name: &str, text: &str| json!({ "events": [{ "name": name, "description": text }] });
    let look = (format!("{jobs}/{id}"), Value::Null);
    let expected = [
        (jobs.to_owned(), json!({ "source": "integration-external", "integrationInstanceId": INSTANCE })),
        (format!("{jobs}/{id}/events"), event("step_start", "Starting step \"Fetch Teams\"...")),
        (
            format!("{jobs}/{id}/entities"),
            json!({"entities":[
                {"_key":"team:PTAAA01","_type":"pagerduty_team","_class":["Team"],"id":"PTAAA01","name":"Imaging Platform","displayName":"Imaging Platform","tag.AccountName":"Harbor PD","_rawData":[{"name":"default","rawData":{"id":"PTAAA01","name":"Imaging Platform"}}]},
                {"_key":"user:PUAAA01","_type":"pagerduty_user","_class":["User"],"id":"PUAAA01","name":"Ines Varga","displayName":"Ines Varga","username":"Ines.Varga@harborclinic.example","email":"Ines.Varga@harborclinic.example","tag.AccountName":"Harbor PD","_rawData":[{"name":"default","rawData":{"id":"PUAAA01","name":"Ines Varga"}}]}
            ]}),
        ),
        (
            format!("{jobs}/{id}/relationships"),
            json!({"relationships":[
                {"_key":"team:PTAAA01|has|user:PUAAA01","_type":"pagerduty_team_has_user","_class":"HAS","displayName":"HAS","_fromEntityKey":"team:PTAAA01","_toEntityKey":"user:PUAAA01"},
                {"_key":"user:PUAAA01|is|FORWARD:_class=Person:email=ines.varga@harborclinic.example","_type":"pagerduty_user_is_person","_class":"IS","displayName":"IS","_mapping":{"relationshipDirection":"FORWARD","sourceEntityKey":"user:PUAAA01","targetEntity":{"_class":"Person","email":"ines.varga@harborclinic.example"},"targetFilterKeys":[["_class","email"]],"skipTargetCreation":true}}
            ]}),
        ),
        (format!("{jobs}/{id}/events"), event("step_end", "Completed step \"Fetch Teams\".")),
        (format!("{jobs}/{id}/finalize"), json!({ "partialDatasets": { "types": [] } })),
        look.clone(),
        look.clone(),
        look,
    ];
    assert_eq!(asked, expected);
    for one in &seen {
        assert_eq!(one.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert_eq!(one.header("jupiterone-account"), Some(ACCOUNT));
        let is_upload = one.call == "entities" || one.call == "relationships";
        assert_eq!(one.header("content-encoding"), is_upload.then_some("gzip"), "{}", one.call);
        assert_eq!(one.header("jupiterone-correlation-id").is_some(), is_upload, "{}", one.call);
        assert!(one.query.is_empty());
    }
    assert_eq!((summary.job.status.as_str(), summary.entities, summary.relationships), ("FINISHED", 2, 2));
    let counted = |summary: &Summary, names: [&str; 4]| names.map(|name| summary.job.count(name));
    const COUNTED: [&str; 4] =
        ["numEntitiesCreated", "numRelationshipsCreated", "numEntitiesDeleted", "numRelationshipsDeleted"];
    assert_eq!(counted(&summary, COUNTED), [2, 1, 0, 0]);

    // Between the two, services and who is on call were there as well.
    let all = vec![imaging(), ines("Ines Varga"), service_entity, team_has_user, oncall.clone()];
    run(&destination, all).await.expect("an upload");
    let object = |key: &str| service.simulator.object(ACCOUNT, key).expect("an object");
    let before = object("user:PUAAA01");
    let services = [object("service:PSAAA01"), object(&oncall.key)];

    // The second run: `/services` failed, the user was renamed, the team was deleted.
    let partial = ["pagerduty_service", "pagerduty_team_assigned_service", "pagerduty_user_oncall_service"];
    let failed = Status::Failed(refused(500, ErrorKind::Server));
    let plan = Plan::of(&report(vec![("Fetch Services", failed)], &partial));
    let objects = fed(vec![ines("Ines Varga-Holt")]);
    let summary = upload(&destination, plan, objects, std::future::pending()).await.expect("an upload");
    let finalized = bodies(&service.simulator.calls("finalize"));
    assert_eq!(finalized.last(), Some(&json!({ "partialDatasets": { "types": partial } })));
    assert_eq!(counted(&summary, COUNTED), [0, 0, 1, 1]);
    let after = object("user:PUAAA01");
    assert_eq!((&after["_version"], &after["name"]), (&json!(2), &json!("Ines Varga-Holt")));
    assert!(after["_beginOn"].as_i64() > before["_beginOn"].as_i64());
    assert_eq!(after["_createdOn"], before["_createdOn"]);
    assert_eq!(service.simulator.past(ACCOUNT, "user:PUAAA01")[0]["_endOn"], after["_beginOn"]);
    for gone in ["team:PTAAA01", "team:PTAAA01|has|user:PUAAA01"] {
        let gone = object(gone);
        assert!(gone["_deleted"] == true && gone["_endOn"].is_i64(), "{gone}");
    }
    assert_eq!([object("service:PSAAA01"), object(&oncall.key)], services);
    let log = service.simulator.jobs().pop().expect("a job").2;
    assert_eq!(log[1]["name"], "step_failure");

    // The third run: the service's key was revoked.
    let graph = service.simulator.objects(ACCOUNT);
    let (sender, objects) = mpsc::channel(1);
    sender.send(Feed::Failed(refused(401, ErrorKind::Auth))).await.expect("room");
    let error = upload(&destination, Plan::default(), objects, std::future::pending()).await.expect_err("no upload");
    assert_eq!(error.kind(), ErrorKind::Auth);
    let reason = "Provider authentication failed at https://api.pagerduty.com/services?limit=100: 401 Unauthorized";
    assert_eq!(bodies(&service.simulator.calls("abort")), [json!({ "reason": reason })]);
    assert_eq!(service.simulator.objects(ACCOUNT), graph);
}

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

#[tokio::test]
async fn passing_trouble_is_tried_five_times_with_the_same_correlation() {
    let faults = [
        (Fault::Error(500, "InternalServerError"), true),
        (Fault::Error(503, ""), true),
        (Fault::RateLimit(0), false),
        (Fault::Reset, true),
        (Fault::Lost, true),
    ];
    let tried = |times: [usize; 2]| [vec!["entities"; times[0]], vec!["relationships"; times[1]]].concat();
    for (fault, unsure) in faults {
        for (call, expected) in [("entities", tried([5, 1])), ("relationships", tried([1, 5]))] {
            let service = platform().await;
            let (destination, clock) = to(&service.url());
            service.simulator.fail(call, 4, fault);
            let objects = vec![user(1), user(2), edge("user:00000001", "KNOWS", "user:00000002", "user_knows_user")];
            let summary = run(&destination, objects).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert_eq!(summary.job.count("numEntitiesCreated"), 2, "{fault:?}");
            let sent = service.simulator.calls(call);
            let ids: BTreeSet<_> = sent.iter().map(|seen| seen.header("jupiterone-correlation-id")).collect();
            assert_eq!((sent.len(), ids.len()), (5, 1), "{fault:?}");
            // A relationship never comes before its ends, however long those take.
            let order = calls(&service.simulator);
            assert_eq!(order[1..order.len() - 4].iter().map(String::as_str).collect::<Vec<_>>(), expected, "{fault:?}");
            // What may be there already must not be called a duplicate.
            let lenient = ("ignoreDuplicates".to_owned(), "true".to_owned());
            let marked: Vec<bool> = sent.iter().map(|seen| seen.query.contains(&lenient)).collect();
            assert_eq!(marked, [false, unsure, unsure, unsure, unsure], "{fault:?}");
            let waits: Vec<u128> = clock.waits().iter().map(Duration::as_micros).filter(|it| *it < 1_000_000).collect();
            assert_eq!(waits, [200_000, 210_000, 220_500, 231_525], "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_batch_that_fails_for_good_makes_its_types_partial() {
    let faults = [
        (Fault::Error(500, "InternalServerError"), 5, 5),
        (Fault::Reset, 5, 5),
        // What is wrong stays wrong.
        (Fault::Error(400, "ILLEGAL_PROPERTY"), 1, 1),
    ];
    for (fault, times, tries) in faults {
        let service = platform().await;
        let (destination, _) = to(&service.url());
        run(&destination, vec![user(1), imaging(), ines("Ines")]).await.expect("an upload");
        service.simulator.fail("entities", times, fault);
        let sent = service.simulator.calls("entities").len();
        let known = edge("user:00000001", "KNOWS", "user:PUAAA01", "pagerduty_user_knows_user");
        let error = run(&destination, vec![user(7), user(8), known.clone()]).await.expect_err("a part");
        assert_eq!(error.kind(), ErrorKind::Partial, "{fault:?}");
        assert!(error.to_string().contains("1 of 2 batches were not uploaded: pagerduty_user are not"), "{error}");
        assert_eq!(service.simulator.calls("entities").len() - sent, tries, "{fault:?}");
        let output = error.parts().output.clone().expect("a summary");
        assert_eq!((&output["status"], &output["partial"]), (&json!("FINISHED"), &json!(["pagerduty_user"])));
        // Users stay, teams that nobody saw any more go, and the rest is there.
        let deleted = |key: &str| service.simulator.object(ACCOUNT, key).map(|it| it["_deleted"] == true);
        assert_eq!(["user:00000001", "team:PTAAA01", &known.key].map(deleted), [Some(false), Some(true), Some(false)]);
        let log = service.simulator.jobs().pop().expect("a job").2;
        assert!(log[0]["description"].as_str().unwrap().contains("INTEGRATION_UPLOAD_FAILED"), "{log:?}");
    }
}

#[tokio::test]
async fn what_ends_a_job_is_not_tried_again() {
    let cases = [
        // Somebody else ended it: it is not ours to abort.
        (Fault::Ended("ABORTED"), ErrorKind::TaskFailed, false),
        (Fault::Error(401, "UNAUTHORIZED"), ErrorKind::Auth, true),
        (Fault::Error(403, "FORBIDDEN"), ErrorKind::Permission, true),
    ];
    for (fault, kind, aborts) in cases {
        let service = platform().await;
        let (destination, _) = to(&service.url());
        service.simulator.fail("entities", 1, fault);
        let error = run(&destination, vec![user(1)]).await.expect_err("no upload");
        assert_eq!(error.kind(), kind, "{fault:?}: {error}");
        let asked = calls(&service.simulator);
        let expected: &[&str] = if aborts { &["create", "entities", "abort"] } else { &["create", "entities"] };
        assert_eq!(asked, expected, "{fault:?}");
        assert!(service.simulator.objects(ACCOUNT).is_empty());
    }
}

#[tokio::test]
async fn a_job_is_finalized_once_however_often_that_is_tried() {
    // Of what is lost only the answer is: the second try comes too late, and that is as good.
    for fault in [Fault::Error(500, ""), Fault::RateLimit(0), Fault::Reset, Fault::Lost] {
        let service = platform().await;
        let (destination, _) = to(&service.url());
        service.simulator.fail("finalize", 2, fault);
        let summary = run(&destination, vec![user(1)]).await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(summary.job.status, "FINISHED");
        assert_eq!(service.simulator.calls("finalize").len(), 3, "{fault:?}");
    }
    let service = platform().await;
    let (destination, _) = to(&service.url());
    service.simulator.fail("finalize", 5, Fault::Error(500, ""));
    let error = run(&destination, vec![user(1)]).await.expect_err("no upload");
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(service.simulator.calls("finalize").len(), 5);
    assert_eq!(service.simulator.jobs()[0].0, "ABORTED");
}

#[tokio::test]
async fn a_job_is_waited_for_until_it_has_ended_in_any_way() {
    let ends =
        ["ABORTED", "ABORTED_DUE_TO_INVALID_CONFIGURATION", "ERROR_BAD_DATA", "ERROR_UNEXPECTED_FAILURE", "UNKNOWN"];
    for end in ends {
        let service = platform().await;
        let (destination, _) = to(&service.url());
        service.simulator.fail("finalize", 1, Fault::EndsAs(end));
        let error = run(&destination, vec![user(1)]).await.expect_err(end);
        assert_eq!(error.kind(), ErrorKind::TaskFailed, "{end}");
        assert!(error.to_string().contains(end) && error.parts().advice.is_some(), "{error}");
        assert!(service.simulator.calls("abort").is_empty() && service.simulator.objects(ACCOUNT).is_empty());
    }
    // A state that nobody has heard of is waited out, with growing pauses, and not for ever.
    let service = platform().await;
    let (destination, clock) = to(&service.url());
    service.simulator.fail("finalize", 1, Fault::EndsAs("RESTING"));
    let error = run(&destination, vec![user(1)]).await.expect_err("no end");
    assert_eq!(error.kind(), ErrorKind::TaskTimeout);
    let waits = clock.waits();
    assert_eq!(waits[..3], [1_000, 1_500, 2_250].map(Duration::from_millis));
    assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(15)));
    assert_eq!(waits.iter().sum::<Duration>(), destination.limits.patience);
    // Trouble while waiting is no end.
    for fault in [Fault::Error(502, ""), Fault::Reset, Fault::RateLimit(2)] {
        let service = platform().await;
        let (destination, _) = to(&service.url());
        service.simulator.fail("status", 9, fault);
        assert_eq!(run(&destination, vec![user(1)]).await.expect("an upload").job.status, "FINISHED", "{fault:?}");
    }
}

#[tokio::test]
async fn what_breaks_off_is_aborted_with_its_reason() {
    let broken = Error::new(ErrorKind::Storage, "the disk is full");
    type See<'a> = &'a mut dyn FnMut(Object) -> Result<(), Error>;
    let full: fn(See<'_>) -> Result<(), Error> = |_| Err(Error::new(ErrorKind::Storage, "the disk is full"));
    let (sender, unfinished) = mpsc::channel(4);
    sender.send(Feed::Object(Box::new(user(1)))).await.expect("room");
    drop(sender);
    let mixed = vec![user(1), edge("user:00000001", "KNOWS", "user:00000001", "user_knows_user"), user(2)];
    let cases = [
        ("the source fails", feed(full), broken.to_string()),
        ("the source is gone", unfinished, "the objects broke off before their end".to_owned()),
        ("the order is wrong", fed(mixed), "an entity came after the relationships".to_owned()),
    ];
    for (case, objects, reason) in cases {
        let service = platform().await;
        let (destination, _) = to(&service.url());
        let error = upload(&destination, Plan::default(), objects, std::future::pending()).await.expect_err(case);
        assert_eq!(error.kind(), ErrorKind::Storage, "{case}");
        let (status, said, _) = service.simulator.jobs().pop().expect("a job");
        assert_eq!((status.as_str(), said), ("ABORTED", Some(reason)), "{case}");
        assert!(service.simulator.calls("finalize").is_empty(), "{case}");
    }
}

#[tokio::test]
async fn a_stop_aborts_a_job_that_is_not_finalized() {
    let service = platform().await;
    let (destination, _) = to(&service.url());
    // Objects that never come to an end, and a stop when the job is there.
    let (sender, objects) = mpsc::channel(4);
    sender.send(Feed::Object(Box::new(user(1)))).await.expect("room");
    let seen = service.simulator.clone();
    let stop = async move {
        while seen.calls("events").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let plan = Plan::of(&report(vec![("Fetch Teams", Status::Done)], &[]));
    let error = upload(&destination, plan, objects, stop).await.expect_err("a stop");
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    drop(sender);
    assert_eq!(calls(&service.simulator), ["create", "events", "abort"]);
    assert_eq!(service.simulator.jobs()[0].0, "ABORTED");
    // Before anything was asked there is nothing to abort.
    let asked = service.simulator.asked();
    let error =
        upload(&destination, Plan::default(), fed(vec![user(1)]), std::future::ready(())).await.expect_err("a stop");
    assert_eq!((error.kind(), service.simulator.asked()), (ErrorKind::Interrupted, asked));
}

#[tokio::test]
async fn the_log_is_a_courtesy() {
    let service = platform().await;
    let (destination, _) = to(&service.url());
    service.simulator.fail("events", 9, Fault::Error(500, ""));
    let plan = Plan::of(&report(vec![("Fetch Teams", Status::Done)], &[]));
    let summary = upload(&destination, plan, fed(vec![user(1)]), std::future::pending()).await.expect("an upload");
    assert_eq!((summary.job.status.as_str(), service.simulator.calls("events").len()), ("FINISHED", 2));
}

#[tokio::test]
async fn who_may_not_upload_is_told_what_to_do() {
    let cases = [
        ("harbour", INSTANCE, "wrong account", ErrorKind::Auth, "CONNECTOME_JUPITERONE_API_KEY"),
        (ACCOUNT, "another", "wrong instance", ErrorKind::NotFound, "integration instance"),
    ];
    let service = platform().await;
    for (account, instance, case, kind, advice) in cases {
        let text = format!("jupiterone+{}?account={account}&integration_instance={instance}", service.url());
        let destination = Destination::parse(&text, Some(Secret::new(KEY)), Settings::new(Map::new())).expect(case);
        let error = run(&destination, vec![user(1)]).await.expect_err(case);
        assert_eq!(error.kind(), kind, "{case}");
        assert!(error.parts().advice.as_deref().is_some_and(|it| it.contains(advice)), "{error}");
    }
    assert_eq!(calls(&service.simulator), ["create", "create"]);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_key_is_in_no_log_no_error_and_no_job() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_env_filter("connectome_core=trace,connectome_sinks=trace")
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let service = platform().await;
    let mut told = Vec::new();
    let mut hear = |error: &Error| told.push(format!("{error} {error:?} {:?} {}", error.parts(), error.to_json()));
    // The platform says which key it was sent.
    let text = format!("jupiterone+{}?account=harbour&integration_instance={INSTANCE}", service.url());
    let elsewhere =
        Destination::parse(&text, Some(Secret::new(KEY)), Settings::new(Map::new())).expect("a destination");
    hear(&run(&elsewhere, vec![user(1)]).await.expect_err("another account"));
    let (destination, _) = to_with(&service.url(), |settings| settings.log_bodies = true);
    // Whoever failed may have said it as well.
    let said = format!("no luck with {KEY}");
    let failed = Status::Failed(Error::new(ErrorKind::Server, said.clone()));
    let plan = Plan::of(&report(vec![("Fetch Teams", failed)], &[]));
    upload(&destination, plan, fed(vec![user(1)]), std::future::pending()).await.expect("an upload");
    let objects = feed(move |_| Err(Error::new(ErrorKind::Storage, said)));
    let _ = upload(&destination, Plan::default(), objects, std::future::pending()).await;
    service.simulator.fail("entities", 1, Fault::Error(400, KEY));
    hear(&run(&destination, vec![user(1)]).await.expect_err("a part"));
    drop(guard);
    let log = String::from_utf8(log.0.lock().expect("no panic").clone()).expect("text");
    assert!(log.contains("upload_entities") && log.contains("create_job"), "{log}");
    told.push(format!("{destination:?}"));
    told.push(log);
    told.extend(service.simulator.seen().iter().map(|seen| format!("{} {}", seen.path, seen.body)));
    for text in told {
        assert!(!text.contains("MARKER"), "{text}");
    }
}

#[tokio::test]
async fn the_key_goes_to_the_configured_origin_over_a_trusted_connection() {
    let elsewhere = Script::start(vec![]).await;
    let moved = Prepared::empty(307).header("Location", &format!("{}/x", elsewhere.url()));
    let script = Script::start(vec![moved]).await;
    let error = run(&to(&script.url()).0, vec![user(1)]).await.expect_err("a redirect");
    assert!(error.to_string().contains("redirect"), "{error}");
    assert_eq!((script.asked().len(), elsewhere.asked().len()), (1, 0));

    let tls = Tls::for_names(&["localhost"]).expect("a certificate");
    let service =
        serve(Platform::new(ACCOUNT, KEY, INSTANCE), ([127, 0, 0, 1], 0).into(), Some(&tls)).await.expect("a port");
    let url = format!("https://localhost:{}", service.address.port());
    let error = run(&to(&url).0, vec![user(1)]).await.expect_err("a stranger");
    assert_eq!((error.kind(), service.simulator.asked()), (ErrorKind::Tls, 0));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&file, &tls.authority).expect("written");
    let (destination, _) = to_with(&url, |settings| settings.network.ca_file = Some(file.path().to_owned()));
    assert_eq!(run(&destination, vec![user(1)]).await.expect("an upload").entities, 1);
}

#[tokio::test]
async fn answers_that_make_no_sense_are_no_success() {
    let job = |status: &str| Prepared::json(200, &json!({ "job": { "id": "a-1", "status": status } }));
    let wrong = [
        ("a job without an id", Prepared::json(200, &json!({ "job": {} }))),
        ("an id that leaves its path", Prepared::json(200, &json!({ "job": { "id": "../../x" } }))),
        ("an error called a success", Prepared::json(200, &json!({ "error": { "code": "X", "message": "no" } }))),
        ("a page", Prepared { status: 200, body: "<html>Sign in</html>".into(), ..Prepared::default() }),
    ];
    for (case, answer) in wrong {
        let script = Script::start(vec![answer; 5]).await;
        run(&to(&script.url()).0, vec![user(1)]).await.expect_err(case);
        assert!(script.asked().iter().all(|asked| asked.target == "/persister/synchronization/jobs"), "{case}");
    }
    // Uploads, too: an answer that carries an error is tried again.
    let refusal = Prepared::json(200, &json!({ "error": { "code": "X", "message": "no" } }));
    let answers =
        vec![job("AWAITING_UPLOADS"), refusal, job("AWAITING_UPLOADS"), job("FINALIZE_PENDING"), job("FINISHED")];
    let script = Script::start(answers).await;
    run(&to(&script.url()).0, vec![user(1)]).await.expect("an upload");
    let words: Vec<String> = script
        .asked()
        .iter()
        .map(|asked| asked.target.rsplit(['/', '?']).next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(words, ["jobs", "entities", "ignoreDuplicates=true", "finalize", "a-1"]);
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
    let service = serve(crowd, ([127, 0, 0, 1], 0).into(), None).await.expect("a port");
    let (mut destination, _) = to(&service.url());
    destination.limits.batch = 300;
    let summary = run(&destination, (0..24).map(user).collect()).await.expect("an upload");
    assert!(summary.batches >= 12, "{}", summary.batches);
    assert_eq!(service.simulator.inside.lock().expect("no panic").1, 6);
}

fn asked(method: &str, path: &str, body: &Value) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers: [
            ("authorization", format!("Bearer {KEY}").as_str()),
            ("lifeomic-account", ACCOUNT),
            ("content-type", "application/json"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        body: if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() },
    }
}

fn ask(platform: &Platform, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let reply = platform.respond(&asked(method, path, body));
    (reply.status, serde_json::from_slice(&reply.body).expect("JSON"))
}

#[test]
fn the_simulated_platform_refuses_what_the_platform_refuses() {
    const JOBS: &str = "/persister/synchronization/jobs";
    let platform = Platform::new(ACCOUNT, KEY, INSTANCE);
    let new = json!({ "source": "integration-external", "integrationInstanceId": INSTANCE });
    let (_, job) = ask(&platform, "POST", JOBS, &new);
    let job = format!("{JOBS}/{}", job["job"]["id"].as_str().expect("an id"));
    let entities = |own: Value| {
        let mut one = json!({ "_key": "user:00000001", "_type": "a_user", "_class": "User" });
        one.as_object_mut().unwrap().extend(properties(own));
        json!({ "entities": [one] })
    };
    let path = |rest: &str| format!("{job}/{rest}");
    let taken = ask(&platform, "POST", &path("entities"), &entities(json!({ "name": "a", "tag.x": 1 })));
    assert_eq!((taken.0, &taken.1["job"]["numEntitiesUploaded"]), (200, &json!(1)));
    let another = json!({ "_key": "user:00000002" });
    let merged = |own: Value| {
        let mut all = properties(another.clone());
        all.extend(properties(own));
        entities(Value::Object(all))
    };
    let raw = json!([{ "name": "a", "rawData": {} }, { "name": "a", "rawData": {} }]);
    let cases = [
        ("entities", json!({ "entities": {} }), 400, "ENTITY_IS_NOT_ARRAY"),
        ("relationships", json!({}), 400, "RELATIONSHIP_IS_NOT_ARRAY"),
        ("entities", entities(json!({})), 400, "DUPLICATE_KEY_DETECTED"),
        ("entities?ignoreDuplicates=true", entities(json!({})), 200, ""),
        ("entities", merged(json!({ "first_name": "a" })), 400, "ILLEGAL_PROPERTY"),
        ("entities", merged(json!({ "address": { "a": 1 } })), 400, "ILLEGAL_PROPERTY"),
        ("entities", merged(json!({ "_rawData": raw })), 400, "DUPLICATE_RAW_DATA_NAME"),
        ("entities", merged(json!({ "_key": "short" })), 400, "MISSING_PROPERTY"),
        ("entities?ignoreIllegalProperties=true", merged(json!({ "first_name": "a" })), 200, ""),
        (
            "entities",
            merged(json!({ "_key": "user:00000003", "notes": "x".repeat(6_000_000) })),
            413,
            "RequestEntityTooLargeException",
        ),
        ("nothing", json!({}), 404, "NOT_FOUND"),
        ("abort", json!({ "reason": "enough" }), 200, ""),
        ("entities", merged(json!({ "_key": "user:00000004" })), 400, "JOB_NOT_AWAITING_UPLOADS"),
        ("finalize", json!({ "partialDatasets": { "types": [] } }), 400, "JOB_NOT_AWAITING_UPLOADS"),
    ];
    for (call, body, status, code) in cases {
        let (got, said) = ask(&platform, "POST", &path(call), &body);
        let code = if code.is_empty() { Value::Null } else { json!(code) };
        assert_eq!((got, &said["error"]["code"]), (status, &code), "{call}");
    }
    let wrong = [
        (json!({ "source": "api", "scope": "x" }), 400),
        (json!({ "source": "integration-external", "integrationInstanceId": "x" }), 404),
        (json!({ "source": "integration-external", "integrationInstanceId": INSTANCE, "scope": "x" }), 400),
        (
            json!({ "source": "integration-external", "integrationInstanceId": INSTANCE, "syncMode": "CREATE_OR_UPDATE" }),
            400,
        ),
    ];
    for (body, status) in wrong {
        assert_eq!(ask(&platform, "POST", JOBS, &body).0, status, "{body}");
    }
    for header in ["authorization", "lifeomic-account"] {
        let mut request = asked("POST", JOBS, &new);
        request.headers.retain(|(name, _)| name != header);
        assert_eq!(platform.respond(&request).status, 401, "{header}");
    }
}

#[tokio::test]
async fn what_was_uploaded_can_be_read_back_page_by_page() {
    let service = platform().await;
    let (destination, _) = to(&service.url());
    let mut objects: Vec<Object> = (0..5).map(user).collect();
    objects.push(edge("user:00000000", "KNOWS", "user:00000001", "user_knows_user"));
    objects.push(edge("user:00000000", "KNOWS", "user:99999999", "user_knows_user"));
    let summary = run(&destination, objects).await.expect("an upload");
    // An edge without an end is counted and not made.
    assert_eq!(summary.job.count("numRelationshipCreateErrors"), 1);
    assert!(summary.warnings[0].contains("1 relationships were not created"), "{:?}", summary.warnings);
    let read = |path: String| ask(&service.simulator, "GET", &path, &Value::Null).1;
    let mut keys = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = read(format!("/entities?limit=2{cursor}"));
        keys.extend(page["items"].as_array().unwrap().iter().map(|it| it["_key"].as_str().unwrap().to_owned()));
        let Some(next) = page["endCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(keys, (0..5).map(|number| user(number).key).collect::<Vec<_>>());
    let edges = read("/relationships".to_owned());
    assert_eq!(edges["items"].as_array().unwrap().len(), 1);
    assert!(edges["items"][0]["_fromEntityId"].is_string() && edges["items"][0]["_accountId"] == ACCOUNT);
    assert_eq!(ask(&service.simulator, "GET", "/entities?limit=4001", &Value::Null).0, 422);
    // What is gone is read only when asked for, and comes back as a new version.
    run(&destination, vec![user(1)]).await.expect("an upload");
    let count = |path: &str| read(path.to_owned())["items"].as_array().unwrap().len();
    assert_eq!((count("/entities"), count("/entities?includeDeleted=true"), count("/relationships")), (1, 5, 0));
    run(&destination, vec![user(0), user(1)]).await.expect("an upload");
    let back = service.simulator.object(ACCOUNT, "user:00000000").expect("a user");
    assert_eq!((&back["_version"], &back["_deleted"], &back["_endOn"]), (&json!(2), &json!(false), &Value::Null));
    assert_eq!(service.simulator.object(ACCOUNT, "user:00000001").expect("a user")["_version"], 1);
}
