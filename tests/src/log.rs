//! What is logged on this thread, so that a test can search it.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// A second dispatcher besides that of a log. As long as there is only one, what is first said on a thread without it is
/// taken for something that nobody ever wants to hear.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(tracing_subscriber::registry()));

/// The log of this thread, while it lives, at the finest level of our own crates.
pub struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: tracing::subscriber::DefaultGuard,
}

#[derive(Clone)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Starts it, as lines of text.
    pub fn text_lines() -> Self {
        Self::start(false)
    }

    /// Starts it, as lines of JSON.
    pub fn json_lines() -> Self {
        Self::start(true)
    }

    fn start(json: bool) -> Self {
        LazyLock::force(&SECOND);
        let text: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Kept(text.clone());
        let lines = fmt::layer().with_ansi(false).with_writer(move || kept.clone());
        let lines = if json { lines.json().boxed() } else { lines.boxed() };
        let ours = Targets::new().with_target("connectome", LevelFilter::TRACE);
        let guard = tracing_subscriber::registry().with(lines.with_filter(ours)).set_default();
        Self { text, _guard: guard }
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        String::from_utf8(self.text.lock().expect("no panic").clone()).expect("a text")
    }
}
