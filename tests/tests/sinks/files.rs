//! Events into files and pipes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
#[cfg(unix)]
use std::process::Command;

use connectome_collect::sink::Sink;
use connectome_core::{Error, ErrorKind};
use connectome_sinks::destination::Destination;
use connectome_sinks::outlet::Outlet;
use connectome_sinks::stdout::Stdout;
use connectome_tests::log::Log;

use crate::{chunk, chunk_of, letters, lines, settings};

#[test]
fn a_place_that_cannot_be_written_to_is_told_when_it_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, kind, said) in [
        ("sqlite:events.db", ErrorKind::Configuration, "beside the checkpoint"),
        ("file:/nowhere/at/all/events.jsonl", ErrorKind::Storage, "there is no folder /nowhere/at/all"),
    ] {
        let destination = Destination::parse(text).expect("a destination");
        let error = Outlet::open(&destination, settings().0, &letters(&folder)).expect_err("not opened");
        assert!(error.kind() == kind && error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_pipe_that_nobody_reads_ends_the_delivery() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut sink = Stdout::new(writer, None);
    sink.deliver(&chunk_of(["{}"])).await.expect("taken");
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a line");
    assert_eq!(line, "{}\n");
    drop(reader);
    let error = sink.deliver(&chunk_of(["{}"])).await.expect_err("nobody reads");
    assert_eq!((error.kind(), error.parts().is_closed_pipe), (ErrorKind::Storage, true));
}

fn to_file(path: &Path, options: &str) -> Result<Outlet, Error> {
    let destination = Destination::parse(&format!("file:{}{options}", path.display()))?;
    Outlet::open(&destination, settings().0, path)
}

/// The environment variable that makes this test the process whose disk is full.
#[cfg(unix)]
const FULL: &str = "CONNECTOME_TEST_FULL_DISK";

#[cfg(unix)]
#[tokio::test]
async fn on_a_full_disk_nothing_counts_and_nothing_is_torn() {
    if let Some(path) = std::env::var_os(FULL) {
        let mut sink = to_file(Path::new(&path), "").expect("a sink");
        let mut taken = 0;
        let error = loop {
            match sink.deliver(&chunk(3, 1000)).await {
                Ok(_) => taken += 1,
                Err(error) => break error,
            }
        };
        assert!(error.kind() == ErrorKind::Storage && error.to_string().contains("make room"), "{error}");
        sink.deliver(&chunk(3, 1000)).await.expect_err("still full");
        sink.deliver(&chunk(1, 1)).await.expect("there is room for a small one");
        println!("taken: {taken}");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.jsonl");
    // No file may be longer than so many blocks, which is an error and not the end, since the signal is ignored.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 40; exec \"$0\" --exact files::on_a_full_disk_nothing_counts_and_nothing_is_torn --nocapture"])
        .arg(std::env::current_exe().expect("a path"))
        .env(FULL, &path)
        .output()
        .expect("a shell");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let taken: usize =
        told.lines().find_map(|line| line.split("taken: ").nth(1)).expect("a count").parse().expect("it");
    assert!(taken > 1);
    assert_eq!(lines(&path).len(), taken * 3 + 1);
}

#[tokio::test]
async fn a_file_is_gone_on_with_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.jsonl");
    let log = Log::text_lines();
    // What two processes left: one was killed within a line, and one while it compressed a full file.
    fs::write(&path, "{\"n\":1}\n{\"n\":2,\"x\":\"to").expect("written");
    fs::write(folder.path().join("events.jsonl.20260301T000000Z-1"), "{\"n\":0}\n").expect("written");
    fs::write(folder.path().join("events.jsonl.20260301T000000Z-1.gz.part"), "half").expect("written");
    let mut sink = to_file(&path, "?rotate=1MiB&compress=gzip&key=id").expect("a sink");
    let second = to_file(&path, "").expect_err("it is in use");
    assert!(second.to_string().contains("another process writes to"), "{second}");
    sink.deliver(&chunk_of([r#"{"n":2}"#])).await.expect("taken");
    drop(sink);
    assert_eq!(fs::read_to_string(&path).expect("a file"), "{\"n\":1}\n{\"n\":2,\"id\":\"audit:0\"}\n");
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).expect("a folder").map(|it| it.expect("one").file_name()).collect();
    names.sort();
    assert_eq!(names, ["events.jsonl", "events.jsonl.20260301T000000Z-1.gz"]);
    assert!(log.text().contains("the last line was torn") && log.text().contains("bytes=14"), "{}", log.text());
    #[cfg(unix)]
    {
        // A link stays one.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        to_file(&link, "?rotate=1B").expect("a sink").deliver(&chunk(1, 1)).await.expect("taken");
        assert!(link.is_symlink());
        assert_eq!(lines(&link).len(), 1);
    }
}
