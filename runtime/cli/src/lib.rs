//! The command `connectome`. It knows connectors only by their tables.

// They panic when nobody reads any more; `print` does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod configuration;
mod examples;
mod exit;
mod input;
mod instances;
mod logging;
mod near;
mod print;
mod subject;
mod verbs;
mod when;

use std::process::ExitCode;

use clap::Parser;
use connectome_core::connector::Connector;
use connectome_core::{Error, ErrorKind};
use connectome_sim::Service;

use arguments::{Arguments, Verb};
use exit::Outcome;

/// Connectors that see an account as a graph.
pub type Graphs = &'static [connectome_graph::Seen];

/// What every verb works with.
pub(crate) struct World {
    connectors: &'static [&'static Connector],
    services: &'static [&'static Service],
    graphs: Graphs,
    arguments: Arguments,
}

impl World {
    /// The connector of this name, or an error that lists those there are.
    fn connector(&self, name: &str) -> Result<&'static Connector, Error> {
        self.connectors.iter().find(|connector| connector.name == name).copied().ok_or_else(|| {
            let names: Vec<&str> = self.connectors.iter().map(|connector| connector.name).collect();
            let all = format!("there are: {}", names.join(", "));
            Error::new(ErrorKind::Input, format!("there is no connector {name:?}"))
                .advice(near::advice(name, names, all))
        })
    }
}

/// Runs the command with the process's arguments.
pub fn main(
    connectors: &'static [&'static Connector],
    services: &'static [&'static Service],
    graphs: Graphs,
) -> ExitCode {
    let arguments = match read_arguments(connectors, services, graphs) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes; everything else is bad usage.
            return match error.print() {
                _ if error.use_stderr() => ExitCode::from(2),
                Err(failed) if failed.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::from(1),
                _ => ExitCode::SUCCESS,
            };
        }
    };
    logging::start(&arguments);
    let world = World { connectors, services, graphs, arguments };
    // One thread: what waits for services, or for clients, spends more on waking others than they would spare it. What
    // blocks has threads of its own.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print::tell(&format!("error: the process cannot start its threads: {error}"));
            return ExitCode::from(1);
        }
    };
    let outcome = runtime.block_on(run(&world));
    // Whatever still runs in the background holds nothing that must be saved.
    runtime.shutdown_background();
    exit::code(&world, outcome)
}

/// What was written on the command line, or what is told instead. Only who reads the help needs its examples.
fn read_arguments(
    connectors: &'static [&'static Connector],
    services: &'static [&'static Service],
    graphs: Graphs,
) -> Result<Arguments, clap::Error> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand};
    let read = Arguments::try_parse();
    let helps = |error: &clap::Error| matches!(error.kind(), DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand);
    if read.as_ref().is_err_and(helps) {
        examples::command(connectors, services, graphs).try_get_matches().and(read)
    } else {
        read
    }
}

async fn run(world: &World) -> Outcome {
    if !world.arguments.verb.is_cut_off() {
        return dispatch(world).await;
    }
    let stop = exit::interrupted();
    tokio::select! {
        biased;
        outcome = dispatch(world) => outcome,
        () = stop => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
    }
}

async fn dispatch(world: &World) -> Outcome {
    match &world.arguments.verb {
        Verb::Demo(verb) => verbs::demo::run(world, verb).await,
        Verb::Catalog(verb) => verbs::catalog::run(world, verb),
        Verb::Describe(verb) => verbs::describe::run(world, verb),
        Verb::Check(verb) => verbs::check::run(world, verb).await,
        Verb::Action(verb) => verbs::action::run(world, verb).await,
        Verb::Sync(verb) => verbs::sync::run(world, verb).await,
        Verb::Graph(verb) => verbs::graph::run(world, verb),
        Verb::Collect(verb) => verbs::collect::run(world, verb).await,
        Verb::Trigger(verb) => verbs::trigger::run(world, verb).await,
        Verb::Setup(verb) => verbs::setup::run(world, verb).await,
        Verb::Permissions(verb) => verbs::permissions::run(world, verb),
        Verb::Simulate(verb) => verbs::simulate::run(world, verb).await,
        Verb::State(verb) => verbs::state::run(world, verb),
        Verb::Completions(verb) => verbs::shell::completions(verb),
        Verb::Man(verb) => verbs::shell::man(world, verb),
    }
}
