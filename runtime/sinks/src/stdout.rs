//! Events as JSON lines on standard output.

use std::io::{self, Write};

use connectome_collect::sink::{Chunk, Extent, Sink, Taken};
use connectome_core::Error;

use crate::lines::lines;

/// Standard output, or what stands for it.
#[derive(Debug)]
pub struct Stdout<W = io::Stdout> {
    out: W,
    key: Option<String>,
}

impl<W: Write> Stdout<W> {
    /// Writes to this, with an event's key in this field.
    pub fn new(out: W, key: Option<String>) -> Self {
        Self { out, key }
    }
}

impl<W: Write + Send> Sink for Stdout<W> {
    fn extent(&self) -> Extent {
        Extent { events: 1000, bytes: 1 << 20 }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        let lines = lines(chunk, self.key.as_deref());
        self.out.write_all(&lines).and_then(|()| self.out.flush()).map_err(Error::unwritten)?;
        Ok(Taken::default())
    }
}

#[cfg(test)]
mod tests {
    use connectome_core::ErrorKind;
    use connectome_core::error::CLOSED_PIPE;

    use super::*;

    /// Something to write to that fails at some point, and what came through it.
    #[derive(Default)]
    struct Pipe {
        waiting: Vec<u8>,
        through: Vec<u8>,
        write_fails: Option<io::ErrorKind>,
        flush_fails: Option<io::ErrorKind>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.waiting.extend_from_slice(bytes);
            self.write_fails.map_or(Ok(bytes.len()), |kind| Err(kind.into()))
        }

        fn flush(&mut self) -> io::Result<()> {
            self.through.append(&mut self.waiting);
            self.flush_fails.map_or(Ok(()), |kind| Err(kind.into()))
        }
    }

    fn chunk() -> Chunk {
        let mut chunk = Chunk::new("audit");
        chunk.push("audit:a", 5, |line| line.extend_from_slice(b"{}"));
        chunk.push("audit:b", 6, |line| line.extend_from_slice(b"{\"x\":1}"));
        chunk
    }

    #[tokio::test]
    async fn what_counts_as_delivered_has_left() {
        let mut sink = Stdout::new(Pipe::default(), None);
        assert_eq!(sink.deliver(&chunk()).await.unwrap(), Taken::default());
        assert_eq!(sink.out.through, b"{}\n{\"x\":1}\n");
        let mut sink = Stdout::new(Pipe::default(), Some("k".to_owned()));
        sink.deliver(&chunk()).await.unwrap();
        assert_eq!(sink.out.through, b"{\"k\":\"audit:a\"}\n{\"x\":1,\"k\":\"audit:b\"}\n");
    }

    #[tokio::test]
    async fn an_output_that_takes_nothing_is_an_error() {
        let (pipe, full) = (Some(io::ErrorKind::BrokenPipe), Some(io::ErrorKind::StorageFull));
        for (write_fails, flush_fails, said) in
            [(pipe, None, CLOSED_PIPE), (None, pipe, CLOSED_PIPE), (full, None, "written: "), (None, full, "written: ")]
        {
            let mut sink = Stdout::new(Pipe { write_fails, flush_fails, ..Pipe::default() }, None);
            let error = sink.deliver(&chunk()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Storage);
            assert_eq!(error.parts().is_closed_pipe, said == CLOSED_PIPE);
            assert!(error.parts().message.contains(said), "{error}");
        }
    }
}
