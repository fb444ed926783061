//! `connectome completions` and `connectome man`

use clap::CommandFactory;
use connectome_core::{Error, ErrorKind};

use crate::World;
use crate::arguments::{Arguments, Completions, Man};
use crate::exit::Outcome;
use crate::{examples, print};

pub fn completions(verb: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(verb.shell, &mut Arguments::command(), "connectome", &mut script);
    print::text(&String::from_utf8_lossy(&script))
}

pub fn man(world: &World, verb: &Man) -> Outcome {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Storage, format!("the manual cannot be written to {}: {error}", verb.folder.display()))
            .advice("name a folder that you may write to")
    };
    std::fs::create_dir_all(&verb.folder).map_err(failed)?;
    let command = examples::command(world.connectors, world.services, world.graphs);
    clap_mangen::generate_to(command, &verb.folder).map_err(failed)?;
    print::line(&format!("the manual is in {}", verb.folder.display()))
}
