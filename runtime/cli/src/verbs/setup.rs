//! `connectome setup`

use connectome_core::{Error, ErrorKind};
use connectome_sinks::destination::Destination;
use connectome_sinks::elasticsearch::setup::{Found, Installer, Step, assets};
use serde_json::json;

use crate::World;
use crate::arguments::{Form, Setup};
use crate::configuration::bare_settings;
use crate::exit::Outcome;
use crate::print;

pub async fn run(world: &World, verb: &Setup) -> Outcome {
    let connector = world.connector(&verb.connector)?;
    if connector.search.is_empty() {
        let with: Vec<&str> =
            world.connectors.iter().filter(|it| !it.search.is_empty()).map(|connector| connector.name).collect();
        return Err(Error::new(
            ErrorKind::Input,
            format!("{} makes no documents for a search engine", connector.title),
        )
        .advice(format!("these do: {}", with.join(", "))));
    }
    let Destination::Elasticsearch(address) = Destination::parse(&verb.to)? else {
        return Err(Error::new(ErrorKind::Input, "the destination is no Elasticsearch")
            .advice("write --to elasticsearch+https://HOST"));
    };
    let installer = Installer::open(&address, None, bare_settings(world, &verb.access))?;
    installer.warnings().iter().for_each(|warning| print::tell(&format!("warning: {warning}")));
    let mut all = Vec::new();
    for search in connector.search {
        all.extend(assets(search.requests)?);
    }
    let steps = installer.plan(all).await?;
    if verb.plan {
        return tell(world, &steps, |found| match found {
            Found::Missing => "would be installed",
            Found::Same => "is there",
            Found::Old => "would be renewed",
            Found::Foreign => "somebody else's; would be replaced with --replace only",
        });
    }
    if verb.remove {
        let kept = installer.remove(&steps).await?;
        tell(world, &steps, |found| match found {
            Found::Same | Found::Old => "removed",
            Found::Missing => "was not there",
            Found::Foreign => "somebody else's; left alone",
        })?;
        return match kept.first() {
            None => Ok(()),
            Some((path, why)) => Err(Error::new(ErrorKind::Partial, format!("{path} could not be removed: {why}"))
                .advice("documents still need it; delete them first if they are not wanted, and run this again")),
        };
    }
    installer.install(&steps, verb.replace).await?;
    tell(world, &steps, |found| match found {
        Found::Missing => "installed",
        Found::Same => "was there",
        Found::Old => "renewed",
        Found::Foreign => "replaced",
    })
}

/// What became of each, or would.
fn tell(world: &World, steps: &[Step], outcome: impl Fn(Found) -> &'static str) -> Outcome {
    if world.arguments.output != Form::Text {
        let list: Vec<_> = steps
            .iter()
            .map(|step| json!({ "what": step.asset.what, "path": step.asset.path, "outcome": outcome(step.found) }))
            .collect();
        return print::document(world.arguments.output, &json!({ "setup": list }));
    }
    let rows = steps.iter().map(|step| vec![step.asset.path.clone(), outcome(step.found).to_owned()]);
    print::text(&print::table(&["what", "outcome"], rows))
}
