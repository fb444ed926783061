//! A list on its way from a service to a sink: read a page, look what changed, deliver, remember.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use connectome_core::page::Page as Paging;
use connectome_core::snapshot::Snapshot;
use connectome_core::{Error, ErrorKind};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::content::{self, Content, Contents};
use super::due::is_due;
use super::progress::{Progress, Reading, Totals};
use crate::collector::{Ended, Meter};
use crate::key::hex;
use crate::ledger::{Digest, Item, ItemChange, SqliteLedger, UNKNOWN};
use crate::mapping::Mapper;
use crate::sink::{Chunk, Sink};
use crate::view::Page;

/// What was read is delivered after this many seconds at most, however little it is.
const PROMPT: i64 = 5;

/// Records that have disappeared are looked up so many at a time.
const BATCH: usize = 500;

/// How much earlier than it must be an unchanged record is sent again, in seconds: what a reading and a search engine may
/// take.
const MARGIN: u64 = 2 * 3600;

/// A service that gives a list in pages.
pub trait Pages {
    /// The present time.
    fn now(&self) -> Timestamp;

    /// Asks for the first page, or for that to which this leads; gives its body, and where in it the records are.
    fn page(&self, next: Option<&str>) -> impl Future<Output = Result<(Bytes, Paging), Error>> + Send;

    /// A page that makes no sense, as an error that names its request.
    fn wrong(&self, why: String) -> Error;
}

/// How a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The time between two readings, in seconds.
    pub every: u64,
    /// How many pages are read before it is enough.
    pub pages: usize,
    /// Whether everything is sent each time, and nothing of what has disappeared.
    pub full: bool,
}

impl Rules {
    /// What the list's description says.
    pub fn of(snapshot: &Snapshot) -> Self {
        Self { every: snapshot.every, pages: snapshot.pages, full: false }
    }

    /// How often an unchanged record is sent again, in seconds, where it would be forgotten otherwise. An error when it
    /// would be forgotten between two readings.
    pub fn horizon(&self, snapshot: &Snapshot) -> Result<Option<u64>, Error> {
        let Some(lasts) = snapshot.lasts else { return Ok(None) };
        match lasts.checked_sub(self.every.saturating_add(MARGIN)) {
            Some(horizon) if horizon > 0 => Ok(Some(horizon)),
            _ => Err(Error::new(
                ErrorKind::Input,
                format!(
                    "{} s between two readings are too long: the index of the latest documents keeps one for {lasts} s",
                    self.every
                ),
            )
            .advice(format!("read it more often, with --every {}h or less", (lasts - lasts.min(MARGIN + 1)) / 3600))),
        }
    }
}

/// A list at work.
#[derive(Debug)]
pub struct Poller<S, K> {
    snapshot: &'static Snapshot,
    rules: Rules,
    horizon: Option<u64>,
    source: S,
    sink: K,
    ledger: SqliteLedger,
    contents: Contents,
    mapper: Mapper,
    progress: Progress,
    reading: Reading,
    chunk: Chunk,
    sent: Vec<Item>,
    /// Where in `sent` a record stands.
    places: HashMap<Digest, usize>,
    met: Vec<Digest>,
    meter: Arc<Meter>,
    flushed: i64,
}

/// Why a document is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    New,
    Changed,
    Again,
}

impl<S: Pages + Sync, K: Sink> Poller<S, K> {
    /// Goes on from what the ledger holds. `parameters` are the connection's, as far as the mapping names them.
    pub fn open(
        snapshot: &'static Snapshot,
        rules: Rules,
        parameters: &Map<String, Value>,
        (source, sink, ledger): (S, K, SqliteLedger),
    ) -> Result<Self, Error> {
        let horizon = rules.horizon(snapshot)?;
        let progress = ledger.progress()?.unwrap_or_else(|| Progress {
            form: Progress::FORM,
            run: content::run(),
            reading: 1,
            pass: 0,
            begun: None,
            last: None,
            whole: None,
            totals: Totals::default(),
        });
        let flushed = source.now().as_second();
        Ok(Self {
            snapshot,
            rules,
            horizon,
            source,
            sink,
            ledger,
            contents: Contents::new(snapshot.id, content::manner(snapshot.mapping, parameters)),
            mapper: Mapper::new(snapshot.mapping, parameters),
            progress,
            reading: Reading::default(),
            chunk: Chunk::new(snapshot.name),
            sent: Vec::new(),
            places: HashMap::new(),
            met: Vec::new(),
            meter: Arc::new(Meter::default()),
            flushed,
        })
    }

    /// How far it has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// What shows how it is getting on, and stops it.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Its memory.
    pub fn ledger(&mut self) -> &mut SqliteLedger {
        &mut self.ledger
    }

    /// Takes it apart.
    pub fn into_parts(self) -> (S, K, SqliteLedger) {
        (self.source, self.sink, self.ledger)
    }

    /// How many seconds it may rest before the next reading.
    pub fn rest(&self) -> u64 {
        let now = self.source.now().as_second();
        let begun = self.progress.last.filter(|_| self.progress.begun.is_none()).map(|last| last.begun);
        let passed = begun.map_or(self.rules.every, |begun| u64::try_from(now - begun).unwrap_or(0));
        self.rules.every.saturating_sub(passed)
    }

    /// Reads the list from its beginning to its end. After an error everything that was not delivered is looked at again.
    /// A list with more pages than may be read is an error too, once they are delivered.
    pub async fn round(&mut self) -> Result<Ended, Error> {
        let result = self.read().await;
        if result.is_err() {
            self.forget_chunk();
            if let Some(progress) = self.ledger.progress()? {
                self.progress = progress;
            }
        }
        result
    }

    async fn read(&mut self) -> Result<Ended, Error> {
        self.begin()?;
        let mut next: Option<String> = None;
        loop {
            if self.meter.stop.load(Ordering::Relaxed) {
                self.flush().await?;
                return Ok(Ended::Stopped);
            }
            if self.reading.pages >= self.rules.pages as u64 {
                return self.cut().await;
            }
            let (body, paging) = match self.source.page(next.as_deref()).await {
                Ok(page) => page,
                Err(error) => return self.fail(error).await,
            };
            let page = match Page::read(&body, &paging, None) {
                Ok(page) if page.listless => {
                    return self.fail(self.source.wrong("the answer has no list of records".to_owned())).await;
                }
                Ok(page) => page,
                Err(why) => return self.fail(self.source.wrong(why)).await,
            };
            if page.next.is_some() && page.next.as_deref() == next.as_deref() {
                let why = "the answer leads to the same page again".to_owned();
                return self.fail(self.source.wrong(why)).await;
            }
            self.take(&page).await?;
            self.reading.pages += 1;
            self.progress.totals.pages += 1;
            self.meter.pages.fetch_add(1, Ordering::Relaxed);
            let now = self.source.now().as_second();
            self.meter.now.store(now, Ordering::Relaxed);
            if self.is_full() || now - self.flushed >= PROMPT {
                self.flush().await?;
            }
            match page.next {
                Some(link) => next = Some(link.into_owned()),
                None => break,
            }
        }
        self.flush().await?;
        if !self.rules.full && self.snapshot.gone.is_some() && self.mark_missing().await? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        self.end(false)?;
        Ok(Ended::Rested)
    }

    /// A reading that was begun and did not end is begun anew, and is the same one.
    fn begin(&mut self) -> Result<(), Error> {
        let now = self.source.now().as_second();
        self.progress.pass += 1;
        let begun = *self.progress.begun.get_or_insert(now);
        self.reading = Reading { begun, ..Reading::default() };
        self.flushed = now;
        self.save()
    }

    async fn take(&mut self, page: &Page<'_>) -> Result<(), Error> {
        let now = self.source.now();
        for raw in &page.records {
            let record = raw.get();
            let content = self.contents.of(record);
            self.reading.records += 1;
            self.progress.totals.unkeyed += u64::from(!content.named);
            // What this chunk holds of it is newer than what is remembered.
            let pending = self.places.get(&content.key).and_then(|place| self.sent.get(*place)).cloned();
            let known = match pending {
                Some(item) => Some(item),
                None => self.ledger.item(&content.key)?,
            };
            match self.why(&content, known.as_ref(), now.as_second()) {
                None => self.met.push(content.key),
                Some(why) => {
                    let kept = self.snapshot.gone.as_ref().map(|gone| content::kept(record, gone));
                    self.push(&content, known.as_ref(), record, kept, now);
                    match why {
                        Why::New => self.reading.new += 1,
                        Why::Changed => self.reading.changed += 1,
                        Why::Again => self.reading.again += 1,
                    }
                    if self.is_full() {
                        self.flush().await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn why(&self, content: &Content, known: Option<&Item>, now: i64) -> Option<Why> {
        let known = match known {
            Some(item) if !item.gone => item,
            _ => return Some(Why::New),
        };
        if known.content == UNKNOWN && known.times == 1 {
            // Nobody knows of any document of it.
            return Some(Why::New);
        }
        if known.content != content.content {
            return Some(Why::Changed);
        }
        if self.rules.full {
            // What this very reading has sent already, before it was cut short, is not sent once more.
            return (known.reading < self.progress.reading).then_some(Why::Again);
        }
        let due = self.horizon.is_some_and(|horizon| is_due(&known.key, known.sent, now, horizon));
        due.then_some(Why::Again)
    }

    fn push(&mut self, content: &Content, known: Option<&Item>, record: &str, kept: Option<String>, now: Timestamp) {
        // A document is called the same however often it is delivered, and no other is called so: it is the next one of its
        // record, unless it is the very one of which nobody knows whether the sink took it.
        let (times, born) = match known {
            Some(item) if item.tried == Some(content.content) => (item.times, item.born),
            Some(item) => (item.times + 1, item.born),
            None => (1, self.progress.reading),
        };
        let key = format!(
            "{}:{}:{}:{}:{born}.{times}",
            self.snapshot.name,
            self.progress.run,
            hex(&content.key),
            hex(&content.content)
        );
        let mut failures = 0;
        let mapper = &mut self.mapper;
        self.chunk.push(&key, now.as_second(), |line| failures = mapper.write(record, now, line).failures);
        self.progress.totals.unmapped += u64::from(failures > 0);
        self.places.insert(content.key, self.sent.len());
        self.sent.push(Item {
            key: content.key,
            content: content.content,
            tried: None,
            sent: now.as_second(),
            reading: self.progress.reading,
            times,
            born,
            pass: self.progress.pass,
            gone: false,
            kept,
        });
    }

    /// Sends a last document of each record that the list does not hold any more.
    async fn mark_missing(&mut self) -> Result<Ended, Error> {
        let Some(gone) = &self.snapshot.gone else { return Ok(Ended::Rested) };
        let mut after = None;
        loop {
            if self.meter.stop.load(Ordering::Relaxed) {
                self.flush().await?;
                return Ok(Ended::Stopped);
            }
            let missing = self.ledger.missing(self.progress.pass, after, BATCH)?;
            let Some(last) = missing.last() else { break };
            after = Some(last.key);
            let now = self.source.now();
            for item in &missing {
                let record = content::marked(item.kept.as_deref().unwrap_or("{}"), gone);
                let content = Content { key: item.key, content: crate::key::short("gone"), named: true };
                self.push(&content, Some(item), &record, item.kept.clone(), now);
                if let Some(sent) = self.sent.last_mut() {
                    sent.gone = true;
                }
                self.reading.gone += 1;
                if self.is_full() {
                    self.flush().await?;
                }
            }
            self.flush().await?;
        }
        Ok(Ended::Rested)
    }

    fn is_full(&self) -> bool {
        let extent = self.sink.extent();
        // What was met and has not changed is remembered in time, too, although nothing of it is sent.
        self.chunk.len() >= extent.events || self.chunk.lines().len() >= extent.bytes || self.met.len() >= 10_000
    }

    /// Delivers the chunk, and then remembers it.
    async fn flush(&mut self) -> Result<(), Error> {
        if !self.chunk.is_empty() {
            self.ledger.try_items(&self.sent)?;
            let taken = self.sink.deliver(&self.chunk).await?;
            let delivered = self.chunk.len() as u64;
            self.progress.totals.delivered += delivered;
            self.progress.totals.aside += taken.aside as u64;
            self.meter.delivered.fetch_add(delivered, Ordering::Relaxed);
        }
        self.flushed = self.source.now().as_second();
        self.save()
    }

    fn save(&mut self) -> Result<(), Error> {
        self.ledger.keep_items(&ItemChange {
            progress: &self.progress,
            chunk: &self.chunk,
            sent: &self.sent,
            met: &self.met,
        })?;
        self.forget_chunk();
        Ok(())
    }

    fn forget_chunk(&mut self) {
        self.chunk.clear();
        self.sent.clear();
        self.places.clear();
        self.met.clear();
    }

    fn end(&mut self, cut: bool) -> Result<(), Error> {
        let now = self.source.now().as_second();
        self.reading.ended = now;
        self.reading.cut = cut;
        let mut progress = self.progress.clone();
        progress.reading += 1;
        progress.begun = None;
        progress.last = Some(self.reading);
        if !cut {
            progress.whole = Some(now);
        }
        // A full reading leaves what it did not meet for the next one that is not; a cut one has not looked.
        let marks = cut || self.rules.full || self.snapshot.gone.is_some();
        self.ledger.end_reading(&progress, marks)?;
        self.progress = progress;
        self.meter.fresh.store(self.progress.whole.unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }

    /// There are more pages than may be read.
    async fn cut(&mut self) -> Result<Ended, Error> {
        self.flush().await?;
        self.end(true)?;
        let (pages, records) = (self.reading.pages, self.reading.records);
        Err(Error::new(
            ErrorKind::Partial,
            format!("{}: only {records} records were read, in {pages} pages; there are more", self.snapshot.name),
        )
        .advice("what was read is delivered; allow more pages with --max-pages"))
    }

    async fn fail(&mut self, error: Error) -> Result<Ended, Error> {
        self.flush().await?;
        Err(error)
    }
}
