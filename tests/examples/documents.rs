//! What mapping costs, beside a loop that reads the same pages into trees and writes each record as a line.
//!
//! `documents plain|mapped NUMBER FILE` reads pages of 250 alerts, findings and vulnerabilities until there were that many.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use connectome::jupiterone::CONNECTOR;
use connectome_collect::mapping::Mapper;
use connectome_collect::view::Page;
use connectome_core::page::{Next, Page as Paging};
use connectome_tests::defaults::defaults;
use serde_json::{Value, json};

const PAGE: usize = 250;
const PAGING: Paging =
    Paging { items: &["data", "queryV1", "data"], next: Next::Link(&["data", "queryV1", "cursor"]), size: None };

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, way, number, path] = &arguments[..] else { return Err("documents plain|mapped NUMBER FILE".into()) };
    let page = page()?;
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut mapper = Mapper::new(CONNECTOR.mappings[0], &defaults(&CONNECTOR));
    let (mut line, mut failures) = (Vec::new(), 0);
    for _ in 0..number.parse::<usize>()?.div_ceil(PAGE) {
        if way == "plain" {
            let page: Value = serde_json::from_slice(&page)?;
            for record in page["data"]["queryV1"]["data"].as_array().ok_or("no records")? {
                serde_json::to_writer(&mut file, record)?;
                file.write_all(b"\n")?;
            }
        } else {
            let now = jiff::Timestamp::now();
            for record in Page::read(&page, &PAGING, None)?.records {
                line.clear();
                failures += mapper.write(record.get(), now, &mut line).failures;
                line.push(b'\n');
                file.write_all(&line)?;
            }
        }
    }
    file.flush()?;
    println!("{}", json!({ "bytes": page.len() / PAGE, "failures": failures }));
    Ok(())
}

/// A page of the examples, each with its own number in ids, names and texts.
fn page() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("risks");
    let mut examples = Vec::new();
    for file in std::fs::read_dir(folder)? {
        let path = file?.path();
        // What cannot be mapped is the exception.
        if !["7-", "8-", "10-"]
            .iter()
            .any(|it| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(it)))
        {
            let example: Value = serde_json::from_slice(&std::fs::read(path)?)?;
            examples.push(example["given"].to_string());
        }
    }
    let records: Vec<String> = (0..PAGE)
        .map(|number| examples[number % examples.len()].replace("1c0a5e0e", &format!("{number:08x}")))
        .collect();
    Ok(format!(r#"{{"data":{{"queryV1":{{"data":[{}],"cursor":"c"}}}}}}"#, records.join(",")).into_bytes())
}
