//! Logs: to standard error, of our own crates only. Other crates log headers at their finest level.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::arguments::{Arguments, Form, Level};

/// Starts logging.
pub fn start(arguments: &Arguments) {
    let level = match arguments.log {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let lines = match arguments.output {
        Form::Text => lines.boxed(),
        Form::Json | Form::Jsonl => lines.json().boxed(),
    };
    // Targets are matched by how they begin: this is every crate of ours.
    let ours = Targets::new().with_target("connectome", level);
    // A second start in one process keeps the first.
    drop(tracing_subscriber::registry().with(lines.with_filter(ours)).try_init());
}
