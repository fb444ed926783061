//! Where events go: a chunk at a time, and nothing counts as delivered before the sink says so.

use std::future::Future;

use connectome_core::Error;

/// Events that are delivered together, as JSON lines.
#[derive(Debug, Clone)]
pub struct Chunk {
    stream: &'static str,
    lines: Vec<u8>,
    keys: String,
    /// For each event: where its line ends, where its key ends, and its time in seconds since 1970.
    ends: Vec<(usize, usize, i64)>,
}

/// One event of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// What is the same whenever the same event is delivered again, and different for any other event.
    pub key: &'a str,
    /// When it happened, in seconds since 1970; for an event without a time, where its window starts.
    pub second: i64,
    /// The event as a line of JSON, without the line's end.
    pub body: &'a [u8],
}

impl Chunk {
    /// An empty chunk of a stream.
    pub fn new(stream: &'static str) -> Self {
        Self { stream, lines: Vec::new(), keys: String::new(), ends: Vec::new() }
    }

    /// Adds an event that `write` appends to the lines.
    pub fn push(&mut self, key: &str, second: i64, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.lines);
        self.lines.push(b'\n');
        self.keys.push_str(key);
        self.ends.push((self.lines.len(), self.keys.len(), second));
    }

    /// The stream that the events are of.
    pub fn stream(&self) -> &'static str {
        self.stream
    }

    /// All events as JSON lines, each with its end.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The events one by one.
    pub fn events(&self) -> impl Iterator<Item = Event<'_>> {
        let mut start = (0, 0);
        self.ends.iter().map(move |&(line, key, second)| {
            let event = Event { key: &self.keys[start.1..key], second, body: &self.lines[start.0..line - 1] };
            start = (line, key);
            event
        })
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Takes all events out and keeps the room they had.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.keys.clear();
        self.ends.clear();
    }
}

/// How large a chunk grows: it is delivered once it has reached either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// This many events.
    pub events: usize,
    /// This many bytes.
    pub bytes: usize,
}

/// What a sink did with a chunk that it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many of the events it could not hold and has put aside, where the user finds them.
    pub aside: usize,
}

/// A place that takes events.
pub trait Sink {
    /// How large a chunk should be.
    fn extent(&self) -> Extent;

    /// Delivers a chunk. When this returns, the sink holds every event of it, or has told why not; after a
    /// failure its events come again under the same keys, perhaps in chunks that are cut differently.
    fn deliver(&mut self, chunk: &Chunk) -> impl Future<Output = Result<Taken, Error>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_gives_back_what_was_put_in() {
        let mut chunk = Chunk::new("audit");
        chunk.push("audit:a", 5, |line| line.extend_from_slice(b"{}"));
        chunk.push("audit:bc", 6, |line| line.extend_from_slice(b"{\"x\":1}"));
        assert_eq!(chunk.lines(), b"{}\n{\"x\":1}\n");
        let events: Vec<_> = chunk.events().map(|it| (it.key, it.second, it.body)).collect();
        assert_eq!(events, [("audit:a", 5, &b"{}"[..]), ("audit:bc", 6, &b"{\"x\":1}"[..])]);
        chunk.clear();
        assert!(chunk.is_empty() && chunk.events().next().is_none());
    }
}
