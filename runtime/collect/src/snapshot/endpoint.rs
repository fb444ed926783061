//! A list of a connected service, a page at a time; answers that the service prepares while we wait are waited for.

use std::time::Duration;

use bytes::Bytes;
use connectome_core::answer::at;
use connectome_core::connection::Connection;
use connectome_core::operation::Repeat;
use connectome_core::page::{Next, Page as Paging, PagePlace};
use connectome_core::request::{Body, Request};
use connectome_core::snapshot::{Deferred, Snapshot};
use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::poller::Pages;

/// A list of a connected service.
#[derive(Debug, Clone)]
pub struct Endpoint {
    connection: Connection,
    snapshot: &'static Snapshot,
    paging: Paging,
    first: Request,
    /// How answers are waited for, if the user asks for that.
    deferred: Option<Deferred>,
}

impl Endpoint {
    /// Prepares the requests.
    pub fn new(connection: Connection, snapshot: &'static Snapshot) -> Result<Self, Error> {
        let Some(paging) = snapshot.read.page else {
            return Err(Error::new(ErrorKind::Protocol, "the list does not say where its records are"));
        };
        let asked = |it: &Deferred| connection.parameters().get(it.asked).and_then(Value::as_bool).unwrap_or(false);
        let deferred = snapshot.deferred.filter(asked);
        let mut first = connection.request(snapshot.read, &Map::new())?;
        if let Some(deferred) = &deferred {
            first.body = Body::Json(deferred.body.value());
        }
        let first = paging.first(first);
        Ok(Self { connection, snapshot, paging, first, deferred })
    }

    /// Asks for the first page, and says how many records it holds.
    pub async fn probe(&self) -> Result<usize, Error> {
        let (body, paging) = self.page(None).await?;
        let page = crate::view::Page::read(&body, &paging, None).map_err(|why| self.wrong(why))?;
        if page.listless {
            Err(self.wrong("the answer has no list of records".to_owned()))
        } else {
            Ok(page.records.len())
        }
    }

    /// Waits for an answer that is being prepared.
    async fn wait(&self, deferred: &Deferred, body: &Bytes) -> Result<(Bytes, Paging), Error> {
        let paging = Paging {
            items: deferred.items,
            next: Next::Cursor { from: deferred.cursor, place: PagePlace::Body(&[]) },
            size: None,
        };
        let link = |body: &Bytes, path: &[&str]| -> Option<String> {
            let body: Value = serde_json::from_slice(body).ok()?;
            at(&body, path).and_then(Value::as_str).map(str::to_owned)
        };
        let Some(state) = link(body, deferred.link) else {
            return Err(self.wrong("the answer does not say where its result will be".to_owned()));
        };
        let every = Duration::from_secs(deferred.every.max(1));
        let looks = deferred.at_most / deferred.every.max(1);
        for _ in 0..=looks {
            let answer = self.connection.follow(self.snapshot.read, &state).await?.body;
            let status = link(&answer, deferred.status);
            match status.as_deref() {
                Some(status) if status == deferred.done => {
                    let Some(result) = link(&answer, deferred.result) else { return Ok((answer, paging)) };
                    let body = self.connection.follow(self.snapshot.read, &result).await?.body;
                    return Ok((body, paging));
                }
                Some(status) if deferred.pending.contains(&status) => self.connection.clock().sleep(every).await,
                other => {
                    let said = other.unwrap_or("nothing");
                    let why = format!("the service says {said:?} of the answer that it was to prepare");
                    let error = Error::new(ErrorKind::Server, why).advice("try again later");
                    return Err(self.connection.told(self.snapshot.read, &self.first, error));
                }
            }
        }
        let why = format!("the service did not prepare its answer within {} seconds", deferred.at_most);
        let error = Error::new(ErrorKind::Timeout, why).advice("try again later");
        Err(self.connection.told(self.snapshot.read, &self.first, error))
    }
}

impl Pages for Endpoint {
    fn now(&self) -> Timestamp {
        self.connection.clock().now()
    }

    async fn page(&self, next: Option<&str>) -> Result<(Bytes, Paging), Error> {
        let request = match next {
            None => self.first.clone(),
            Some(next) => {
                let rebase = |link: &str| self.connection.rebase(link);
                self.paging.at(&self.first, next, rebase).map_err(|why| self.wrong(why))?
            }
        };
        let body = self.connection.ask(self.snapshot.read, &request, Repeat::Safe).await?.body;
        match &self.deferred {
            Some(deferred) => self.wait(deferred, &body).await,
            None => Ok((body, self.paging)),
        }
    }

    fn wrong(&self, why: String) -> Error {
        let error = Error::new(ErrorKind::Protocol, why)
            .advice("try again later: what was read before is delivered, and nothing is marked as gone");
        self.connection.told(self.snapshot.read, &self.first, error)
    }
}
