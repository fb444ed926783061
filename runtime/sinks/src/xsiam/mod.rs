//! XSIAM: events over HTTP, as its log collector takes them, or as its own integrations send them.
//!
//! A chunk becomes a request, or several where it is larger than one may be. What is sent follows from the chunk alone, so
//! that whatever is sent again is the same to the byte.

mod address;
mod calls;
#[cfg(feature = "simulator")]
pub mod simulated;

use std::ops::Range;
use std::path::{Path, PathBuf};

use connectome_collect::sink::{Chunk, Event, Extent, Sink, Taken};
use connectome_core::{Error, ErrorKind, Secret, Settings};
use ring::digest::{Context, SHA256};

pub use address::{Address, Route, TOKEN_VARIABLE};
use calls::Caller;

use crate::letters;
use crate::lines::keyed;

/// Bytes of JSON that a request is meant to have.
const TARGET: usize = 1 << 20;

/// The most bytes of JSON that a request has.
const CEILING: usize = 9_000_000;

/// An event of as many bytes is not sent.
const LARGEST: usize = 5_000_000;

/// A tenant that takes events.
#[derive(Debug)]
pub struct Xsiam {
    caller: Caller,
    key: Option<String>,
    letters: PathBuf,
    reached: Option<Reached>,
}

/// How far a chunk came that was not delivered to its end.
#[derive(Debug)]
struct Reached {
    /// Which chunk it is.
    chunk: Vec<u8>,
    /// The requests that are left, the next one last.
    left: Vec<Range<usize>>,
    aside: usize,
}

impl Xsiam {
    /// A connection to a tenant; nothing is sent. Without a token, the environment is asked for it. Of the settings, the
    /// parameters are not looked at. What the tenant cannot hold goes to `letters`, unless the address names a file.
    pub fn open(address: &Address, token: Option<Secret>, settings: Settings, letters: &Path) -> Result<Self, Error> {
        Ok(Self {
            caller: Caller::new(address, token, settings)?,
            key: address.key.clone(),
            letters: address.dead_letter.clone().unwrap_or_else(|| letters.to_owned()),
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
            "an event is too large for the destination and is put aside"
        );
        Ok(())
    }
}

impl Sink for Xsiam {
    fn extent(&self) -> Extent {
        Extent { events: 10_000, bytes: TARGET }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        let events: Vec<Event<'_>> = chunk.events().collect();
        let text = Text::of(&events, self.key.as_deref());
        // What was taken of this chunk already, when it was delivered before, is not sent again.
        let mut mark = None;
        let (mut left, mut aside) = match &self.reached {
            Some(reached) if reached.chunk == *mark.insert(text.mark(chunk)) => (reached.left.clone(), reached.aside),
            _ => (text.requests(), 0),
        };
        while let Some(events_of_it) = left.last().cloned() {
            let one = (events_of_it.len() == 1).then(|| &events[events_of_it.start]);
            let body = text.of_events(&events_of_it);
            let sent = match one {
                Some(event) if body.len() >= LARGEST => {
                    self.put_aside(chunk, event, &format!("an event of {LARGEST} bytes or more is not taken"))?;
                    aside += 1;
                    Ok(())
                }
                _ => self.caller.send(body).await,
            };
            match (sent, one) {
                (Ok(()), _) => drop(left.pop()),
                (Err(error), _) if error.kind() != ErrorKind::TooLarge => return Err(error),
                (Err(_), Some(event)) => {
                    self.put_aside(chunk, event, "the tenant answered that it is too large (413)")?;
                    aside += 1;
                    left.pop();
                }
                (Err(_), None) => {
                    tracing::debug!(
                        events = events_of_it.len(),
                        "a request is larger than the tenant takes: it is halved"
                    );
                    let middle = events_of_it.start + events_of_it.len() / 2;
                    left.pop();
                    left.extend([middle..events_of_it.end, events_of_it.start..middle]);
                }
            }
            if !left.is_empty() {
                let chunk = mark.get_or_insert_with(|| text.mark(chunk)).clone();
                self.reached = Some(Reached { chunk, left: left.clone(), aside });
            }
        }
        self.reached = None;
        Ok(Taken { aside })
    }
}

/// The events of a chunk as lines, and where each ends.
struct Text {
    lines: Vec<u8>,
    ends: Vec<usize>,
}

impl Text {
    fn of(events: &[Event<'_>], key: Option<&str>) -> Self {
        let mut text = Self { lines: Vec::new(), ends: Vec::with_capacity(events.len()) };
        for event in events {
            keyed(event, key, &mut text.lines);
            text.lines.push(b'\n');
            text.ends.push(text.lines.len());
        }
        text
    }

    /// These events as a request has them: without the last line's end.
    fn of_events(&self, events: &Range<usize>) -> &[u8] {
        &self.lines[self.start(events.start)..self.start(events.end) - 1]
    }

    fn start(&self, event: usize) -> usize {
        if event == 0 { 0 } else { self.ends[event - 1] }
    }

    /// Which events go together, the first request last. One that is too large to be sent stands alone.
    fn requests(&self) -> Vec<Range<usize>> {
        let mut requests: Vec<Range<usize>> = Vec::new();
        for event in 0..self.ends.len() {
            let large = |events: &Range<usize>| events.len() == 1 && self.of_events(events).len() >= LARGEST;
            match requests.last_mut() {
                Some(last)
                    if self.of_events(&(last.start..event + 1)).len() <= CEILING
                        && !large(last)
                        && !large(&(event..event + 1)) =>
                {
                    last.end = event + 1;
                }
                _ => requests.push(event..event + 1),
            }
        }
        requests.reverse();
        requests
    }

    /// What tells the chunk from others.
    fn mark(&self, chunk: &Chunk) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        context.update(chunk.stream().as_bytes());
        for event in chunk.events() {
            context.update(event.key.as_bytes());
            context.update(b"\n");
        }
        context.update(&self.lines);
        context.finish().as_ref().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_stay_below_the_ceiling_and_what_is_too_large_stands_alone() {
        for (sizes, wanted) in [
            (&[][..], &[][..]),
            (&[10, 10, 10], &[(0, 3)]),
            (&[4_499_999, 4_500_000], &[(0, 2)]),
            (&[4_500_000, 4_500_000], &[(0, 1), (1, 2)]),
            (&[10, 5_000_000, 10, 10], &[(0, 1), (1, 2), (2, 4)]),
            (&[10, 4_999_999, 10], &[(0, 3)]),
            (&[5_000_000, 5_000_000], &[(0, 1), (1, 2)]),
        ] {
            let mut chunk = Chunk::new("audit");
            for size in sizes {
                chunk.push("k", 0, |line| line.extend_from_slice(&vec![b'x'; *size]));
            }
            let events: Vec<Event<'_>> = chunk.events().collect();
            let requests: Vec<_> =
                Text::of(&events, None).requests().into_iter().rev().map(|it| (it.start, it.end)).collect();
            assert_eq!(requests, wanted, "{sizes:?}");
        }
    }
}
