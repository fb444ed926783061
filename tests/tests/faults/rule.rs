//! How a cell must end, from what is known of the fault and of what is asked: never from what was seen.

use connectome_core::ErrorKind;

use crate::subject::{Body, Subject, What};

/// How often a request is tried in all.
pub const TRIES: u64 = 3;

/// How a cell must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As without the fault.
    Same,
    /// As without the fault, after this many more requests.
    SameAfter(u64),
    /// With a success, whatever it gives: the fault changes what is there.
    Fine,
    /// With an error of one of these kinds, after this many requests if that is certain.
    Fails(&'static [ErrorKind], Option<u64>),
    /// With an error that tells of each element, of which some failed.
    Partly,
    /// With a success or an error of one of these kinds, but with nothing lost once the fault is gone.
    Either(&'static [ErrorKind]),
}

/// What a fault does to a request.
enum Nature {
    /// The service refuses for now, and did nothing.
    Refuses,
    /// It passes, and nobody knows whether the service acted.
    Passes(&'static [ErrorKind]),
    /// The service answers with this status and means it.
    Says(u16, &'static [ErrorKind]),
    /// The answer calls itself a success (200) and holds an error instead of what was asked for.
    Disguised,
    /// The answer calls itself a success (200) and holds no JSON that anybody could read.
    Gibberish,
    /// The answer is more than anybody reads.
    TooMuch,
    /// The answer leads to another host.
    LeadsAway,
    /// Something of its own, decided by name.
    Own,
}

fn nature(kind: &str) -> Nature {
    use ErrorKind::{Auth, Connect, Invalid, Server, Timeout};
    match kind {
        "rate-limit" | "rate-limit-bare" | "rate-limit-reset" => Nature::Refuses,
        "unavailable" | "bad-gateway" => Nature::Passes(&[Server]),
        "gateway-timeout" | "slow" | "slow-body" => Nature::Passes(&[Timeout]),
        "torn" | "reset" => Nature::Passes(&[Connect]),
        "server-error" => Nature::Says(500, &[Server]),
        "expired-token" => Nature::Says(401, &[Auth]),
        "misspelt-error" | "bare-error" => Nature::Says(400, &[Invalid]),
        "error-in-success" | "error-list" | "error-texts" | "error-text" => Nature::Disguised,
        "not-json" | "deep-json" => Nature::Gibberish,
        "huge-body" | "compression-bomb" => Nature::TooMuch,
        "redirect-away" | "moved-away" => Nature::LeadsAway,
        _ => Nature::Own,
    }
}

/// Whether the fault goes away by itself when it happens only a few times.
pub fn passes(kind: &str) -> bool {
    matches!(nature(kind), Nature::Refuses | Nature::Passes(_))
}

/// Whether after this fault nobody knows what the service did.
pub fn leaves_doubt(kind: &str) -> bool {
    kind == "empty-body"
        || kind == "one-missing"
        || match nature(kind) {
            Nature::Passes(_) | Nature::Disguised | Nature::Gibberish | Nature::TooMuch => true,
            Nature::Says(status, _) => status >= 500,
            Nature::Refuses | Nature::LeadsAway | Nature::Own => false,
        }
}

/// How a cell must end. `times` is how often the fault happens, `pages` whether there is more than one page.
pub fn ending(subject: &Subject, kind: &str, times: Option<u64>, pages: bool) -> Ending {
    use Ending::{Either, Fails, Fine, Partly, Same, SameAfter};
    use ErrorKind::{Invalid, Protocol, Server, Timeout};
    let operation = subject.operation();
    let repeats = |repeated: bool| if repeated { TRIES } else { 1 };
    let lasts = |kinds: &'static [ErrorKind], repeated: bool| match times {
        Some(times) if repeated && times < TRIES => SameAfter(times),
        // A narrower range may do, so ever narrower ones are tried.
        _ if kinds == [Timeout] && matches!(subject.what, What::Stream(_)) => Fails(kinds, None),
        _ => Fails(kinds, Some(repeats(repeated))),
    };
    match nature(kind) {
        Nature::Refuses => lasts(&[ErrorKind::RateLimited], true),
        Nature::Passes(kinds) => lasts(kinds, subject.may_repeat()),
        Nature::Says(status, _) if means_nothing(subject, status) => Fine,
        Nature::Says(status, kinds) => lasts(kinds, subject.may_repeat() && operation.passing.contains(&status)),
        Nature::TooMuch | Nature::LeadsAway => Fails(&[Protocol], Some(1)),
        Nature::Disguised | Nature::Gibberish if !subject.takes(200) => Fails(&[Protocol], Some(1)),
        Nature::Disguised => Fails(&[Server, Protocol], Some(1)),
        Nature::Gibberish if subject.body() == Body::File => Fine,
        Nature::Gibberish => Fails(&[Protocol], Some(1)),
        Nature::Own => match kind {
            "empty-body" if subject.body() == Body::Json => Fails(&[Protocol], Some(1)),
            "empty-body" if subject.body() == Body::File => Fine,
            "error-beside-data" if subject.connector().errors.in_success => Fails(&[Server], Some(1)),
            "error-beside-data" => Fine,
            "partial" | "mixed" if subject.elements() > 1 => Partly,
            "all-fail" if subject.elements() > 0 => Partly,
            "one-missing" if subject.elements() > 0 => Fails(&[Protocol], Some(1)),
            "repeated-link" if subject.is_led() => Fails(&[Protocol], None),
            "expired-page" if subject.is_led() && pages => match subject.what {
                // A window is begun again, and a narrower one may have a single page.
                What::Stream(_) => Either(&[Invalid]),
                // What is given later bears its place in its own link.
                What::Snapshot(_, true) => Same,
                _ => Fails(if subject.connector().errors.in_success { &[Server] } else { &[Invalid] }, None),
            },
            "null-items" => match subject.what {
                // There are services that say null for an empty list.
                What::Action(..) | What::Trigger(..) => Fine,
                What::Stream(stream) if stream.window.count.is_some() => Either(&[Protocol]),
                // Where nothing is counted, nobody can tell it from an empty list.
                What::Stream(_) => Fine,
                // What is not in the list is taken for gone.
                What::Snapshot(_, true) => Same,
                What::Snapshot(..) | What::Step(..) => Fails(&[Protocol], None),
            },
            "deferred-fails" if matches!(subject.what, What::Snapshot(_, true)) => Fails(&[Server], None),
            // What the service has not seen by its own clock is not taken for read.
            "clock-skew" if matches!(subject.what, What::Stream(_)) => Either(&[]),
            // Nothing that a record may be makes a list fail.
            "poison" => Fine,
            "empty-body" | "partial" | "mixed" | "all-fail" | "one-missing" | "repeated-link" | "expired-page"
            | "deferred-fails" | "clock-skew" | "rate-spent" | "foreign-link" | "text-label" | "empty-page"
            | "null-when-empty" | "empty-link" | "blank-link" | "live-pages" | "other-end" | "other-order"
            | "no-count" => Same,
            other => panic!("the fault {other:?} has no rule: say in faults/rule.rs how cells with it must end"),
        },
    }
}

/// Whether what is asked for may be absent, and this status says so.
fn means_nothing(subject: &Subject, status: u16) -> bool {
    match &subject.what {
        What::Trigger(trigger, _) => trigger.empty_on.contains(&status),
        What::Step(graph, step) => graph.steps[*step].absent_on.contains(&status),
        _ => false,
    }
}
