//! Snapshots in words, for pages and the catalog: what is asked for, how often, and what is sent.

use serde_json::{Map, Value as Json, json};

use crate::model::snapshot::Snapshot;
use crate::model::{Next, PagePlace};

/// Everything about a snapshot.
pub fn snapshot(snapshot: &Snapshot) -> Map<String, Json> {
    let deferred = snapshot.deferred.as_ref().map(|it| {
        json!({ "asked_by": it.asked, "state": it.link.join("."), "seconds_between_looks": it.every, "at_most_seconds": it.at_most })
    });
    let gone = snapshot.gone.as_ref().map(|gone| {
        let set = gone.set.iter().map(|(path, value)| (path.join("."), value.clone()));
        json!({ "kept": gone.keep.iter().map(|path| path.join(".")).collect::<Vec<_>>(), "set": set.collect::<Map<_, _>>() })
    });
    let mut entry = Map::new();
    for (key, value) in [
        ("name", json!(snapshot.name)),
        ("title", json!(snapshot.title)),
        ("aliases", json!(snapshot.aliases)),
        ("description", json!(snapshot.doc)),
        ("on_request", if snapshot.on_request { json!(true) } else { Json::Null }),
        ("call", json!(snapshot.call.text())),
        ("body", json!(snapshot.body)),
        ("next_page", json!(next(snapshot))),
        ("most_pages", json!(snapshot.pages)),
        ("key", json!(snapshot.id.join("."))),
        ("every_seconds", json!(snapshot.every)),
        ("mapping", json!(snapshot.mapping)),
        ("lasts_seconds", json!(snapshot.lasts)),
        ("gone", json!(gone)),
        ("deferred", json!(deferred)),
    ] {
        entry.insert(key.to_owned(), value);
    }
    entry
}

fn next(snapshot: &Snapshot) -> String {
    let place = |place: &PagePlace| match place {
        PagePlace::Query(name) => format!("the parameter `{name}`"),
        PagePlace::Body(path) => format!("`{}` of the body", path.join(".")),
    };
    match &snapshot.page.next {
        Next::Cursor { from, place: to } => {
            format!("`{}` of the answer goes into {}, until it is null or empty", from.join("."), place(to))
        }
        Next::Link(path) => format!("`{}` of the answer is its address, until it is null or empty", path.join(".")),
        _ => "there is one page only".to_owned(),
    }
}
