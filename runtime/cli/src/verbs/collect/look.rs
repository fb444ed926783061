//! A look at a range of time, which leaves no state behind.

use connectome_collect::collector::{Budget, Collector, Ended, Range};
use connectome_collect::ledger::Forgetful;
use connectome_collect::plan::Limits;
use connectome_collect::prepare::Preparation;
use connectome_collect::source::Service;
use connectome_core::stream::Stream;
use connectome_core::{Error, ErrorKind};
use connectome_sinks::destination::Destination;
use connectome_sinks::outlet::Outlet;
use jiff::Timestamp;

use crate::subject::Subject;

use super::{Out, limits, mode, page_size, synchronise};
use crate::World;
use crate::arguments::Collect as Verb;
use crate::configuration::{bare_settings, connect, state_path};
use crate::exit::{Outcome, interrupted};
use crate::{print, when};

pub async fn run(world: &World, verb: &Verb, subject: &Subject, streams: &[&'static Stream]) -> Outcome {
    let destination = Destination::parse(verb.to.as_deref().unwrap_or("stdout:"))?;
    let now = Timestamp::now();
    let from = when::moment("--from", verb.from.as_deref().unwrap_or_default(), now)?;
    let until = verb.until.as_deref().map(|text| when::moment("--until", text, now)).transpose()?;
    if until.is_some_and(|until| until <= from) {
        return Err(Error::new(ErrorKind::Input, "--until is not later than --from")
            .advice("give a later --until, or leave it out"));
    }
    let connection = connect(world, subject.connector, &subject.access)?;
    let dead_letters = state_path(world)?.with_file_name("dead-letters.jsonl");
    let out = Out::shared(Outlet::open(&destination, bare_settings(world, &verb.access), &dead_letters)?);
    let now = synchronise(&connection, verb).await?;
    let stop = interrupted();
    tokio::pin!(stop);
    let mut failed = Vec::new();
    for &stream in streams {
        let limits = Limits { late_by: 0, again_after: None, ..limits(verb, stream)? };
        let end = now - i64::try_from(limits.margin).unwrap_or(0);
        let until = until.map_or(end, |until| until.min(end));
        if until <= from {
            return Err(Error::new(
                ErrorKind::Input,
                "--from lies in the future, or so close to now that nothing can be read yet",
            )
            .advice("give an earlier time, as --from '1 hour'"));
        }
        let service = Service::new(connection.clone(), stream, page_size(verb, stream), limits.margin)?;
        let few = verb.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let parts = (service, Out::Few(Box::new(out.clone()), few), Forgetful::default());
        let range = Range { first: from, until: Some(until) };
        let mut collector = Collector::open(stream, limits, range, Preparation::new(stream, mode(verb)), parts)?;
        let budget = Budget { events: verb.limit, pages: None };
        let ended = tokio::select! {
            biased;
            () = &mut stop => return Err(Error::new(ErrorKind::Interrupted, "interrupted; no state was touched")),
            ended = collector.round(budget) => ended,
        };
        let events = collector.checkpoint().counts.delivered;
        match ended {
            Ok(Ended::Paused) => {
                print::tell(&format!("{}: the first {} events; there are more", stream.name, events.min(few as u64)));
            }
            Ok(_) if events == 1 => print::tell(&format!("{}: 1 event", stream.name)),
            Ok(_) => print::tell(&format!("{}: {events} events", stream.name)),
            Err(error) => {
                print::tell(&format!("error: {}: {error}", stream.name));
                failed.push((stream.name, error));
            }
        }
    }
    super::run::outcome(failed, streams.len())
}
