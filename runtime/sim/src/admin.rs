//! What a test may ask of a simulator beside the service itself: below `/_simulator`, with the service's own token.
//!
//! - `GET /_simulator/records/COLLECTION`: every record as the service shows it, one a line, also what nobody was shown
//!   yet; with `?seen` only what somebody who asks now is shown.
//! - `POST /_simulator/quiet`: from now on no record appears by itself.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::http::{Reply, Request};
use crate::simulator::Simulator;

const ROOT: &str = "/_simulator/";

/// Bytes of an answer, one piece after another.
pub type Pieces = Box<dyn Iterator<Item = Bytes> + Send>;

/// How many records are written before others may ask again.
const AT_ONCE: usize = 500;

/// The rest of the path, if the request is one of these.
pub fn wanted(request: &Request) -> Option<&str> {
    request.path.strip_prefix(ROOT)
}

/// A short answer.
pub fn answer(simulator: &Simulator, request: &Request, wanted: &str) -> Reply {
    match (request.method.as_str(), wanted) {
        ("POST", "quiet") => {
            simulator.store().quiet();
            Reply::json(200, &json!({ "quiet": true }))
        }
        _ => Reply::json(404, &json!({ "error": format!("there is no {ROOT}{wanted}") })),
    }
}

/// Every record of a collection.
pub fn records(simulator: Arc<Simulator>, request: &Request) -> Option<Pieces> {
    let collection = wanted(request)?.strip_prefix("records/")?;
    let collection = simulator.service().collections.iter().find(|known| known.name == collection)?.name;
    if request.method != "GET" || !simulator.knows(request) {
        return None;
    }
    let only_seen = request.parameter("seen").is_some();
    let poison = simulator.poisons(collection);
    let mut numbers = simulator.store().numbers(collection);
    Some(Box::new(std::iter::from_fn(move || {
        let store = simulator.store();
        let mut lines = Vec::new();
        let mut any = false;
        for number in numbers.by_ref().take(AT_ONCE) {
            any = true;
            if (!only_seen || store.seen(collection, number)) && store.write(collection, number, poison, &mut lines) {
                lines.push(b'\n');
            }
        }
        any.then(|| Bytes::from(lines))
    })))
}
