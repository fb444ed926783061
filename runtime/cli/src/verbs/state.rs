//! `connectome state`

use std::io::{BufRead, IsTerminal};

use connectome_collect::state::{Claim, State as Database};
use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::World;
use crate::arguments::{Form, State, StateVerb};
use crate::configuration::state_path;
use crate::exit::Outcome;
use crate::print;

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
    match &verb.verb {
        StateVerb::Show => show(world, &database),
        StateVerb::Reset { name, yes } => reset(world, &database, name, *yes),
    }
}

fn show(world: &World, database: &Database) -> Outcome {
    let entries = database.entries()?;
    // A damaged value is shown as the text that it is.
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
    let mut list = entries
        .iter()
        .map(|entry| json!({ "name": entry.key, "updated": entry.updated, "value": value(&entry.value) }));
    match world.arguments.output {
        Form::Text => {}
        Form::Json => return print::json(&list.collect()),
        Form::Jsonl => return list.try_for_each(|entry| print::json_line(&entry)),
    }
    let rows =
        entries.iter().map(|entry| vec![entry.key.clone(), entry.updated.clone(), format!("{} B", entry.value.len())]);
    print::text(&print::table(&["checkpoint", "written", "size"], rows))
}

fn reset(world: &World, database: &Database, name: &str, yes: bool) -> Outcome {
    let matching: Vec<String> =
        database.entries()?.into_iter().map(|entry| entry.key).filter(|key| key.starts_with(name)).collect();
    if matching.is_empty() {
        return Err(Error::new(ErrorKind::Input, format!("no checkpoint begins with {name:?}"))
            .advice("`connectome state show` lists them"));
    }
    if !yes {
        if !std::io::stdin().is_terminal() {
            return Err(Error::new(ErrorKind::Input, "this forgets checkpoints, and nobody is here to be asked")
                .advice("add --yes"));
        }
        print::ask(&format!("Forget {}? What was given before will be given again. [y/N] ", matching.join(", ")));
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        if read.is_err() || !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Error::new(ErrorKind::Input, "nothing was forgotten"));
        }
    }
    // One that is in use would be written again by the trigger that uses it.
    let _claims: Vec<Claim> = matching.iter().map(|key| database.claim(key)).collect::<Result<_, _>>()?;
    let count = database.reset(name)?;
    match world.arguments.output {
        Form::Text => print::line(&format!("forgot {}", matching.join(", "))),
        form => print::document(form, &json!({ "forgotten": count })),
    }
}
