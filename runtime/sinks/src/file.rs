//! Events as JSON lines in a file, and what becomes of it when it is full or old.

mod rotated;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use connectome_collect::sink::{Chunk, Extent, Sink, Taken};
use connectome_core::Error;
use connectome_core::clock::Clock;

use crate::append::{Appender, cannot, sync_folder};
use crate::destination::{Options, wrong};
use crate::lines::lines;

/// Which file, and how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The file that is written.
    pub path: PathBuf,
    /// It begins anew before it is longer than this.
    pub rotate: Option<u64>,
    /// It begins anew with each period of this length, counted from midnight, UTC.
    pub every: Option<Duration>,
    /// Whether files that are full are compressed.
    pub gzip: bool,
    /// How many files that are full are kept.
    pub keep: Option<usize>,
    /// The field that holds an event's key.
    pub key: Option<String>,
}

impl Plan {
    /// A file that only grows.
    pub fn new(path: PathBuf) -> Self {
        Self { path, rotate: None, every: None, gzip: false, keep: None, key: None }
    }

    pub(crate) fn parse(path: PathBuf, query: &str) -> Result<Self, Error> {
        let mut options = Options::read("file:", query, &["rotate", "every", "compress", "keep", "key"])?;
        let gzip = options.or_none("compress", "gzip")?;
        let plan = Self {
            path,
            rotate: options.parsed("rotate", "a size, as 100MiB", size)?,
            every: options.parsed("every", "a time, as 1d or 12h", period)?,
            gzip: gzip.unwrap_or(false),
            keep: options
                .parsed("keep", "a number of files, 1 or more", |text| text.parse().ok().filter(|keep| *keep > 0))?,
            key: options.field("key")?,
        };
        if plan.rotate.is_none() && plan.every.is_none() {
            for (name, given) in [("compress", gzip.is_some()), ("keep", plan.keep.is_some())] {
                if given {
                    return Err(wrong(&format!("`{name}` goes with `rotate` or `every`"))
                        .advice("add rotate=100MiB or every=1d, as nothing is ever full otherwise"));
                }
            }
        }
        Ok(plan)
    }
}

/// A number of bytes.
fn size(text: &str) -> Option<u64> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("kB", 1000), ("MB", 1_000_000)];
    let units = units.into_iter().chain([("GB", 1_000_000_000), ("B", 1), ("", 1)]);
    measured(text, units)
}

/// A number of seconds.
fn period(text: &str) -> Option<Duration> {
    measured(text, [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]).map(Duration::from_secs)
}

fn measured(text: &str, units: impl IntoIterator<Item = (&'static str, u64)>) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|it: char| !it.is_ascii_digit()).unwrap_or(text.len()));
    let (_, times) = units.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim()))?;
    number.parse::<u64>().ok()?.checked_mul(times).filter(|it| *it > 0)
}

/// A file of events that is being written. Work on the disk is done in place: nothing goes on before it is done.
#[derive(Debug)]
pub struct File {
    plan: Plan,
    clock: Arc<dyn Clock>,
    appender: Appender,
    /// When the file was written last, in seconds since 1970.
    written: i64,
    tidying: Option<JoinHandle<()>>,
}

impl File {
    /// Opens a file, mends what an interrupted process left, and finishes what it left half done.
    pub fn open(plan: Plan, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let appender = Appender::open(&plan.path)?;
        let time = fs::metadata(appender.path()).and_then(|it| it.modified());
        let written = time.map_err(|error| cannot(&plan.path, &error))?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut file = Self {
            plan,
            clock,
            appender,
            written: i64::try_from(written.as_secs()).unwrap_or(i64::MAX),
            tidying: None,
        };
        file.tidy();
        Ok(file)
    }

    /// Whether these lines begin a new file.
    fn is_full(&mut self, more: usize) -> Result<bool, Error> {
        let length = self.appender.ready()?;
        let now = self.clock.now().as_second();
        let large = self.plan.rotate.is_some_and(|most| length.saturating_add(more as u64) > most);
        let old = self.plan.every.is_some_and(|every| {
            let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX);
            self.written.div_euclid(every) < now.div_euclid(every)
        });
        Ok(length > 0 && (large || old))
    }

    /// Puts the file aside. A new one is made with the next lines.
    fn rotate(&mut self) -> Result<(), Error> {
        self.wait();
        let path = self.appender.path();
        let failed = |error| cannot(path, &error);
        let aside = rotated::free_name(path, self.clock.now()).map_err(failed)?;
        fs::rename(path, &aside).and_then(|()| sync_folder(path)).map_err(failed)?;
        tracing::info!(file = %aside.display(), "a full file is put aside");
        self.appender.ready()?;
        self.tidy();
        Ok(())
    }

    /// Compresses what is full and removes what is too much, while events go on being written.
    fn tidy(&mut self) {
        if self.plan.rotate.is_none() && self.plan.every.is_none() {
            return;
        }
        let (path, gzip, keep) = (self.appender.path().to_owned(), self.plan.gzip, self.plan.keep);
        self.tidying = Some(std::thread::spawn(move || {
            if let Err(error) = rotated::tidy(&path, gzip, keep) {
                tracing::warn!(file = %path.display(), %error, "full files could not be tidied; nothing is lost, and it is tried again");
            }
        }));
    }

    fn wait(&mut self) {
        if let Some(thread) = self.tidying.take() {
            // It has told already what went wrong.
            let _ = thread.join();
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.wait();
    }
}

impl Sink for File {
    fn extent(&self) -> Extent {
        let bytes = 1 << 20;
        Extent {
            events: 10_000,
            bytes: self.plan.rotate.map_or(bytes, |most| bytes.min(most.try_into().unwrap_or(bytes))),
        }
    }

    async fn deliver(&mut self, chunk: &Chunk) -> Result<Taken, Error> {
        if chunk.is_empty() {
            return Ok(Taken::default());
        }
        let key = self.plan.key.clone();
        let lines = lines(chunk, key.as_deref());
        if self.is_full(lines.len())? {
            self.rotate()?;
        }
        self.appender.append(&lines)?;
        self.written = self.clock.now().as_second();
        Ok(Taken::default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read;
    use std::path::Path;

    use connectome_core::clock::ManualClock;
    use flate2::read::GzDecoder;

    use super::*;

    fn clock(time: &str) -> Arc<ManualClock> {
        Arc::new(ManualClock::at(time.parse().unwrap()))
    }

    fn plan(folder: &Path, query: &str) -> Plan {
        Plan::parse(folder.join("e.jsonl"), query).unwrap()
    }

    async fn deliver(file: &mut File, number: u32) -> Result<Taken, Error> {
        let mut chunk = Chunk::new("audit");
        chunk.push(&format!("audit:{number}"), 0, |line| {
            line.extend_from_slice(format!("{{\"n\":{number}}}").as_bytes())
        });
        file.deliver(&chunk).await
    }

    /// The files of a folder and what they hold, decompressed.
    fn files(folder: &Path) -> BTreeMap<String, String> {
        let read = |path: &Path| {
            let bytes = fs::read(path).unwrap();
            let mut text = String::new();
            if path.extension().is_some_and(|it| it == "gz") {
                GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
                text
            } else {
                String::from_utf8(bytes).unwrap()
            }
        };
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (name(&path), read(&path))).collect()
    }

    fn named<const N: usize>(files: [(&str, &str); N]) -> BTreeMap<String, String> {
        files.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
    }

    #[test]
    fn sizes_and_times_have_units() {
        for (text, wanted) in [
            ("1", Some(1)),
            ("2kB", Some(2000)),
            ("2KiB", Some(2048)),
            ("3 mib", Some(3 << 20)),
            ("1GB", Some(1_000_000_000)),
            ("1GiB", Some(1 << 30)),
            ("", None),
            ("0", None),
            ("-1", None),
            ("1.5MiB", None),
            ("1TiB", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(size(text), wanted, "{text}");
        }
        for (text, wanted) in
            [("1s", Some(1)), ("2m", Some(120)), ("3h", Some(10_800)), ("1d", Some(86_400)), ("1", None)]
        {
            assert_eq!(period(text).map(|it| it.as_secs()), wanted, "{text}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_full_is_put_aside_compressed_and_the_oldest_of_them_go() {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock("2026-03-02T08:15:00Z");
        let mut file = File::open(plan(folder.path(), "rotate=16&compress=gzip&keep=2"), clock.clone()).unwrap();
        assert_eq!(file.extent().bytes, 16);
        for number in 1..=7 {
            deliver(&mut file, number).await.unwrap();
            if number == 5 {
                clock.advance(Duration::from_secs(1));
            }
        }
        drop(file);
        let expected = [
            ("e.jsonl", "{\"n\":7}\n"),
            ("e.jsonl.20260302T081500Z-2.gz", "{\"n\":3}\n{\"n\":4}\n"),
            ("e.jsonl.20260302T081501Z-1.gz", "{\"n\":5}\n{\"n\":6}\n"),
        ];
        assert_eq!(files(folder.path()), named(expected));
        #[cfg(unix)]
        for entry in fs::read_dir(folder.path()).unwrap() {
            use std::os::unix::fs::PermissionsExt;
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        }
    }

    #[tokio::test]
    async fn an_event_that_is_larger_than_a_file_has_one_to_itself() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = File::open(plan(folder.path(), "rotate=1B"), clock("2026-03-02T08:15:00Z")).unwrap();
        for number in 1..=2 {
            deliver(&mut file, number).await.unwrap();
        }
        let expected = [("e.jsonl", "{\"n\":2}\n"), ("e.jsonl.20260302T081500Z-1", "{\"n\":1}\n")];
        assert_eq!(files(folder.path()), named(expected));
    }

    #[tokio::test]
    async fn a_new_period_begins_a_new_file_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let clock = clock("2026-03-02T23:59:59Z");
        let written = |time: &str| {
            let time = time.parse::<jiff::Timestamp>().unwrap().into();
            fs::File::options().append(true).open(folder.path().join("e.jsonl")).unwrap().set_modified(time).unwrap();
        };
        let open = || File::open(plan(folder.path(), "every=1d&keep=9"), clock.clone()).unwrap();
        let mut file = open();
        deliver(&mut file, 1).await.unwrap();
        deliver(&mut file, 2).await.unwrap();
        clock.advance(Duration::from_secs(1));
        deliver(&mut file, 3).await.unwrap();
        drop(file);
        written("2026-03-03T00:00:00Z");
        clock.advance(Duration::from_secs(86_399));
        deliver(&mut open(), 4).await.unwrap();
        written("2026-03-03T23:59:59Z");
        clock.advance(Duration::from_secs(1));
        let mut file = open();
        deliver(&mut file, 5).await.unwrap();
        let expected = [
            ("e.jsonl", "{\"n\":5}\n"),
            ("e.jsonl.20260303T000000Z-1", "{\"n\":1}\n{\"n\":2}\n"),
            ("e.jsonl.20260304T000000Z-1", "{\"n\":3}\n{\"n\":4}\n"),
        ];
        assert_eq!(files(folder.path()), named(expected));
    }

    #[tokio::test]
    async fn what_an_earlier_process_left_half_done_is_finished() {
        const OLD: &str = "e.jsonl.20260301T000000Z-1";
        let (gz, part) = (format!("{OLD}.gz"), format!("{OLD}.gz.part"));
        let packed = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let whole = packed("{\"n\":1}\n");
        let half = &whole[..whole.len() / 2];
        let plain = b"{\"n\":1}\n".as_slice();
        let cases: [&[(&str, &[u8])]; 6] = [
            // Killed after the file was put aside, while it was compressed, before and after the compressed one has its
            // name, and when all was done.
            &[(OLD, plain)],
            &[(OLD, plain), (&part, half)],
            &[(OLD, plain), (&part, &whole)],
            &[(OLD, plain), (&gz, &whole)],
            &[(&gz, &whole)],
            &[(OLD, plain), (&gz, half)],
        ];
        for left in cases {
            for (query, name) in [("rotate=1MiB&compress=gzip", gz.as_str()), ("rotate=1MiB", OLD)] {
                let name = if left.len() == 1 && left[0].0 == gz { &gz } else { name };
                let folder = tempfile::tempdir().unwrap();
                for (name, bytes) in left {
                    fs::write(folder.path().join(name), bytes).unwrap();
                }
                for other in ["e.jsonl.bak", "e.jsonl.20260301T000000Z-x.gz.part", "f.jsonl.20260301T000000Z-1"] {
                    fs::write(folder.path().join(other), "not ours").unwrap();
                }
                let mut file = File::open(plan(folder.path(), query), clock("2026-03-02T00:00:00Z")).unwrap();
                deliver(&mut file, 2).await.unwrap();
                drop(file);
                let expected = [
                    ("e.jsonl", "{\"n\":2}\n"),
                    ("e.jsonl.20260301T000000Z-x.gz.part", "not ours"),
                    (name, "{\"n\":1}\n"),
                    ("e.jsonl.bak", "not ours"),
                    ("f.jsonl.20260301T000000Z-1", "not ours"),
                ];
                assert_eq!(files(folder.path()), named(expected), "{query}, {}", left.len());
            }
        }
    }
}
