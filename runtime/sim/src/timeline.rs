//! When the records of a collection come to be, and when they can first be seen. Everything follows from the seed, so
//! that whoever knows it knows every record, also of those that nobody was shown yet.

use crate::record::mix;

/// Records from this number on appear while the simulation runs; those below were there at its start or were added.
pub const LIVE: usize = 1 << 40;

/// The same for all collections. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Timeline {
    /// When the simulation starts.
    pub start: i64,
    /// Over how long a time before it the first records are spread, in seconds.
    pub history: i64,
    /// How long after its time a record may be seen at last.
    pub late: i64,
    /// How many records a minute appear while it runs.
    pub rate: u64,
}

/// The records of one collection.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    /// The collection's own seed.
    pub seed: u64,
    /// How many there are at the start.
    pub made: usize,
    /// Whether its records happen at moments rather than in whole seconds, and appear while the simulation runs.
    pub happens: bool,
    /// Every so many-th equals the one before it.
    pub twin_every: usize,
}

impl Timeline {
    /// How many records have appeared, and the one that is next.
    pub fn appeared(&self, now: i64) -> usize {
        match i64::try_from(self.rate) {
            Ok(rate @ 1..) if now >= self.start => {
                usize::try_from((now - self.start).saturating_mul(rate) / 60_000).unwrap_or(0) + 1
            }
            _ => 0,
        }
    }

    /// When a record that appears while the simulation runs does so.
    fn appears(&self, live: usize) -> i64 {
        let count = i64::try_from(live + 1).unwrap_or(i64::MAX);
        self.start + count.saturating_mul(60_000) / i64::try_from(self.rate.max(1)).unwrap_or(i64::MAX)
    }

    /// The time that a record bears.
    pub fn moment(&self, series: &Series, number: usize) -> i64 {
        let original = series.original(number);
        match original.checked_sub(LIVE) {
            Some(live) => self.appears(live) - self.delay(series, original),
            None => {
                let (at, count) = (original as i64 + 1, series.made as i64 + 1);
                // The first is the newest, the last is as old as history.
                let back = self.history * at / count;
                let fraction = if series.happens && back > 0 { (series.chance(original, 1) % 1000) as i64 } else { 0 };
                (self.start.div_euclid(1000) - back) * 1000 + fraction
            }
        }
    }

    /// When it can first be seen.
    pub fn seen(&self, series: &Series, number: usize) -> i64 {
        let original = series.original(number);
        match original.checked_sub(LIVE) {
            Some(live) if original == number => self.appears(live),
            Some(live) => self.appears(live).max(self.moment(series, number) + self.delay(series, number)),
            None => self.moment(series, number) + self.delay(series, number),
        }
    }

    /// Most records are prompt and a few very late. A time that is written in whole seconds is up to a second early.
    fn delay(&self, series: &Series, number: usize) -> i64 {
        let longest = if series.happens { (self.late - 1000).max(0) } else { 0 };
        let share = (series.chance(number, 2) >> 11) as f64 / (1_u64 << 53) as f64;
        (share * share * longest as f64) as i64
    }
}

impl Series {
    /// The record that this one equals: itself, or the one before.
    pub fn original(&self, number: usize) -> usize {
        let place = number % LIVE;
        let twin = self.twin_every > 1
            && (number >= LIVE || number < self.made)
            && place % self.twin_every == self.twin_every - 1;
        if twin { number - 1 } else { number }
    }

    /// The number of a record among all that are ever made, which its generators go by.
    pub fn place(&self, number: usize) -> usize {
        let original = self.original(number);
        if original >= LIVE { self.made + (original - LIVE) } else { original }
    }

    /// Whether there is such a record by nature rather than because somebody added it.
    pub fn makes(&self, number: usize) -> bool {
        number < self.made || number >= LIVE
    }

    /// A number that is this record's own, for one purpose.
    pub fn chance(&self, number: usize, purpose: u64) -> u64 {
        mix(self.seed ^ mix(number as u64 ^ (purpose << 56)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_718_089_200_000;

    fn timeline(late: i64) -> Timeline {
        Timeline { start: START, history: 3 * 86_400, late, rate: 600 }
    }

    #[test]
    fn every_record_is_seen_at_its_time_or_at_most_so_much_later() {
        for late in [0, 60_000, 3_600_000] {
            let timeline = timeline(late);
            let series = Series { seed: 7, made: 500, happens: true, twin_every: 5 };
            let mut latest = 0;
            for number in (0..500).chain(LIVE..LIVE + 500) {
                let (moment, seen) = (timeline.moment(&series, number), timeline.seen(&series, number));
                assert!(
                    moment <= seen && seen - moment.div_euclid(1000) * 1000 <= late.max(999),
                    "{number}: {moment} {seen}"
                );
                latest = latest.max(seen - moment);
            }
            assert!(latest * 10 >= late * 8, "nobody is late: {latest} of {late}");
        }
    }

    #[test]
    fn what_can_be_seen_has_appeared() {
        let timeline = timeline(60_000);
        let series = Series { seed: 7, made: 10, happens: true, twin_every: 3 };
        for now in (START..START + 60_000).step_by(37) {
            let appeared = timeline.appeared(now);
            let mut seen = (0..appeared + 50).filter(|live| timeline.seen(&series, LIVE + live) <= now);
            assert!(seen.next_back().is_none_or(|last| last < appeared), "at {now} after the start");
        }
    }
}
