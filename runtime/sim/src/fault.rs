//! Faults, injected on request: what networks and services really do.

use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::http::{Manner, Reply};

/// A fault: what goes wrong, how often, and for which paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: &'static str,
    /// How many requests it meets; all when absent.
    pub times: Option<u32>,
    /// Beginning of the paths it meets, below the base.
    pub path: String,
}

/// Every kind of fault and what it does.
pub const KINDS: &[(&str, &str)] = &[
    ("rate-limit", "429 with Retry-After: 1"),
    ("rate-limit-bare", "429 without saying how long"),
    ("rate-limit-reset", "429 with RateLimit-Reset: 1 and no Retry-After"),
    ("rate-spent", "good answers with RateLimit-Remaining: 0 and RateLimit-Reset: 1"),
    ("server-error", "500 with a JSON error"),
    ("unavailable", "503 with a page of HTML"),
    ("bad-gateway", "502 with an empty body"),
    ("gateway-timeout", "504 as text"),
    ("slow", "the answer comes after two seconds"),
    ("slow-body", "the answer comes byte by byte"),
    ("torn", "half of the answer, then the connection ends"),
    ("reset", "the connection is reset"),
    ("expired-token", "401, as for an expired token"),
    ("partial", "every second element of a request fails"),
    ("all-fail", "every element of a request fails"),
    ("mixed", "of a request's elements one works, and each other fails in a way of its own"),
    ("one-missing", "one element of a request has no answer"),
    ("foreign-link", "the next page's link names another host"),
    ("repeated-link", "the next page's link is always the same"),
    ("null-items", "the list of records is null"),
    ("text-label", "JSON labelled as text"),
    ("misspelt-error", "400 with the key `errror`"),
    ("bare-error", "400 with code and message at the top"),
    ("error-in-success", "200 that carries an error"),
    ("error-list", "200 with a list of errors and no data"),
    ("error-texts", "200 with a list of texts as errors"),
    ("error-text", "200 with a text as the error"),
    ("error-beside-data", "a good answer with a list of errors beside it"),
    ("deferred-fails", "an answer that is given later never is"),
    ("empty-body", "the status without its body"),
    ("not-json", "200 with a page of HTML"),
    ("deep-json", "JSON nested a hundred thousand levels deep"),
    ("huge-body", "200 with more than 100 MiB"),
    ("compression-bomb", "a small answer that unpacks to a very large one"),
    ("redirect-away", "a redirect to another host"),
    ("moved-away", "a redirect to another host that keeps method and body"),
    ("clock-skew", "a Date header a day off"),
    ("expired-page", "400 for each further page, as for a token that is too old"),
    ("empty-page", "an empty page with a link comes before each page"),
    ("null-when-empty", "the list of records is null where it would be empty"),
    ("empty-link", "the last page's link is an empty text"),
    ("blank-link", "the next page's link holds blanks as they are"),
    ("live-pages", "pages move when records come or go while they are read"),
    ("other-end", "an end that belongs to a range does not, and the other way round"),
    ("other-order", "records come the other way round where nobody asks for an order"),
    ("no-count", "answers do not count"),
    ("poison", "some records lack their id or their time, have odd ones, or are no objects"),
];

impl FromStr for Fault {
    type Err = String;

    /// `kind`, `kind*3`, `kind@/path`, `kind*3@/path`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (head, path) = text.split_once('@').unwrap_or((text, "/"));
        let (kind, times) = match head.split_once('*') {
            Some((kind, times)) => (
                kind,
                Some(
                    times
                        .parse()
                        .map_err(|_| format!("{times:?} is not how often a fault happens; write `{kind}*3`"))?,
                ),
            ),
            None => (head, None),
        };
        match KINDS.iter().find(|(name, _)| *name == kind) {
            Some((kind, _)) => Ok(Fault { kind, times, path: path.to_owned() }),
            None => {
                let names: Vec<&str> = KINDS.iter().map(|(name, _)| *name).collect();
                Err(format!("{kind:?} is not a fault; there are {}", names.join(", ")))
            }
        }
    }
}

/// Whether a fault is about such a request at all; one that is not does not count.
pub fn concerns(kind: &str, further_page: impl Fn() -> bool) -> bool {
    kind != "expired-page" || further_page()
}

/// What poison makes of a record, in one of several ways.
pub fn poisoned(way: u64, mut record: Value, key: &str, clock: &str) -> Value {
    let Value::Object(fields) = &mut record else { return record };
    let mut set = |field: &str, value: Value| fields.insert(field.to_owned(), value).map(drop);
    match way % 12 {
        0 => fields.remove(key).map(drop),
        1 => fields.remove(clock).map(drop),
        2 => set(clock, Value::Null),
        3 => set(clock, json!("yesterday")),
        4 => set(clock, json!([2024, 6, 11])),
        5 => set(clock, json!(true)),
        6 => set(key, json!({ "id": way })),
        7 => set(key, Value::Null),
        8 => return json!(format!("no record but a text {way}")),
        9 => return json!([way]),
        10 => return json!(way),
        _ => return Value::Null,
    };
    record
}

/// What a fault makes of a request before it is looked at. Errors in a success stand under this key; redirects lead to
/// this host.
pub fn before(kind: &str, under: &str, elsewhere: Option<&str>) -> Option<Reply> {
    let away = |status| {
        let host = elsewhere.unwrap_or("https://elsewhere.example");
        Reply::empty(status).header("Location", format!("{host}/login"))
    };
    let error = |status, code: &str, message: &str| {
        Reply::json(status, &json!({ "error": { "code": code, "message": message } }))
    };
    Some(match kind {
        "rate-limit" => error(429, "TooManyRequests", "Too many API requests").header("Retry-After", "1"),
        "rate-limit-bare" => Reply::bytes(429, "text/plain", "Too many API requests"),
        "rate-limit-reset" => error(429, "TooManyRequests", "Too many API requests").header("RateLimit-Reset", "1"),
        "error-list" => Reply::json(200, &json!({ under: errors(), "data": null })),
        "error-texts" => Reply::json(200, &json!({ under: ["The query timed out.", "Nothing was read."] })),
        "error-text" => Reply::json(200, &json!({ under: "The query timed out." })),
        "server-error" => error(500, "InternalServerError", "Something broke."),
        "unavailable" => Reply::bytes(503, "text/html", "<html><body><h1>503</h1>Service Unavailable</body></html>"),
        "bad-gateway" => Reply::empty(502),
        "gateway-timeout" => Reply::bytes(504, "text/plain", "upstream request timeout"),
        "reset" => Reply { manner: Manner::Reset, ..Reply::empty(200) },
        "misspelt-error" => Reply::json(400, &json!({ "errror": { "code": "BadRequest", "message": "Wrong." } })),
        "bare-error" => Reply::json(400, &json!({ "code": "BadRequest", "message": "Wrong." })),
        "error-in-success" => error(200, "InternalServerError", "Something broke."),
        "not-json" => Reply::bytes(200, "text/html", "<html><body>Sign in to the network</body></html>"),
        "deep-json" => Reply::bytes(200, "application/json", ["[".repeat(100_000), "]".repeat(100_000)].concat()),
        "huge-body" => Reply::bytes(200, "application/json", blanks()),
        "compression-bomb" => Reply::bytes(200, "application/json", bomb()).header("Content-Encoding", "gzip"),
        "redirect-away" => away(302),
        "moved-away" => away(307),
        _ => return None,
    })
}

/// Errors as a service lists them.
fn errors() -> Value {
    json!([
        { "message": "The query timed out.", "path": ["query"], "extensions": { "code": "TIMEOUT" } },
        { "message": "Some shards did not answer.", "locations": [{ "line": 1, "column": 2 }] },
    ])
}

/// What a fault makes of a good answer: of its list of records, of what leads to the next page, of its errors. Links to
/// another host name this one.
pub fn after(kind: &str, reply: &mut Reply, (items, next): (&[&str], &[&str]), under: &str, elsewhere: Option<&str>) {
    match kind {
        "rate-spent" => {
            for (name, value) in [("RateLimit-Limit", "60"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "1")] {
                reply.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        "error-beside-data" => {
            if let Ok(Value::Object(mut body)) = serde_json::from_slice(&reply.body) {
                body.insert(under.to_owned(), errors());
                reply.body = Bytes::from(Value::Object(body).to_string());
            }
        }
        "slow" => reply.manner = Manner::Late(Duration::from_secs(2)),
        "slow-body" => reply.manner = Manner::Dripping(Duration::from_secs(3)),
        "torn" => reply.manner = Manner::Torn,
        "empty-body" => reply.body = Bytes::new(),
        "clock-skew" => reply.headers.push(("Date".to_owned(), "Tue, 11 Jun 2024 07:00:00 GMT".to_owned())),
        "text-label" => reply
            .headers
            .iter_mut()
            .filter(|(name, _)| name == "Content-Type")
            .for_each(|(_, value)| *value = "text/plain".to_owned()),
        "null-items" => edit(reply, items, |_| Value::Null),
        "foreign-link" => edit(reply, next, |link| {
            Value::from(format!(
                "{}{}",
                elsewhere.unwrap_or("https://evil.example"),
                link.as_str()
                    .and_then(|it| it.split_once("://"))
                    .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))
                    .unwrap_or("/")
            ))
        }),
        _ => {}
    }
}

fn edit(reply: &mut Reply, path: &[&str], change: impl Fn(&Value) -> Value) {
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return };
    let found = path.iter().try_fold(&mut body, |value, key| value.get_mut(*key));
    if let Some(value) = found.filter(|_| !path.is_empty()) {
        *value = change(value);
        reply.body = Bytes::from(body.to_string());
    }
}

/// What goes wrong with an element of a request, if anything: the error's name and what is said.
pub fn of_element(active: &[&str], at: usize) -> Option<(&'static str, &'static str)> {
    const WAYS: [(&str, &str); 4] = [
        ("forbidden", "This target is not yours."),
        ("no_such_path", "There is no such target."),
        ("invalid", "Target not found."),
        ("unauthorized", "Sign in again for this target."),
    ];
    let invalid = ("invalid", "Target not found.");
    match at {
        _ if active.contains(&"all-fail") => Some(invalid),
        at if active.contains(&"partial") && at % 2 == 1 => Some(invalid),
        at if active.contains(&"mixed") && at > 0 => Some(WAYS[(at - 1) % WAYS.len()]),
        _ => None,
    }
}

/// 101 MiB of blanks, made once.
fn blanks() -> Bytes {
    static BLANKS: OnceLock<Bytes> = OnceLock::new();
    BLANKS.get_or_init(|| Bytes::from(vec![b' '; 101 << 20])).clone()
}

/// 128 MiB of blanks in a few hundred kilobytes, made once.
fn bomb() -> Bytes {
    use std::io::Write;
    static BOMB: OnceLock<Bytes> = OnceLock::new();
    let made = || {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let blanks = vec![b' '; 1 << 20];
        // Writing to a vector cannot fail.
        for _ in 0..128 {
            let _ = encoder.write_all(&blanks);
        }
        Bytes::from(encoder.finish().unwrap_or_default())
    };
    BOMB.get_or_init(made).clone()
}
