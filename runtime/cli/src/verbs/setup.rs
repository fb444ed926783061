//! `connectome setup`

use connectome_core::connector::Connector;
use connectome_core::{Error, ErrorKind};
use connectome_sinks::destination::Destination;
use connectome_sinks::elasticsearch::setup::{Found, Installer, Step, assets};
use connectome_sinks::elasticsearch::{Credentials, kibana};
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
    let shown = verb.kibana.as_deref().map(kibana::Address::parse).transpose()?;
    let credentials = Credentials::from_environment(address.open)?;
    let installer = Installer::open(&address, Some(credentials.clone()), bare_settings(world, &verb.access))?;
    let importer = match &shown {
        Some(address) => Some(kibana::Importer::open(address, &credentials, bare_settings(world, &verb.access))?),
        None => None,
    };
    let warnings = installer.warnings().iter().chain(importer.iter().flat_map(kibana::Importer::warnings));
    warnings.for_each(|warning| print::tell(&format!("warning: {warning}")));
    // Everything is looked at before anything is changed.
    let mut all = Vec::new();
    for search in connector.search {
        all.extend(assets(search.requests)?);
    }
    let steps = installer.plan(all).await?;
    let dashboards = match &importer {
        Some(importer) => importer.plan(saved_objects(connector)?).await?,
        None => Vec::new(),
    };
    let told = |outcome: fn(Found) -> &'static str, shared: fn(Found) -> &'static str| {
        tell(world, rows(&steps, &dashboards, outcome, shared))
    };
    if verb.plan {
        told(would, would)?;
    } else if verb.remove {
        if let Some(importer) = &importer {
            importer.remove(&dashboards).await?;
        }
        let kept = installer.remove(&steps).await?;
        let mut rows = rows(&steps, &dashboards, removed, kept_for_others);
        for row in rows.iter_mut().filter(|row| kept.iter().any(|(path, _)| *path == row.path)) {
            row.outcome = "stays; documents need it";
        }
        tell(world, rows)?;
        if !kept.is_empty() {
            let kept: Vec<_> = kept.iter().map(|(path, why)| format!("{path}: {why}")).collect();
            return Err(Error::new(ErrorKind::Partial, format!("could not be removed: {}", kept.join("; ")))
                .advice("documents still need it; delete them first if they are not wanted, and run this again"));
        }
    } else {
        kibana::leaves_alone(&dashboards, verb.replace)?;
        installer.install(&steps, verb.replace).await?;
        if let Some(importer) = &importer {
            importer.import(&dashboards, verb.replace).await?;
        }
        told(installed, installed)?;
    }
    if importer.is_none() && connector.search.iter().any(|search| !search.dashboards.is_empty()) {
        let left = if verb.remove { "were not removed" } else { "are not imported" };
        print::tell(&format!("the dashboards {left}: name Kibana as well, with --kibana https://HOST[/s/SPACE]"));
    }
    Ok(())
}

/// The saved objects of all data sets, each once.
fn saved_objects(connector: &Connector) -> Result<Vec<kibana::Object>, Error> {
    let mut all: Vec<kibana::Object> = Vec::new();
    for search in connector.search {
        for object in kibana::objects(search.dashboards)? {
            if all.iter().all(|other| other.path() != object.path()) {
                all.push(object);
            }
        }
    }
    Ok(all)
}

fn would(found: Found) -> &'static str {
    match found {
        Found::Missing => "would be installed",
        Found::Same => "is there",
        Found::Old => "would be renewed",
        Found::Foreign => "somebody else's; would be replaced with --replace only",
    }
}

fn installed(found: Found) -> &'static str {
    match found {
        Found::Missing => "installed",
        Found::Same => "was there",
        Found::Old => "renewed",
        Found::Foreign => "replaced",
    }
}

fn removed(found: Found) -> &'static str {
    match found {
        Found::Same | Found::Old => "removed",
        Found::Missing => "was not there",
        Found::Foreign => "somebody else's; left alone",
    }
}

fn kept_for_others(found: Found) -> &'static str {
    if found == Found::Missing { "was not there" } else { "stays; others may use it" }
}

/// What became of one thing, or would.
struct Row<'a> {
    what: &'a str,
    path: String,
    outcome: &'static str,
}

fn rows<'a>(
    steps: &'a [Step],
    dashboards: &'a [kibana::Step],
    outcome: fn(Found) -> &'static str,
    shared: fn(Found) -> &'static str,
) -> Vec<Row<'a>> {
    let assets = steps.iter().map(|Step { asset, found }| Row {
        what: &asset.what,
        path: asset.path.clone(),
        outcome: outcome(*found),
    });
    let objects = dashboards.iter().map(|kibana::Step { object, found }| Row {
        what: &object.title,
        path: object.path(),
        outcome: if object.is_shared() { shared(*found) } else { outcome(*found) },
    });
    assets.chain(objects).collect()
}

fn tell(world: &World, rows: Vec<Row<'_>>) -> Outcome {
    if world.arguments.output != Form::Text {
        let list: Vec<_> =
            rows.iter().map(|row| json!({ "what": row.what, "path": row.path, "outcome": row.outcome })).collect();
        return print::document(world.arguments.output, &json!({ "setup": list }));
    }
    let rows = rows.into_iter().map(|row| vec![row.path, row.outcome.to_owned()]);
    print::text(&print::table(&["what", "outcome"], rows))
}
