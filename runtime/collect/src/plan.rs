//! What is read next, and what follows from having read it. Touches neither network nor disk nor clock.
//!
//! Three passes move along one line of time. *Fresh* reads what is new, up to now, so that it is delivered at once.
//! *Close* reads the same range once the stream's lateness has passed, and only what it has read counts as complete.
//! *Again*, if wanted, reads it once more long after. Each pass reads one [`Window`] at a time, from its first page to
//! its last; whatever interrupts a window, it is read anew from its first page, and the keys of events that were seen
//! keep them from being delivered twice.
//!
//! ```text
//!          ┌──────────── Rest ◄── nothing is due
//!          ▼                       │
//!        next ── due ──► Read(first page) ──► arrived ──► turned ──► Read(next page) ─► …
//!          ▲                                    │            │
//!          │   too many, stale, too slow:       │            │ the last page
//!          └── a narrower window ◄──────────────┘            ▼
//!          ▲                                        fewer than the service counts: once more
//!          └────────────── the pass moves up ◄───────────────┘
//! ```

use connectome_core::stream::Stream;

use crate::checkpoint::{Checkpoint, Gap, Goal, Receipt, Window};

/// What a plan keeps to. Times are seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long after its time an event may still appear.
    pub late_by: u64,
    /// How far from now a window stays.
    pub margin: u64,
    /// The widest window.
    pub step: u64,
    /// A window with more records than this is halved.
    pub cap: u64,
    /// How far both ends of a window are moved outwards when it is asked for.
    pub slack: u64,
    /// How far back the service remembers.
    pub look_back: Option<u64>,
    /// Windows are closed in strides of this at least, so that the last `late_by` are not read again at each turn.
    pub close_every: u64,
    /// How long after its time an event is looked for once more.
    pub again_after: Option<u64>,
    /// How many pages a window may have.
    pub max_pages: u64,
}

impl Limits {
    /// What a stream's description says, and what is usual besides.
    pub fn of(stream: &Stream) -> Self {
        Self {
            late_by: stream.late_by,
            margin: 2,
            step: stream.window.step,
            cap: stream.window.cap,
            slack: stream.window.slack,
            look_back: stream.window.look_back,
            // Each event is read about 1 + late_by / close_every times.
            close_every: (stream.late_by / 5).max(60),
            again_after: None,
            max_pages: 100_000,
        }
    }
}

/// A minute: what is forgotten while a request is on its way is not asked for.
const FORGETTING: i64 = 60;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask for a page.
    Read(Ask),
    /// A range can no longer be read. It is told; then there is a next step.
    Gap(Gap),
    /// There is nothing to read yet.
    Rest,
}

/// A page to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The start of the range, for a first page.
    pub from: i64,
    /// Its end. Always the window's own, whether the service counts it in or not: what lies beyond is left out here.
    pub to: i64,
    /// What leads to the page; absent for the first.
    pub cursor: Option<String>,
}

/// A page that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<'a> {
    /// How many records it holds.
    pub records: u64,
    /// How many the service says the range holds.
    pub total: Option<u64>,
    /// What leads to the next.
    pub next: Option<&'a str>,
}

/// Whether a page is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its events are delivered.
    Take,
    /// The window holds too many events and is now narrower.
    Split,
    /// The service makes no sense.
    Wrong(String),
}

/// What the records of a page turned out to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Records that this pass had not met before.
    pub distinct: u64,
    /// Those of them that belong to the window.
    pub events: u64,
    /// The exclusive or of their keys' digests.
    pub digest: u128,
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Another page.
    Next,
    /// There were fewer or more events than the service counts: the window is read once more.
    Recount,
    /// The window has been read, and the pass has moved up.
    Done {
        /// What it held.
        receipt: Receipt,
        /// Whether it still differs from what the service counts.
        miscounted: bool,
    },
}

/// A collection's way through time.
#[derive(Debug, Clone)]
pub struct Plan {
    limits: Limits,
    checkpoint: Checkpoint,
}

impl Plan {
    /// Goes on from a checkpoint.
    pub fn new(limits: Limits, mut checkpoint: Checkpoint) -> Self {
        checkpoint.width = checkpoint.width.clamp(1, limits.step.max(1));
        checkpoint.again = match (limits.again_after, checkpoint.again) {
            (None, _) => None,
            (Some(_), again) => Some(again.unwrap_or(checkpoint.closed)),
        };
        Self { limits, checkpoint }
    }

    /// How far it has come.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The same, for what is counted elsewhere.
    pub fn checkpoint_mut(&mut self) -> &mut Checkpoint {
        &mut self.checkpoint
    }

    /// What it keeps to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What to do at this time of the service. What has happened since `lap` is not looked for yet.
    pub fn next(&mut self, now: i64, lap: i64) -> Step {
        if let Some(gap) = self.forgotten(now) {
            return Step::Gap(gap);
        }
        self.drop_doubtful(now);
        if self.checkpoint.window.is_none() {
            let Some((goal, from, end)) = self.due(now, lap) else { return Step::Rest };
            self.open(goal, from, end.min(from + signed(self.checkpoint.width)), false);
        }
        let slack = signed(self.limits.slack);
        match &mut self.checkpoint.window {
            Some(window) => {
                if window.cursor.is_none() {
                    window.born = now;
                }
                // Nothing later than now is asked for, nor anything that the service has forgotten.
                let oldest = self.limits.look_back.map_or(i64::MIN, |it| now - signed(it));
                Step::Read(Ask {
                    from: (window.from - slack).max(oldest),
                    to: (window.to + slack).min(now),
                    cursor: window.cursor.clone(),
                })
            }
            None => Step::Rest,
        }
    }

    /// The window that is due: which pass, from where, at most to where.
    fn due(&self, now: i64, lap: i64) -> Option<(Goal, i64, i64)> {
        let it = &self.checkpoint;
        let until = |time: i64| it.until.map_or(time, |until| time.min(until));
        let horizon = now - signed(self.limits.margin);
        let close = until(horizon - signed(self.limits.late_by));
        let unread = it.closed >= it.fresh;
        let last = it.until == Some(close);
        if it.closed < close && (unread || last || close - it.closed >= signed(self.limits.close_every)) {
            return Some((Goal::Close, it.closed, close));
        }
        let fresh = until(now.min(lap) - signed(self.limits.margin));
        if it.fresh < fresh {
            return Some((Goal::Fresh, it.fresh, fresh));
        }
        let (again, after) = (it.again?, self.limits.again_after?);
        let end = (horizon - signed(after)).min(it.closed);
        let worth = signed(self.limits.close_every.max(1));
        (end - again >= worth).then_some((Goal::Again, again, end))
    }

    /// A window that could not be asked for at this time is dropped: the clock was put back, or a cursor is of a time
    /// when the lateness had not passed.
    fn drop_doubtful(&mut self, now: i64) {
        let margin = signed(self.limits.margin);
        let settled = |window: &Window| match (window.goal, &window.cursor) {
            (Goal::Fresh, _) => window.to + margin <= now,
            (_, None) => window.to + margin + signed(self.limits.late_by) <= now,
            // Only what was asked for after the lateness had passed closes a window.
            (_, Some(_)) => window.born >= window.to + signed(self.limits.late_by),
        };
        if self.checkpoint.window.as_ref().is_some_and(|window| !settled(window)) {
            self.checkpoint.window = None;
        }
    }

    fn open(&mut self, goal: Goal, from: i64, to: i64, recount: bool) {
        self.checkpoint.pass = self.checkpoint.pass.wrapping_add(1).max(1);
        self.checkpoint.window = Some(Window {
            goal,
            from,
            to,
            born: 0,
            cursor: None,
            pages: 0,
            records: 0,
            distinct: 0,
            events: 0,
            digest: 0,
            total: None,
            steady: true,
            recount,
        });
    }

    /// What the service has forgotten, and the passes have not read.
    fn forgotten(&mut self, now: i64) -> Option<Gap> {
        let oldest = now - signed(self.limits.look_back?) + FORGETTING;
        let it = &mut self.checkpoint;
        let oldest = it.until.map_or(oldest, |until| oldest.min(until));
        let (goal, from, to) = match it.again {
            _ if it.closed < oldest && it.fresh > it.closed => (Goal::Close, it.closed, it.fresh.min(oldest)),
            _ if it.closed < oldest => (Goal::Fresh, it.closed, oldest),
            Some(again) if again < oldest => (Goal::Again, again, oldest),
            _ => return None,
        };
        if goal == Goal::Again {
            it.window.take_if(|window| window.goal == goal);
        } else {
            it.closed = to;
            it.fresh = it.fresh.max(to);
            it.window = None;
        }
        it.again = it.again.map(|again| again.max(to));
        let gap = Gap { from, to, found: now, goal };
        match it.gaps.last_mut() {
            Some(last) if last.goal == goal && last.to == from => last.to = to,
            _ => it.gaps.push(gap.clone()),
        }
        Some(gap)
    }

    /// A page has come. Nothing of it is delivered yet.
    pub fn arrived(&mut self, page: &Page<'_>) -> Verdict {
        let Some(window) = &mut self.checkpoint.window else {
            return Verdict::Wrong("no page was asked for".to_owned());
        };
        self.checkpoint.counts.pages += 1;
        if page.next.is_some() && page.next == window.cursor.as_deref() && page.records > 0 {
            return Verdict::Wrong("the service gives the same next page twice".to_owned());
        }
        if page.next.is_some() && window.pages + 1 >= self.limits.max_pages {
            let pages = self.limits.max_pages;
            return Verdict::Wrong(format!(
                "a window of {} seconds has more than {pages} pages",
                window.to - window.from
            ));
        }
        let count = page.total.unwrap_or(0).max(window.records + page.records);
        if count > self.limits.cap && window.to - window.from > 1 {
            self.narrow();
            return Verdict::Split;
        }
        if window.pages > 0 && window.total != page.total {
            window.steady = false;
        }
        window.total = page.total;
        Verdict::Take
    }

    /// The page's records were looked at, and those that are new are with the sink, or will be before this is saved.
    pub fn turned(&mut self, page: &Page<'_>, found: Found) -> Turn {
        let Some(window) = &mut self.checkpoint.window else { return Turn::Next };
        window.pages += 1;
        window.records += page.records;
        window.distinct += found.distinct;
        window.events += found.events;
        window.digest ^= found.digest;
        window.cursor = page.next.map(str::to_owned);
        if window.cursor.is_some() {
            return Turn::Next;
        }
        let miscounted =
            window.goal != Goal::Fresh && window.steady && window.total.is_some_and(|total| total != window.distinct);
        if miscounted && !window.recount {
            let (goal, from, to) = (window.goal, window.from, window.to);
            self.open(goal, from, to, true);
            return Turn::Recount;
        }
        self.close(miscounted)
    }

    fn close(&mut self, miscounted: bool) -> Turn {
        let it = &mut self.checkpoint;
        let Some(window) = it.window.take() else { return Turn::Next };
        match window.goal {
            Goal::Fresh => it.fresh = it.fresh.max(window.to),
            Goal::Close => {
                it.closed = window.to;
                it.fresh = it.fresh.max(window.to);
            }
            Goal::Again => it.again = Some(window.to),
        }
        // Half full at most: twice as wide may still fit.
        if window.records * 2 <= self.limits.cap {
            it.width = (it.width * 2).min(self.limits.step.max(1));
        }
        it.counts.miscounted += u64::from(miscounted);
        let receipt = Receipt {
            goal: window.goal,
            from: window.from,
            to: window.to,
            asked: window.born,
            pages: window.pages,
            events: window.events,
            total: window.total,
            digest: format!("{:032x}", window.digest),
        };
        Turn::Done { receipt, miscounted }
    }

    /// The cursor is too old, or in doubt: the window is read anew, and it is narrower.
    pub fn stale(&mut self) {
        self.checkpoint.counts.stale += 1;
        self.narrow();
    }

    /// What was read of the window is in doubt: it is read anew.
    pub fn doubt(&mut self) {
        self.checkpoint.window = None;
    }

    /// The next window is half as wide and starts where this one does. Says whether it can be any narrower.
    pub fn narrow(&mut self) -> bool {
        let Some(window) = self.checkpoint.window.take() else { return false };
        let length = u64::try_from(window.to - window.from).unwrap_or(1);
        self.checkpoint.width = (length / 2).max(1);
        length > 1
    }

    /// Whether a round may end here. A window that cannot be any narrower is read to its end.
    pub fn may_pause(&self) -> bool {
        self.checkpoint.window.as_ref().is_none_or(|window| window.to - window.from > 1)
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX / 4)
}
