//! A proxy and certificates: who is spoken to, and who may listen.

use connectome::trend_vision_one::{CONNECTOR, simulator};
use connectome_core::{Connection, ErrorKind};
use connectome_sim::{Options, Running, Simulator, Tls};
use connectome_tests::script::Script;
use connectome_tests::simulated::{TOKEN, connect, connect_with, serve_tls, settings};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::{Act, Bare, available, isolate, say};

#[tokio::test]
async fn requests_go_through_a_proxy_that_was_named() {
    let proxy = Bare::start(vec![Act::Say(say("200 OK", r#"{"status":"available"}"#))]).await;
    let (connection, _) = connect_with("http://vision.example", |settings| {
        settings.allow_http = true;
        settings.network.proxy = Some(proxy.url());
    });
    connection.check().await.unwrap();
    let heard = proxy.heard();
    assert!(heard[0].starts_with("GET http://vision.example/v3.0/healthcheck/connectivity HTTP/1.1\r\n"), "{heard:?}");
}

#[tokio::test]
async fn a_proxy_of_an_https_service_sees_its_name_and_no_token() {
    let proxy = Bare::start(vec![Act::Say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned()); 5]).await;
    let (connection, _) = connect_with("https://vision.example", |settings| settings.network.proxy = Some(proxy.url()));
    let error = connection.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    let heard = proxy.heard();
    assert!(heard[0].starts_with("CONNECT vision.example:443 HTTP/1.1\r\n"), "{heard:?}");
    assert!(
        heard.iter().all(|request| !request.contains(TOKEN) && !request.to_lowercase().contains("bearer")),
        "{heard:?}"
    );
}

/// A simulated service behind TLS, with a certificate for this name, and the file of its authority.
async fn secure(name: &str) -> (Running, tempfile::NamedTempFile) {
    let tls = Tls::for_names(&[name]).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &tls.authority).unwrap();
    let running = serve_tls(Simulator::new(&simulator::SERVICE, Options::new(TOKEN)), &tls).await;
    (running, file)
}

#[tokio::test]
async fn a_certificate_of_an_authority_that_was_named_is_trusted() {
    let (running, authority) = secure("127.0.0.1").await;
    let (connection, _) =
        connect_with(&running.url(), |settings| settings.network.ca_file = Some(authority.path().to_path_buf()));
    connection.check().await.unwrap();
    assert!(connection.warnings().is_empty());
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_once() {
    let (running, _) = secure("127.0.0.1").await;
    let (_, stranger) = secure("127.0.0.1").await;
    for ca_file in [None, Some(stranger.path().to_path_buf())] {
        let (connection, clock) = connect_with(&running.url(), |settings| settings.network.ca_file = ca_file);
        let error = connection.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
        assert!(error.to_string().contains("certificate") && error.to_string().contains("--ca-file"), "{error}");
        assert_eq!((running.simulator.requests(), clock.waits().len()), (0, 0), "it was tried again");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_once() {
    let (running, authority) = secure("vision.example").await;
    let (connection, clock) =
        connect_with(&running.url(), |settings| settings.network.ca_file = Some(authority.path().to_path_buf()));
    let error = connection.check().await.unwrap_err();
    assert_eq!((error.kind(), running.simulator.requests(), clock.waits().len()), (ErrorKind::Tls, 0, 0), "{error}");
}

#[tokio::test]
async fn certificates_go_unchecked_only_when_asked_and_with_a_warning() {
    for name in ["127.0.0.1", "vision.example"] {
        let (running, _) = secure(name).await;
        let open = |verify: bool| {
            connect_with(&running.url(), |settings| {
                drop(settings.parameters.insert("verify_ssl".to_owned(), json!(verify)))
            })
            .0
        };
        let careless = open(false);
        careless.check().await.unwrap();
        assert!(careless.warnings()[0].contains("not checked"), "{:?}", careless.warnings());
        let careful = open(true);
        assert_eq!(careful.check().await.unwrap_err().kind(), ErrorKind::Tls);
        assert!(careful.warnings().is_empty());
    }
}

#[tokio::test]
async fn a_service_without_tls_is_not_spoken_to_in_plain() {
    let script = Script::start(vec![available()]).await;
    let (connection, clock) = connect(&script.url().replace("http://", "https://"));
    let error = connection.check().await.unwrap_err();
    assert_eq!((error.kind(), clock.waits().len()), (ErrorKind::Tls, 0), "{error}");
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn a_secure_connection_that_breaks_while_it_is_made_is_tried_again() {
    let closing = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closing.local_addr().unwrap();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = closing.accept().await {
            let _ = stream.read(&mut [0; 16]).await;
        }
    });
    let (connection, clock) = connect(&format!("https://{address}"));
    let error = isolate(&connection).await.unwrap_err();
    task.abort();
    assert_eq!((error.kind(), clock.waits().len()), (ErrorKind::Connect, 4), "{error}");
}

#[test]
fn a_file_that_holds_no_certificate_is_a_mistake_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let broken = folder.path().join("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n").unwrap();
    for path in [folder.path().join("absent.pem"), empty, broken] {
        let (mut settings, _) = settings("https://api.example.com", Timestamp::now());
        settings.network.ca_file = Some(path.clone());
        let error = Connection::new(&CONNECTOR, settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}
