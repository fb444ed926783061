//! Everything that can be asked of every connector, times everything that can go wrong. Each cell is run against a
//! simulated service with the fault, and must end as a rule says that knows the fault and the operation's table, and
//! nothing of what was seen. `cargo xtask faults` prints the matrix.

mod input;
mod judge;
mod rule;
mod run;
mod subject;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connectome_sim::FAULT_KINDS;
use tokio::sync::Semaphore;

use judge::{Verdict, judge};
use run::{Seen, elsewhere, run};
use subject::Subject;

/// How often a fault happens that passes by itself.
const TIMES: u64 = 2;

/// How long a cell may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A fault, and how often it happens.
type Column = (&'static str, Option<u64>);

/// Every fault that lasts, and behind each that may pass the same that does.
fn columns() -> Vec<Column> {
    let both = |(kind, _): &(&'static str, &str)| {
        let passing = rule::passes(kind).then_some((*kind, Some(TIMES)));
        [Some((*kind, None)), passing].into_iter().flatten()
    };
    FAULT_KINDS.iter().flat_map(both).collect()
}

/// What came of the matrix.
struct Matrix {
    words: BTreeMap<(usize, usize), String>,
    wrong: Vec<String>,
    slowest: (Duration, String),
    took: Duration,
}

/// Runs these cells side by side.
async fn matrix(subjects: &[Subject], columns: &[Column], wanted: impl Fn(usize, usize) -> bool) -> Matrix {
    let started = Instant::now();
    let busy = Arc::new(Semaphore::new(8));
    let mut usual = Vec::new();
    for subject in subjects {
        let (subject, busy) = (subject.clone(), busy.clone());
        usual.push(tokio::spawn(async move {
            let _turn = busy.acquire().await;
            run(&subject, None).await
        }));
    }
    let mut matrix =
        Matrix { words: BTreeMap::new(), wrong: Vec::new(), slowest: Default::default(), took: Duration::ZERO };
    let mut known: Vec<Seen> = Vec::new();
    for (subject, usual) in subjects.iter().zip(usual) {
        let seen = usual.await.expect("no panic");
        for error in [Some(&seen.result), seen.later.as_ref()].into_iter().flatten().filter_map(|it| it.as_ref().err())
        {
            matrix.wrong.push(format!("{}, without a fault: {error}", subject.name()));
        }
        known.push(seen);
    }
    // Whoever waits for a slow service needs no processor, but must have it in time when there is an answer.
    let slow = |column: usize| columns[column].0.starts_with("slow");
    let places = || (0..subjects.len()).flat_map(|row| (0..columns.len()).map(move |column| (row, column)));
    let places = || places().filter(|(row, column)| wanted(*row, *column));
    let quick: Vec<_> = places().filter(|(_, column)| !slow(*column)).collect();
    let waiting: Vec<_> = places().filter(|(_, column)| slow(*column)).collect();
    let mut cells = Vec::new();
    for (places, turns) in [(waiting, 24), (quick, 6)] {
        let turns = Arc::new(Semaphore::new(turns));
        cells.extend(places.into_iter().map(|(row, column)| {
            let (subject, fault, turns) = (subjects[row].clone(), columns[column], turns.clone());
            let cell = tokio::spawn(async move {
                let _turn = turns.acquire().await;
                tokio::time::timeout(DEADLINE, run(&subject, Some(fault))).await
            });
            (row, column, cell)
        }));
    }
    for (row, column, cell) in cells {
        let outcome = cell.await;
        let (subject, (kind, times)) = (&subjects[row], columns[column]);
        let name = format!("{} {} with {}", subject.connector().name, subject.name(), called(columns[column]));
        let verdict = match outcome {
            Ok(Ok(seen)) => {
                if seen.took > matrix.slowest.0 {
                    matrix.slowest = (seen.took, name.clone());
                }
                judge(subject, kind, times, &known[row], &seen)
            }
            Ok(Err(_)) => Verdict { word: "hangs".to_owned(), wrong: vec![format!("takes longer than {DEADLINE:?}")] },
            Err(error) => Verdict { word: "panics".to_owned(), wrong: vec![error.to_string()] },
        };
        let mark = if verdict.wrong.is_empty() { "" } else { "!" };
        matrix.words.insert((row, column), format!("{}{mark}", verdict.word));
        matrix.wrong.extend(verdict.wrong.into_iter().map(|why| format!("{name}: {why}")));
    }
    if elsewhere().1 > 0 {
        matrix.wrong.push(format!("{} connections were made to another host", elsewhere().1));
    }
    matrix.took = started.elapsed();
    matrix
}

fn called((kind, times): Column) -> String {
    times.map_or_else(|| kind.to_owned(), |times| format!("{kind}*{times}"))
}

/// The most memory that this process ever had, in MiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints: `cargo xtask faults`"]
async fn the_whole_matrix() {
    let (subjects, columns) = (Subject::all(), columns());
    let found = matrix(&subjects, &columns, |_, _| true).await;
    let names: Vec<String> = columns.iter().map(|column| called(*column)).collect();
    println!("{}", table::table(&subjects, &names, &found.words));
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    found.words.values().for_each(|word| *totals.entry(word).or_default() += 1);
    println!("{} rows, {} faults, {} cells in {:.0?}", subjects.len(), names.len(), found.words.len(), found.took);
    println!("{}", totals.iter().map(|(word, count)| format!("{word} {count}")).collect::<Vec<_>>().join(", "));
    println!("the longest took {:.1?}: {}", found.slowest.0, found.slowest.1);
    if let Some(peak) = peak() {
        println!("at most {peak} MiB of memory, of which 101 MiB are the huge body of the simulated services");
    }
    println!("{} wrong", found.wrong.len());
    assert!(found.wrong.is_empty(), "\n{}", found.wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_ends_as_its_rule_says() {
    let (subjects, columns) = (Subject::all(), columns());
    // Neighbouring rows meet different faults, and together all of them.
    let found = matrix(&subjects, &columns, |row, column| (row + column) % 5 == 0).await;
    assert!(found.wrong.is_empty(), "\n{}", found.wrong.join("\n"));
}

#[test]
fn every_fault_has_a_rule_for_every_row() {
    for subject in Subject::all() {
        for (kind, times) in columns() {
            rule::ending(&subject, kind, times, true);
        }
    }
}
