//! When a record that does not change is sent again: once in every horizon, each at its own time, so that every reading sends
//! about as many.

use crate::ledger::Digest;

/// Whether a record that was last sent then must be sent now. No record that is asked about at least every `every`
/// seconds goes without for longer than `horizon + every`.
pub fn is_due(key: &Digest, sent: i64, now: i64, horizon: u64) -> bool {
    let turn = |time: i64| turn(key, time, horizon);
    turn(now) > turn(sent)
}

/// How often the record's own moment had passed by then.
fn turn(key: &Digest, time: i64, horizon: u64) -> i128 {
    let mut part = [0; 8];
    part.copy_from_slice(&key[..8]);
    let horizon = u128::from(horizon.max(1));
    let own = (u128::from(u64::from_le_bytes(part)) * horizon) >> 64;
    (i128::from(time) + own as i128).div_euclid(horizon as i128)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400;

    proptest! {
        #[test]
        fn nothing_goes_without_for_longer_than_the_horizon_and_a_round(
            key: [u8; 16], first in 0..DAY * 9000, horizon in 1..DAY * 200, rounds in prop::collection::vec(1..DAY, 1..400),
        ) {
            let (mut sent, mut now) = (first, first);
            for pause in rounds {
                now += pause;
                if is_due(&key, sent, now, horizon.unsigned_abs()) {
                    sent = now;
                }
                prop_assert!(now - sent <= horizon);
            }
        }
    }

    #[test]
    fn every_round_sends_about_as_many() {
        let keys: Vec<Digest> = (0..100_000).map(|number| crate::key::short(&format!("key {number}"))).collect();
        let mut sent = vec![0; keys.len()];
        for day in 1..=300 {
            let mut count = 0;
            for (key, sent) in keys.iter().zip(&mut sent) {
                if is_due(key, *sent, day * DAY, 149 * 86_400) {
                    *sent = day * DAY;
                    count += 1;
                }
            }
            assert!((570..=780).contains(&count), "day {day}: {count}");
        }
    }
}
