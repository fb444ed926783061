//! Elasticsearch, and what speaks its protocol: documents in bulk.
//!
//! A document's id follows from its key, so that whatever is sent again is stored once. The service tells of each document
//! what became of it: those that are taken are done, those that can never be are put aside, and only the rest is sent again.

mod address;
mod bulk;
mod calls;
mod credentials;
pub mod kibana;
pub mod setup;
#[cfg(feature = "simulator")]
pub mod simulated;

use std::path::{Path, PathBuf};

use connectome_collect::key::{hex, short};
use connectome_collect::raw;
use connectome_collect::sink::{Chunk, Event, Extent, Sink, Taken};
use connectome_core::{Error, ErrorKind, Settings};

pub use address::{Address, Operation};
use bulk::{Fate, Part};
use calls::Caller;
pub use credentials::{API_KEY, Credentials, PASSWORD, TOKEN, USER};

use crate::letters;

/// A place that takes documents.
#[derive(Debug)]
pub struct Elasticsearch {
    caller: Caller,
    address: Address,
    letters: PathBuf,
    reached: Option<Reached>,
}

/// How far a chunk came that was not delivered to its end.
#[derive(Debug)]
struct Reached {
    /// Which chunk it is.
    chunk: [u8; 16],
    /// The events that are done.
    done: Vec<bool>,
    aside: usize,
}

impl Elasticsearch {
    /// A connection; nothing is sent. Without credentials the environment is asked for them. Of the settings, the
    /// parameters are not looked at. What cannot be stored goes to `letters`, unless the address names a file.
    pub fn open(
        address: &Address,
        credentials: Option<Credentials>,
        settings: Settings,
        letters: &Path,
    ) -> Result<Self, Error> {
        let credentials = match credentials {
            Some(credentials) => credentials,
            None => Credentials::from_environment(address.open)?,
        };
        Ok(Self {
            caller: Caller::new(address, &credentials, settings)?,
            letters: address.dead_letter.clone().unwrap_or_else(|| letters.to_owned()),
            address: address.clone(),
            reached: None,
        })
    }

    /// What the user should know about the settings.
    pub fn warnings(&self) -> &[String] {
        self.caller.connection.warnings()
    }

    fn put_aside(&self, chunk: &Chunk, event: &Event<'_>, why: &str) -> Result<(), Error> {
        letters::add(&self.letters, chunk.stream(), event, why)?;
        tracing::warn!(
            stream = chunk.stream(),
            key = event.key,
            file = %self.letters.display(),
            why,
            "a document cannot be stored and is put aside"
        );
        Ok(())
    }

    /// The two lines of each event, or why there are none.
    fn parts(&self, events: &[Event<'_>]) -> Vec<Result<Part, &'static str>> {
        let part = |event: &Event<'_>| {
            let index = match &self.address.index {
                Some(index) => index.clone(),
                None => data_stream(event.body).ok_or(
                    "it does not say in data_stream.type, .dataset and .namespace where it belongs, and no index is named",
                )?,
            };
            let id = self.address.ids.then(|| hex(&short(event.key)));
            Ok(Part::new(self.address.operation, &index, id, event.body))
        };
        events.iter().map(part).collect()
    }

    /// Which events go together: no more than so many, and no more bytes than so many unless it is one alone.
    fn requests(&self, parts: &[Result<Part, &'static str>], done: &[bool]) -> Vec<Vec<usize>> {
        let (mut requests, mut bytes) = (Vec::<Vec<usize>>::new(), 0);
        for (number, part) in parts.iter().enumerate() {
            let (Ok(part), false) = (part, done[number]) else { continue };
            match requests.last_mut() {
                Some(last) if last.len() < self.address.documents && bytes + part.len() <= self.address.bytes => {
                    last.push(number);
                    bytes += part.len();
                }
                _ => {
                    requests.push(vec![number]);
                    bytes = part.len();
                }
            }
        }
        requests.reverse();
        requests
    }
}

/// The data stream that a document says it belongs to.
fn data_stream(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let part = |name| raw::at(text, &["data_stream", name]).and_then(raw::text);
    let (ty, dataset, namespace) = (part("type")?, part("dataset")?, part("namespace")?);
    Some(format!("{ty}-{dataset}-{namespace}"))
}

impl Sink for Elasticsearch {
    fn extent(&self) -> Extent {
        Extent { events: self.address.documents.max(1), bytes: self.address.bytes.min(4 << 20) }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        if chunk.is_empty() {
            return Ok(Taken::default());
        }
        let events: Vec<Event<'_>> = chunk.events().collect();
        let parts = self.parts(&events);
        // What was stored of this chunk already, when it was delivered before, is not sent again.
        let mark = mark(&events);
        let (mut done, mut aside) = match self.reached.take() {
            Some(reached) if reached.chunk == mark => (reached.done, reached.aside),
            _ => (vec![false; events.len()], 0),
        };
        let result = self.store(chunk, &events, &parts, &mut done, &mut aside).await;
        if result.is_err() {
            self.reached = Some(Reached { chunk: mark, done, aside });
        }
        result.map(|()| Taken { aside })
    }
}

impl Elasticsearch {
    async fn store(
        &self,
        chunk: &Chunk,
        events: &[Event<'_>],
        parts: &[Result<Part, &'static str>],
        done: &mut [bool],
        aside: &mut usize,
    ) -> Result<(), Error> {
        let mut put_aside = |number: usize, why: &str, done: &mut [bool]| {
            self.put_aside(chunk, &events[number], why)?;
            done[number] = true;
            *aside += 1;
            Ok::<(), Error>(())
        };
        for (number, part) in parts.iter().enumerate() {
            if let (Err(why), false) = (part, done[number]) {
                put_aside(number, why, done)?;
            }
        }
        let mut left = self.requests(parts, done);
        let mut tries = 1;
        while let Some(numbers) = left.pop() {
            let wanted: Vec<&Part> = numbers.iter().filter_map(|number| parts[*number].as_ref().ok()).collect();
            let fates = match self.caller.send(&wanted).await {
                Ok(fates) => fates,
                Err(error) if error.kind() != ErrorKind::TooLarge => return Err(error),
                Err(_) if numbers.len() == 1 => {
                    put_aside(numbers[0], "the service answered that it is too large (413)", done)?;
                    continue;
                }
                Err(_) => {
                    tracing::debug!(
                        documents = numbers.len(),
                        "a request is larger than the service takes: it is halved"
                    );
                    let (one, other) = numbers.split_at(numbers.len() / 2);
                    left.extend([other.to_vec(), one.to_vec()]);
                    continue;
                }
            };
            let (mut again, mut last, mut fatal) = (Vec::new(), None, None);
            for (number, fate) in numbers.into_iter().zip(fates) {
                match fate {
                    Fate::Stored => done[number] = true,
                    Fate::Never(why) => put_aside(number, &why, done)?,
                    Fate::Later { status, why } => {
                        again.push(number);
                        last = Some((status, why));
                    }
                    Fate::Fatal(error) => fatal = Some(error),
                }
            }
            if let Some(error) = fatal {
                return Err(self.caller.of_item(error));
            }
            let Some((status, why)) = last else {
                tries = 1;
                continue;
            };
            if tries == self.caller.tries {
                return Err(self.caller.gave_up(again.len(), status, &why));
            }
            tracing::debug!(documents = again.len(), tries, why, "sends what was not stored once more");
            self.caller.pause(tries).await;
            tries += 1;
            left.push(again);
        }
        Ok(())
    }
}

/// What tells a chunk from others.
fn mark(events: &[Event<'_>]) -> [u8; 16] {
    let mut all = String::new();
    for event in events {
        all.push_str(event.key);
        all.push('\n');
    }
    short(&all)
}

/// Part of a text, for messages.
fn shown(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}
