//! Where events come from: a page of a stream at a time.

use std::future::Future;

use bytes::Bytes;
use connectome_core::connection::Connection;
use connectome_core::operation::Repeat;
use connectome_core::page::with_parameter;
use connectome_core::request::Request;
use connectome_core::stream::Stream;
use connectome_core::time::whole_seconds;
use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::plan::Ask;

/// A service's clock that is this many seconds behind ours may have been told wrong, as by an answer out of a cache.
const SLOW_CLOCK: i64 = 60;

/// A service that gives events in pages.
pub trait Source {
    /// The service's time, in seconds since 1970, and never later than it is there.
    fn now(&self) -> i64;

    /// Asks the service for its time, if what it told of it last keeps us from reading.
    fn ask_time(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Asks for a page; gives its body.
    fn page(&self, ask: &Ask) -> impl Future<Output = Result<Bytes, Trouble>> + Send;

    /// Why a page without a list of events is none.
    fn refusal(&self, ask: &Ask, body: &Bytes) -> Option<Error>;

    /// A page that makes no sense, as an error that names its request.
    fn wrong(&self, ask: &Ask, why: String) -> Error;
}

/// Why there is no page.
#[derive(Debug)]
pub enum Trouble {
    /// What leads to the page is too old, or in doubt: its window must be read anew.
    Stale(Error),
    /// The service took too long: a narrower window may do.
    Slow(Error),
    /// Anything else, after it was tried again as far as that makes sense.
    Failed(Error),
}

/// A stream of a connected service.
#[derive(Debug, Clone)]
pub struct Service {
    connection: Connection,
    stream: &'static Stream,
    first: Request,
    margin: i64,
}

impl Service {
    /// Prepares the requests. `page_size` must be one that the stream takes.
    pub fn new(
        connection: Connection,
        stream: &'static Stream,
        page_size: Option<u64>,
        margin: u64,
    ) -> Result<Self, Error> {
        let mut first = connection.request(stream.read, &Map::new())?;
        if let Some(mut page) = stream.read.page {
            if let (Some(size), Some(ask)) = (&mut page.size, page_size) {
                size.ask = ask;
            }
            first = page.first(first);
        }
        if let Some(rate) = stream.requests_per_minute {
            connection.limit_rate(&first.target, rate);
        }
        Ok(Self { connection, stream, first, margin: i64::try_from(margin).unwrap_or(0) })
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    fn request(&self, ask: &Ask) -> Result<Request, String> {
        let mut request = self.first.clone();
        request.target = match &ask.cursor {
            None => {
                let window = &self.stream.window;
                let target = with_parameter(&request.target, window.from, &text(ask.from));
                with_parameter(&target, window.to, &text(ask.to))
            }
            Some(link) => {
                let target = self.connection.rebase(link)?;
                let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
                if path(&target) != path(&self.first.target) {
                    return Err(format!("the next page's link {link:?} leads to something else"));
                }
                target
            }
        };
        Ok(request)
    }

    fn explain(&self, ask: &Ask, error: Error) -> Trouble {
        let status = error.status();
        if ask.cursor.is_some() && (matches!(status, 400 | 404) || self.says_expired(&error)) {
            return Trouble::Stale(error);
        }
        if status == 504 || error.kind() == ErrorKind::Timeout {
            return Trouble::Slow(error);
        }
        Trouble::Failed(match error.kind() {
            ErrorKind::Permission => error.advice(format!(
                "give the key's role the permission {:?}; the other streams go on",
                self.stream.permission
            )),
            _ => error,
        })
    }

    fn says_expired(&self, error: &Error) -> bool {
        let (Some(expired), Some(said)) = (&self.stream.expired, &error.parts().service) else { return false };
        let words = expired.message.is_none_or(|words| said.message.to_lowercase().contains(&words.to_lowercase()));
        words && (expired.status.is_empty() || expired.status.contains(&said.status))
    }
}

impl Source for Service {
    fn now(&self) -> i64 {
        let ours = self.connection.clock().now().as_second();
        match self.connection.clock_skew() {
            // The header has whole seconds, and the answer was on its way.
            Some(ahead) => ours - ahead.max(0),
            None => ours - self.margin,
        }
    }

    async fn ask_time(&self) {
        if self.connection.clock_skew().is_some_and(|ahead| ahead > SLOW_CLOCK) {
            // It is the answer's date that counts, whatever else it says.
            let _ = self.connection.check().await;
        }
    }

    async fn page(&self, ask: &Ask) -> Result<Bytes, Trouble> {
        let request = self.request(ask).map_err(|why| Trouble::Stale(self.wrong(ask, why)))?;
        let answer = self.connection.ask(self.stream.read, &request, Repeat::Safe).await;
        answer.map(|answer| answer.body).map_err(|error| self.explain(ask, error))
    }

    fn refusal(&self, ask: &Ask, body: &Bytes) -> Option<Error> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let request = self.request(ask).ok()?;
        self.connection.disguised_error(self.stream.read, &request, 200, &body)
    }

    fn wrong(&self, ask: &Ask, why: String) -> Error {
        let request = self.request(ask).unwrap_or_else(|_| self.first.clone());
        let error = Error::new(ErrorKind::Protocol, why)
            .advice("try again later: what was read before is delivered, and the rest is read then");
        self.connection.told(self.stream.read, &request, error)
    }
}

fn text(second: i64) -> String {
    whole_seconds(Timestamp::from_second(second).unwrap_or_default(), false)
}
