//! One trial: a history, a service with habits, a schedule of rounds, errors and kills, and what must hold at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use connectome_collect::checkpoint::{Gap, Goal};
use connectome_collect::collector::{Budget, Collector, Ended, Range};
use connectome_collect::key::Keys;
use connectome_collect::plan::Limits;
use connectome_collect::prepare::{Mode, Preparation};
use connectome_collect::view::Record;
use connectome_core::operation::{Call, Operation};
use connectome_core::page::{Next, Page};
use connectome_core::stream::{Event as Shape, Stream, TimeForm, Transform, Window};
use connectome_core::{Error, ErrorKind};
use serde_json::value::RawValue;

use super::history::{Event, Kind, history};
use super::memory::{Disk, Memory};
use super::random::Random;
use super::service::{Cursor, Habits, Peer};
use super::sink::Notes;

/// What is wrong with the collector on purpose, to see that a trial can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing.
    None,
    /// Windows end one second early, as if an end that is counted in could be taken off.
    EndOneSecondEarly,
    /// A window is called complete though it was asked for before its lateness had passed.
    EarlyCursor,
    /// The end of a window's events is cut off at a limit.
    CutAtLimit,
    /// Events come later than the lateness, and nobody looks again.
    TooLate,
    /// Events come later than the lateness, and are looked for again: no flaw.
    TooLateLookedFor,
}

/// Everything that is outside of the collector.
#[derive(Debug)]
pub struct World {
    pub random: Random,
    /// The service's time in milliseconds since 1970.
    pub now: i64,
    pub flaw: Flaw,
    pub habits: Habits,
    pub limits: Limits,
    pub events: Vec<Event>,
    pub cursors: Vec<Cursor>,
    pub disk: Disk,
    pub delivered: BTreeMap<String, u64>,
    pub chunk: usize,
    pub requests: u64,
    /// When everything has happened and can be read.
    settled: i64,
    errors: i64,
    kills: i64,
    killed: u64,
    broken: Option<String>,
}

/// The process ended.
pub fn killed() -> Error {
    Error::new(ErrorKind::Interrupted, "killed")
}

impl World {
    /// When everything has happened there is calm, so that a trial comes to its end, and not by luck.
    pub fn calm(&mut self) -> bool {
        let over = self.now > self.settled;
        if over {
            (self.errors, self.kills, self.habits.slowness) = (0, 0, self.habits.slowness.min(10));
        }
        over
    }

    /// Whether something goes wrong now.
    pub fn errs(&mut self) -> bool {
        self.errors > 0 && self.random.once_in(self.errors)
    }

    /// Whether the process is killed now.
    pub fn strikes(&mut self) -> bool {
        let strikes = self.kills > 0 && self.random.once_in(self.kills);
        self.killed += u64::from(strikes);
        strikes
    }

    /// Notes the first thing that does not hold.
    pub fn demand(&mut self, holds: bool, what: &str) {
        if !holds && self.broken.is_none() {
            self.broken = Some(what.to_owned());
        }
    }
}

/// What happened in a trial, or in several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Trials.
    pub trials: u64,
    /// Events that happened.
    pub events: u64,
    /// Requests.
    pub requests: u64,
    /// Rounds.
    pub rounds: u64,
    /// How often a process was killed.
    pub kills: u64,
    /// Events that were never delivered.
    pub lost: u64,
    /// Copies beyond the first, which only a kill may leave behind.
    pub copies: u64,
    /// Events that were found by looking again.
    pub late: u64,
    /// Events in gaps: the service had forgotten them, and that is recorded.
    pub forgotten: u64,
}

impl Outcome {
    /// Adds another's.
    pub fn add(&mut self, other: &Outcome) {
        self.trials += other.trials;
        self.events += other.events;
        self.requests += other.requests;
        self.rounds += other.rounds;
        self.kills += other.kills;
        self.lost += other.lost;
        self.copies += other.copies;
        self.late += other.late;
        self.forgotten += other.forgotten;
    }
}

/// What did not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The trial's seed.
    pub seed: u64,
    /// What it is.
    pub what: String,
    /// Events that were never delivered.
    pub lost: u64,
    /// Copies beyond those that kills explain.
    pub copies: u64,
}

static READ: Operation = Operation {
    call: Call::get("/events"),
    page: Some(Page { items: &["items"], next: Next::Link(&["next"]), size: None }),
    ..Operation::named("events")
};

const NAMED: Stream = Stream {
    name: "named",
    title: "Events with ids",
    aliases: &[],
    permission: "Events",
    on_request: false,
    read: &READ,
    page_sizes: &[],
    window: Window {
        from: "from",
        to: "to",
        widest: None,
        look_back: None,
        step: 3600,
        cap: 100,
        count: Some(&["total"]),
        slack: 0,
    },
    event: Shape { id: &[&["id"]], clock: &["at"], form: TimeForm::Rfc3339, time: "_time" },
    late_by: 600,
    requests_per_minute: None,
    expired: None,
    transforms: &[Transform::Copy("_time", &["at"])],
};

static STREAMS: [Stream; 4] = [
    NAMED,
    Stream { event: Shape { form: TimeForm::EpochMs, ..NAMED.event }, name: "millis", ..NAMED },
    Stream { event: Shape { id: &[], ..NAMED.event }, name: "content", ..NAMED },
    Stream { event: Shape { id: &[], form: TimeForm::EpochMs, ..NAMED.event }, name: "log", ..NAMED },
];

/// When every history starts.
const START: i64 = 1_772_438_400;

/// Runs the trial of a seed.
pub fn run(seed: u64, flaw: Flaw) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(Trial::new(seed, flaw).run())
}

struct Trial {
    seed: u64,
    stream: &'static Stream,
    world: Arc<Mutex<World>>,
    limits: Limits,
    first: i64,
    pause: i64,
    budget: Budget,
    rounds: u64,
}

/// The most events that so many seconds in a row hold.
fn densest(events: &[Event], seconds: i64) -> usize {
    let within = |at: usize| events[at..].iter().take_while(|it| it.time < events[at].time + seconds * 1000).count();
    (0..events.len()).map(within).max().unwrap_or(0)
}

impl Trial {
    fn new(seed: u64, flaw: Flaw) -> Self {
        let mut random = Random::new(seed);
        let stream: &'static Stream = random.pick(&[&STREAMS[0], &STREAMS[1], &STREAMS[2], &STREAMS[3]]);
        let late_by = random.pick(&[0, 5, 60, 600]);
        let beyond = if matches!(flaw, Flaw::TooLate | Flaw::TooLateLookedFor) { 500 } else { 0 };
        let length = random.pick(&[10, 300, 3600, 20_000]);
        // Windows and pauses so small that a trial takes minutes show nothing that others do not.
        let least = (length / 200).max(1);
        let poison = if flaw == Flaw::None { random.pick(&[0, 0, 0, 7]) } else { 0 };
        let limits = Limits {
            late_by: late_by as u64,
            margin: random.between(1, 3) as u64,
            step: random.pick(&[1, 7, 60, 600, 3600]).max(least as u64),
            cap: random.pick(&[1, 5, 20, 1000]),
            slack: if poison > 0 { 0 } else { random.pick(&[0, 0, 1]) },
            // A service may forget events before a slow collection has read them.
            look_back: (flaw == Flaw::None && poison == 0 && random.once_in(6))
                .then_some((late_by + random.pick(&[200, 2000, 20_000])) as u64),
            close_every: random.pick(&[0, 0, 30, 120]),
            again_after: (flaw == Flaw::TooLateLookedFor || (flaw == Flaw::None && random.once_in(5)))
                .then_some(late_by as u64 + 600),
            max_pages: 100_000,
        };
        let kind = Kind {
            named: !stream.event.id.is_empty(),
            epoch: stream.event.form == TimeForm::EpochMs,
            fractions: random.once_in(2) || flaw == Flaw::EndOneSecondEarly,
            poison,
        };
        let events = history(&mut random, kind, (START, START + length), late_by, beyond);
        let end = events.iter().map(|event| event.visible).max().unwrap_or(START * 1000);
        let after = limits.again_after.unwrap_or(0) + limits.late_by + limits.close_every + 10;
        let cursor_life = random.pick(&[0, 2, 60, 100_000]);
        let page_size = random.pick(&[1, 3, 10, 50]);
        // Where links die before a second's events can be read, nobody can read them.
        let least_page =
            if cursor_life < 100_000 { densest(&events, 3).div_ceil(if cursor_life < 60 { 1 } else { 3 }) } else { 1 };
        let habits = Habits {
            newest_first: random.once_in(2),
            end_inclusive: flaw == Flaw::EndOneSecondEarly || random.once_in(2),
            // Where pages shift under the reader, a record that its content names may be taken for two.
            snapshot: !kind.named || poison > 0 || flaw == Flaw::EarlyCursor || random.once_in(2),
            cursor_life,
            page_size: page_size.max(least_page),
            counts: random.once_in(2),
            empty_pages: random.pick(&[0, 0, 5]),
            slowness: random.pick(&[0, 100, 1500]),
        };
        let quiet = random.once_in(3);
        let world = World {
            now: (START + random.between(0, length + late_by)) * 1000,
            flaw,
            habits,
            limits,
            events,
            cursors: Vec::new(),
            disk: Disk::default(),
            delivered: BTreeMap::new(),
            chunk: random.pick(&[1, 4, 50, 1000]),
            requests: 0,
            settled: end + after as i64 * 1000,
            errors: if quiet { 0 } else { random.pick(&[0, 5, 20]) },
            kills: if quiet { 0 } else { random.pick(&[0, 6, 25, 100]) },
            killed: 0,
            broken: None,
            random: random.clone(),
        };
        let budget = Budget {
            events: random.pick(&[None, None, Some(1), Some(10)]),
            pages: random.pick(&[None, None, Some(1), Some(4)]),
        };
        Self {
            seed,
            stream,
            world: Arc::new(Mutex::new(world)),
            limits,
            // Some begin in the middle.
            first: START + random.pick(&[-100, 0, 0, length / 3]),
            pause: random.pick(&[1, 20, 60, 600]).max(least),
            budget,
            rounds: 0,
        }
    }

    async fn run(mut self) -> Result<Outcome, Failure> {
        // A process of its own after each kill.
        loop {
            let mut collector = match self.open() {
                Ok(collector) => collector,
                Err(_) => continue,
            };
            if self.process(&mut collector).await? {
                break;
            }
        }
        self.judge()
    }

    fn open(&self) -> Result<Collector<Peer, Notes, Memory>, Error> {
        let world = &self.world;
        let parts = (Peer { world: world.clone() }, Notes { world: world.clone() }, Memory { world: world.clone() });
        let range = Range { first: self.first, until: None };
        Collector::open(self.stream, self.limits, range, Preparation::new(self.stream, Mode::Declared), parts)
    }

    /// Rounds until the process is killed, or everything has been read.
    async fn process(&mut self, collector: &mut Collector<Peer, Notes, Memory>) -> Result<bool, Failure> {
        loop {
            self.rounds += 1;
            if self.rounds > 30_000 {
                return Err(self.failure("it makes no progress"));
            }
            let over = self.world.lock().expect("the world").calm();
            let budget = if over { Budget::default() } else { self.budget };
            let result = collector.round(budget).await;
            self.shortcut(collector);
            let mut world = self.world.lock().expect("the world");
            if let Some(what) = world.broken.take() {
                drop(world);
                return Err(self.failure(&what));
            }
            match result {
                Err(error) if error.parts().message == "killed" => return Ok(false),
                Err(_) => {}
                Ok(Ended::Rested) if over => return Ok(true),
                Ok(_) => {}
            }
            world.now += match result {
                Ok(Ended::Paused) => world.random.between(0, 2000),
                _ => world.random.between(0, self.pause * 2000),
            };
        }
    }

    /// The flaw of a planner that goes on with an early cursor when the lateness has passed meanwhile.
    fn shortcut(&self, collector: &mut Collector<Peer, Notes, Memory>) {
        let world = self.world.lock().expect("the world");
        let now = world.now / 1000;
        let late_by = self.limits.late_by as i64;
        if world.flaw == Flaw::EarlyCursor
            && let closed = collector.checkpoint().closed
            && let Some(window) = &mut collector.checkpoint_mut().window
            && window.cursor.is_some()
            && window.goal == Goal::Fresh
            && window.from == closed
            && now >= window.to + late_by + 3
        {
            window.goal = Goal::Close;
            window.born = now;
        }
    }

    fn failure(&self, what: &str) -> Failure {
        Failure { seed: self.seed, what: what.to_owned(), lost: 0, copies: 0 }
    }

    /// The keys of what should have been delivered, without what was recorded as missing.
    fn expected(&self, world: &World, gaps: &[Gap]) -> BTreeSet<String> {
        let mut keys = Keys::new(self.stream);
        let mut expected = BTreeSet::new();
        let missing =
            |second: i64| gaps.iter().any(|gap| gap.goal != Goal::Again && (gap.from..gap.to).contains(&second));
        let wanted = |event: &&Event| event.time >= self.first * 1000 && !missing(event.time.div_euclid(1000));
        for event in world.events.iter().filter(wanted) {
            let raw: Box<RawValue> = serde_json::from_str(&event.record).expect("a record");
            let mut key = String::new();
            let identity = keys.identify(&Record::read(&raw, &self.stream.event), &mut key);
            let mut number = 1;
            let plain = key.clone();
            while identity.content() && !expected.insert(key.clone()) {
                number += 1;
                key = format!("{plain}#{number}");
            }
            expected.insert(key);
        }
        expected
    }

    fn judge(&self) -> Result<Outcome, Failure> {
        let (late, gaps) =
            self.open().map_or((0, Vec::new()), |it| (it.checkpoint().counts.late, it.checkpoint().gaps.clone()));
        let world = self.world.lock().expect("the world");
        let expected = self.expected(&world, &gaps);
        let happened = self.expected(&world, &[]);
        let delivered: BTreeSet<String> = world.delivered.keys().cloned().collect();
        let lost = expected.difference(&delivered).count() as u64;
        let invented = delivered.difference(&happened).count() as u64;
        let copies: u64 = world.delivered.values().map(|times| times - 1).sum();
        let explained = world.killed * world.chunk as u64;
        let failure = |what: &str| Failure { seed: self.seed, what: what.to_owned(), lost, copies };
        if lost > 0 {
            return Err(failure("events were lost"));
        }
        if invented > 0 {
            return Err(failure("there are events that never happened"));
        }
        if copies > explained {
            return Err(failure("there are more copies than kills explain"));
        }
        let mut end = self.first;
        let mut accounted: Vec<(i64, i64)> =
            gaps.iter().filter(|gap| gap.goal != Goal::Again).map(|gap| (gap.from, gap.to)).collect();
        accounted.extend(&world.disk.closed);
        accounted.sort_unstable();
        for (from, to) in accounted {
            if from != end || to <= from {
                return Err(failure("the receipts of closed windows and the recorded gaps leave a gap"));
            }
            end = to;
        }
        Ok(Outcome {
            trials: 1,
            events: expected.len() as u64,
            requests: world.requests,
            rounds: self.rounds,
            kills: world.killed,
            lost,
            copies,
            late,
            forgotten: (happened.len() - expected.len()) as u64,
        })
    }
}
