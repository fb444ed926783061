//! `connectome trigger`

use std::time::Duration;

use connectome_collect::rounds::{Round, Rounds};
use connectome_collect::state::State;
use connectome_core::connector::Trigger;
use connectome_core::retry::pause;
use connectome_core::{Error, ErrorKind};
use serde_json::Value;

use crate::World;
use crate::arguments::Trigger as Verb;
use crate::configuration::{connect, state_path};
use crate::exit::{Outcome, interrupted, is_passing};
use crate::{input, near, print};

pub async fn run(world: &World, verb: &Verb) -> Outcome {
    let connector = world.connector(&verb.connector)?;
    let trigger = connector.trigger(&verb.trigger).ok_or_else(|| {
        let names: Vec<&str> = connector.triggers.iter().map(|trigger| trigger.name).collect();
        let advice = match connector.operation(&verb.trigger) {
            Some(action) => format!("it is an action: `connectome action {} {}`", connector.name, action.name),
            None => near::advice(&verb.trigger, names.iter().copied(), format!("there are: {}", names.join(", "))),
        };
        Error::new(ErrorKind::Input, format!("{} has no trigger {:?}", connector.title, verb.trigger)).advice(advice)
    })?;
    let input = input::read(verb.input.as_deref())?;
    let connection = connect(world, connector, &verb.access)?;
    let state = State::open(&state_path(world)?)?;
    let key = key(connector.name, trigger, connection.origin().root(), &input);
    let _claim = state.claim(&key)?;
    let mut rounds = Rounds::new(connection.clone(), trigger, &input, state.load(&key)?.as_deref()).map_err(|error| match error.kind() {
        ErrorKind::Storage => error.advice(format!("nothing was changed; `connectome state reset {key}` forgets it, and the trigger starts again where its input says")),
        _ => error,
    })?;
    let stop = interrupted();
    tokio::pin!(stop);
    let mut failures = 0;
    loop {
        let round = tokio::select! {
            biased;
            () = &mut stop => return Err(Error::new(ErrorKind::Interrupted, "interrupted; the next run goes on where this one ended")),
            round = rounds.next() => round,
        };
        let wait = match round {
            Ok(round) => {
                failures = 0;
                give(verb, &round)?;
                // What was printed counts as given only now: a stop before this line gives it again, never not at all.
                state.save(&key, &rounds.accept(round))?;
                rounds.interval()
            }
            Err(error) if verb.once || !is_passing(&error) => return Err(error),
            Err(error) => {
                failures += 1;
                let wait = pause(failures, 0.0).min(rounds.interval());
                print::tell(&format!("warning: {error}\n  the same range is read again in {} seconds", wait.as_secs()));
                wait
            }
        };
        if verb.once {
            return Ok(());
        }
        tokio::select! {
            biased;
            () = &mut stop => return Err(Error::new(ErrorKind::Interrupted, "interrupted; the next run goes on where this one ended")),
            () = connection.clock().sleep(wait.max(Duration::from_millis(1))) => {}
        }
    }
}

fn give(verb: &Verb, round: &Round) -> Outcome {
    let empty = round
        .event
        .as_object()
        .is_some_and(|event| event.values().any(|value| value.as_array().is_some_and(Vec::is_empty)));
    if verb.skip_empty && empty { Ok(()) } else { print::json_line(&round.event) }
}

/// The checkpoint's name: another input or service is another series of rounds. How long the pauses are, and in which
/// order the input was written, makes no difference.
pub fn key(connector: &str, trigger: &Trigger, origin: &str, input: &Value) -> String {
    let mut input = input.clone();
    input.as_object_mut().and_then(|input| input.remove(trigger.interval));
    input.sort_all_objects();
    // FNV-1a: a name must be the same in every version of this command, which the standard library's hash is not.
    let hash = format!("{origin} {input}")
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("trigger/{connector}/{}/{hash:016x}", trigger.name)
}
