//! What collecting is measured against: page after page is asked for, and each record's bytes go to a file as a line.
//! `plain URL FILE` remembers nothing, checks nothing, and gives up at the first trouble.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    #[serde(borrow)]
    next_link: Option<Cow<'a, str>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, url, file] = &arguments[..] else { return Err("plain URL FILE".into()) };
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "no cryptography")?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut file = BufWriter::new(File::create(file)?);
    let mut next = Some(url.clone());
    while let Some(url) = next {
        let body = client.get(url).send().await?.error_for_status()?.bytes().await?;
        let page: Page = serde_json::from_slice(&body)?;
        for record in page.items {
            file.write_all(record.get().as_bytes())?;
            file.write_all(b"\n")?;
        }
        next = page.next_link.map(Cow::into_owned);
    }
    Ok(file.flush()?)
}
