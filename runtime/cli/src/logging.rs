//! Logs: to standard error, of our own crates only. Other crates log headers at their finest level.

use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Form, Level};

/// Starts logging.
pub fn start(arguments: &Arguments) {
    let level = match arguments.log {
        Level::Error => "error",
        Level::Warn => "warn",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    };
    let filter = EnvFilter::new(format!(
        "off,connectome={level},connectome_core={level},connectome_collect={level},connectome_cli={level}"
    ));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match arguments.output {
        Form::Text => builder.try_init(),
        Form::Json | Form::Jsonl => builder.json().try_init(),
    };
    // A second start in one process keeps the first.
    drop(started);
}
