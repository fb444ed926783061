//! Simulated services and connections to them.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use connectome::trend_vision_one::{CONNECTOR, simulator};
use connectome_core::clock::ManualClock;
use connectome_core::{Connection, Settings};
use connectome_sim::{Options, Respond, Running, Simulator, Tls};
use jiff::Timestamp;
use serde_json::json;

use crate::wire::ask_with;

/// The token that tests use. Long enough to be searched for.
pub const TOKEN: &str = "eyJ0ZXN0Ijoi-MARKER-TOKEN-c0ffee";

/// Serves a simulator on a free port.
pub async fn serve<S: Respond>(simulator: S) -> Running<S> {
    connectome_sim::serve(simulator, ([127, 0, 0, 1], 0).into(), None).await.expect("a port")
}

/// Serves a simulator on a free port, over TLS with this certificate.
pub async fn serve_tls<S: Respond>(simulator: S, tls: &Tls) -> Running<S> {
    connectome_sim::serve(simulator, ([127, 0, 0, 1], 0).into(), Some(tls)).await.expect("a port")
}

/// An address of this machine where nobody listens.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address")
}

/// A simulated Trend Vision One.
pub async fn vision_one(change: impl FnOnce(&mut Options)) -> Running {
    let mut options = Options::new(TOKEN);
    change(&mut options);
    serve(Simulator::new(&simulator::SERVICE, options)).await
}

/// Settings for a service at this root, with a clock that skips waiting and starts at `now`.
pub fn settings(url: &str, now: Timestamp) -> (Settings, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(now));
    let parameters = json!({ "api_key": TOKEN, "api_url": url });
    let mut settings = Settings::new(parameters.as_object().expect("an object").clone());
    settings.clock = clock.clone();
    (settings, clock)
}

/// A connection to a service at this root, with the settings changed.
pub fn connect_with(url: &str, change: impl FnOnce(&mut Settings)) -> (Connection, Arc<ManualClock>) {
    let (mut settings, clock) = settings(url, Timestamp::now());
    change(&mut settings);
    (Connection::new(&CONNECTOR, settings).expect("a connection"), clock)
}

/// A connection to a service at this root.
pub fn connect(url: &str) -> (Connection, Arc<ManualClock>) {
    connect_with(url, |_| {})
}

/// Every record of a collection as the service shows it, also what nobody was shown yet; with `?seen` only what is shown
/// by now.
pub async fn held(service: &Running, collection: &str, query: &str) -> Vec<String> {
    let bearer = format!("Bearer {TOKEN}");
    let target = format!("/_simulator/records/{collection}{query}");
    let got = ask_with(service, "GET", &target, &[("Authorization", &bearer)], b"").await;
    assert_eq!(got.status, 200, "{got:?}");
    let body = match got.header("Transfer-Encoding") {
        Some("chunked") => unchunked(&got.body),
        _ => got.body,
    };
    String::from_utf8(body).expect("text").lines().map(str::to_owned).collect()
}

/// From now on no record appears by itself.
pub async fn quiet(service: &Running) {
    let bearer = format!("Bearer {TOKEN}");
    let got = ask_with(service, "POST", "/_simulator/quiet", &[("Authorization", &bearer)], b"").await;
    assert_eq!(got.status, 200, "{got:?}");
}

fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|it| it == b"\r\n").expect("a length");
        let length = std::str::from_utf8(&body[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let length = length.expect("a length");
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 2 + length + 2..];
    }
}
