//! A job from its beginning to its end.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use connectome_core::request::Body;
use connectome_core::{Error, ErrorKind};
use connectome_graph::object::Object;
use connectome_graph::report::Report;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::batch::{Batch, Packed, Part, shrink};
use super::calls::{self, Caller, Failed, as_it_is, code, is_passing};
use super::destination::{Destination, Limits};
use super::event::{self, Event, reason};
use super::job::{Job, Phase, Summary};

/// What comes from whoever has the objects: entities, then relationships, then the end.
#[derive(Debug)]
pub enum Feed {
    /// An object.
    Object(Box<Object>),
    /// That was all. Without it the upload is given up: what is not uploaded is deleted.
    End,
    /// There will be no more: the upload is given up for this reason.
    Failed(Error),
}

/// Feeds what a function hands over, which runs beside the upload. Few objects wait at a time.
pub fn feed(
    each: impl FnOnce(&mut dyn FnMut(Object) -> Result<(), Error>) -> Result<(), Error> + Send + 'static,
) -> mpsc::Receiver<Feed> {
    let (sender, receiver) = mpsc::channel(64);
    tokio::task::spawn_blocking(move || {
        let gone = |_| Error::new(ErrorKind::Interrupted, "the upload has ended");
        let ended = each(&mut |object| sender.blocking_send(Feed::Object(Box::new(object))).map_err(gone));
        // Nobody listens when the upload itself has ended.
        let _ = sender.blocking_send(ended.map_or_else(Feed::Failed, |()| Feed::End));
    });
    receiver
}

/// What is told with an upload.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Types of which the objects are not all there: nothing of them is deleted.
    pub partial: BTreeSet<String>,
    /// Entries of the log before the upload.
    pub before: Vec<Event>,
    /// Entries of the log after it.
    pub after: Vec<Event>,
}

impl Plan {
    /// Tells of a run.
    pub fn of(report: &Report) -> Self {
        Self {
            partial: report.partial.keys().cloned().collect(),
            before: event::started(report),
            after: event::ended(report),
        }
    }
}

/// Makes the destination's part of the graph what is fed, and waits until that is done.
///
/// When `stop` comes first, or anything fails but single batches, the job is aborted and the graph stays as it was.
/// When single batches fail, the rest is finalized, nothing is deleted of the types in them, and the error is of the kind
/// [`ErrorKind::Partial`] with the summary as its output.
pub async fn upload(
    destination: &Destination,
    plan: Plan,
    objects: mpsc::Receiver<Feed>,
    stop: impl Future<Output = ()>,
) -> Result<Summary, Error> {
    let mut stop = std::pin::pin!(stop);
    let caller = Caller::new(destination.connection.clone());
    let job = tokio::select! {
        biased;
        () = &mut stop => return Err(interrupted("nothing was uploaded")),
        job = create(destination, &caller) => job?,
    };
    tracing::info!(job = job.id, destination = destination.name(), "the job awaits uploads");
    let mut run = Upload {
        destination,
        caller,
        summary: Summary { job, partial: plan.partial.clone(), ..Summary::default() },
        running: JoinSet::new(),
        first_failure: None,
    };
    let filled = tokio::select! {
        biased;
        () = &mut stop => Err(interrupted("the job is aborted")),
        filled = async {
            run.fill(&plan, objects).await?;
            run.finalize(&plan.after).await
        } => filled,
    };
    if let Err(error) = filled {
        // What is still on its way is called back before the job is.
        run.running.shutdown().await;
        run.abort(&error).await;
        return Err(error);
    }
    tokio::select! {
        biased;
        () = &mut stop => Err(interrupted("everything was uploaded and the platform goes on by itself").advice(format!(
            "look for the job {} in the product", run.summary.job.id
        ))),
        waited = run.wait() => waited.map_err(|error| error.output(run.summary.json())),
    }?;
    run.conclude()
}

fn interrupted(what: &str) -> Error {
    Error::new(ErrorKind::Interrupted, format!("the upload was interrupted: {what}"))
}

async fn create(destination: &Destination, caller: &Caller) -> Result<Job, Error> {
    let body = json!({ "source": "integration-external", "integrationInstanceId": destination.instance });
    let request = caller.request(&calls::CREATE, "", Body::Json(body));
    // Two jobs are no harm: one that is never finalized changes nothing.
    let answer = caller.ask(&calls::CREATE, request, as_it_is).await.map_err(|failed| match failed.error.kind() {
        ErrorKind::Auth | ErrorKind::Permission => failed.error.advice(format!(
            "check the key in {} and the account; the key needs the permission persister:Synchronize",
            super::KEY_VARIABLE
        )),
        ErrorKind::Invalid | ErrorKind::NotFound => {
            failed.error.advice("check the id of the integration instance: make a custom one in the product")
        }
        _ => failed.error,
    })?;
    Job::read(&answer).map_err(|error| error.operation(calls::CREATE.name))
}

/// How many objects that are left out are told to the job's log one by one.
const TOLD: u64 = 100;

struct Upload<'a> {
    destination: &'a Destination,
    caller: Caller,
    summary: Summary,
    running: JoinSet<(Packed, Result<Value, Failed>)>,
    first_failure: Option<Error>,
}

impl Upload<'_> {
    fn limits(&self) -> Limits {
        self.destination.limits
    }

    /// Posts to the log. That is a courtesy: what fails is logged here, and ignored.
    async fn tell(&self, events: &[Event]) {
        for event in events {
            let mut event = event.json();
            self.destination.connection.redactor().clean_value(&mut event);
            let body = Body::Json(json!({ "events": [event] }));
            let request = self.caller.request(&calls::EVENTS, &self.summary.job.id, body);
            if let Err(error) = self.caller.once(&calls::EVENTS, &request).await {
                tracing::warn!(%error, "the job's log does not take an entry");
            }
        }
    }

    /// Uploads everything, and returns when it is there.
    async fn fill(&mut self, plan: &Plan, mut objects: mpsc::Receiver<Feed>) -> Result<(), Error> {
        self.tell(&plan.before).await;
        let mut part = Part::Entities;
        let mut batch = Batch::new(part)?;
        loop {
            let object = match objects.recv().await {
                Some(Feed::Object(object)) => object,
                Some(Feed::End) => break,
                Some(Feed::Failed(error)) => return Err(error),
                None => {
                    return Err(Error::new(ErrorKind::Storage, "the objects broke off before their end")
                        .advice("the job was aborted, and the graph is as it was before; run it again"));
                }
            };
            let next = Part::of(&object.kind);
            if next != part {
                if next < part {
                    return Err(Error::new(ErrorKind::Storage, "an entity came after the relationships"));
                }
                // A relationship needs its ends: all entities are there before the first leaves.
                let full = std::mem::replace(&mut batch, Batch::new(next)?);
                self.send(full).await?;
                self.settle_until(0).await?;
                part = next;
            }
            let Some(text) = self.written(&object, part).await else { continue };
            if !batch.has_room(text.len(), self.limits().batch) {
                let full = std::mem::replace(&mut batch, Batch::new(part)?);
                self.send(full).await?;
            }
            batch.push(&text, &object.ty)?;
        }
        self.send(batch).await?;
        self.settle_until(0).await
    }

    /// An object as JSON, without its record if it is too large with it; `None` if it is too large at all.
    async fn written(&mut self, object: &Object, part: Part) -> Option<String> {
        let limit = self.limits().batch;
        for with_raw in [true, false] {
            let text = Value::Object(object.json(with_raw)).to_string();
            if Batch::fits_alone(part, text.len(), limit) {
                if !with_raw {
                    let what =
                        format!("{} is larger than {limit} bytes: it is uploaded without its record", object.key);
                    self.summary.warn(what);
                }
                return Some(text);
            }
        }
        let what =
            format!("{} ({}) is larger than {limit} bytes without its record: it is left out", object.key, object.ty);
        if self.summary.skipped < TOLD {
            self.tell(&[Event::limit(&what)]).await;
        }
        self.summary.warn(what);
        self.summary.skipped += 1;
        // What an earlier run uploaded of it is not deleted because it grew.
        self.summary.partial.insert(object.ty.clone());
        None
    }

    /// Starts to upload a batch, when there are not too many on their way.
    async fn send(&mut self, batch: Batch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        self.settle_until(self.limits().parallel.max(1) - 1).await?;
        let packed = batch.pack()?;
        let mut request = self.caller.request(
            packed.part.operation(),
            &self.summary.job.id,
            Body::Bytes("application/json", packed.body.clone()),
        );
        request.headers.push(("Content-Encoding", "gzip".to_owned()));
        request.headers.push(("JupiterOne-Correlation-Id", unique()?));
        let (caller, limit) = (self.caller.clone(), self.limits().batch);
        self.running.spawn(async move {
            let plain = request.target.clone();
            let sent = caller.ask(packed.part.operation(), request, |request, error, unsure| {
                // What may be there already is there again: that must not be an error.
                request.target = if unsure { format!("{plain}?ignoreDuplicates=true") } else { plain.clone() };
                if !is_too_large(error) {
                    return Ok(false);
                }
                let Body::Bytes(_, body) = &mut request.body else { return Ok(false) };
                match shrink(packed.part, body, limit)? {
                    Some(smaller) => *body = smaller,
                    None => return Err(error.clone().advice("records in it were cut already; what is not uploaded stays as it was on the platform: report it with the types of the batch")),
                }
                tracing::warn!("a batch is larger than the platform takes: records in it were cut");
                Ok(true)
            });
            let sent = sent.await;
            (packed, sent)
        });
        Ok(())
    }

    /// Waits until at most so many batches are on their way.
    async fn settle_until(&mut self, left: usize) -> Result<(), Error> {
        while self.running.len() > left {
            let Some(ended) = self.running.join_next().await else { break };
            let (packed, sent) =
                ended.map_err(|error| Error::new(ErrorKind::Storage, format!("an upload broke off: {error}")))?;
            match sent {
                Ok(_) => {
                    self.summary.batches += 1;
                    match packed.part {
                        Part::Entities => self.summary.entities += packed.count,
                        Part::Relationships => self.summary.relationships += packed.count,
                    }
                }
                Err(failed) => self.lose(packed, failed.error).await?,
            }
        }
        Ok(())
    }

    /// A batch was not taken: either nothing goes on, or its types are partial.
    async fn lose(&mut self, packed: Packed, error: Error) -> Result<(), Error> {
        if code(&error) == calls::ENDED {
            return Err(error.with_kind(ErrorKind::TaskFailed, "the job ended before everything was uploaded").advice(
                "another run for the same instance may have taken its place: run it again when that has ended",
            ));
        }
        if matches!(error.kind(), ErrorKind::Auth | ErrorKind::Permission | ErrorKind::Tls) {
            return Err(error);
        }
        let types = listed(&packed.types);
        tracing::warn!(%error, types, "a batch was not taken");
        self.tell(&[Event::not_uploaded(&types, &error)]).await;
        self.summary.partial.extend(packed.types.iter().cloned());
        self.summary.failed.push((packed.types, reason(&error)));
        self.first_failure.get_or_insert(error);
        Ok(())
    }

    async fn finalize(&mut self, after: &[Event]) -> Result<(), Error> {
        self.tell(after).await;
        let body = json!({ "partialDatasets": { "types": self.summary.partial } });
        let request = self.caller.request(&calls::FINALIZE, &self.summary.job.id, Body::Json(body));
        match self.caller.ask(&calls::FINALIZE, request, as_it_is).await {
            Ok(answer) => {
                if let Ok(job) = Job::read(&answer) {
                    self.summary.job = job;
                }
                Ok(())
            }
            // An earlier try was carried out after all.
            Err(failed) if failed.unsure && code(&failed.error) == calls::ENDED => Ok(()),
            Err(failed) => Err(failed.error),
        }
    }

    /// Gives the job up. One that has ended is somebody else's.
    async fn abort(&self, error: &Error) {
        if code(error) == calls::ENDED {
            return;
        }
        let reason = self.destination.clean(&reason(error));
        let body = Body::Json(json!({ "reason": reason }));
        let request = self.caller.request(&calls::ABORT, &self.summary.job.id, body);
        if let Err(failed) = self.caller.ask(&calls::ABORT, request, as_it_is).await {
            tracing::warn!(error = %failed.error, "the job could not be aborted; it changes nothing, since it is not finalized");
        }
    }

    /// Waits until the job has ended.
    async fn wait(&mut self) -> Result<(), Error> {
        const FIRST: Duration = Duration::from_secs(1);
        const LONGEST: Duration = Duration::from_secs(15);
        let clock = self.destination.connection.clock();
        let (started, patience) = (clock.now(), self.limits().patience);
        let request = self.caller.request(&calls::STATUS, &self.summary.job.id, Body::Empty);
        let id = self.summary.job.id.clone();
        let mut pause = FIRST;
        loop {
            let status = &self.summary.job.status;
            match self.summary.job.phase() {
                Phase::Finished => return Ok(()),
                Phase::Failed(advice) => {
                    return Err(Error::new(ErrorKind::TaskFailed, format!("the job {id} ended as {status}"))
                        .operation(calls::STATUS.name)
                        .advice(advice));
                }
                Phase::Going => {}
            }
            let elapsed = clock.now().duration_since(started).unsigned_abs();
            let Some(left) = patience.checked_sub(elapsed).filter(|left| !left.is_zero()) else {
                let message = format!("the job {id} is still {status} after {} s", patience.as_secs());
                return Err(Error::new(ErrorKind::TaskTimeout, message).operation(calls::STATUS.name).advice(
                    "everything was uploaded and the platform goes on by itself: look for the job in the product",
                ));
            };
            clock.sleep(pause.min(left)).await;
            pause = pause.mul_f64(1.5).min(LONGEST);
            match self.caller.once(&calls::STATUS, &request).await.and_then(|answer| Job::read(&answer)) {
                Ok(job) if job.id == id => self.summary.job = job,
                Ok(job) => {
                    return Err(Error::new(
                        ErrorKind::Protocol,
                        format!("asked for the job {id}, the platform tells of {}", job.id),
                    ));
                }
                Err(error) if is_passing(&error) => tracing::warn!(%error, "the job's state is not known"),
                Err(error) => return Err(error),
            }
        }
    }

    fn conclude(mut self) -> Result<Summary, Error> {
        for (counter, what) in [
            ("numEntityCreateErrors", "entities were not created"),
            ("numRelationshipCreateErrors", "relationships were not created, as an end of each is not there"),
        ] {
            let count = self.summary.job.count(counter);
            if count > 0 {
                self.summary.warn(format!("{count} {what}"));
            }
        }
        let Some(first) = self.first_failure else { return Ok(self.summary) };
        let types: BTreeSet<String> = self.summary.failed.iter().flat_map(|(types, _)| types.clone()).collect();
        let (lost, all) = (self.summary.failed.len(), self.summary.failed.len() as u64 + self.summary.batches);
        let message = format!(
            "{lost} of {all} batches were not uploaded: {} are not complete, and nothing of them was deleted",
            listed(&types)
        );
        let error = first.with_kind(ErrorKind::Partial, message).output(self.summary.json());
        Err(error.advice("run it again: what is missing is uploaded then"))
    }
}

fn listed(types: &BTreeSet<String>) -> String {
    types.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn is_too_large(error: &Error) -> bool {
    error.kind() == ErrorKind::TooLarge || code(error) == "RequestEntityTooLargeException"
}

/// A random UUID.
fn unique() -> Result<String, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::new(ErrorKind::Storage, "there are no random numbers"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
