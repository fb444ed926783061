//! Limits on the rate of requests, learned from what the service says. One for each class of paths.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;

use crate::answer::Answer;

/// What is known of each class's limit.
#[derive(Debug, Default)]
pub struct Limiter(Mutex<HashMap<String, Class>>);

#[derive(Debug, Default)]
struct Class {
    /// No request before this time.
    closed_until: Option<Timestamp>,
    /// Requests the window may hold, once the service has said so.
    limit: Option<usize>,
    /// When the requests of the last window were sent, oldest first.
    sent: std::collections::VecDeque<Timestamp>,
}

/// The window over which services count, unless they say another.
const WINDOW: Duration = Duration::from_secs(60);

/// The longest wait that a header can impose.
const LONGEST: Duration = Duration::from_secs(60);

impl Limiter {
    /// How long to wait before the next request of this class; it is counted as sent then.
    pub fn reserve(&self, class: &str, now: Timestamp) -> Duration {
        let mut classes = self.lock();
        let class = classes.entry(class.to_owned()).or_default();
        let mut at = class.closed_until.filter(|until| *until > now).unwrap_or(now);
        if let Some(limit) = class.limit {
            while class.sent.front().is_some_and(|first| at.duration_since(*first).unsigned_abs() >= WINDOW) {
                class.sent.pop_front();
            }
            if class.sent.len() >= limit
                && let Some(oldest) = class.sent.get(class.sent.len() - limit)
            {
                at = at.max(oldest.checked_add(WINDOW).unwrap_or(at));
            }
            class.sent.push_back(at);
        }
        at.duration_since(now).unsigned_abs().min(LONGEST)
    }

    /// Keeps a class below a rate from now on, unless the service states another.
    pub fn bound(&self, class: &str, per_minute: u64) {
        let limit = usize::try_from(per_minute).unwrap_or(usize::MAX).max(1);
        self.lock().entry(class.to_owned()).or_default().limit = Some(limit);
    }

    /// Learns from an answer. Returns how long the service asked to wait, when it refused.
    pub fn learn(&self, class: &str, answer: &Answer, now: Timestamp) -> Option<Duration> {
        let number = |name: &str| answer.header(name).and_then(|value| value.trim().parse::<u64>().ok());
        let mut classes = self.lock();
        let class = classes.entry(class.to_owned()).or_default();
        if let Some(limit) = number("RateLimit-Limit").filter(|limit| *limit > 0) {
            let window = number("RateLimit-Window").filter(|window| *window > 0).unwrap_or(WINDOW.as_secs());
            class.limit = Some(usize::try_from(limit * WINDOW.as_secs() / window).unwrap_or(usize::MAX).max(1));
        }
        let reset = number("RateLimit-Reset").map(Duration::from_secs);
        let asked = match answer.status {
            429 | 503 => answer.header("Retry-After").and_then(|value| retry_after(value, now)).or(reset),
            _ => reset.filter(|_| {
                // What the last request took is what the next one is likely to take.
                let costs = number("RateLimit-Requested").unwrap_or(1);
                number("RateLimit-Remaining").is_some_and(|left| left < costs.max(1))
            }),
        };
        let asked = asked.map(|time| time.min(LONGEST));
        if let Some(time) = asked {
            class.closed_until = now.checked_add(time).ok();
        }
        asked.filter(|_| matches!(answer.status, 429 | 503))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Class>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// `Retry-After`: a number of seconds or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(date.duration_since(now)).filter(|it| it.is_positive()).map(|it| it.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        Answer {
            status,
            headers: headers.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            body: bytes::Bytes::new(),
        }
    }

    #[test]
    fn a_refusal_closes_its_class_and_no_other() {
        let limiter = Limiter::default();
        let now: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
        assert_eq!(limiter.learn("lists", &answer(429, &[("Retry-After", "17")]), now), Some(Duration::from_secs(17)));
        assert_eq!(limiter.reserve("lists", now), Duration::from_secs(17));
        assert_eq!(limiter.reserve("alerts", now), Duration::ZERO);
        assert_eq!(
            limiter.learn("alerts", &answer(429, &[("Retry-After", "Tue, 11 Jun 2024 07:00:09 GMT")]), now),
            Some(Duration::from_secs(9))
        );
    }

    #[test]
    fn a_limit_that_the_service_states_spreads_requests() {
        let limiter = Limiter::default();
        let now: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
        limiter.learn("lists", &answer(200, &[("RateLimit-Limit", "2")]), now);
        let waits: Vec<u64> = (0..4).map(|_| limiter.reserve("lists", now).as_secs()).collect();
        assert_eq!(waits, [0, 0, 60, 60]);
    }

    #[test]
    fn a_rate_of_our_own_holds_without_a_word_of_the_service() {
        let limiter = Limiter::default();
        let now: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
        limiter.bound("lists", 2);
        let waits: Vec<u64> = (0..3).map(|_| limiter.reserve("lists", now).as_secs()).collect();
        assert_eq!(waits, [0, 0, 60]);
    }

    #[test]
    fn an_exhausted_window_waits_for_its_reset() {
        let limiter = Limiter::default();
        let now: Timestamp = "2024-06-11T07:00:00Z".parse().unwrap();
        limiter.learn("x", &answer(200, &[("RateLimit-Remaining", "0"), ("RateLimit-Reset", "5")]), now);
        assert_eq!(limiter.reserve("x", now), Duration::from_secs(5));
        let left = [("RateLimit-Remaining", "3"), ("RateLimit-Reset", "7"), ("RateLimit-Requested", "4")];
        limiter.learn("y", &answer(200, &left), now);
        assert_eq!(limiter.reserve("y", now), Duration::from_secs(7));
        limiter.learn("z", &answer(200, &[("RateLimit-Remaining", "4"), left[1], left[2]]), now);
        assert_eq!(limiter.reserve("z", now), Duration::ZERO);
    }
}
