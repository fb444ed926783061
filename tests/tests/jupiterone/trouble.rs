//! What goes wrong, and what becomes of the job then.

use std::collections::BTreeSet;
use std::time::Duration;

use connectome_core::{Error, ErrorKind};
use connectome_graph::object::Object;
use connectome_graph::report::Status;
use connectome_sinks::jupiterone::simulated::Fault;
use connectome_sinks::jupiterone::{Feed, Plan, feed, upload};
use connectome_tests::script::{Prepared, Script};
use serde_json::json;
use tokio::sync::mpsc;

use crate::{ACCOUNT, calls, edge, fed, imaging, ines, platform, report, run, to, user};

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
