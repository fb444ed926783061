//! What it costs to collect a stream's events, beside a plain loop that reads the same pages.
//!
//! Both read from the same server in turns. The loop finds each record's bytes and writes them as lines; the command
//! does the same and makes sure besides that no event is missing or comes twice, whatever happens to the process, the
//! service or the disk. Each event is read once by either: it is older than the stream's lateness, so that the pass that
//! closes windows is the only one. In everyday use events are read about twice: as soon as they are there, and when
//! nothing more can come late.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::report::Report;
use super::{Effort, Simulated, cpu, middle, peak, serving};

/// The stream of alerts, the one whose records have most to change, and the one whose records are small and have no id:
/// there the content of each is what names it.
const STREAMS: [&str; 3] = ["workbench", "observed_attack_technique", "audit"];

/// What is changed in events, and how often the plain loop's CPU that may take.
const MOST: [(&str, f64); 2] = [("none", 1.5), ("declared", 2.0)];

const MEMORY: f64 = 32.0;

/// What is measured, and where.
pub struct Bench<'a> {
    /// The command.
    pub connectome: &'a Path,
    /// Where the examples are that take part.
    pub examples: PathBuf,
    /// Where files go.
    pub folder: &'a Path,
    /// How much is done.
    pub effort: Effort,
}

impl Bench<'_> {
    /// Prints every figure.
    pub fn run(&self, report: &mut Report) -> Result<(), String> {
        for stream in STREAMS {
            self.compare(stream, report)?;
        }
        let [_, large, small] = STREAMS;
        for (stream, events) in [(large, 10_000), (large, 1_000_000), (small, 10_000), (small, 1_000_000)] {
            let pages = self.serve(stream, events, 200)?;
            let memory = peak(self.collect(stream, &pages, "declared")?)?;
            report.row(&format!("peak memory: {events} events of {stream}"), memory, "MiB", MEMORY);
        }
        let pages = self.serve(small, 100_000, 1)?;
        let started = Instant::now();
        let memory = peak(self.collect(small, &pages, "declared")?)?;
        report.row("time: collect 100,000 pages of one event", started.elapsed().as_secs_f64(), "s", 120.0);
        report.row("peak memory: 100,000 pages of one event", memory, "MiB", MEMORY);
        Ok(())
    }

    fn compare(&self, stream: &str, report: &mut Report) -> Result<(), String> {
        let pages = self.serve(stream, 100_000, 200)?;
        let mut plain = Vec::new();
        let mut ours = MOST.map(|_| Vec::new());
        for _ in 0..self.effort.times {
            let mut command = Command::new(self.examples.join("plain"));
            plain.push(cpu(command.arg(&pages.start).arg(self.folder.join("plain.jsonl")))?);
            for ((transforms, _), ours) in MOST.iter().zip(&mut ours) {
                ours.push(cpu(&mut self.collect(stream, &pages, transforms)?)?);
            }
            self.same_lines()?;
        }
        let plain = middle(plain);
        report.row(&format!("plain loop: 100,000 events of {stream}"), plain, "s CPU", f64::INFINITY);
        for ((transforms, most), ours) in MOST.iter().zip(ours) {
            let ours = middle(ours);
            report.row(
                &format!("collect --transforms {transforms}: 100,000 events of {stream}"),
                ours,
                "s CPU",
                f64::INFINITY,
            );
            report.row("  beside the plain loop", ours / plain, "times", *most);
        }
        Ok(())
    }

    /// Each event has come, and has come once.
    fn same_lines(&self) -> Result<(), String> {
        let lines = |name: &str| -> Result<usize, String> {
            let file = fs::read(self.folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
            Ok(file.iter().filter(|byte| **byte == b'\n').count())
        };
        let (plain, ours) = (lines("plain.jsonl")?, lines("events.jsonl")?);
        if plain == ours { Ok(()) } else { Err(format!("{ours} events were collected of {plain}")) }
    }

    pub fn serve(&self, stream: &str, events: u64, page: u64) -> Result<Simulated, String> {
        let mut command = Command::new(self.examples.join("pages"));
        let events = self.effort.of(events);
        command.args([stream, "--events", &events.to_string(), "--page", &page.to_string()]);
        serving(command)
    }

    /// The command, as it begins a collection that never was.
    pub fn collect(&self, stream: &str, pages: &Simulated, transforms: &str) -> Result<Command, String> {
        for old in fs::read_dir(self.folder).map_err(|error| error.to_string())?.flatten() {
            let name = old.file_name().into_string().unwrap_or_default();
            if name.starts_with("state.sqlite") || name.starts_with("events.jsonl") {
                fs::remove_file(old.path()).map_err(|error| error.to_string())?;
            }
        }
        let mut command = Command::new(self.connectome);
        command.args(["collect", "trend-vision-one", "--stream", stream, "--once", "--first-fetch", &pages.first]);
        command.args(["--transforms", transforms, "--to"]).arg(format!("file:{}/events.jsonl", self.folder.display()));
        command.arg("--state").arg(self.folder.join("state.sqlite")).stdout(std::process::Stdio::null());
        command
            .env("CONNECTOME_TREND_VISION_ONE_API_URL", &pages.url)
            .env("CONNECTOME_TREND_VISION_ONE_API_KEY", &pages.token);
        Ok(command)
    }
}
