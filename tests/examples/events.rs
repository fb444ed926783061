//! What collecting costs an event, beside a loop that only finds each record's bytes and writes them:
//! `cargo run --release -p connectome-tests --example events`.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use connectome_collect::key::Keys;
use connectome_collect::prepare::{Facts, Mode, Preparation};
use connectome_collect::view::{Page, Record};
use connectome_core::stream::Stream;
use serde::Deserialize;
use serde_json::value::RawValue;

const PAGES: usize = 8;
const RECORDS: usize = 200;
const ROUNDS: usize = 60;

#[derive(Deserialize)]
struct Plain<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// What is done with a page.
type Way<'a> = &'a mut dyn FnMut(&[u8]);

fn main() {
    println!(
        "{:28} {:>6} {:>9} {:>7} {:>9} {:>7} {:>7}",
        "", "bytes", "plain ns", "view", "view+key", "raw", "changed"
    );
    for stream in connectome::trend_vision_one::CONNECTOR.streams {
        let path = format!("{}/events/{}.json", env!("CARGO_MANIFEST_DIR"), stream.name);
        let Ok(example) = fs::read_to_string(path) else { continue };
        measure(stream, &example);
    }
}

fn measure(stream: &'static Stream, example: &str) {
    let pages: Vec<Vec<u8>> = (0..PAGES).map(|page| made(example, page)).collect();
    let bytes = pages.iter().map(Vec::len).sum::<usize>() / PAGES / RECORDS;
    let look = |body: &[u8], each: &mut dyn FnMut(&RawValue, &Record<'_>, bool)| {
        let paging = stream.read.page.expect("pages");
        let page = Page::read(body, &paging, stream.window.count).expect("a page");
        for raw in &page.records {
            let record = Record::read(raw, &stream.event);
            let undated = black_box(record.moment(&stream.event)).is_none();
            each(raw, &record, undated);
        }
    };
    let mut out = Vec::new();
    let mut plain = |body: &[u8]| {
        out.clear();
        let page: Plain = serde_json::from_slice(body).expect("a page");
        for record in page.items {
            out.extend_from_slice(record.get().as_bytes());
            out.push(b'\n');
        }
        black_box(&out);
    };
    let mut view = |body: &[u8]| look(body, &mut |_, _, _| {});
    let (mut keys, mut key) = (Keys::new(stream), String::new());
    let mut keyed = |body: &[u8]| {
        look(body, &mut |_, record, _| {
            black_box(keys.identify(record, &mut key));
            black_box(keys.digest());
        });
    };
    let whole = |mode: Mode| {
        let (mut keys, mut key, mut out) = (Keys::new(stream), String::new(), Vec::new());
        let mut preparation = Preparation::new(stream, mode);
        move |body: &[u8]| {
            out.clear();
            look(body, &mut |raw, record, undated| {
                let identity = keys.identify(record, &mut key);
                black_box(keys.digest());
                preparation.write(raw, &Facts { window: 0, undated, displaced: false, identity }, &mut out);
                out.push(b'\n');
            });
            black_box(&out);
        }
    };
    let (mut raw, mut changed) = (whole(Mode::Raw), whole(Mode::Declared));
    let mut ways: [Way<'_>; 5] = [&mut plain, &mut view, &mut keyed, &mut raw, &mut changed];
    let mut best = [[Duration::MAX; PAGES]; 5];
    // Page by page in turns, and the best of each: what else runs on the machine is then no part of it.
    for _ in 0..ROUNDS {
        for (place, page) in pages.iter().enumerate() {
            for (way, best) in ways.iter_mut().zip(&mut best) {
                let start = Instant::now();
                way(page);
                best[place] = best[place].min(start.elapsed());
            }
        }
    }
    let each = best.map(|pages| pages.iter().sum::<Duration>().as_nanos() as f64 / (PAGES * RECORDS) as f64);
    let [view, keyed, raw, changed] = [1, 2, 3, 4].map(|way| each[way] / each[0]);
    println!("{:28} {bytes:>6} {:>9.0} {view:>7.2} {keyed:>9.2} {raw:>7.2} {changed:>7.2}", stream.name, each[0]);
}

/// A page of records like this one, on one line each, no two of them the same.
fn made(example: &str, page: usize) -> Vec<u8> {
    let line: String = example.lines().map(str::trim).collect();
    let records: Vec<String> = (0..RECORDS)
        .map(|place| {
            let number = format!("{:04x}", page * RECORDS + place);
            let more = format!("\"note\":\"{}\",", "x".repeat((place * 7 + page) % 40));
            // Ids and times hold these digits.
            let varied = line.replace("0007\"", &format!("{number}\"")).replace("7d6e", &number);
            let varied = varied.replace("1c1c", &number).replace("9a0d", &number).replace("mara", &number);
            varied.replacen('{', &format!("{{{}", if place % 3 == 0 { &more } else { "" }), 1)
        })
        .collect();
    format!(r#"{{"items":[{}],"nextLink":"https://example.net/next","totalCount":1600}}"#, records.join(","))
        .into_bytes()
}
