//! `connectome sync`

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connectome_collect::state::State;
use connectome_core::{Connection, Error, ErrorKind};
use connectome_graph::Graph;
use connectome_graph::changes::planned;
use connectome_graph::map::{Instance, Mapper};
use connectome_graph::report::{Report, Status};
use connectome_graph::source::Lookups;
use connectome_graph::stage::{Difference, Stage};
use connectome_graph::store::Store;
use connectome_graph::sync::{Gathered, gather};
use connectome_sinks::jupiterone::{self, Destination, Plan, feed};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::World;
use crate::arguments::{Access, Form, Sync as Verb};
use crate::configuration::{bare_settings, connect, state_path};
use crate::exit::{Outcome, interrupted};
use crate::instances::{Strictness, Synchronised, instance, synchronised};
use crate::print;

pub async fn run(world: &World, verb: &Verb) -> Outcome {
    let mut instances = synchronised(world, verb.name.as_deref())?;
    if verb.all {
        instances.retain(|instance| graph_of(world, &instance.connector).is_ok());
    }
    if let (Some(named), Some(first)) = (&verb.access.instance, instances.first()) {
        // One that is not there, or of another connector, is told.
        instance(world, world.connector(&first.connector)?, &verb.access)?;
        instances.retain(|it| it.name == *named);
    }
    if instances.is_empty() {
        let name = world.graphs.first().map_or("NAME", |(connector, _)| connector.name);
        return Err(Error::new(ErrorKind::Configuration, "there is no instance to synchronise").advice(format!(
            "write [instances.NAME] into connectome.toml, or name a connector: `connectome sync {name}`"
        )));
    }
    for instance in &instances {
        graph_of(world, &instance.connector)?;
    }
    let stop = interrupted();
    tokio::pin!(stop);
    if verb.watch {
        return watch(world, verb, &instances, stop).await;
    }
    let mut outcome = Ok(());
    for instance in &instances {
        let ended = tokio::select! {
            biased;
            () = &mut stop => return Err(stopped()),
            ended = once(world, verb, instance) => ended,
        };
        // One account that fails keeps none of the others from being read.
        if let Err(error) = ended {
            if instances.len() > 1 {
                print::tell(&format!("error: {}: {error}", instance.name));
            }
            outcome = match outcome {
                Err(worse) if kind_rank(&worse) > kind_rank(&error) => Err(worse),
                _ => Err(error),
            };
        }
    }
    outcome
}

fn kind_rank(error: &Error) -> u8 {
    u8::from(error.kind() != ErrorKind::Partial)
}

fn stopped() -> Error {
    Error::new(ErrorKind::Interrupted, "interrupted; the local graph is as the last run left it")
}

/// Follows the intervals. An instance that is due was last run longer ago than its interval, or never.
async fn watch(
    world: &World,
    verb: &Verb,
    instances: &[Synchronised],
    mut stop: std::pin::Pin<&mut impl Future<Output = ()>>,
) -> Outcome {
    let watched: Vec<(&Synchronised, u64)> =
        instances.iter().filter_map(|instance| Some((instance, instance.interval.seconds?))).collect();
    if watched.is_empty() {
        return Err(Error::new(
            ErrorKind::Configuration,
            "every instance is DISABLED: nothing is synchronised by itself",
        )
        .advice("set polling_interval in connectome.toml, or leave --watch out"));
    }
    let mut due: Vec<Timestamp> = Vec::new();
    for (instance, seconds) in &watched {
        let last = Store::open(&state_path(world)?)?.last_run(&instance.name)?.map(|run| run.started);
        due.push(last.map_or_else(Timestamp::now, |last| later(last, *seconds)));
    }
    loop {
        let (at, next) =
            due.iter().enumerate().min_by_key(|(_, due)| **due).map_or((0, Timestamp::now()), |(at, due)| (at, *due));
        let wait = next.duration_since(Timestamp::now());
        let wait = if wait.is_negative() { Duration::ZERO } else { wait.unsigned_abs() };
        tokio::select! {
            biased;
            () = &mut stop => return Err(stopped()),
            () = tokio::time::sleep(wait) => {}
        }
        let (instance, seconds) = watched[at];
        due[at] = later(Timestamp::now(), seconds);
        let ended = tokio::select! {
            biased;
            () = &mut stop => return Err(stopped()),
            ended = once(world, verb, instance) => ended,
        };
        if let Err(error) = ended {
            if matches!(error.kind(), ErrorKind::Configuration | ErrorKind::Input) {
                return Err(error);
            }
            print::tell(&format!("warning: {}: {error}\n  the next run is at {}", instance.name, due[at]));
        }
    }
}

fn later(time: Timestamp, seconds: u64) -> Timestamp {
    time.checked_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// The graph of a connector.
pub fn graph_of(world: &World, connector: &str) -> Result<&'static Graph, Error> {
    let found = world.graphs.iter().find(|(known, _)| known.name == connector);
    found.map(|(_, graph)| *graph).ok_or_else(|| {
        let names: Vec<&str> = world.graphs.iter().map(|(connector, _)| connector.name).collect();
        Error::new(ErrorKind::Input, format!("{connector} does not see an account as a graph"))
            .advice(format!("these do: {}", names.join(", ")))
    })
}

/// Reads one account and brings the local graph, and what is behind `--to`, up to date.
async fn once(world: &World, verb: &Verb, instance: &Synchronised) -> Outcome {
    let connector = world.connector(&instance.connector)?;
    let graph = graph_of(world, &instance.connector)?;
    let plan = verb.apply.as_deref().map(|path| read_plan(path, &instance.name)).transpose()?;
    let connection = connect(world, connector, &access(verb, instance))?;
    let mapper = mapper(graph, instance, &connection)?;
    let destinations = destinations(world, verb, instance)?;
    let path = state_path(world)?;
    let state = State::open(&path)?;
    let _claim = state.claim(&format!("sync/{}", instance.name))?;
    let gathered = gather(&connection, mapper, Store::open(&path)?, &instance.name).await?;
    strict(instance, &gathered.report)?;
    if let Some(fingerprint) = plan
        && fingerprint != gathered.difference.fingerprint
    {
        return Err(Error::new(
            ErrorKind::Conflict,
            "the account or the local graph is not as it was when the plan was made",
        )
        .advice("nothing was changed; make a new plan with --plan and look at it"));
    }
    if verb.plan {
        return show_plan(world, instance, &gathered);
    }
    let (stage, report, _) = gathered.apply(&instance.name).await?;
    let stage = Arc::new(Mutex::new(stage));
    let mut uploads = Vec::new();
    let mut outcome = ended(&report);
    for destination in &destinations {
        match upload(destination, &instance.name, &report, &stage).await {
            Ok(told) => uploads.push(told),
            // What is kept here stays, and the next run uploads it again.
            Err(error) => {
                uploads.push(json!({ "destination": destination.name(), "error": error.to_json()["error"] }));
                let first = error.parts().advice.as_ref().map_or_else(String::new, |advice| format!("{advice}; "));
                outcome = Err(error.advice(format!("{first}the local graph is up to date: run it again to upload it")));
            }
        }
    }
    show(world, instance, connector.title, &report, &uploads)?;
    outcome
}

/// Where the graph goes besides, checked before anything is read.
fn destinations(world: &World, verb: &Verb, instance: &Synchronised) -> Result<Vec<Destination>, Error> {
    let parse = |text: &String| {
        let destination = Destination::parse(text, None, bare_settings(world, &verb.access))?;
        for warning in destination.warnings() {
            print::tell(&format!("warning: {warning}"));
        }
        Ok(destination)
    };
    instance.to.iter().chain(&verb.to).map(parse).collect()
}

/// Uploads what was read, unless the destination has it already.
async fn upload(
    destination: &Destination,
    instance: &str,
    report: &Report,
    stage: &Arc<Mutex<Stage>>,
) -> Result<Value, Error> {
    let lock = || stage.lock().unwrap_or_else(PoisonError::into_inner);
    let state = lock().store().state(instance)?;
    if lock().store().uploaded(instance, destination.name())? == Some(state) {
        return Ok(json!({ "destination": destination.name(), "uploaded": false }));
    }
    let fed = stage.clone();
    let objects = feed(move |see| fed.lock().unwrap_or_else(PoisonError::into_inner).each(see));
    let summary = jupiterone::upload(destination, Plan::of(report), objects, interrupted()).await?;
    lock().store().note_upload(instance, destination.name(), state)?;
    let mut told = summary.json();
    told["destination"] = json!(destination.name());
    told["uploaded"] = json!(true);
    Ok(told)
}

/// What the exit code says of a report.
fn ended(report: &Report) -> Outcome {
    if report.is_whole() {
        return Ok(());
    }
    let causes: Vec<String> = report.partial.iter().map(|(ty, why)| format!("{ty}: {why}")).collect();
    Err(Error::new(
        ErrorKind::Partial,
        format!("the account was read in part; nothing was deleted of {}", causes.join("; ")),
    )
    .advice("see the steps that failed, mend the cause and run it again"))
}

/// How the account is reached: as the flags say, and as its instance of the configuration.
fn access(verb: &Verb, instance: &Synchronised) -> Access {
    let mut access = verb.access.clone();
    if instance.configured {
        access.instance = Some(instance.name.clone());
    }
    access
}

fn mapper(graph: &'static Graph, instance: &Synchronised, connection: &Connection) -> Result<Mapper, Error> {
    let dialect = match &instance.dialect {
        None => graph.dialects.first(),
        Some(name) => graph.dialect(name),
    };
    let dialect = dialect.ok_or_else(|| {
        let names: Vec<&str> = graph.dialects.iter().map(|dialect| dialect.name).collect();
        Error::new(
            ErrorKind::Configuration,
            format!(
                "instance {:?}: there is no dialect {:?}",
                instance.name,
                instance.dialect.as_deref().unwrap_or_default()
            ),
        )
        .advice(format!("there are: {}", names.join(", ")))
    })?;
    let mut lookups = Lookups::default();
    for (name, path) in &instance.lookups {
        if !graph.lookups.iter().any(|(known, _)| known == name) {
            let names: Vec<&str> = graph.lookups.iter().map(|(name, _)| *name).collect();
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("instance {:?}: there is no lookup {name:?}", instance.name),
            )
            .advice(format!("there are: {}", names.join(", "))));
        }
        lookups.0.insert(name.clone(), read_lookup(path)?);
    }
    let mut tags = Map::new();
    if instance.tag_with_account_name {
        tags.insert("tag.AccountName".to_owned(), Value::from(instance.account_name.clone()));
    }
    Ok(Mapper { graph, dialect, instance: Instance { tags, lookups, redactor: connection.redactor().clone() } })
}

/// A table of the operator: a JSON object of texts, or lines of `KEY,VALUE`.
fn read_lookup(path: &Path) -> Result<HashMap<String, String>, Error> {
    let wrong = |why: String| {
        Error::new(ErrorKind::Configuration, format!("the lookup {}: {why}", path.display()))
            .advice("write a JSON object of texts, or lines of KEY,VALUE")
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    if text.trim_start().starts_with('{') {
        let object: HashMap<String, String> = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        return Ok(object.into_iter().map(|(key, value)| (key.trim().to_lowercase(), value)).collect());
    }
    let mut table = HashMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(',') {
            Some((key, value)) if !key.trim().is_empty() && !value.trim().is_empty() && !value.contains(['"', ',']) => {
                table.insert(key.trim().to_lowercase(), value.trim().to_owned());
            }
            _ => return Err(wrong(format!("line {} is not KEY,VALUE", number + 1))),
        }
    }
    Ok(table)
}

/// The fingerprint of a saved plan.
fn read_plan(path: &Path, instance: &str) -> Result<String, Error> {
    let wrong = |why: String| {
        Error::new(ErrorKind::Input, format!("the plan {}: {why}", path.display()))
            .advice("save one with `connectome sync NAME --plan --output json > plan.json`")
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let plan: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let field = |name: &str| plan["plan"][name].as_str().map(str::to_owned);
    match (field("instance"), field("fingerprint")) {
        (Some(of), _) if of != instance => Err(wrong(format!("it is of the instance {of:?}"))),
        (Some(_), Some(fingerprint)) => Ok(fingerprint),
        _ => Err(wrong("it is not a plan".to_owned())),
    }
}

/// Violations of the data model, as strict as the instance is.
fn strict(instance: &Synchronised, report: &Report) -> Outcome {
    if report.violated == 0 || instance.strictness == Strictness::Off {
        return Ok(());
    }
    for violation in &report.violations {
        print::tell(&format!("warning: {violation}"));
    }
    let untold = report.violated - report.violations.len() as u64;
    if untold > 0 {
        print::tell(&format!("warning: and {untold} more"));
    }
    if instance.strictness == Strictness::Error {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("{} of the data model", counted(report.violated, "violation", "violations")),
        )
        .advice("nothing was changed; set strictness = \"warn\" to keep these objects anyway"));
    }
    Ok(())
}

fn show_plan(world: &World, instance: &Synchronised, gathered: &Gathered) -> Outcome {
    match world.arguments.output {
        Form::Text => {
            let mut shown = 0_u64;
            gathered.stage.changes(|change| {
                shown += 1;
                if shown <= 200 { print::line(&planned(&instance.name, &change).line()) } else { Ok(()) }
            })?;
            if shown > 200 {
                print::line(&format!("… and {} more; --output json shows all", shown - 200))?;
            }
            print::text(&types(&gathered.difference))?;
            print::line(&format!("{}; nothing was changed", counted(shown, "change", "changes")))?;
        }
        Form::Json | Form::Jsonl => {
            // Written as it is read: a first run may plan as many changes as the account has objects.
            let (plan, report) = (gathered.plan(&instance.name), gathered.report.json());
            print::text(&format!("{{\"plan\":{plan},\"report\":{report},\"changes\":["))?;
            let mut first = true;
            gathered.stage.changes(|change| {
                let comma = if std::mem::take(&mut first) { "\n" } else { ",\n" };
                print::text(&format!("{comma}{}", planned(&instance.name, &change).json()))
            })?;
            print::line("\n]}")?;
        }
    }
    ended(&gathered.report)
}

fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

fn types(difference: &Difference) -> String {
    let row = |(ty, counts): (&String, &connectome_graph::report::Counts)| {
        [ty.clone()]
            .into_iter()
            .chain(
                [counts.created, counts.updated, counts.unchanged, counts.deleted, counts.kept]
                    .map(|it| it.to_string()),
            )
            .collect()
    };
    let mut rows: Vec<_> = difference.types.iter().collect();
    rows.sort_by_key(|(ty, counts)| (counts.kind, *ty));
    print::table(&["type", "created", "updated", "unchanged", "deleted", "kept"], rows.into_iter().map(row))
}

/// The report of a run.
fn show(world: &World, instance: &Synchronised, title: &str, report: &Report, uploads: &[Value]) -> Outcome {
    match world.arguments.output {
        Form::Json | Form::Jsonl => {
            let mut document = json!({ "instance": instance.name, "connector": instance.connector });
            if let (Value::Object(document), Value::Object(report)) = (&mut document, report.json()) {
                document.extend(report);
                if !uploads.is_empty() {
                    document.insert("uploads".to_owned(), uploads.into());
                }
            }
            print::document(world.arguments.output, &document)
        }
        Form::Text => {
            let description = instance.description.as_ref().map_or(String::new(), |text| format!(": {text}"));
            print::line(&format!("{title}, {}{description}", instance.account_name))?;
            let steps = report.steps.iter().map(|step| {
                let status = match &step.status {
                    Status::Done => "done".to_owned(),
                    Status::Absent(why) => format!("absent: {why}"),
                    Status::Cut(why) => format!("in part: {why}"),
                    Status::Failed(error) => format!("failed: {}", error.to_string().replace('\n', " ")),
                };
                vec![step.title.to_owned(), step.records.to_string(), status]
            });
            print::text(&print::table(&["step", "records", "status"], steps))?;
            print::line("")?;
            let difference = Difference { types: report.types.clone(), ..Difference::default() };
            print::text(&types(&difference))?;
            for warning in &report.warnings {
                print::tell(&format!("warning: {warning}"));
            }
            let changes = report.changes();
            print::line(&match changes {
                0 => "nothing changed".to_owned(),
                1 => format!("1 change; `connectome graph changes {}` shows it", instance.name),
                _ => format!("{changes} changes; `connectome graph changes {}` shows them", instance.name),
            })?;
            for upload in uploads {
                let text = |name: &str| upload[name].as_str().unwrap_or_default();
                print::line(&match upload["uploaded"].as_bool() {
                    Some(true) => format!(
                        "{}: {} entities and {} relationships uploaded, {}",
                        text("destination"),
                        upload["entities"],
                        upload["relationships"],
                        text("status")
                    ),
                    Some(false) => format!("{}: as it is here already; nothing was uploaded", text("destination")),
                    None => {
                        let why = upload["error"]["message"].as_str().unwrap_or_default();
                        format!("{}: not uploaded: {why}", text("destination"))
                    }
                })?;
            }
            Ok(())
        }
    }
}
