//! `connectome state`

use std::io::{BufRead, IsTerminal, Write};

use connectome_collect::state::State as Database;
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
        return match world.arguments.output {
            Form::Text => print::line(&format!("there is no state in {}", path.display())),
            Form::Json | Form::Jsonl => print::json(&json!([])),
        };
    }
    let database = Database::open(&path)?;
    match &verb.verb {
        StateVerb::Show => show(world, &database),
        StateVerb::Reset { name, yes } => reset(&database, name, *yes),
    }
}

fn show(world: &World, database: &Database) -> Outcome {
    let entries = database.entries()?;
    if world.arguments.output != Form::Text {
        let list: Vec<Value> = entries.iter().map(|entry| json!({ "name": entry.key, "updated": entry.updated, "value": serde_json::from_str::<Value>(&entry.value).unwrap_or_default() })).collect();
        return print::json(&Value::Array(list));
    }
    let rows = entries
        .iter()
        .map(|entry| vec![entry.key.clone(), entry.updated.clone(), format!("{} bytes", entry.value.len())]);
    print::text(&print::table(&["checkpoint", "written", "size"], rows))
}

fn reset(database: &Database, name: &str, yes: bool) -> Outcome {
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
        eprint!("Forget {}? What was given before will be given again. [y/N] ", matching.join(", "));
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        if read.is_err() || !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Error::new(ErrorKind::Input, "nothing was forgotten"));
        }
    }
    let count = database.reset(name)?;
    print::line(&format!("forgot {count}"))
}
