//! `connectome graph`

use std::io::{self, BufWriter, Write};

use connectome_core::{Error, ErrorKind};
use connectome_graph::changes::{Since, changes};
use connectome_graph::export;
use connectome_graph::store::Store;
use serde_json::{Value, json};

use crate::World;
use crate::arguments::{ExportForm, Form, Graph, GraphVerb};
use crate::configuration::state_path;
use crate::exit::Outcome;
use crate::print;

pub fn run(world: &World, verb: &Graph) -> Outcome {
    let path = state_path(world)?;
    if !path.is_file() {
        return Err(Error::new(ErrorKind::Input, format!("there is no local graph in {}", path.display()))
            .advice("`connectome sync NAME` makes one; --state names another file"));
    }
    let store = Store::open(&path)?;
    match &verb.verb {
        GraphVerb::Show => show(world, &store),
        GraphVerb::Changes { instance, since } => show_changes(world, &store, instance.as_deref(), since.as_deref()),
        GraphVerb::Export { instance, format, raw } => {
            known(&store, instance.as_deref())?;
            let mut out = BufWriter::new(Output(io::stdout().lock()));
            match format {
                ExportForm::Jsonl => export::jsonl(&store, instance.as_deref(), *raw, &mut out),
                ExportForm::Graphml => export::graphml(&store, instance.as_deref(), &mut out),
                ExportForm::Cypher => export::cypher(&store, instance.as_deref(), &mut out),
            }?;
            out.flush().map_err(Error::unwritten)
        }
    }
}

/// Standard output, whose reader may have seen enough.
struct Output(io::StdoutLock<'static>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// An instance that was never synchronised is a misspelt one.
fn known(store: &Store, instance: Option<&str>) -> Outcome {
    let Some(instance) = instance else { return Ok(()) };
    let instances = store.instances()?;
    let names: Vec<&str> = instances.iter().map(|(name, _)| name.as_str()).collect();
    if names.contains(&instance) {
        return Ok(());
    }
    let all = format!("there are: {}", names.join(", "));
    Err(Error::new(ErrorKind::Input, format!("{instance:?} was never synchronised")).advice(crate::near::advice(
        instance,
        names.iter().copied(),
        all,
    )))
}

fn show(world: &World, store: &Store) -> Outcome {
    let mut rows = Vec::new();
    for (name, _) in store.instances()? {
        for (ty, kind, count) in store.counts(&name)? {
            rows.push((
                name.clone(),
                ty,
                ["entity", "relationship", "mapped relationship"][kind.clamp(0, 2) as usize],
                count,
            ));
        }
    }
    match world.arguments.output {
        Form::Text => print::text(&print::table(
            &["instance", "type", "kind", "count"],
            rows.into_iter().map(|(name, ty, kind, count)| vec![name, ty, kind.to_owned(), count.to_string()]),
        )),
        form => {
            let rows: Vec<Value> = rows
                .into_iter()
                .map(|(name, ty, kind, count)| json!({ "instance": name, "type": ty, "kind": kind, "count": count }))
                .collect();
            print::document(form, &json!({ "graph": rows }))
        }
    }
}

fn show_changes(world: &World, store: &Store, instance: Option<&str>, since: Option<&str>) -> Outcome {
    known(store, instance)?;
    let since = match since {
        None => Since::LastChange,
        Some(text) => Since::Time(connectome_core::time::parse(text).map_err(|_| {
            Error::new(ErrorKind::Input, format!("--since {text}: this is not a time"))
                .advice("write it as 2026-06-11T00:00:00Z")
        })?),
    };
    let form = world.arguments.output;
    let mut count = 0;
    changes(store, instance, since, |change| {
        count += 1;
        match form {
            Form::Text => print::line(&change.line()),
            _ => print::json_line(&change.json()),
        }
    })?;
    if form == Form::Text && count == 0 {
        print::tell("nothing changed");
    }
    Ok(())
}
