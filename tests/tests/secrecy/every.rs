//! Every connector by the whole command, into every destination, also while things go wrong: what it prints at its most
//! talkative, and every byte of every file that it leaves. What it leaves is for its owner alone.

use std::path::Path;

use connectome_core::connection::environment_prefix;
use connectome_core::connector::Connector;
use connectome_core::format::Format;
use connectome_tests::command::{Simulation, home, run};

use crate::{KEY, Told, base64, bytes};

/// The secret of a destination.
const DESTINATION: &str = "MARKERdestination.c0ffee+/_~==";

/// The secret of a user at a destination, and the user.
const USER: [&str; 2] = ["somebody", "MARKERpassword%2F:c0ffee"];

/// A word of an environment and what it is set to.
type Variable = (String, String);

/// The connection's parameters, the secret ones marked.
fn variables(connector: &Connector, url: &str) -> Vec<Variable> {
    let prefix = environment_prefix(connector.name);
    let values = connector.parameters.fields.iter().filter_map(|field| {
        let value = match field.rules.format {
            Some(Format::BaseUrl) => url,
            _ if field.secret => KEY,
            _ if field.required && field.default.is_none() => "simulated",
            _ => return None,
        };
        Some((format!("{prefix}{}", field.name.to_uppercase()), value.to_owned()))
    });
    values.collect()
}

/// Runs it as loudly as it can, and remembers all that it says.
fn hear(home: &Path, told: &mut Told, arguments: &[&str], variables: &[Variable]) -> i32 {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut last = 0;
    for form in ["text", "json"] {
        let loud = ["--output", form, "--log", "trace", "--log-bodies"];
        let (code, shown, said) = run(home, &[arguments, &loud].concat(), &variables);
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        let place = arguments.join(" ");
        told.hear(&format!("{place}, as {form}: printed"), shown);
        told.hear(&format!("{place}, as {form}: said"), said);
        last = code;
    }
    last
}

/// Everything below the folder is for its owner alone, and holds no secret.
fn look_at_files(home: &Path, told: &mut Told, expected: bool) {
    let left = bytes(home);
    assert_eq!(!left.is_empty(), expected, "files of {}", home.display());
    told.hear("the files", String::from_utf8_lossy(&left));
    // As UTF-16 and as a database may cut it, too: every second byte.
    for first in [0, 1] {
        let half: Vec<u8> = left.iter().skip(first).step_by(2).copied().collect();
        told.hear("every second byte of the files", String::from_utf8_lossy(&half));
    }
    #[cfg(unix)]
    for entry in std::fs::read_dir(home).expect("a folder") {
        use std::os::unix::fs::PermissionsExt;
        let path = entry.expect("an entry").path();
        let mode = path.metadata().expect("its mode").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} can be read by others: {mode:o}", path.display());
    }
}

/// The destinations of what is collected, with their secrets.
fn destinations(home: &Path) -> Vec<(String, Vec<Variable>, Option<Simulation>)> {
    let own = ["stdout:", "file:events.jsonl", "file:packed.jsonl?rotate=64KiB&compress=gzip", "sqlite:events.sqlite"];
    let mut all: Vec<_> = own.map(|to| (to.to_owned(), Vec::new(), None)).into();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let kinds = [
        ("xsiam", vec![pair("CONNECTOME_XSIAM_TOKEN", DESTINATION)]),
        ("elasticsearch", vec![pair("CONNECTOME_ELASTICSEARCH_API_KEY", DESTINATION)]),
        ("elasticsearch", vec![pair("CONNECTOME_ELASTICSEARCH_TOKEN", DESTINATION)]),
        (
            "elasticsearch",
            vec![pair("CONNECTOME_ELASTICSEARCH_USER", USER[0]), pair("CONNECTOME_ELASTICSEARCH_PASSWORD", USER[1])],
        ),
    ];
    for (kind, variables) in kinds {
        let simulation = Simulation::start(home, kind, &["--token", DESTINATION]);
        let to = simulation.destination.clone().expect("a destination");
        all.push((to, variables, Some(simulation)));
    }
    all
}

#[test]
fn nothing_that_is_collected_takes_a_secret_along() {
    for connector in connectome::CONNECTORS.iter().filter(|connector| connector.is_collected()) {
        let mut told = Told::default();
        let services = home();
        let destinations = destinations(services.path());
        for fault in ["", "expired-token", "not-json", "redirect-away"] {
            let mut options = vec!["--token", KEY];
            if !fault.is_empty() {
                options.extend(["--fault", fault]);
            }
            let simulation = Simulation::start(services.path(), connector.name, &options);
            // What goes wrong before a destination is reached is the same for each.
            let number = if fault.is_empty() { destinations.len() } else { 1 };
            for (to, secrets, _) in &destinations[..number] {
                let home = home();
                let variables = [variables(connector, &simulation.url), secrets.clone()].concat();
                let to = &match to.starts_with("elasticsearch") && connector.search.is_empty() {
                    true => format!("{to}?op=index&index=events"),
                    false => to.clone(),
                };
                if to.starts_with("elasticsearch") && !connector.search.is_empty() {
                    let setup = ["setup", "elasticsearch", connector.name, "--to", to, "--tries", "1"];
                    hear(home.path(), &mut told, &setup, &variables);
                }
                let collect = ["collect", connector.name, "--to", to, "--once", "--state", "state", "--tries", "1"];
                let code = hear(home.path(), &mut told, &collect, &variables);
                // The simulated search engine knows a bearer alone.
                let refused = secrets
                    .iter()
                    .any(|(name, _)| name.starts_with("CONNECTOME_ELASTICSEARCH") && !name.ends_with("TOKEN"));
                assert_eq!(code == 0, fault.is_empty() && !refused, "{to} with {fault:?}: {:?}", told.0.last());
                hear(home.path(), &mut told, &["collect", connector.name, "--status", "--state", "state"], &variables);
                hear(home.path(), &mut told, &["state", "show", "--state", "state"], &variables);
                look_at_files(home.path(), &mut told, true);
            }
        }
        // What is asserted is worth something only if requests were shown.
        assert!(told.0.iter().any(|(_, text)| text.contains("answer body")));
        let pair = base64(&USER.join(":"));
        assert!(told.0.iter().all(|(_, text)| !text.contains(&pair)));
        told.assert_silent();
    }
}

#[test]
fn no_graph_and_no_plan_for_one_holds_a_secret() {
    for (connector, _) in connectome::GRAPHS {
        let mut told = Told::default();
        let services = home();
        let platform = Simulation::start(services.path(), "jupiterone-platform", &["--token", DESTINATION]);
        let to = platform.destination.clone().expect("a destination");
        for fault in ["", "expired-token", "not-json", "torn"] {
            let mut options = vec!["--token", KEY];
            if !fault.is_empty() {
                options.extend(["--fault", fault]);
            }
            let simulation = Simulation::start(services.path(), connector.name, &options);
            let home = home();
            let secret = ("CONNECTOME_JUPITERONE_API_KEY".to_owned(), DESTINATION.to_owned());
            let variables = [variables(connector, &simulation.url), vec![secret]].concat();
            let sync = ["sync", connector.name, "--state", "state", "--tries", "1"];
            hear(home.path(), &mut told, &[&sync[..], &["--plan"]].concat(), &variables);
            let code = hear(home.path(), &mut told, &[&sync[..], &["--to", &to]].concat(), &variables);
            assert_eq!(code == 0, fault.is_empty(), "{fault:?}: {:?}", told.0.last());
            for form in ["jsonl", "graphml", "cypher"] {
                hear(home.path(), &mut told, &["graph", "export", "--format", form, "--state", "state"], &[]);
            }
            hear(home.path(), &mut told, &["graph", "export", "--raw", "--state", "state"], &[]);
            hear(home.path(), &mut told, &["graph", "show", "--state", "state"], &[]);
            hear(home.path(), &mut told, &["graph", "changes", "--state", "state"], &[]);
            look_at_files(home.path(), &mut told, true);
        }
        told.assert_silent();
    }
}

#[test]
fn whatever_a_connection_is_told_it_keeps_to_itself() {
    for connector in connectome::CONNECTORS {
        let (home, mut told) = (home(), Told::default());
        for fault in ["", "expired-token", "server-error", "bare-error", "redirect-away", "error-in-success"] {
            let mut options = vec!["--token", KEY];
            if !fault.is_empty() {
                options.extend(["--fault", fault]);
            }
            let services = connectome_tests::command::home();
            let simulation = Simulation::start(services.path(), connector.name, &options);
            let variables = variables(connector, &simulation.url);
            let check = ["check", connector.name, "--tries", "1"];
            let code = hear(home.path(), &mut told, &check, &variables);
            assert!((code == 0) == fault.is_empty() || fault == "error-in-success", "{fault:?}: {:?}", told.0.last());
            hear(home.path(), &mut told, &["describe", connector.name], &variables);
        }
        // Nobody is there, and nobody of that name is.
        for url in ["http://127.0.0.1:9", "https://127.0.0.1:9", "https://nobody.invalid"] {
            let code =
                hear(home.path(), &mut told, &["check", connector.name, "--tries", "1"], &variables(connector, url));
            assert_ne!(code, 0, "{url}");
        }
        look_at_files(home.path(), &mut told, false);
        told.assert_silent();
    }
}
