//! Pipes that close, disks that are full, interruptions.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Output, Stdio};

use connectome_tests::command::{connectome, home, parsed, simulated, told};
use serde_json::{Value, json};

use crate::{ALL_TIME, KEY, NAME, ONE, TWO, URL};

/// Runs a command whose streams are the caller's.
#[cfg(unix)]
fn streams(
    home: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
    out: impl Into<Stdio>,
    err: impl Into<Stdio>,
) -> Output {
    let mut command = connectome(home);
    command.args(arguments).envs(variables.iter().copied()).stdout(out).stderr(err);
    command.spawn().and_then(std::process::Child::wait_with_output).expect("the command runs")
}

/// The writing end of a pipe whose reader has gone.
#[cfg(unix)]
fn closed() -> std::io::PipeWriter {
    std::io::pipe().expect("a pipe").1
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let (home, simulation) = simulated(&[]);
    let alerts = ["action", NAME, "get_alert_list", "--input", ALL_TIME];
    let polled = ["trigger", NAME, "poll_alert_list", "--input", r#"{"start_date_time": "1970-01-01T00:00:00Z"}"#];
    let cases: [&[&str]; 8] = [
        &["catalog", "--json"],
        &["catalog"],
        &["demo"],
        &["--help"],
        &["completions", "zsh"],
        &["simulate", "--listen", "127.0.0.1:0"],
        &alerts,
        &polled,
    ];
    for arguments in cases {
        let (code, _, said) = told(&streams(home.path(), arguments, &simulation.variables(), closed(), Stdio::piped()));
        assert_eq!((code, said.as_str()), (0, ""), "{arguments:?}");
    }
    // Nobody reads errors either: the code still says what happened.
    let cases: [(&[&str], i32); 4] = [
        (&["catalog", "--json"], 0),
        (&["describe", "carbon"], 2),
        (&["action", NAME, "isolate_endpoint", "--input", TWO], 3),
        (&["action", NAME, "get_task_result", "--input", r#"{"task_id": "99"}"#], 1),
    ];
    for (arguments, wanted) in cases {
        let output = streams(home.path(), arguments, &simulation.variables(), closed(), closed());
        assert_eq!(output.status.code(), Some(wanted), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_loses_no_task() {
    let (home, simulation) = simulated(&[]);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let written =
        |arguments: &[&str]| told(&streams(home.path(), arguments, &simulation.variables(), full(), Stdio::piped()));
    for arguments in [
        &["catalog", "--json"][..],
        &["describe", NAME],
        &["demo"],
        &["completions", "bash"],
        &["check", NAME],
        &["action", NAME, "get_alert_list", "--input", ALL_TIME],
    ] {
        let (code, _, said) = written(arguments);
        assert!(
            code == 1 && said.contains("No space left on device") && said.contains("what to do:"),
            "{arguments:?}: {said}"
        );
    }
    assert_eq!(written(&["--help"]).0, 1);
    // What worked and what did not is told all the same.
    let (code, _, said) = written(&["action", NAME, "isolate_endpoint", "--input", TWO]);
    assert!(code == 3 && said.contains("No space left") && said.contains("item 0: 202, task "), "{said}");
    let (code, _, said) = written(&["action", NAME, "isolate_endpoint", "--input", ONE]);
    assert!(code == 1 && said.contains("the action was carried out"), "{said}");
}

/// A service that answers some requests and leaves the next without an answer. Gives its root; the channel tells when
/// that request has come.
#[cfg(unix)]
fn silent(answers: Vec<Value>) -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (come, waited) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut answers = answers.into_iter();
        while let Ok((mut stream, _)) = listener.accept() {
            let mut heard = Vec::new();
            let mut piece = [0; 4096];
            while !heard.windows(4).any(|it| it == b"\r\n\r\n") {
                let count = stream.read(&mut piece).unwrap_or(0);
                heard.extend_from_slice(&piece[..count]);
                if count == 0 {
                    break;
                }
            }
            match answers.next().map(|it| it.to_string()) {
                Some(body) => {
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all((head + &body).as_bytes());
                }
                None => {
                    kept.push(stream);
                    let _ = come.send(());
                }
            }
        }
    });
    (url, waited)
}

#[cfg(unix)]
#[test]
fn an_interruption_ends_a_call_in_good_order() {
    let home = home();
    let page = json!({ "items": [{ "id": "WB-1" }, { "id": "WB-2" }], "nextLink": "https://x/v3.0/workbench/alerts?skipToken=a" });
    let list = ["action", NAME, "get_alert_list", "--input", ALL_TIME];
    let lines = [&list[..], &["--output", "jsonl"]].concat();
    // The signal, the command, what is answered before it comes, what is printed, and what is said.
    type Case<'a> = (&'a str, &'a [&'a str], Vec<Value>, Value, &'a str);
    let cases: [Case<'_>; 6] = [
        ("-INT", &["check", NAME], vec![], Value::Null, "interrupted"),
        ("-TERM", &["check", NAME], vec![], Value::Null, "interrupted"),
        (
            "-INT",
            &["action", NAME, "isolate_endpoint", "--input", ONE],
            vec![],
            Value::Null,
            "may have been carried out",
        ),
        ("-INT", &list, vec![], Value::Null, "interrupted"),
        // A document that was begun is closed, and says that it is incomplete.
        (
            "-TERM",
            &list,
            vec![page.clone()],
            json!({ "alerts": [{ "id": "WB-1" }, { "id": "WB-2" }], "incomplete": true }),
            "interrupted",
        ),
        ("-INT", &lines, vec![page], json!([{ "id": "WB-1" }, { "id": "WB-2" }]), "interrupted"),
    ];
    for (signal, arguments, answers, wanted, says) in cases {
        let (url, waited) = silent(answers);
        let mut command = connectome(home.path());
        command.args(arguments).env(KEY, "a-key").env(URL, url).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        waited.recv().unwrap();
        let sent = std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let (code, shown, said) = told(&child.wait_with_output().unwrap());
        assert_eq!(code, 130, "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
        match wanted {
            Value::Null => assert_eq!(shown, "", "{arguments:?}"),
            Value::Array(lines) => assert_eq!(shown.lines().map(parsed).collect::<Vec<_>>(), lines),
            whole => assert_eq!(parsed(&shown), whole),
        }
    }
}
