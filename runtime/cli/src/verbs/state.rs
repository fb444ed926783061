//! `connectome state`

use std::io::{BufRead, IsTerminal};

use connectome_collect::ledger::{Database as Ledgers, Entry as Collection};
use connectome_collect::state::{Claim, State as Database};
use connectome_core::{Error, ErrorKind};
use connectome_graph::store::Store;
use serde_json::{Value, json};

use crate::World;
use crate::arguments::{Form, State, StateVerb};
use crate::configuration::state_path;
use crate::exit::Outcome;
use crate::print;
use crate::verbs::collect::places;

pub fn run(world: &World, verb: &State) -> Outcome {
    let path = state_path(world)?;
    if !path.exists() {
        return match (&verb.verb, world.arguments.output) {
            (StateVerb::Reset { .. }, _) => {
                Err(Error::new(ErrorKind::Input, format!("there is no state in {}", path.display()))
                    .advice("there is nothing to forget; --state names another file"))
            }
            (StateVerb::Show, Form::Text) => print::line(&format!("there is no state in {}", path.display())),
            (StateVerb::Show, Form::Json) => print::json(&json!([])),
            (StateVerb::Show, Form::Jsonl) => Ok(()),
        };
    }
    let database = Database::open(&path)?;
    let graph = Store::open_existing(&path)?;
    let ledgers = places(&path)?.iter().map(|path| Ledgers::open(path, false)).collect::<Result<Vec<_>, _>>()?;
    match &verb.verb {
        StateVerb::Show => show(world, &database, graph.as_ref(), &ledgers),
        StateVerb::Reset { name, yes } => reset(world, (&database, graph.as_ref(), &ledgers), name, *yes),
    }
}

/// The collections, wherever their progress is remembered.
fn collections(ledgers: &[Ledgers], start: &str) -> Result<Vec<Collection>, Error> {
    Ok(ledgers.iter().map(|ledgers| ledgers.entries(start)).collect::<Result<Vec<_>, _>>()?.concat())
}

/// The graphs in the file, by the names that they have here: instances and their numbers of objects.
fn graphs(graph: Option<&Store>) -> Result<Vec<(String, String, u64)>, Error> {
    let instances = graph.map(Store::instances).transpose()?.unwrap_or_default();
    Ok(instances.into_iter().map(|(instance, count)| (format!("graph/{instance}"), instance, count)).collect())
}

/// What is remembered of a collection.
fn remembered(entry: &Collection) -> Value {
    entry.checkpoint.as_ref().map_or_else(|| json!(entry.progress), |point| json!(point))
}

fn show(world: &World, database: &Database, graph: Option<&Store>, ledgers: &[Ledgers]) -> Outcome {
    let entries = database.entries()?;
    let graphs = graphs(graph)?;
    let collections = collections(ledgers, "")?;
    // A damaged value is shown as the text that it is.
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let mut list = entries
        .iter()
        .map(|entry| json!({ "name": entry.key, "updated": entry.updated, "value": value(&entry.value) }))
        .chain(graphs.iter().map(|(name, _, count)| json!({ "name": name, "objects": count })))
        .chain(
            collections
                .iter()
                .map(|it| json!({ "name": it.name, "updated": it.updated.to_string(), "value": remembered(it) })),
        );
    match world.arguments.output {
        Form::Text => {}
        Form::Json => return print::json(&list.collect()),
        Form::Jsonl => return list.try_for_each(|entry| print::json_line(&entry)),
    }
    let rows = entries
        .iter()
        .map(|entry| vec![entry.key.clone(), entry.updated.clone(), format!("{} B", entry.value.len())])
        .chain(graphs.iter().map(|(name, _, count)| vec![name.clone(), String::new(), format!("{count} objects")]))
        .chain(collections.iter().map(|it| {
            let size = match (&it.checkpoint, &it.progress) {
                (None, Some(progress)) => format!("{} documents", progress.totals.delivered),
                (point, _) => format!("{} events", point.as_ref().map_or(0, |point| point.counts.delivered)),
            };
            vec![it.name.clone(), it.updated.to_string(), size]
        }));
    print::text(&print::table(&["name", "written", "size"], rows))
}

fn reset(
    world: &World,
    (database, graph, ledgers): (&Database, Option<&Store>, &[Ledgers]),
    name: &str,
    yes: bool,
) -> Outcome {
    let checkpoints: Vec<String> =
        database.entries()?.into_iter().map(|entry| entry.key).filter(|key| key.starts_with(name)).collect();
    let mut graphs = graphs(graph)?;
    // The name of one instance may begin another's.
    graphs.retain(|(key, ..)| key == name || "graph/".starts_with(name));
    let collections: Vec<String> = collections(ledgers, name)?.into_iter().map(|it| it.name).collect();
    let named = graphs.iter().map(|(key, ..)| key);
    let matching: Vec<String> = checkpoints.iter().chain(named).chain(&collections).cloned().collect();
    if matching.is_empty() {
        return Err(Error::new(
            ErrorKind::Input,
            format!("no checkpoint, no collection and no graph begins with {name:?}"),
        )
        .advice("`connectome state show` lists them"));
    }
    if !yes {
        if !std::io::stdin().is_terminal() {
            return Err(Error::new(ErrorKind::Input, "this forgets what is kept, and nobody is here to be asked")
                .advice("add --yes"));
        }
        let again = if checkpoints.is_empty() && collections.is_empty() {
            ""
        } else {
            " Triggers and snapshots will give again what they gave before; streams begin where --first-fetch says."
        };
        let history = if graphs.is_empty() { "" } else { " The history of a graph goes with it." };
        print::ask(&format!("Forget {}?{again}{history} [y/N] ", matching.join(", ")));
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        if read.is_err() || !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Error::new(ErrorKind::Input, "nothing was forgotten"));
        }
    }
    // One that is in use would be written again by the trigger that uses it.
    let syncs = graphs.iter().map(|(_, instance, _)| format!("sync/{instance}"));
    let claims = checkpoints.iter().cloned().chain(syncs).map(|key| database.claim(&key));
    let _claims: Vec<Claim> = claims.collect::<Result<_, _>>()?;
    let mut held = Vec::new();
    for ledgers in ledgers {
        for one in ledgers.entries(name)? {
            held.push(ledgers.claim(&one.name)?);
        }
    }
    for ledgers in ledgers {
        ledgers.reset(name)?;
    }
    database.reset(name)?;
    for (_, instance, _) in &graphs {
        graph.map(|graph| graph.forget(instance)).transpose()?;
    }
    match world.arguments.output {
        Form::Text => print::line(&format!("forgot {}", matching.join(", "))),
        form => print::document(form, &json!({ "forgotten": matching.len() })),
    }
}
