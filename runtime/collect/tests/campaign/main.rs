//! Collecting loses nothing and invents nothing, whatever the service, the sink, the clock and the kernel do.
//!
//! Collections against a simulated service, a simulated sink and a memory that can be cut off at any point, with time
//! that only moves when the schedule says so. One seed is one schedule, and gives the same one every time.

mod history;
mod memory;
mod random;
mod service;
mod sink;
mod trial;

use trial::{Failure, Flaw, Outcome, run};

/// Runs trials one after another until one fails. Gives the sum of what happened, and the first failure.
fn campaign(
    seeds: impl Iterator<Item = u64>,
    flaw: Flaw,
    mut told: impl FnMut(&Outcome),
) -> (Outcome, Option<Failure>) {
    let mut sum = Outcome::default();
    for seed in seeds {
        match run(seed, flaw) {
            Ok(outcome) => {
                sum.add(&outcome);
                told(&sum);
            }
            Err(failure) => return (sum, Some(failure)),
        }
    }
    (sum, None)
}

#[test]
fn nothing_is_lost_and_only_kills_leave_copies() {
    let (sum, failure) = campaign(1..=4000, Flaw::None, |_| {});
    assert!(failure.is_none(), "{failure:?}");
    assert!(
        sum.kills > 1000 && sum.copies > 0 && sum.late > 0 && sum.forgotten > 0,
        "the schedules are too tame: {sum:?}"
    );
}

/// A collector with this flaw must fail, or the trials show nothing.
fn fails(flaw: Flaw, why: &str) {
    let (_, failure) = campaign(1..=3000, flaw, |_| {});
    let failure = failure.unwrap_or_else(|| panic!("{flaw:?} does no harm"));
    assert_eq!(failure.what, why, "{flaw:?}: {failure:?}");
}

#[test]
fn an_end_one_second_early_loses_events() {
    fails(Flaw::EndOneSecondEarly, "events were lost");
}

#[test]
fn a_window_asked_for_too_early_and_called_complete_loses_events() {
    fails(Flaw::EarlyCursor, "events were lost");
}

#[test]
fn a_list_cut_at_its_limit_loses_events() {
    fails(Flaw::CutAtLimit, "events were lost");
}

#[test]
fn events_beyond_the_lateness_are_lost_unless_they_are_looked_for_again() {
    fails(Flaw::TooLate, "events were lost");
    let (sum, failure) = campaign(1..=1000, Flaw::TooLateLookedFor, |_| {});
    assert!(failure.is_none(), "{failure:?}");
    assert!(sum.late > 100, "{sum:?}");
}

/// As many trials as `CONNECTOME_TRIALS` says; `cargo xtask campaign` sets it.
#[test]
#[ignore = "runs as long as it is told to"]
fn as_many_trials_as_wanted() {
    let trials = std::env::var("CONNECTOME_TRIALS").ok().and_then(|it| it.parse().ok()).unwrap_or(100_000);
    let first: u64 = std::env::var("CONNECTOME_SEED").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let line = |sum: &Outcome| {
        println!(
            "{} trials: {} events, {} requests, {} rounds, {} kills; {} lost, {} copies that kills explain, {} late, {} in recorded gaps",
            sum.trials, sum.events, sum.requests, sum.rounds, sum.kills, sum.lost, sum.copies, sum.late, sum.forgotten
        );
    };
    let (sum, failure) = campaign(first..first + trials, Flaw::None, |sum| {
        if sum.trials % 10_000 == 0 && sum.trials < trials {
            line(sum);
        }
    });
    line(&sum);
    if let Some(failure) = failure {
        println!("seed {}: {}; lost {}, copies {}", failure.seed, failure.what, failure.lost, failure.copies);
        panic!("a trial failed");
    }
}
