//! Running the steps: they read side by side, one writer maps and stages what they read, and what failed is remembered
//! with everything that depends on it.

use std::collections::{BTreeMap, BTreeSet};

use connectome_core::{Connection, Error, ErrorKind};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::map::Mapper;
use crate::object::Kind;
use crate::report::{Report, Status, StepReport};
use crate::resolve;
use crate::stage::{Difference, Stage, Staged};
use crate::store::Store;
use crate::table::{Dialect, Graph, How, OnlyIf, Step};

/// What was read, staged and compared, and not yet applied.
#[derive(Debug)]
pub struct Gathered {
    /// The staged run.
    pub stage: Stage,
    /// What happened so far.
    pub report: Report,
    /// What would change.
    pub difference: Difference,
    started: Timestamp,
    dialect: &'static str,
}

/// Reads the account and compares it with the local graph, of which nothing is changed.
pub async fn gather(connection: &Connection, mapper: Mapper, store: Store, instance: &str) -> Result<Gathered, Error> {
    let started = Timestamp::now();
    connection.check().await?;
    let (graph, dialect) = (mapper.graph, mapper.dialect);
    let stage = Stage::begin(store, instance)?;
    // Two pages wait at most: reading never runs far ahead of writing.
    let (pages, incoming) = mpsc::channel(2);
    let writer = tokio::task::spawn_blocking(move || write(&mapper, stage, incoming));
    let read = read_all(connection, graph, pages).await;
    let (stage, written) = writer.await.map_err(|error| crashed(&error))??;
    let read = read?;
    let mut report = Report::default();
    for (step, (status, records)) in graph.steps.iter().zip(read) {
        report.steps.push(StepReport { name: step.name, title: step.title, status, records });
    }
    written.into_report(graph, &mut report);
    // When nobody was let in, or nothing answered, the account is unknown and the graph stays.
    if report.is_nothing()
        && let Some(Status::Failed(error)) = report.steps.first().map(|step| step.status.clone())
    {
        return Err(error);
    }
    report.partial = partial_types(graph, dialect, &report.steps);
    tokio::task::spawn_blocking(move || compare(stage, report, dialect, started))
        .await
        .map_err(|error| crashed(&error))?
}

fn crashed(error: &tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Storage, format!("the run broke off: {error}"))
        .advice("nothing was changed; please report this with --log debug")
}

fn compare(stage: Stage, mut report: Report, dialect: &'static Dialect, started: Timestamp) -> Result<Gathered, Error> {
    let partial: BTreeSet<String> = report.partial.keys().cloned().collect();
    for (number, [first, second], edges) in stage.join(dialect)? {
        let table = &dialect.relationships[number];
        if first > 0 && second > 0 && edges == 0 && !partial.contains(table.ty) {
            report.warnings.push(format!(
                "no {} {} {}, though {first} records are on one side and {second} on the other: the two sides of the join have no value in common",
                table.from, table.verb, table.to
            ));
        }
    }
    report.dangling = stage.drop_dangling(&partial)?;
    let difference = stage.difference(&partial)?;
    report.types = difference.types.clone();
    Ok(Gathered { stage, report, difference, started, dialect: dialect.name })
}

impl Gathered {
    /// Makes the local graph what was read. Returns the store, the report and the run's number.
    pub async fn apply(self, instance: &str) -> Result<(Stage, Report, i64), Error> {
        let instance = instance.to_owned();
        let apply = move || {
            let partial: BTreeSet<String> = self.report.partial.keys().cloned().collect();
            let run = self.stage.apply(self.dialect, self.started, Timestamp::now(), &self.report.json(), &partial)?;
            let mut report = self.report;
            report.found = resolve::resolve(self.stage.store(), &instance)?;
            Ok((self.stage, report, run))
        };
        tokio::task::spawn_blocking(apply).await.map_err(|error| crashed(&error))?
    }

    /// The head of a plan: what tells whether it still is what would happen.
    pub fn plan(&self, instance: &str) -> Value {
        json!({ "instance": instance, "dialect": self.dialect, "fingerprint": self.difference.fingerprint })
    }
}

/// What a step read: its number and a page of records.
type Page = (usize, Vec<Value>);

async fn read_all(
    connection: &Connection,
    graph: &'static Graph,
    pages: mpsc::Sender<Page>,
) -> Result<Vec<(Status, u64)>, Error> {
    let ended: Vec<watch::Sender<bool>> = graph.steps.iter().map(|_| watch::Sender::new(false)).collect();
    let mut running = JoinSet::new();
    for (number, step) in graph.steps.iter().enumerate() {
        let before: Vec<watch::Receiver<bool>> = step.after.iter().map(|other| ended[*other].subscribe()).collect();
        let (connection, pages, done) = (connection.clone(), pages.clone(), ended[number].clone());
        running.spawn(async move {
            for mut other in before {
                let _ = other.wait_for(|ended| *ended).await;
            }
            let mut records = 0;
            let outcome = read(&connection, number, step, &pages, &mut records).await;
            done.send_replace(true);
            (number, outcome, records)
        });
    }
    drop(pages);
    let mut outcomes: Vec<(Status, u64)> = graph.steps.iter().map(|_| (Status::Done, 0)).collect();
    while let Some(ended) = running.join_next().await {
        let (number, outcome, records) = ended.map_err(|error| crashed(&error))?;
        let status = match outcome {
            Ok(status) => status,
            // Nobody who asks is let in: what was read says nothing about the account.
            Err(error) if error.kind() == ErrorKind::Auth => return Err(error),
            Err(error) => Status::Failed(explained(error, &graph.steps[number])),
        };
        tracing::info!(step = graph.steps[number].name, records, status = ?status, "step ended");
        outcomes[number] = (status, records);
    }
    Ok(outcomes)
}

async fn read(
    connection: &Connection,
    number: usize,
    step: &'static Step,
    pages: &mpsc::Sender<Page>,
    count: &mut u64,
) -> Result<Status, Error> {
    let nothing = json!({});
    if let Some(only_if) = step.only_if {
        match holds(connection, &only_if).await {
            Ok(true) => {}
            Ok(false) => return Ok(Status::Absent(format!("the account does not have {:?}", only_if.holds))),
            Err(error) if error.kind() == ErrorKind::Auth => return Err(error),
            // That says nothing of the records themselves, which may well be there.
            Err(error) => tracing::warn!(step = step.name, %error, "nobody says whether the account has these records"),
        }
    }
    let mut reading = match connection.open(step.operation, &nothing).await {
        Ok(reading) => reading,
        Err(error) => {
            let status = error.status();
            if step.absent_on.contains(&status) {
                return Ok(Status::Absent(format!("the service answers {status}: the account has none of these")));
            }
            return Err(error);
        }
    };
    while let Some(records) = reading.next_records().await? {
        *count += records.len() as u64;
        if !records.is_empty() && pages.send((number, records)).await.is_err() {
            return Err(Error::new(ErrorKind::Storage, "what was read cannot be staged"));
        }
    }
    if reading.is_listless() {
        // Whoever takes that for an empty list deletes everything.
        let list = step.operation.page.map_or_else(String::new, |page| page.items.join("."));
        let error = Error::new(ErrorKind::Protocol, format!("an answer of the service holds no {list:?}"))
            .advice("check that the URL is the service's; nothing of it was deleted");
        let request = connection.validate(step.operation, &nothing)?;
        return Err(connection.told(step.operation, &connection.request(step.operation, &request)?, error));
    }
    Ok(reading.cut().map_or(Status::Done, |why| Status::Cut(why.to_owned())))
}

/// Whether a list of the service holds a value.
async fn holds(connection: &Connection, only_if: &OnlyIf) -> Result<bool, Error> {
    let mut reading = connection.open(only_if.operation, &json!({})).await?;
    let mut holds = false;
    while let Some(values) = reading.next_records().await? {
        holds |= values.iter().any(|value| value == only_if.holds);
    }
    Ok(holds || reading.is_listless())
}

/// An error of a step, with the permission that it needs.
fn explained(error: Error, step: &Step) -> Error {
    match (error.kind(), step.permission) {
        (ErrorKind::Permission, Some(permission)) => error
            .advice(format!("the key needs the permission {permission:?}; give it to the key's role and run it again")),
        _ => error,
    }
}

/// What the writer saw.
#[derive(Debug, Default)]
struct Written {
    /// Holds the violations, of which there may be as many as there are records, and only the first are kept.
    told: Report,
    repeated: BTreeMap<usize, u64>,
    taken: BTreeMap<usize, String>,
}

impl Written {
    fn into_report(self, graph: &Graph, report: &mut Report) {
        (report.violations, report.violated) = (self.told.violations, self.told.violated);
        for (step, count) in self.repeated {
            report.warnings.push(format!(
                "{} gave {count} {} twice, as a service does when records are added while it is read",
                graph.steps[step].title,
                if count == 1 { "record" } else { "records" }
            ));
        }
        for (step, key) in self.taken {
            let error = Error::new(ErrorKind::Protocol, format!("two different records have the key {key}")).advice(
                "the service gives two things one id: report it to the vendor; everything else was synchronised",
            );
            report.steps[step].status = Status::Failed(error);
        }
    }
}

fn write(mapper: &Mapper, stage: Stage, mut incoming: mpsc::Receiver<Page>) -> Result<(Stage, Written), Error> {
    let mut written = Written::default();
    while let Some((step, records)) = incoming.blocking_recv() {
        for record in &records {
            let mapped = mapper.record(step, record);
            mapped.violations.into_iter().for_each(|text| written.told.violation(text));
            for object in &mapped.objects {
                let staged = stage.add(object)?;
                match (&object.kind, staged) {
                    (Kind::Entity(_), Staged::Same) => *written.repeated.entry(step).or_default() += 1,
                    (Kind::Entity(_), Staged::Taken) => drop(written.taken.insert(step, object.key.clone())),
                    _ => {}
                }
            }
            for (_, object, order) in &mapped.edges {
                stage.add_edge(object, *order)?;
            }
            for side in &mapped.sides {
                stage.add_side(side)?;
            }
        }
    }
    Ok((stage, written))
}

/// The types of which a run has seen only a part, each with the reason.
fn partial_types(graph: &Graph, dialect: &Dialect, steps: &[StepReport]) -> BTreeMap<String, String> {
    let reason = |step: usize| match &steps[step].status {
        Status::Failed(_) => Some(format!("the step {:?} failed", graph.steps[step].title)),
        Status::Cut(why) => Some(format!("{}: {why}", graph.steps[step].title)),
        _ => None,
    };
    let mut partial = BTreeMap::new();
    for entity in dialect.entities {
        partial.extend(reason(entity.step).map(|why| (entity.ty.to_owned(), why)));
    }
    let made_from = |ty: &str| dialect.entities.iter().find(|entity| entity.ty == ty).map(|entity| entity.step);
    for table in dialect.relationships {
        let mut needs: Vec<usize> = match &table.how {
            How::Each { step, .. } => vec![*step],
            How::Join(first, second) => vec![first.step, second.step],
            How::Target(target) => vec![dialect.entities[target.entity].step],
        };
        needs.extend([table.from, table.to].into_iter().filter_map(made_from));
        partial.extend(needs.into_iter().find_map(reason).map(|why| (table.ty.to_owned(), why)));
    }
    partial
}
