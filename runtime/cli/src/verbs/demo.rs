//! `connectome demo`: scenes of every connector, against simulated services in this process.

mod collection;
mod documents;
mod process;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connectome_collect::rounds::Rounds;
use connectome_collect::state::State;
use connectome_core::clock::{Clock, ManualClock};
use connectome_core::connector::Connector;
use connectome_core::{Connection, Error, ErrorKind, Settings, template};
use connectome_graph::changes::{Since, changes};
use connectome_graph::map::{Instance, Mapper};
use connectome_graph::store::Store;
use connectome_graph::sync::gather;
use connectome_sim::{Act, Options, Running, Scene, Service, Simulator, serve};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::World;
use crate::arguments::Demo;
use crate::configuration::state_path;
use crate::exit::Outcome;
use crate::print;
use crate::verbs::simulate::simulated_parameters;

const TOKEN: &str = "a-token-of-the-demonstration";

pub async fn run(world: &World, _: &Demo) -> Outcome {
    let path = state_path(world)?.with_file_name("demo.sqlite");
    // Each demonstration starts from nothing.
    process::forget(&path);
    let state = State::open(&path)?;
    print::line("Everything below runs on this machine, against simulated services on loopback. Waiting is skipped.")?;
    let mut last = None;
    for service in world.services.iter().filter(|service| !service.demo.is_empty()) {
        let address = ([127, 0, 0, 1], 0).into();
        let served = serve(Simulator::new(service, Options::new(TOKEN)), address, None)
            .await
            .map_err(|error| Error::new(ErrorKind::Connect, format!("no loopback port could be opened: {error}")))?;
        print::line(&format!("\n{} (simulated)", service.connector.title))?;
        show_service(world, service, &served, (&state, &path)).await?;
        last = Some(service.connector);
    }
    print::line(&format!("\nWhat is remembered is in {}", path.display()))?;
    if let Some(connector) = last {
        closing(connector)?;
    }
    Ok(())
}

fn closing(connector: &Connector) -> Outcome {
    let name = connector.name;
    let first = connector.operations.first().map_or("", |operation| operation.name);
    print::line("\nTry next:")?;
    let commands = [
        (format!("describe {name}"), "what it can do"),
        (format!("simulate {name}"), "this service for your own tests"),
        (format!("permissions {name} {first}"), "the least role for an action"),
    ];
    let width = commands.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, what) in commands {
        print::line(&format!("  connectome {command:width$}    {what}"))?;
    }
    Ok(())
}

async fn show_service(
    world: &World,
    service: &'static Service,
    served: &Running,
    (state, path): (&State, &Path),
) -> Outcome {
    let connector = service.connector;
    let parameters = simulated_parameters(connector, &served.url(), TOKEN).into_iter();
    let mut settings = Settings::new(parameters.map(|(name, value)| (name.to_owned(), Value::from(value))).collect());
    let clock = Arc::new(ManualClock::at(Timestamp::now()));
    settings.clock = clock.clone();
    let connection = Connection::new(connector, settings)?;
    if connection.origin().root() != served.url() {
        return Err(Error::new(ErrorKind::Input, "the simulated service cannot take the place of the real one")
            .advice("let `base` of its spec begin with a parameter of the format `base_url`"));
    }
    let mut kept = Map::new();
    let day_ago = clock.now().checked_sub(Duration::from_secs(86_400)).unwrap_or(clock.now());
    kept.insert("day_ago".to_owned(), json!(day_ago.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
    let mut before = None;
    for scene in service.demo {
        let input = filled(scene.input, &kept);
        // What somebody does meanwhile is one story with what comes after it.
        let gap = if matches!(before, Some(Act::Change { .. })) { "" } else { "\n" };
        before = Some(scene.act);
        print::line(&format!("{gap}  {}", scene.say))?;
        let result = match scene.act {
            Act::Action(name) => {
                command(&format!("action {} {name}", connector.name), &input)?;
                act(&connection, connector, name, input).await
            }
            Act::Trigger(name) => {
                command(&format!("trigger {} {name} --once", connector.name), &input)?;
                round(&connection, connector, name, &input, state).await
            }
            Act::Change { of, record, set } => {
                change(served, of, record, set);
                continue;
            }
            Act::Collect => {
                let folder = path.parent().unwrap_or(Path::new(""));
                if !connector.streams.is_empty() {
                    collection::show(service, folder).await?;
                }
                for snapshot in connector.snapshots {
                    documents::show(service, snapshot, folder).await?;
                }
                continue;
            }
            Act::Sync => {
                sync(world, &connection, path).await?;
                continue;
            }
        };
        match result {
            Ok(output) => {
                for (name, path) in scene.keep {
                    kept.insert((*name).to_owned(), at(&output, path).cloned().unwrap_or_default());
                }
                shown(scene, &output)?;
            }
            Err(error) if scene.partly && error.kind() == ErrorKind::Partial => {
                for line in error
                    .to_string()
                    .lines()
                    .filter(|line| line.trim_start().starts_with("item") || !line.starts_with(' '))
                {
                    print::line(&format!("    {line}"))?;
                }
                print::line("    exit code 3")?;
            }
            Err(error) => return Err(error),
        }
        clock.advance(Duration::from_secs(60));
    }
    Ok(())
}

fn change(served: &Running, of: &str, record: &str, set: &str) {
    let key = served.simulator.service().collections.iter().find(|collection| collection.name == of);
    let key = key.map_or("", |collection| collection.key);
    match serde_json::from_str(set) {
        Ok(Value::Object(fields)) if !fields.is_empty() => served.simulator.change(of, key, record, &fields),
        _ => served.simulator.remove(of, key, record),
    };
}

/// Reads the account as a graph. The first time shows what there is, and each further time what changed.
async fn sync(world: &World, connection: &Connection, path: &Path) -> Outcome {
    let connector = connection.connector();
    let graph = super::sync::graph_of(world, connector.name)?;
    let store = Store::open(path)?;
    let first = store.last_run(connector.name)?.is_none();
    print::line(&format!("  $ connectome sync {}", connector.name))?;
    let dialect = &graph.dialects[0];
    let mapper = Mapper { graph, dialect, instance: Instance::default() };
    let gathered = gather(connection, mapper, store, connector.name).await?;
    let (stage, report, _) = gathered.apply(connector.name).await?;
    if first {
        let mut rows: Vec<_> = report.types.iter().collect();
        rows.sort_by_key(|(ty, counts)| (counts.kind, *ty));
        let rows = rows.into_iter().map(|(ty, counts)| vec![ty.clone(), counts.created.to_string()]);
        for line in print::table(&["type", "created"], rows).lines() {
            print::line(&format!("    {line}"))?;
        }
        return Ok(());
    }
    let unchanged: u64 = report.types.values().map(|counts| counts.unchanged).sum();
    let changed = if report.changes() == 1 { "1 change".to_owned() } else { format!("{} changes", report.changes()) };
    print::line(&format!("    {changed}, {unchanged} objects as before"))?;
    print::line(&format!("  $ connectome graph changes {}", connector.name))?;
    changes(stage.store(), Some(connector.name), Since::LastChange, |change| {
        let lines = print::wrap(&change.line(), "      ", WIDTH - 6);
        print::text(&format!("    {}", lines.trim_start()))
    })
}

/// How many characters a line of the demonstration holds.
const WIDTH: usize = 110;

/// A command as it can be typed.
fn command(verb: &str, input: &Value) -> Outcome {
    let (verb, input) = (format!("  $ connectome {verb}"), format!("--input '{input}'"));
    if verb.chars().count() + 1 + input.chars().count() <= WIDTH {
        return print::line(&format!("{verb} {input}"));
    }
    print::line(&format!("{verb} \\\n      {input}"))
}

async fn act(connection: &Connection, connector: &Connector, name: &str, input: Value) -> Result<Value, Error> {
    // The generator checked that the scene's action exists.
    let operation =
        connector.operation(name).ok_or_else(|| Error::new(ErrorKind::Input, format!("no action {name}")))?;
    connection.call(operation, input).await
}

async fn round(
    connection: &Connection,
    connector: &Connector,
    name: &str,
    input: &Value,
    state: &State,
) -> Result<Value, Error> {
    let trigger = connector.trigger(name).ok_or_else(|| Error::new(ErrorKind::Input, format!("no trigger {name}")))?;
    let key = super::trigger::key(connector.name, trigger, connection.origin().root(), input);
    let mut rounds = Rounds::new(connection.clone(), trigger, input, state.load(&key)?.as_deref())?;
    let round = rounds.next().await?;
    let event = round.event.clone();
    state.save(&key, &rounds.accept(round))?;
    Ok(event)
}

/// The scene's input with kept values in their places.
fn filled(input: &str, kept: &Map<String, Value>) -> Value {
    fn fill(value: Value, kept: &Map<String, Value>) -> Value {
        match value {
            Value::String(text) => Value::from(template::fill(&text, kept)),
            Value::Array(items) => items.into_iter().map(|item| fill(item, kept)).collect(),
            Value::Object(fields) => {
                Value::Object(fields.into_iter().map(|(name, value)| (name, fill(value, kept))).collect())
            }
            other => other,
        }
    }
    fill(serde_json::from_str(input).unwrap_or_default(), kept)
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| match key.parse::<usize>() {
        Ok(index) if value.is_array() => value.get(index),
        _ => value.get(key),
    })
}

/// `status` is a value; `alerts[3]: id, severity` is three rows of a list.
fn shown(scene: &Scene, output: &Value) -> Outcome {
    for show in scene.show {
        match show.split_once("]: ").and_then(|(head, columns)| Some((head.split_once('[')?, columns))) {
            Some(((list, count), columns)) => {
                let columns: Vec<&str> = columns.split(", ").collect();
                let rows = at(output, list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let cells = rows
                    .iter()
                    .take(count.parse().unwrap_or(3))
                    .map(|row| columns.iter().map(|column| at(row, column).map(plain).unwrap_or_default()).collect());
                for line in print::table(&columns, cells).lines() {
                    print::line(&format!("    {line}"))?;
                }
            }
            None => print::line(&format!("    {show}: {}", at(output, show).map(plain).unwrap_or_default()))?,
        }
    }
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
