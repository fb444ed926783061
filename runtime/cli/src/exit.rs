//! How a command ends: what it says, and its exit code.

use std::process::ExitCode;

use connectome_core::{Error, ErrorKind};

use crate::World;
use crate::arguments::Form;

/// Done, or why not.
pub type Outcome = Result<(), Error>;

/// Says why a command failed, and its code.
pub fn code(world: &World, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            match world.arguments.output {
                Form::Text => eprintln!("error: {error}"),
                Form::Json | Form::Jsonl => eprintln!("{}", error.to_json()),
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// The marker of a reader that has seen enough, as `head` has.
pub const CLOSED_PIPE: &str = "the reader of the output has gone";

fn is_closed_pipe(error: &Error) -> bool {
    error.kind() == ErrorKind::Storage && error.parts().message == CLOSED_PIPE
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn interrupted() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = interrupt.await;
}
