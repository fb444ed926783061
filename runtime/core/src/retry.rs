//! Which failures are tried again, after how long, and when it is enough.

use std::sync::Mutex;
use std::time::Duration;

use crate::operation::Repeat;

/// What became of one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No connection: nothing was sent.
    NotSent,
    /// The connection broke, or no answer came in time: the service may have acted.
    Unknown,
    /// The service refused for now, and did nothing.
    Refused,
    /// A gateway gave up: the service may have acted.
    Gateway,
}

impl Trouble {
    /// What a status says, if it is passing trouble.
    pub fn of_status(status: u16) -> Option<Self> {
        match status {
            429 => Some(Trouble::Refused),
            502..=504 => Some(Trouble::Gateway),
            _ => None,
        }
    }

    /// Whether the request may be sent again.
    pub fn may_repeat(self, repeat: Repeat) -> bool {
        match self {
            Trouble::NotSent | Trouble::Refused => true,
            Trouble::Unknown | Trouble::Gateway => repeat == Repeat::Safe,
        }
    }
}

/// The pause before a try: 2, 4, 8, 16 … seconds, at most 60, shortened by up to a quarter so that callers part.
pub fn pause(tries: u32, chance: f64) -> Duration {
    pause_from(2, tries, chance)
}

/// The same, from another first pause in seconds.
pub fn pause_from(first: u64, tries: u32, chance: f64) -> Duration {
    let doubled = 2f64.powi(i32::try_from(tries.clamp(1, 8)).unwrap_or(8) - 1);
    let seconds = (first as f64 * doubled).min(60.0);
    Duration::from_secs_f64(seconds * (1.0 - chance.clamp(0.0, 1.0) / 4.0))
}

/// A number from 0 to 1 that differs between processes and moments: what a pause is shortened by.
pub fn chance() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let hash = std::collections::hash_map::RandomState::new().build_hasher().finish();
    hash as f64 / u64::MAX as f64
}

/// How many repeats a connection may still make. Each answer earns a tenth of one; an outage earns none, so that many
/// calls in a row do not become a storm.
#[derive(Debug)]
pub struct Budget(Mutex<u32>);

/// Counted in tenths of a repeat.
const FULL: u32 = 200;
const ONE: u32 = 10;

impl Default for Budget {
    fn default() -> Self {
        Self(Mutex::new(FULL))
    }
}

impl Budget {
    /// Takes one repeat, if there is one left.
    pub fn take(&self) -> bool {
        let mut left = self.lock();
        let enough = *left >= ONE;
        if enough {
            *left -= ONE;
        }
        enough
    }

    /// An answer came.
    pub fn earn(&self) {
        let mut left = self.lock();
        *left = (*left + 1).min(FULL);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, u32> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let seconds: Vec<u64> = (1..8).map(|tries| pause(tries, 0.0).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(1, 1.0), Duration::from_millis(1500));
        let seconds: Vec<u64> = (1..9).map(|tries| pause_from(1, tries, 0.0).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn what_may_have_happened_is_repeated_only_where_that_is_safe() {
        for trouble in [Trouble::Unknown, Trouble::Gateway] {
            assert!(trouble.may_repeat(Repeat::Safe) && !trouble.may_repeat(Repeat::Unsafe));
        }
        for trouble in [Trouble::NotSent, Trouble::Refused] {
            assert!(trouble.may_repeat(Repeat::Unsafe));
        }
    }

    #[test]
    fn an_outage_uses_the_budget_up() {
        let budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.take()).count(), 20);
        (0..10).for_each(|_| budget.earn());
        assert!(budget.take() && !budget.take());
    }
}
