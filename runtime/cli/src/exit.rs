//! How a command ends: what it says, and its exit code.

use std::process::ExitCode;

use connectome_core::{Error, ErrorKind};

use crate::World;
use crate::arguments::Form;
use crate::print;

/// Done, or why not.
pub type Outcome = Result<(), Error>;

/// Says why a command failed, and its code.
pub fn code(world: &World, outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.parts().is_closed_pipe => ExitCode::SUCCESS,
        Err(error) => {
            match world.arguments.output {
                Form::Text => print::tell(&format!("error: {error}")),
                Form::Json | Form::Jsonl => print::tell(&error.to_json().to_string()),
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Waits for Ctrl-C or SIGTERM, from the moment of this call on: they no longer end the process by themselves.
pub fn interrupted() -> impl Future<Output = ()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        async move {
            match signals {
                (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                },
                _ => drop(tokio::signal::ctrl_c().await),
            }
        }
    }
    #[cfg(not(unix))]
    async {
        drop(tokio::signal::ctrl_c().await)
    }
}

/// Whether it may work the next time without anybody doing anything. Between two rounds there is time: something in between
/// that answered in the service's place may have gone, and a task may have ended.
pub fn is_passing(error: &Error) -> bool {
    error.kind().is_passing() || matches!(error.kind(), ErrorKind::Protocol | ErrorKind::TaskTimeout)
}
