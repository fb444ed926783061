//! Simulated services and connections to them.

use std::sync::Arc;

use connectome::trend_vision_one::{CONNECTOR, simulator};
use connectome_core::clock::ManualClock;
use connectome_core::{Connection, Settings};
use connectome_sim::{Options, Running, Simulator, serve};
use jiff::Timestamp;
use serde_json::json;

/// The token that tests use. Long enough to be searched for.
pub const TOKEN: &str = "eyJ0ZXN0Ijoi-MARKER-TOKEN-c0ffee";

/// A simulated Trend Vision One.
pub async fn vision_one(change: impl FnOnce(&mut Options)) -> Running {
    let mut options = Options::new(TOKEN);
    change(&mut options);
    serve(Simulator::new(&simulator::SERVICE, options), ([127, 0, 0, 1], 0).into(), None).await.expect("a port")
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
