//! `cargo xtask bench`: what the documents claim, measured.

mod calls;
mod collecting;
mod growth;
mod instructions;
mod mapping;
mod report;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use report::Report;

use crate::root;

/// How often each is measured, of which the median counts, and how much of its whole size each has.
#[derive(Debug, Clone, Copy)]
struct Effort {
    times: usize,
    part: u64,
}

impl Effort {
    /// What a figure that is worth something takes.
    const WHOLE: Self = Self { times: 7, part: 1 };
    /// Enough to see that everything still works; what it measures says little.
    const QUICK: Self = Self { times: 1, part: 100 };

    /// A number of records, or as much of it as is asked for.
    fn of(self, number: u64) -> u64 {
        number / self.part
    }
}

/// What is done with the figures.
#[derive(Debug, Default)]
struct Options {
    json: Option<PathBuf>,
    against: Option<PathBuf>,
    bound: Option<f64>,
    effort: Effort,
}

impl Default for Effort {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Options {
    fn read(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().copied().ok_or_else(|| format!("{word} goes with a value"));
            match *word {
                "--json" => options.json = Some(value()?.into()),
                "--against" => options.against = Some(value()?.into()),
                "--bound" => {
                    let bound = value()?.parse().ok().filter(|bound| *bound >= 1.0);
                    options.bound = Some(bound.ok_or("--bound goes with a number of times, 1 or more")?);
                }
                "--quick" => options.effort = Effort::QUICK,
                other => {
                    return Err(format!("unknown option `{other}`; there are: --json, --against, --bound, --quick"));
                }
            }
        }
        if options.bound.is_some() && options.against.is_none() {
            return Err("--bound goes with --against".to_owned());
        }
        Ok(options)
    }
}

/// How much worse than an earlier run a figure may be where nobody says: the noise of a shared machine.
const BOUND: f64 = 1.3;

/// Builds in release, and prints every figure beside its limit.
fn all(options: &Options, report: &mut Report) -> Result<(), String> {
    crate::run(Command::new(env!("CARGO")).args([
        "build",
        "--release",
        "--quiet",
        "--package",
        "connectome",
        "--package",
        "xtask",
    ]))?;
    let examples = ["pages", "plain", "documents", "calls"].map(|it| ["--example", it]);
    let build = ["build", "--release", "--quiet", "--package", "connectome-tests"];
    crate::run(Command::new(env!("CARGO")).args(build).args(examples.concat()))?;
    let binaries = root().join("target/release");
    let (connectome, xtask) = (binaries.join("connectome"), binaries.join("xtask"));
    let examples = binaries.join("examples");
    let size = fs::metadata(&connectome).map_err(|error| error.to_string())?.len() as f64 / (1 << 20) as f64;
    let effort = options.effort;
    report.row("size of the binary", size, "MiB", 20.0);
    report.row("start-up: connectome --version", median(effort, || startup(&connectome))?, "s CPU", 0.015);
    let fresh = scratch()?;
    report.row(
        "generation of all specs into an empty folder",
        median(effort, || generate_fresh(&xtask, &fresh))?,
        "s CPU",
        1.0,
    );
    report.row(
        "generation that changes nothing",
        median(effort, || cpu(Command::new(&xtask).args(["gen", "--out"]).arg(&fresh)))?,
        "s CPU",
        0.2,
    );
    calls::run(&connectome, &examples, effort, report)?;
    let (jsonl, json) = memory(&connectome, effort)?;
    report.row("peak memory: 100,000 alerts, --output jsonl", jsonl, "MiB", 64.0);
    report.row("peak memory: 100,000 alerts, --output json", json, "MiB", 64.0);
    let graph = sync(&connectome, &fresh, effort)?;
    report.row("peak memory: sync of 100,000 computers in 1,000 groups", graph.memory, "MiB", 120.0);
    report.row("time: the same, first run", graph.seconds, "s", 120.0);
    let waiting = latency(&connectome, &fresh, effort)?;
    report.row("cost of 20 ms latency over 21 requests one after another", waiting, "times", 1.3);
    let bench = collecting::Bench { connectome: &connectome, examples: examples.clone(), folder: &fresh, effort };
    bench.run(report)?;
    mapping::run(&examples, &fresh, effort, report)?;
    growth::run(&bench, report)?;
    instructions::run(&xtask, &bench, report)?;
    fs::remove_dir_all(&fresh).map_err(|error| error.to_string())
}

/// Runs it.
pub fn run(words: &[&str]) -> ExitCode {
    let mut report = Report::default();
    let mut compared = false;
    let measured = Options::read(words).and_then(|options| {
        if options.effort.part > 1 {
            println!("A hundredth of each size, measured once: this shows that it works, and is judged by no limit.");
            report = Report::unjudged();
        }
        all(&options, &mut report)?;
        options.json.iter().try_for_each(|path| report.write(path))?;
        let bound = options.bound.unwrap_or(BOUND);
        compared = options.against.is_some();
        options.against.as_ref().map_or(Ok(true), |path| report.against(path, bound))
    });
    match measured {
        // Beside an earlier run it is that which counts: another machine may be too slow for a limit in seconds.
        Ok(no_worse) if no_worse && (compared || report.is_good()) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn scratch() -> Result<PathBuf, String> {
    let folder = root().join("target/bench");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn generate_fresh(xtask: &Path, folder: &Path) -> Result<f64, String> {
    fs::remove_dir_all(folder).and_then(|()| fs::create_dir_all(folder)).map_err(|error| error.to_string())?;
    cpu(Command::new(xtask).args(["gen", "--out"]).arg(folder))
}

/// One start takes less than the kernel's clock ticks, so many are counted together.
fn startup(connectome: &Path) -> Result<f64, String> {
    const STARTS: u32 = 50;
    let before = children()?;
    for _ in 0..STARTS {
        crate::run(Command::new(connectome).arg("--version").stdout(Stdio::null()))?;
    }
    Ok((children()? - before) / f64::from(STARTS))
}

fn median(effort: Effort, mut measure: impl FnMut() -> Result<f64, String>) -> Result<f64, String> {
    (0..effort.times).map(|_| measure()).collect::<Result<Vec<_>, _>>().map(middle)
}

fn middle(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured[measured.len() / 2]
}

/// CPU seconds of a whole process, from what the kernel counts for ended children.
fn cpu(command: &mut Command) -> Result<f64, String> {
    let before = children()?;
    crate::run(command.stdout(Stdio::null()))?;
    Ok(children()? - before)
}

/// The CPU seconds of this process's ended children: fields 16 and 17.
fn children() -> Result<f64, String> {
    ticks("self", [16, 17])
}

/// The CPU seconds that a process has taken so far: fields 14 and 15.
fn own(id: u32) -> Result<f64, String> {
    ticks(&id.to_string(), [14, 15])
}

/// The sum of two fields of `/proc/ID/stat`, counted from 1 as its manual does. They are hundredths of a second.
fn ticks(id: &str, fields: [usize; 2]) -> Result<f64, String> {
    let path = format!("/proc/{id}/stat");
    let stat = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}; this is measured on Linux"))?;
    // Behind the name, which may hold blanks, comes the third.
    let behind: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let tick = |field: usize| behind.get(field - 3).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    Ok(fields.map(tick).iter().sum::<f64>() / 100.0)
}

/// What a sync took.
struct Took {
    memory: f64,
    seconds: f64,
}

/// The command, set up for a simulated service, with a local graph of its own.
fn syncing(connectome: &Path, folder: &Path, connector: &str, simulated: &Simulated) -> Command {
    let prefix = format!("CONNECTOME_{}", connector.to_uppercase().replace('-', "_"));
    let mut command = Command::new(connectome);
    command.args(["sync", connector, "--output", "json", "--state"]).arg(folder.join(format!("{connector}.sqlite")));
    command.env(format!("{prefix}_API_URL"), &simulated.url).env(format!("{prefix}_API_KEY"), &simulated.token);
    command.stdout(Stdio::null());
    command
}

fn sync(connectome: &Path, folder: &Path, effort: Effort) -> Result<Took, String> {
    let simulated = simulate(connectome, &["trend-micro", "--scale", &effort.of(1000).to_string()])?;
    let started = Instant::now();
    let memory = peak(syncing(connectome, folder, "trend-micro", &simulated))?;
    Ok(Took { memory, seconds: started.elapsed().as_secs_f64() })
}

/// What it costs that each answer takes 20 ms, beside what the pages of the longest list cost at the least: 2,000 users
/// are on 20 pages, and the check before them is one more request.
fn latency(connectome: &Path, folder: &Path, effort: Effort) -> Result<f64, String> {
    const REQUESTS: f64 = 21.0;
    const LATENCY: f64 = 0.020;
    let with = |milliseconds: &str| {
        let simulated = simulate(connectome, &["pagerduty", "--scale", "100", "--latency", milliseconds])?;
        median(effort, || {
            let started = Instant::now();
            crate::run(&mut syncing(connectome, folder, "pagerduty", &simulated))?;
            Ok(started.elapsed().as_secs_f64())
        })
    };
    Ok((with("20")? - with("0")?) / (REQUESTS * LATENCY))
}

/// Peak memory of reading 100,000 alerts in both forms.
fn memory(connectome: &Path, effort: Effort) -> Result<(f64, f64), String> {
    let simulated = simulate(connectome, &["trend-vision-one", "--scale", &effort.of(4167).to_string()])?;
    let peak = |form: &str| {
        let input = r#"{"start_date_time":"1970-01-01T00:00:00Z","end_date_time":"2100-01-01T00:00:00Z"}"#;
        let mut command = Command::new(connectome);
        command.args(["action", "trend-vision-one", "get_alert_list", "--input", input, "--output", form]);
        command
            .env("CONNECTOME_TREND_VISION_ONE_API_URL", &simulated.url)
            .env("CONNECTOME_TREND_VISION_ONE_API_KEY", &simulated.token)
            .stdout(Stdio::null());
        peak(command)
    };
    peak("jsonl").and_then(|jsonl| Ok((jsonl, peak("json")?)))
}

/// A simulated service as a process, which ends with this value.
struct Simulated {
    child: Child,
    url: String,
    token: String,
    /// When its first event happened, and where the first page of all events is, where it tells.
    first: String,
    start: String,
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn simulate(connectome: &Path, options: &[&str]) -> Result<Simulated, String> {
    let mut command = Command::new(connectome);
    command.args(["simulate", "--listen", "127.0.0.1:0", "--output", "json"]).args(options);
    serving(command)
}

/// Starts a service and waits until it tells where it is.
fn serving(mut command: Command) -> Result<Simulated, String> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
    }
    let field = |name: &str| {
        line.split(&format!("\"{name}\":\""))
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .to_owned()
    };
    let [url, token, first, start] = ["url", "token", "first", "start"].map(field);
    Ok(Simulated { child, url, token, first, start })
}

/// The highest resident set of a process, read while it runs.
fn peak(mut command: Command) -> Result<f64, String> {
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    loop {
        if let Ok(text) = fs::read_to_string(&status)
            && let Some(kibibytes) = text
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))
                .and_then(|rest| rest.split_whitespace().next())
                .and_then(|it| it.parse::<f64>().ok())
        {
            peak = peak.max(kibibytes / 1024.0);
        }
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(ended) if ended.success() => return Ok(peak),
            Some(ended) => return Err(format!("{command:?} ended with {ended}")),
            None => std::thread::sleep(std::time::Duration::from_millis(5)),
        }
    }
}
