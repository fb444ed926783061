//! The key, and who may see it.

use connectome_core::{Error, ErrorKind, Secret, Settings};
use connectome_graph::report::Status;
use connectome_sim::Tls;
use connectome_sinks::jupiterone::simulated::{Fault, Platform};
use connectome_sinks::jupiterone::{Destination, Plan, feed, upload};
use connectome_tests::log::Log;
use connectome_tests::script::{Prepared, Script};
use connectome_tests::simulated::serve_tls;
use serde_json::Map;

use crate::{ACCOUNT, INSTANCE, KEY, calls, fed, platform, report, run, to, to_with, user};

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

#[tokio::test]
async fn the_key_is_in_no_log_no_error_and_no_job() {
    let log = Log::text_lines();
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
    let log = log.text();
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
    let service = serve_tls(Platform::new(ACCOUNT, KEY, INSTANCE), &tls).await;
    let url = format!("https://localhost:{}", service.address.port());
    let error = run(&to(&url).0, vec![user(1)]).await.expect_err("a stranger");
    assert_eq!((error.kind(), service.simulator.asked()), (ErrorKind::Tls, 0));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&file, &tls.authority).expect("written");
    let (destination, _) = to_with(&url, |settings| settings.network.ca_file = Some(file.path().to_owned()));
    assert_eq!(run(&destination, vec![user(1)]).await.expect("an upload").entities, 1);
}
