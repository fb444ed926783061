//! A service that costs next to nothing: pages of prepared records, so that who reads them can be measured.
//!
//! `pages STREAM --events NUMBER --page NUMBER` serves one stream of Trend Vision One with that many events, and with no
//! more than that many on a page, and prints where. Events come one in five seconds, so that the widest window holds
//! fewer of them than are enough to halve it. The last happened hours ago: later than any lateness, so that the pass
//! that closes windows reads each event, and no other pass does.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use connectome_core::stream::Stream;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};
use url::Url;

/// Seconds between two events.
const APART: i64 = 5;
/// The last event happened at least this long ago.
const AGO: i64 = 6 * 3600;
const NUMBER: &str = "000000000000";

struct Service {
    stream: &'static Stream,
    url: String,
    path: String,
    /// What is alike in all records, around their numbers and times.
    pieces: Vec<(String, Hole)>,
    first: i64,
    events: i64,
    page: i64,
}

#[derive(Clone, Copy)]
enum Hole {
    Number,
    Time,
    None,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, _, events, _, page] = &arguments[..] else { panic!("pages STREAM --events NUMBER --page NUMBER") };
    let connector = &connectome::trend_vision_one::CONNECTOR;
    let stream = connector.streams.iter().find(|it| it.name == name).expect("a stream");
    let (events, page) = (events.parse::<i64>().expect("a number"), page.parse().expect("a number"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let first = Timestamp::now().as_second() - AGO - events * APART;
    let path = format!("/v3.0{}", stream.read.call.path);
    let service = Arc::new(Service { stream, path, pieces: pieces(stream), first, events, page, url });
    let start = format!("{}{}?{}", service.url, service.path, service.range(first, first + events * APART, 0));
    println!("{}", json!({ "url": service.url, "token": "key", "first": text(first), "start": start }));
    for connection in listener.incoming() {
        let service = Arc::clone(&service);
        std::thread::spawn(move || service.serve(connection.expect("a connection")));
    }
}

/// A record of the stream, on one line, cut where one differs from another.
fn pieces(stream: &Stream) -> Vec<(String, Hole)> {
    let example = format!("{}/events/{}.json", env!("CARGO_MANIFEST_DIR"), stream.name);
    let example = std::fs::read_to_string(example).expect("an example");
    let mut record: Value = serde_json::from_str(&example).expect("JSON");
    let time = record[stream.event.clock[0]].as_str().expect("a time").to_owned();
    let number = match stream.event.id {
        [] => &mut record["details"]["accountName"],
        [path, ..] => &mut record[path[0]],
    };
    let id = number.as_str().expect("a text").to_owned();
    *number = Value::from(format!("{}{NUMBER}", &id[..id.len().saturating_sub(NUMBER.len())]));
    let mut rest = record.to_string();
    let mut pieces = Vec::new();
    loop {
        let holes = [(NUMBER, Hole::Number), (&time, Hole::Time)];
        let next = holes.into_iter().filter_map(|(text, hole)| Some((rest.find(text)?, text.len(), hole)));
        let Some((at, length, hole)) = next.min_by_key(|(at, ..)| *at) else { break };
        let after = rest.split_off(at + length);
        rest.truncate(at);
        pieces.push((std::mem::replace(&mut rest, after), hole));
    }
    pieces.push((rest, Hole::None));
    pieces
}

fn text(second: i64) -> String {
    Timestamp::from_second(second).expect("a time").to_string()
}

impl Service {
    fn range(&self, from: i64, to: i64, skip: i64) -> String {
        let window = &self.stream.window;
        format!("{}={}&{}={}&skip={skip}", window.from, text(from), window.to, text(to))
    }

    fn serve(&self, connection: TcpStream) {
        connection.set_nodelay(true).expect("no delay");
        let mut lines = BufReader::new(connection.try_clone().expect("a connection")).lines();
        let (mut body, mut connection) = (Vec::new(), connection);
        while let Some(Ok(request)) = lines.next() {
            while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
            let target = request.split(' ').nth(1).unwrap_or_default();
            body.clear();
            match Url::parse(&self.url).and_then(|root| root.join(target)) {
                Ok(target) if target.path() == self.path => self.page(&target, &mut body),
                _ => body.extend_from_slice(br#"{"status":"available"}"#),
            }
            let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now()).expect("a date");
            let (length, json) = (body.len(), "Content-Type: application/json");
            let head = format!("HTTP/1.1 200 OK\r\n{json}\r\nContent-Length: {length}\r\nDate: {date}\r\n\r\n");
            if connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(&body)).is_err() {
                return;
            }
        }
    }

    fn page(&self, target: &Url, body: &mut Vec<u8>) {
        let value = |name: &str| target.query_pairs().find(|(it, _)| it == name).map(|(_, value)| value);
        let time = |name| value(name).expect("a range").parse::<Timestamp>().expect("a time").as_second();
        let (from, to) = (time(self.stream.window.from), time(self.stream.window.to));
        let skip: i64 = value("skip").map_or(0, |skip| skip.parse().expect("a number"));
        // The first event at this time or later.
        let at = |time: i64| ((time - self.first).max(0) + APART - 1) / APART;
        let (low, high) = (at(from).min(self.events), at(to).min(self.events));
        let start = low + skip;
        let end = high.min(start + self.page);
        body.extend_from_slice(br#"{"items":["#);
        for number in start..end {
            if number > start {
                body.push(b',');
            }
            for (piece, hole) in &self.pieces {
                body.extend_from_slice(piece.as_bytes());
                match hole {
                    Hole::Number => write!(body, "{number:012x}").expect("memory"),
                    Hole::Time => write!(body, "{}", text(self.first + number * APART)).expect("memory"),
                    Hole::None => {}
                }
            }
        }
        body.push(b']');
        if self.stream.window.count.is_some() {
            write!(body, r#","totalCount":{}"#, high - low).expect("memory");
        }
        if end < high {
            let range = self.range(from, to, end - low);
            write!(body, r#","nextLink":"{}{}?{range}""#, self.url, self.path).expect("memory");
        }
        body.push(b'}');
    }
}
