//! Events into a simulated tenant of XSIAM.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use connectome_collect::sink::{Chunk, Sink, Taken};
use connectome_core::clock::ManualClock;
use connectome_core::{ErrorKind, Secret, Settings};
use connectome_sim::{Running, Tls};
use connectome_sinks::destination::Destination;
use connectome_sinks::outlet::Outlet;
use connectome_sinks::xsiam::simulated::{Fault, Tenant};
use connectome_sinks::xsiam::{TOKEN_VARIABLE, Xsiam};
use connectome_tests::log::Log;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::{serve, serve_tls};
use serde_json::{Value, json};

use crate::{chunk, chunk_of, letters, lines, settings};

/// With letters that change when a text is quoted, escaped or encoded.
const TOKEN: &str = r#"MARKER"to\ken/+c0ffee=="#;

/// A sink at this root, its clock, and the folder of its dead letters.
fn sink(url: &str, options: &str) -> (Xsiam, Arc<ManualClock>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, clock) = settings();
    let Ok(Destination::Xsiam(address)) = Destination::parse(&format!("xsiam+{url}{options}")) else { panic!("{url}") };
    let sink = Xsiam::open(&address, Some(Secret::new(TOKEN)), settings, &letters(&folder)).expect("a sink");
    (sink, clock, folder)
}

/// The numbers of the events that a tenant holds.
fn held(tenant: &Running<Tenant>) -> Vec<u64> {
    let number = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["n"].as_u64().expect("a number");
    tenant.simulator.events().iter().map(|(_, line)| number(line)).collect()
}

fn bodies(tenant: &Running<Tenant>) -> Vec<Vec<u8>> {
    tenant.simulator.seen().into_iter().map(|seen| seen.body.to_vec()).collect()
}

#[tokio::test]
async fn events_go_over_the_wire_as_each_route_documents_them() {
    let events = chunk_of([r#"{"a": 1.50}"#, "{}"]);
    let keyed = "{\"a\": 1.50,\"collector_event_key\":\"audit:0\"}\n{\"collector_event_key\":\"audit:1\"}";
    let collector: &[(&str, &str)] = &[("content-type", "application/json"), ("content-encoding", "gzip")];
    let integration: &[(&str, &str)] = &[
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("format", "json"),
        ("collector-type", "events"),
        ("collector-name", "connectome"),
        ("vendor", "acme defence"),
        ("product", "hosts"),
        ("instance-name", "harbor"),
        ("final-reporting-device", "harbor"),
    ];
    let plain = &collector[..1];
    let of = "?route=events&vendor=acme%20defence&product=hosts&instance=harbor";
    for (options, path, headers, text) in [
        ("", "/logs/v1/event", collector, keyed),
        ("/?compress=none", "/logs/v1/event", plain, keyed),
        ("?key=none", "/logs/v1/event", collector, "{\"a\": 1.50}\n{}"),
        ("?key=id", "/logs/v1/event", collector, "{\"a\": 1.50,\"id\":\"audit:0\"}\n{\"id\":\"audit:1\"}"),
        (of, "/logs/v1/xsiam", integration, keyed),
    ] {
        let tenant = serve(Tenant::new(TOKEN)).await;
        let (mut sink, ..) = sink(&tenant.url(), options);
        assert_eq!(sink.deliver(&events).await.expect("taken"), Taken::default(), "{options}");
        let seen = tenant.simulator.seen();
        assert_eq!((seen.len(), seen[0].path.as_str(), seen[0].text.as_str()), (1, path, text), "{options}");
        assert_eq!(seen[0].header("authorization"), Some(TOKEN));
        for (name, value) in headers {
            assert_eq!(seen[0].header(name), Some(*value), "{options}: {name}");
        }
        let own = integration.iter().filter(|(name, _)| seen[0].header(name).is_some()).count();
        assert_eq!(own, headers.len(), "{options}: {:?}", seen[0].headers);
        if headers != plain {
            assert_eq!(seen[0].body[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "neither time nor name");
        }
    }
}

#[tokio::test]
async fn an_empty_chunk_is_no_request() {
    let tenant = serve(Tenant::new(TOKEN)).await;
    let (mut sink, ..) = sink(&tenant.url(), "");
    assert_eq!(sink.deliver(&Chunk::new("audit")).await.expect("nothing"), Taken::default());
    assert!(tenant.simulator.seen().is_empty());
}

#[tokio::test]
async fn only_an_answer_that_says_so_means_success() {
    let json = |body: Value| Prepared::json(200, &body);
    for (answer, success) in [
        (json(json!({ "ok": "true" })), true),
        (json(json!({ "ok": "TRUE" })), true),
        (json(json!({ "ok": true, "error": null })), true),
        (json(json!({ "error": "false" })), true),
        (json(json!({ "error": "False", "more": 1 })), true),
        (json(json!({ "error": false })), true),
        (json(json!({ "error": "false", "ok": "true" })), true),
        (json(json!({ "error": "true" })), false),
        (json(json!({ "error": "quota" })), false),
        (json(json!({ "error": { "message": "quota" } })), false),
        (json(json!({ "ok": "true", "error": "quota" })), false),
        (json(json!({ "ok": "false", "error": "false" })), false),
        (json(json!({ "ok": 1 })), false),
        (json(json!({})), false),
        (json(json!([{ "ok": "true" }])), false),
        (Prepared { body: "<html>welcome</html>".into(), ..Prepared::empty(200) }, false),
        (Prepared::empty(200), false),
        (Prepared::json(202, &json!({ "ok": "true" })), false),
        (Prepared::empty(204), false),
    ] {
        let script = Script::start(vec![answer.clone()]).await;
        let (mut sink, ..) = sink(&script.url(), "");
        let result = sink.deliver(&chunk(1, 1)).await;
        assert_eq!(result.is_ok(), success, "{answer:?}");
        assert_eq!(script.asked().len(), 1, "{answer:?}");
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{answer:?}");
            let shown = if answer.status == 200 { String::from_utf8_lossy(&answer.body) } else { "answered 20".into() };
            assert!(error.to_string().contains(&*shown) && error.parts().advice.is_some(), "{error}");
        }
    }
}

#[tokio::test]
async fn passing_trouble_is_met_with_the_same_bytes_again_and_lasting_trouble_is_told() {
    let cut = Fault::Reset;
    let limited = |seconds| Fault::RateLimit(seconds);
    // The fault and how often it is met; how the delivery ends, after how many requests, and at least how long waiting.
    for (fault, times, ends, requests, waited) in [
        (limited(None), 2, None, 3, 4),
        (limited(Some(40)), 1, None, 2, 40),
        (Fault::Error(500), 2, None, 3, 4),
        (Fault::Error(502), 1, None, 2, 1),
        (Fault::Error(504), 4, None, 5, 20),
        (cut.clone(), 2, None, 3, 4),
        (Fault::Error(500), 9, Some((ErrorKind::Server, "it is sent again as it was")), 5, 20),
        (limited(None), 9, Some((ErrorKind::RateLimited, "it is sent again as it was")), 5, 20),
        (cut, 9, Some((ErrorKind::Connect, "it is sent again as it was")), 5, 20),
        (Fault::Error(401), 1, Some((ErrorKind::Auth, TOKEN_VARIABLE)), 1, 0),
        (Fault::Error(403), 1, Some((ErrorKind::Permission, "`route` says how")), 1, 0),
        (Fault::Error(400), 1, Some((ErrorKind::Invalid, "`compress` says which")), 1, 0),
        (Fault::Error(404), 1, Some((ErrorKind::NotFound, "/logs/v1/event takes events")), 1, 0),
        (Fault::Says(r#"{"error":"x"}"#.to_owned()), 1, Some((ErrorKind::Protocol, "takes events there")), 1, 0),
    ] {
        let tenant = serve(Tenant::new(TOKEN)).await;
        tenant.simulator.fail(times, fault.clone());
        let (mut sink, clock, _folder) = sink(&tenant.url(), "");
        let result = sink.deliver(&chunk(3, 10)).await;
        let bodies = bodies(&tenant);
        assert_eq!(bodies.len(), requests, "{fault:?}");
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{fault:?}");
        let waits: Duration = clock.waits().iter().sum();
        assert!(waits >= Duration::from_secs(waited) && (waited > 0 || waits.is_zero()), "{fault:?}: {waits:?}");
        match (result, ends) {
            (Ok(taken), None) => {
                assert_eq!((taken, held(&tenant)), (Taken::default(), vec![0, 1, 2]), "{fault:?}");
            }
            (Err(error), Some((kind, advice))) => {
                assert_eq!(error.kind(), kind, "{error}");
                assert!(error.parts().advice.as_ref().is_some_and(|it| it.contains(advice)), "{error}");
                assert!(error.parts().request.as_ref().is_some_and(|it| it.ends_with("/logs/v1/event")), "{error}");
                assert!(held(&tenant).is_empty(), "{fault:?}");
            }
            (result, _) => panic!("{fault:?}: {result:?}"),
        }
    }
}

#[tokio::test]
async fn an_acknowledgement_that_is_lost_doubles_nothing_where_keys_are_known() {
    for (once, wanted) in [(true, vec![0, 1]), (false, vec![0, 1, 0, 1])] {
        let known = Tenant::new(TOKEN);
        let tenant = serve(if once { known.once_a_key() } else { known }).await;
        tenant.simulator.fail(1, Fault::Lost);
        let (mut sink, ..) = sink(&tenant.url(), "");
        sink.deliver(&chunk(2, 10)).await.expect("taken");
        assert_eq!(held(&tenant), wanted);
        let bodies = bodies(&tenant);
        assert!(bodies.len() == 2 && bodies[0] == bodies[1]);
    }
}

#[tokio::test]
async fn a_slow_answer_is_waited_for() {
    let tenant = serve(Tenant::new(TOKEN)).await;
    tenant.simulator.fail(1, Fault::Slow(Duration::from_millis(50)));
    let (mut sink, ..) = sink(&tenant.url(), "");
    sink.deliver(&chunk(1, 1)).await.expect("taken");
    assert_eq!(bodies(&tenant).len(), 1);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_halved_the_same_way_each_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let tenant = serve(Tenant::new(TOKEN).at_most(400)).await;
        let (mut sink, ..) = sink(&tenant.url(), "");
        assert_eq!(sink.deliver(&chunk(11, 100)).await.expect("taken"), Taken::default());
        assert_eq!(held(&tenant), (0..11).collect::<Vec<_>>());
        let counts: Vec<usize> = tenant.simulator.seen().iter().map(|seen| seen.text.lines().count()).collect();
        assert_eq!(counts, [0, 0, 2, 0, 1, 2, 0, 0, 1, 2, 0, 1, 2], "0 is a request that was refused");
        runs.push(bodies(&tenant));
    }
    assert!(runs[0] == runs[1]);
}

#[tokio::test]
async fn what_the_tenant_cannot_hold_is_put_aside_and_counted() {
    let large = format!("{{\"n\":1,\"x\":\"{}\"}}", "x".repeat(5_000_000));
    let refused = format!("{{\"n\":3,\"x\":\"{}\"}}", "x".repeat(2000));
    let events = chunk_of([r#"{"n":0}"#, &large, r#"{"n":2}"#, &refused, r#"{"n":4}"#]);
    for named in [false, true] {
        let tenant = serve(Tenant::new(TOKEN).at_most(1000)).await;
        let other = tempfile::tempdir().expect("a folder");
        let options = if named { format!("?dead_letter={}", letters(&other).display()) } else { String::new() };
        let (mut sink, _, folder) = sink(&tenant.url(), &options);
        assert_eq!(sink.deliver(&events).await.expect("taken"), Taken { aside: 2 });
        assert_eq!(held(&tenant), [0, 2, 4]);
        assert!(tenant.simulator.seen().iter().all(|seen| seen.body.len() < 4000), "the largest is not sent");
        let path = letters(if named { &other } else { &folder });
        let found = lines(&path);
        let facts: Vec<_> =
            found.iter().map(|it| (it["key"].as_str(), it["stream"].as_str(), &it["event"]["n"])).collect();
        assert_eq!(facts, [(Some("audit:1"), Some("audit"), &json!(1)), (Some("audit:3"), Some("audit"), &json!(3))]);
        for (letter, why) in found.iter().zip(["5000000 bytes", "413"]) {
            assert!(letter["reason"].as_str().is_some_and(|it| it.contains(why)), "{}", letter["reason"]);
            assert!(letter["event"].get("collector_event_key").is_none());
        }
        assert!(fs::read_to_string(&path).expect("a file").contains(&large), "as it came");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_put_aside_is_not_counted() {
    let tenant = serve(Tenant::new(TOKEN).at_most(1000)).await;
    let (mut sink, _, folder) = sink(&tenant.url(), "");
    fs::create_dir(letters(&folder)).expect("a folder in the way");
    let events = chunk(2, 2000);
    let error = sink.deliver(&events).await.expect_err("no room");
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    fs::remove_dir(letters(&folder)).expect("away");
    assert_eq!(sink.deliver(&events).await.expect("put aside"), Taken { aside: 2 });
    assert_eq!(lines(&letters(&folder)).len(), 2);
}

#[tokio::test]
async fn what_was_taken_of_a_chunk_that_failed_is_not_sent_again() {
    let text =
        |number: usize| format!("{{\"n\":{number},\"x\":\"{}\"}}", "x".repeat(if number == 1 { 400 } else { 100 }));
    let texts: Vec<String> = (0..8).map(text).collect();
    let events = chunk_of(texts.iter().map(String::as_str));
    // What is sent when nothing goes wrong.
    let calm = serve(Tenant::new(TOKEN).at_most(400)).await;
    let (mut sink_of_calm, _, _folder) = sink(&calm.url(), "");
    assert_eq!(sink_of_calm.deliver(&events).await.expect("taken"), Taken { aside: 1 });
    let calm = bodies(&calm);
    for before in 1..calm.len() {
        let tenant = serve(Tenant::new(TOKEN).at_most(400)).await;
        tenant.simulator.fail(u32::try_from(before).expect("few"), Fault::None);
        tenant.simulator.fail(5, Fault::Error(500));
        let (mut sink, _, folder) = sink(&tenant.url(), "");
        let error = sink.deliver(&events).await.expect_err("an outage");
        assert_eq!(error.kind(), ErrorKind::Server);
        assert_eq!(sink.deliver(&events).await.expect("taken"), Taken { aside: 1 }, "also what was put aside before");
        assert_eq!(held(&tenant), [0, 2, 3, 4, 5, 6, 7], "after {before}");
        assert_eq!(lines(&letters(&folder)).len(), 1, "after {before}");
        let mut bodies = bodies(&tenant);
        bodies.drain(before..before + 5);
        assert!(bodies == calm, "after {before}: the same requests as without an outage");
    }
    // A chunk is known by what it holds.
    let tenant = serve(Tenant::new(TOKEN).at_most(400)).await;
    tenant.simulator.fail(6, Fault::None);
    tenant.simulator.fail(5, Fault::Error(500));
    let (mut sink, _, _folder) = sink(&tenant.url(), "");
    sink.deliver(&events).await.expect_err("an outage");
    let count = held(&tenant).len();
    assert!((1..7).contains(&count), "in the middle");
    sink.deliver(&chunk(3, 10)).await.expect("taken");
    assert_eq!(held(&tenant)[count..], [0, 1, 2]);
}

#[tokio::test]
async fn the_token_goes_nowhere_else() {
    let mut told = Vec::new();
    let log = Log::text_lines();
    let quoted = json!({ "error": TOKEN }).to_string();
    for fault in [None, Some(Fault::Says(quoted)), Some(Fault::Says(TOKEN.to_owned()))] {
        let tenant = serve(Tenant::new(if fault.is_none() { "another" } else { TOKEN })).await;
        if let Some(fault) = fault {
            tenant.simulator.fail(1, fault);
        }
        let (mut sink, _, _folder) = sink(&tenant.url(), "");
        let error = sink.deliver(&chunk(1, 1)).await.expect_err("refused");
        assert!(error.to_string().contains("[secret]"), "it was said, and taken out: {error}");
        told.push(format!("{error} {error:?} {} {sink:?}", error.to_json()));
    }
    let tenant = serve(Tenant::new(TOKEN).at_most(10)).await;
    let (mut sink, _, folder) = sink(&tenant.url(), "");
    sink.deliver(&chunk(1, 1)).await.expect("put aside");
    told.push(fs::read_to_string(letters(&folder)).expect("a file"));
    told.push(log.text());
    assert!(told.last().is_some_and(|log| log.contains("request") && log.contains("put aside")));
    for text in told {
        for marker in ["MARKER", "c0ffee"] {
            assert!(!text.contains(marker), "{text}");
        }
    }
}

#[tokio::test]
async fn a_tenant_is_trusted_for_its_certificate_only() {
    let tls = Tls::for_names(&["127.0.0.1"]).expect("a certificate");
    let tenant = serve_tls(Tenant::new(TOKEN), &tls).await;
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("authority.pem");
    fs::write(&authority, &tls.authority).expect("written");
    let Ok(Destination::Xsiam(address)) = Destination::parse(&format!("xsiam+{}", tenant.url())) else { panic!() };
    let open = |trusted: bool| {
        let mut settings = settings().0;
        settings.network.ca_file = trusted.then(|| authority.clone());
        Xsiam::open(&address, Some(Secret::new(TOKEN)), settings, &letters(&folder)).expect("a sink")
    };
    let error = open(false).deliver(&chunk(1, 1)).await.expect_err("a stranger");
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(tenant.simulator.seen().is_empty());
    open(true).deliver(&chunk(1, 1)).await.expect("taken");
    assert_eq!(held(&tenant), [0]);
}

#[test]
fn what_is_missing_is_said_before_anything_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let destination = Destination::parse("xsiam+https://api-x.example").expect("a destination");
    let error = Outlet::open(&destination, settings().0, &letters(&folder)).expect_err("not opened");
    assert!(error.kind() == ErrorKind::Configuration && error.to_string().contains(TOKEN_VARIABLE), "{error}");
    let Ok(Destination::Xsiam(address)) = Destination::parse("xsiam+http://api-x.example") else { panic!() };
    let open = |token: &str, allow_http: bool| {
        let settings = Settings { allow_http, ..settings().0 };
        Xsiam::open(&address, Some(Secret::new(token)), settings, &letters(&folder))
    };
    let error = open(TOKEN, false).expect_err("in plain");
    assert!(error.to_string().contains("unencrypted"), "{error}");
    open(TOKEN, true).expect("as it was asked for");
    let error = open("MARKER\nc0ffee", true).expect_err("no token");
    assert!(error.to_string().contains("check the key") && !error.to_string().contains("MARKER"), "{error}");
}
