//! `connectome check`

use connectome_collect::plan::{Ask, Limits};
use connectome_collect::snapshot::Endpoint;
use connectome_collect::source::{Service, Source, Trouble};
use connectome_collect::view::Page;
use connectome_core::stream::Stream;
use connectome_core::{Connection, Error, ErrorKind};
use serde_json::{Map, Value, json};

use crate::World;
use crate::arguments::{Check, Form};
use crate::configuration::connect;
use crate::exit::Outcome;
use crate::print;
use crate::subject::Subject;
use crate::verbs::collect::Chosen;

/// Streams are asked for the last minute.
const MINUTE: i64 = 60;

pub async fn run(world: &World, verb: &Check) -> Outcome {
    let subject = Subject::find(world, &verb.name, &verb.access)?;
    let connector = subject.connector;
    let chosen = match verb.connection_only {
        true => Chosen::default(),
        false => super::collect::chosen(connector, &verb.streams)?,
    };
    let connection = connect(world, connector, &subject.access)?;
    connection.check().await?;
    let url = connection.origin().root().to_owned();
    let text = world.arguments.output == Form::Text;
    if text {
        let good = match (url.starts_with("https:"), connection.settings().network.verify_tls) {
            (false, _) => "the address and the key are good; nothing is encrypted",
            (true, false) => "the address and the key are good; the certificate was not checked",
            (true, true) => "the address, the certificate and the key are good",
        };
        print::line(&format!("{} at {url}: {good}", connector.title))?;
    }
    let mut told = Map::new();
    let mut failed = Vec::new();
    let mut tried = Vec::new();
    for stream in &chosen.streams {
        tried.push(("stream", stream.name, Some(stream.permission), try_stream(&connection, stream).await));
    }
    for snapshot in &chosen.snapshots {
        let endpoint = Endpoint::new(connection.clone(), snapshot)?;
        tried.push(("snapshot", snapshot.name, None, endpoint.probe().await.map(drop)));
    }
    let count = tried.len();
    for (kind, name, permission, result) in tried {
        match (&result, text) {
            (Ok(()), true) => print::line(&format!("  {kind} {name}: good"))?,
            (Err(error), true) => print::line(&format!("  {kind} {name}: {error}"))?,
            (Ok(()), false) => _ = told.insert(name.to_owned(), json!({ "ok": true })),
            (Err(error), false) => {
                let lacks = permission.filter(|_| error.kind() == ErrorKind::Permission);
                let why = json!({ "ok": false, "error": error.to_string(), "lacks_permission": lacks });
                told.insert(name.to_owned(), why);
            }
        }
        failed.extend(result.err().map(|error| (name, error)));
    }
    if !text {
        let mut document = json!({ "connector": connector.name, "url": url, "ok": failed.is_empty() });
        if count > 0 {
            document["streams"] = Value::Object(told);
        }
        print::json_line(&document)?;
    }
    outcome(&failed, count)
}

/// Whether a stream can be read, as far as a page of the last minute shows.
async fn try_stream(connection: &Connection, stream: &'static Stream) -> Outcome {
    let limits = Limits::of(stream);
    let service = Service::new(connection.clone(), stream, stream.page_sizes.iter().min().copied(), limits.margin)?;
    let to = service.now();
    let ask = Ask { from: to - MINUTE, to, cursor: None };
    let body = match service.page(&ask).await {
        Ok(body) => body,
        Err(Trouble::Stale(error) | Trouble::Slow(error) | Trouble::Failed(error)) => return Err(error),
    };
    let Some(paging) = &stream.read.page else { return Ok(()) };
    let page = Page::read(&body, paging, stream.window.count).map_err(|why| service.wrong(&ask, why))?;
    match page.listless {
        true => service.refusal(&ask, &body).map_or(Ok(()), Err),
        false => Ok(()),
    }
}

fn outcome(failed: &[(&str, Error)], count: usize) -> Outcome {
    let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
    let what = match failed.len() {
        0 => return Ok(()),
        all if all == count => "no stream can be read".to_owned(),
        _ => format!("not every stream can be read; these cannot: {}", names.join(", ")),
    };
    Err(Error::new(ErrorKind::Partial, what)
        .advice("the error of each says why; for a key that collects nothing, --connection-only leaves them out"))
}
