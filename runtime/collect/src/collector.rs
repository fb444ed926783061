//! A stream on its way from a service to a sink: ask, look, deliver, remember.
//!
//! The order is what keeps events: a chunk is delivered, the sink says that it has it, and only then is remembered what
//! was seen and how far the plan has come. A process that ends anywhere in between delivers that chunk again at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use connectome_core::Error;
use connectome_core::stream::Stream;

use crate::checkpoint::{Checkpoint, Counts, Goal, Receipt};
use crate::key::Keys;
use crate::ledger::{Change, Ledger, Seen};
use crate::plan::{self, Ask, Found, Limits, Plan, Step, Turn, Verdict};
use crate::prepare::{Facts, Preparation};
use crate::sieve::{Fate, Sieve};
use crate::sink::{Chunk, Extent, Sink};
use crate::source::{Source, Trouble};
use crate::view::{Page, Record};

/// How often a window that cannot be any narrower is begun again before it is enough.
const PATIENCE: u32 = 8;

/// What was read is delivered after this many seconds at most, however little it is.
const PROMPT: i64 = 5;

/// Of a round that took longer than this, in seconds, what happened meanwhile is read at once.
const LAP: i64 = 60;

/// A stream at work.
#[derive(Debug)]
pub struct Collector<S, K, L> {
    stream: &'static Stream,
    limits: Limits,
    plan: Plan,
    source: S,
    sink: K,
    ledger: L,
    keys: Keys,
    preparation: Preparation,
    sieve: Sieve,
    chunk: Chunk,
    pending: Pending,
    meter: Arc<Meter>,
    /// How often in a row a window was begun again.
    again: u32,
    flushed: i64,
    saved: Option<Checkpoint>,
}

/// What is remembered together with the chunk at hand.
#[derive(Debug, Default)]
struct Pending {
    seen: Vec<Seen>,
    /// Where those of the page at hand start.
    page: usize,
    /// What was remembered in the middle of a page, and must be marked as met once that has ended.
    mark: Vec<Seen>,
    receipts: Vec<Receipt>,
}

/// Where a collection begins and ends, when it is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The first second.
    pub first: i64,
    /// The second before which it ends, if it does.
    pub until: Option<i64>,
}

/// What a round may use up. It ends between two pages, and never leaves out what it has received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// This many events.
    pub events: Option<u64>,
    /// This many pages.
    pub pages: Option<u64>,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There is nothing to read for now.
    Rested,
    /// Its budget is used up.
    Paused,
    /// Somebody asked it to.
    Stopped,
    /// There is nothing left to read, ever.
    Done,
}

/// How a collection is getting on, for whoever watches.
#[derive(Debug, Default)]
pub struct Meter {
    /// Events that the sink took.
    pub delivered: AtomicU64,
    /// Pages read.
    pub pages: AtomicU64,
    /// Everything before this was looked for.
    pub fresh: AtomicI64,
    /// The service's time at the last page.
    pub now: AtomicI64,
    /// Whether to stop after the page at hand.
    pub stop: AtomicBool,
}

impl<S: Source + Sync, K: Sink, L: Ledger> Collector<S, K, L> {
    /// Goes on from what the ledger holds. A new collection begins at its range, which is written down before anything
    /// is asked for.
    pub fn open(
        stream: &'static Stream,
        limits: Limits,
        range: Range,
        preparation: Preparation,
        (source, sink, mut ledger): (S, K, L),
    ) -> Result<Self, Error> {
        let spec = spec(stream);
        let known = ledger.load()?;
        let found = known.is_some();
        let mut checkpoint = known.unwrap_or_else(|| Checkpoint {
            until: range.until,
            ..Checkpoint::new(spec.clone(), range.first, limits.step)
        });
        if checkpoint.spec != spec {
            tracing::warn!(
                stream = stream.name,
                "the stream's description has changed: events around the last window may come twice"
            );
            checkpoint.spec = spec;
            checkpoint.window = None;
        }
        let plan = Plan::new(limits, checkpoint);
        let mut collector = Self {
            stream,
            limits,
            // The first page is delivered at once: also whoever never lives long moves forward.
            flushed: source.now() - PROMPT,
            plan,
            source,
            sink,
            ledger,
            keys: Keys::new(stream),
            preparation,
            sieve: Sieve::default(),
            chunk: Chunk::new(stream.name),
            pending: Pending::default(),
            meter: Arc::new(Meter::default()),
            again: 0,
            saved: None,
        };
        if !found {
            collector.save()?;
        }
        Ok(collector)
    }

    /// How far it has come.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.plan.checkpoint()
    }

    /// The same, to be tampered with by tests that must fail.
    #[doc(hidden)]
    pub fn checkpoint_mut(&mut self) -> &mut Checkpoint {
        self.plan.checkpoint_mut()
    }

    /// What shows how it is getting on, and stops it.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Its memory.
    pub fn ledger(&mut self) -> &mut L {
        &mut self.ledger
    }

    /// Where its events come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Takes it apart.
    pub fn into_parts(self) -> (S, K, L) {
        (self.source, self.sink, self.ledger)
    }

    /// Reads until there is nothing to read for now, or the budget is used up. After an error everything that was not
    /// delivered will be read again.
    pub async fn round(&mut self, budget: Budget) -> Result<Ended, Error> {
        let before = self.counts();
        let result = self.go(budget, &before).await;
        if result.is_err() {
            self.rewind()?;
        }
        result
    }

    fn counts(&self) -> Counts {
        self.plan.checkpoint().counts.clone()
    }

    async fn go(&mut self, budget: Budget, before: &Counts) -> Result<Ended, Error> {
        let mut lap = self.source.now();
        let mut asked = false;
        loop {
            if self.meter.stop.load(Ordering::Relaxed) {
                self.flush().await?;
                return Ok(Ended::Stopped);
            }
            let counts = &self.plan.checkpoint().counts;
            let events = counts.delivered - before.delivered + self.chunk.len() as u64;
            let pages = counts.pages - before.pages;
            let used = |limit: Option<u64>, used: u64| limit.is_some_and(|limit| used >= limit);
            if (used(budget.events, events) || used(budget.pages, pages)) && self.plan.may_pause() {
                self.flush().await?;
                return Ok(Ended::Paused);
            }
            let now = self.source.now();
            // What has only happened since is for the next round: a slow service gives no end of such.
            if now - lap >= LAP {
                lap = now;
            }
            match self.plan.next(now, lap) {
                Step::Read(ask) => self.read(&ask).await?,
                Step::Gap(gap) => {
                    let (stream, from, to) = (self.stream.name, time(gap.from), time(gap.to));
                    match gap.goal {
                        Goal::Fresh => tracing::warn!(
                            stream,
                            from,
                            to,
                            "events are missing: the service has forgotten that range before it was read"
                        ),
                        Goal::Close => tracing::warn!(
                            stream,
                            from,
                            to,
                            "what came late is missing: the service has forgotten that range before it was read again"
                        ),
                        Goal::Again => tracing::warn!(
                            stream,
                            from,
                            to,
                            "the service has forgotten that range before it was looked through once more"
                        ),
                    }
                    self.flush().await?;
                }
                // Whoever rests because of a clock that was told wrong would never hear the right time.
                Step::Rest if pages == 0 && !asked => {
                    asked = true;
                    self.source.ask_time().await;
                    lap = self.source.now();
                }
                Step::Rest => {
                    self.flush().await?;
                    let done = self.plan.checkpoint().is_done();
                    return Ok(if done { Ended::Done } else { Ended::Rested });
                }
            }
        }
    }

    async fn read(&mut self, ask: &Ask) -> Result<(), Error> {
        self.begin()?;
        let body = match self.source.page(ask).await {
            Ok(body) => body,
            Err(Trouble::Stale(error)) => {
                tracing::info!(stream = self.stream.name, "a cursor is too old: its window is read anew");
                self.again += 1;
                if self.again > PATIENCE && !self.plan.may_pause() {
                    return self.fail(error).await;
                }
                self.plan.stale();
                return Ok(());
            }
            Err(Trouble::Slow(error)) => {
                return if self.plan.narrow() { Ok(()) } else { self.fail(error).await };
            }
            Err(Trouble::Failed(error)) => return self.fail(error).await,
        };
        let paging = match &self.stream.read.page {
            Some(paging) => paging,
            None => return self.wrong(ask, "the stream does not say where its events are".to_owned()).await,
        };
        let page = match Page::read(&body, paging, self.stream.window.count) {
            Ok(page) => page,
            Err(why) => return self.wrong(ask, why).await,
        };
        if page.listless
            && let Some(error) = self.source.refusal(ask, &body)
        {
            return self.fail(error).await;
        }
        let read = self.plan.checkpoint().window.as_ref().map_or(0, |window| window.records);
        if page.listless && (page.next.is_some() || page.total.is_some_and(|total| total > read)) {
            return self.wrong(ask, "the answer has no list of events, but says that there are more".to_owned()).await;
        }
        let arrived = plan::Page { records: page.records.len() as u64, total: page.total, next: page.next.as_deref() };
        match self.plan.arrived(&arrived) {
            Verdict::Split => return Ok(()),
            Verdict::Wrong(why) => return self.wrong(ask, why).await,
            Verdict::Take => {}
        }
        let found = self.take(&page).await?;
        self.turn(&arrived, found);
        let now = self.source.now();
        self.meter.now.store(now, Ordering::Relaxed);
        self.meter.pages.fetch_add(1, Ordering::Relaxed);
        self.meter.fresh.store(self.plan.checkpoint().fresh, Ordering::Relaxed);
        if self.is_full(self.sink.extent()) || now - self.flushed >= PROMPT {
            self.flush().await?;
        }
        Ok(())
    }

    /// Before a window's page is looked at: what of it was seen.
    fn begin(&mut self) -> Result<(), Error> {
        let checkpoint = self.plan.checkpoint();
        let Some(window) = checkpoint.window.as_ref().filter(|_| checkpoint.pass != self.sieve.pass()) else {
            return Ok(());
        };
        let sieve = &mut self.sieve;
        sieve.begin(checkpoint.pass);
        self.ledger.seen(window.from, window.to, &mut |seen| sieve.recall(seen.key, seen.pass))?;
        let near = |seen: &&Seen| seen.loose || (window.from..window.to).contains(&seen.second);
        self.pending.seen.iter().filter(near).for_each(|seen| sieve.recall(seen.key, seen.pass));
        Ok(())
    }

    /// Looks at the records of a page, and puts those that are new into the chunk.
    async fn take(&mut self, page: &Page<'_>) -> Result<Found, Error> {
        let checkpoint = self.plan.checkpoint();
        let (pass, fresh) = (checkpoint.pass, checkpoint.fresh);
        let Some(window) = &checkpoint.window else { return Ok(Found::default()) };
        let (goal, from, to) = (window.goal, window.from, window.to);
        let slack = i64::try_from(self.limits.slack).unwrap_or(0);
        let late_by = i64::try_from(self.limits.late_by).unwrap_or(0);
        let extent = self.sink.extent();
        let mut found = Found::default();
        let mut counts = Counts::default();
        let mut key = String::new();
        for &raw in &page.records {
            let record = Record::read(raw, &self.stream.event);
            let moment = record.moment(&self.stream.event).map(|moment| moment.second);
            if moment.is_some_and(|second| second >= to || (from - slack..from).contains(&second)) {
                // Another window's: it comes again there.
                found.distinct += 1;
                continue;
            }
            let identity = self.keys.identify(&record, &mut key);
            let (digest, fate) = self.sieve.meet(&mut key, self.keys.digest(), identity.content());
            if fate == Fate::Repeated {
                counts.repeated += 1;
                continue;
            }
            let second = moment.filter(|second| *second >= from);
            found.distinct += 1;
            if second.is_some() {
                found.events += 1;
                found.digest ^= u128::from_le_bytes(digest);
            }
            let seen = Seen {
                key: digest,
                // What any window may hold is remembered until all of them that could are closed.
                second: second.unwrap_or(to + late_by),
                pass,
                loose: second.is_none(),
            };
            if fate == Fate::Delivered {
                counts.repeated += 1;
                if identity.content() {
                    self.pending.seen.push(seen);
                }
                continue;
            }
            let facts = Facts {
                window: from,
                undated: moment.is_none(),
                displaced: moment.is_some() && second.is_none(),
                identity,
            };
            let mut untransformed = false;
            let preparation = &mut self.preparation;
            self.chunk.push(&key, second.unwrap_or(from), |line| untransformed = preparation.write(raw, &facts, line));
            counts.late += u64::from(match goal {
                Goal::Fresh => false,
                Goal::Close => second.is_some_and(|second| second < fresh),
                Goal::Again => true,
            });
            counts.undated += u64::from(facts.undated);
            counts.displaced += u64::from(facts.displaced);
            counts.unkeyed += u64::from(identity == crate::key::Identity::Unkeyed);
            counts.untransformed += u64::from(untransformed);
            self.pending.seen.push(seen);
            if self.is_full(extent) {
                self.flush_within_page().await?;
            }
        }
        let total = &mut self.plan.checkpoint_mut().counts;
        total.repeated += counts.repeated;
        total.late += counts.late;
        total.undated += counts.undated;
        total.displaced += counts.displaced;
        total.unkeyed += counts.unkeyed;
        total.untransformed += counts.untransformed;
        Ok(found)
    }

    fn turn(&mut self, page: &plan::Page<'_>, found: Found) {
        self.pending.seen.append(&mut self.pending.mark);
        self.pending.page = self.pending.seen.len();
        match self.plan.turned(page, found) {
            Turn::Next => {}
            Turn::Recount => {
                tracing::info!(
                    stream = self.stream.name,
                    "a window does not hold as many events as the service counts: it is read again"
                );
            }
            Turn::Done { receipt, miscounted } => {
                self.again = 0;
                if miscounted {
                    let (from, to) = (time(receipt.from), time(receipt.to));
                    tracing::warn!(
                        stream = self.stream.name,
                        from,
                        to,
                        events = receipt.events,
                        counted = receipt.total,
                        "a window does not hold as many events as the service counts, not even when read again"
                    );
                }
                if receipt.goal != Goal::Fresh {
                    self.pending.receipts.push(receipt);
                }
            }
        }
    }

    fn is_full(&self, extent: Extent) -> bool {
        self.chunk.len() >= extent.events || self.chunk.lines().len() >= extent.bytes
    }

    /// Delivers in the middle of a page. The page's cursor is not passed: it would be read again, and must meet its
    /// events as if for the first time.
    async fn flush_within_page(&mut self) -> Result<(), Error> {
        let content = self.stream.event.id.is_empty();
        let page = self.pending.page.min(self.pending.seen.len());
        for seen in &mut self.pending.seen[page..] {
            if content || seen.loose {
                self.pending.mark.push(*seen);
            }
            seen.pass = 0;
        }
        self.flush().await
    }

    /// Delivers the chunk, and then remembers it.
    async fn flush(&mut self) -> Result<(), Error> {
        if !self.chunk.is_empty() {
            let taken = self.sink.deliver(&self.chunk).await?;
            let delivered = self.chunk.len() as u64;
            let aside = taken.aside as u64;
            let counts = &mut self.plan.checkpoint_mut().counts;
            counts.delivered += delivered;
            counts.aside += aside;
            self.meter.delivered.fetch_add(delivered, Ordering::Relaxed);
        }
        self.flushed = self.source.now();
        self.save()
    }

    fn save(&mut self) -> Result<(), Error> {
        let pending = &mut self.pending;
        let unchanged = pending.seen.is_empty() && pending.receipts.is_empty() && self.chunk.is_empty();
        if unchanged && self.saved.as_ref() == Some(self.plan.checkpoint()) {
            return Ok(());
        }
        self.ledger.save(&Change {
            checkpoint: self.plan.checkpoint(),
            chunk: &self.chunk,
            seen: &pending.seen,
            receipts: &pending.receipts,
        })?;
        self.saved = Some(self.plan.checkpoint().clone());
        pending.seen.clear();
        pending.page = 0;
        pending.receipts.clear();
        self.chunk.clear();
        Ok(())
    }

    async fn fail(&mut self, error: Error) -> Result<(), Error> {
        self.flush().await?;
        Err(error)
    }

    /// A cursor that led to nonsense is not followed again: its window is read anew.
    async fn wrong(&mut self, ask: &Ask, why: String) -> Result<(), Error> {
        let error = self.source.wrong(ask, why);
        self.plan.doubt();
        self.fail(error).await
    }

    /// Goes back to what is remembered.
    fn rewind(&mut self) -> Result<(), Error> {
        self.chunk.clear();
        self.pending = Pending::default();
        self.sieve = Sieve::default();
        self.again = 0;
        if let Some(checkpoint) = self.ledger.load()? {
            self.saved = Some(checkpoint.clone());
            self.plan = Plan::new(self.limits, checkpoint);
        }
        Ok(())
    }
}

/// What keys and cursors of a stream depend on.
fn spec(stream: &Stream) -> String {
    let read = stream.read;
    let text = format!("{:?} {:?} {:?} {:?}", read.call, read.query, stream.event.id, stream.event.clock);
    crate::key::hex(&crate::key::short(&text))
}

fn time(second: i64) -> String {
    jiff::Timestamp::from_second(second).unwrap_or_default().to_string()
}
