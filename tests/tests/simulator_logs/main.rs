//! The four lists of the simulated Trend Vision One that a collector reads: their ranges of time, their order, their
//! pages, and what goes wrong with them. Requests are written by hand.

mod links;
mod ranges;
mod time;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connectome::trend_vision_one::simulator::SERVICE;
use connectome_core::clock::ManualClock;
use connectome_sim::{Fault, Grants, Options, Running, Simulator, Token};
use connectome_tests::simulated::{self, TOKEN, serve};
use connectome_tests::wire::{Got, ask_with};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const PUBLIC: &str = "https://api.xdr.trendmicro.com";
const START: &str = "2026-03-02T08:00:00Z";
const DAY: i64 = 86_400;

/// A list as a collector reads it.
struct Log {
    path: &'static str,
    collection: &'static str,
    /// The parameters of a range.
    from: &'static str,
    to: &'static str,
    /// The field of its time.
    clock: &'static str,
    /// Whether an event exactly at the end is in the range.
    end: bool,
    sizes: &'static [usize],
    /// The parameter of a further page.
    token: &'static str,
    counts: bool,
    /// How old the events are of a request that names no start, in seconds.
    usual: i64,
}

const LOGS: [Log; 4] = [
    Log {
        path: "/workbench/alerts",
        collection: "alerts",
        from: "startDateTime",
        to: "endDateTime",
        clock: "createdDateTime",
        end: true,
        sizes: &[],
        token: "skipToken",
        counts: true,
        usual: DAY,
    },
    Log {
        path: "/oat/detections",
        collection: "detections",
        from: "detectedStartDateTime",
        to: "detectedEndDateTime",
        clock: "detectedDateTime",
        end: false,
        sizes: &[50, 100, 200],
        token: "nextBatchToken",
        counts: true,
        usual: 3600,
    },
    Log {
        path: "/search/detections",
        collection: "search_detections",
        from: "startDateTime",
        to: "endDateTime",
        clock: "eventTime",
        end: true,
        sizes: &[50, 100, 500, 1000, 5000],
        token: "skipToken",
        counts: false,
        usual: DAY,
    },
    Log {
        path: "/audit/logs",
        collection: "audit_logs",
        from: "startDateTime",
        to: "endDateTime",
        clock: "loggedDateTime",
        end: true,
        sizes: &[50, 100, 200],
        token: "skipToken",
        counts: false,
        usual: 180 * DAY,
    },
];

impl Log {
    /// A request for a range, with pages as small as they go and whatever else is asked.
    fn range(&self, from: Timestamp, to: Timestamp, more: &str) -> String {
        let top = self.sizes.first().map_or_else(String::new, |size| format!("&top={size}"));
        format!("{}?{}={from}&{}={to}{top}{more}", self.path, self.from, self.to)
    }

    /// The field that names an event, where one does.
    fn id(&self) -> &'static str {
        match self.collection {
            "alerts" => "id",
            "audit_logs" => "",
            _ => "uuid",
        }
    }

    fn sorts(&self) -> bool {
        matches!(self.path, "/workbench/alerts" | "/audit/logs")
    }

    /// An event's time in milliseconds.
    fn moment(&self, event: &Value) -> i64 {
        match &event[self.clock] {
            Value::Number(number) => number.as_i64().expect("whole"),
            Value::String(text) => text.parse::<Timestamp>().expect("a time").as_millisecond(),
            other => panic!("{other} is no time: {event}"),
        }
    }
}

fn start() -> Timestamp {
    START.parse().expect("a time")
}

fn after(time: Timestamp, seconds: i64) -> Timestamp {
    time + SignedDuration::from_secs(seconds)
}

/// A simulated service whose clock stands still unless it is moved.
async fn service(change: impl FnOnce(&mut Options)) -> (Running, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(start()));
    let mut options = Options::new(TOKEN);
    options.start = start();
    options.clock = Some(clock.clone());
    change(&mut options);
    let running = serve(Simulator::new(&SERVICE, options)).await;
    (running, clock)
}

async fn with_fault(fault: &str) -> Running {
    let fault = fault.parse::<Fault>().expect("a fault");
    service(|options| options.faults = vec![fault]).await.0
}

async fn get(service: &Running, target: &str) -> Got {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str()), ("TMV1-Query", "*")];
    // A client writes blanks as such a link must have them.
    ask_with(service, "GET", &target.replace(' ', "%20"), &headers, b"").await
}

async fn good(service: &Running, path: &str) -> Value {
    let got = get(service, &format!("/v3.0{path}")).await;
    assert_eq!(got.status, 200, "{path}: {}", String::from_utf8_lossy(&got.body));
    got.json()
}

/// The path of the link to the next page.
fn link(page: &Value) -> Option<&str> {
    let link = page.get("nextLink")?.as_str()?;
    Some(link.strip_prefix(&format!("{PUBLIC}/v3.0")).unwrap_or_else(|| panic!("{link} is not on the public host")))
}

/// Every page of a list.
async fn pages(service: &Running, path: &str) -> Vec<Value> {
    let (mut pages, mut path) = (Vec::new(), path.to_owned());
    loop {
        let page = good(service, &path).await;
        let next =
            page.get("nextLink").filter(|it| **it != "").is_some().then(|| link(&page).expect("a link").to_owned());
        pages.push(page);
        assert!(pages.len() < 1000, "{path} has no end");
        match next {
            Some(next) => path = next,
            None => return pages,
        }
    }
}

/// Every event of a list.
async fn events(service: &Running, path: &str) -> Vec<Value> {
    let pages = pages(service, path).await;
    pages.iter().flat_map(|page| page["items"].as_array().cloned().unwrap_or_default()).collect()
}

/// What the service holds, as it says itself to tests.
async fn held(service: &Running, collection: &str, query: &str) -> Vec<Value> {
    let lines = simulated::held(service, collection, query).await;
    lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// How often each event is there.
fn counted(events: &[Value]) -> HashMap<String, usize> {
    events.iter().fold(HashMap::new(), |mut counts, event| {
        *counts.entry(event.to_string()).or_default() += 1;
        counts
    })
}
