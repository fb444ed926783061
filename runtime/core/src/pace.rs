//! A rate of one's own, whatever the service allows: so many requests in a second, and so many at once after a rest.

use std::sync::Mutex;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// How often requests may be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests in a second; a tenth is one in ten seconds.
    pub per_second: f64,
    /// How many may go at once after a rest; one at least.
    pub burst: u32,
}

/// Keeps a rate.
#[derive(Debug)]
pub struct Pace {
    between: SignedDuration,
    /// How long before its time a request may go, because others did not go at theirs.
    slack: SignedDuration,
    /// When the next request is due.
    due: Mutex<Option<Timestamp>>,
}

impl Pace {
    /// For this rate.
    pub fn new(rate: Rate) -> Self {
        let between = SignedDuration::try_from_secs_f64(1.0 / rate.per_second.max(1e-6)).unwrap_or(SignedDuration::MAX);
        let slack = between.checked_mul(i32::try_from(rate.burst.saturating_sub(1)).unwrap_or(i32::MAX));
        Self { between, slack: slack.unwrap_or(SignedDuration::MAX), due: Mutex::default() }
    }

    /// How long to wait before the next request; it is counted as sent then.
    pub fn reserve(&self, now: Timestamp) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let next = due.filter(|due| *due > now).unwrap_or(now);
        *due = next.checked_add(self.between).ok();
        let wait = next.duration_since(now) - self.slack;
        if wait.is_positive() { wait.unsigned_abs() } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(per_second: f64, burst: u32, at: &[i64]) -> Vec<u64> {
        let pace = Pace::new(Rate { per_second, burst });
        let wait = |second: &i64| pace.reserve(Timestamp::from_second(1_770_000_000 + second).unwrap()).as_secs();
        at.iter().map(wait).collect()
    }

    #[test]
    fn requests_are_spread_and_a_rest_allows_a_burst() {
        assert_eq!(waits(0.1, 1, &[0, 0, 0]), [0, 10, 20]);
        assert_eq!(waits(0.1, 3, &[0, 0, 0, 0]), [0, 0, 0, 10]);
        assert_eq!(waits(0.1, 2, &[0, 0, 100, 100, 100]), [0, 0, 0, 0, 10]);
        assert_eq!(waits(1.0, 1, &[0, 5, 5]), [0, 0, 1]);
    }
}
