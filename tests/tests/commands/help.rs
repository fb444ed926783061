//! What helps a newcomer: permissions, the demonstration, shells and the manual.

use connectome_tests::command::{Simulation, home, parsed, run};

use crate::{ALL_TIME, NAME, ONE, words};

#[test]
fn the_least_role_is_told_and_is_what_the_service_asks_for() {
    let home = home();
    let (code, shown, _) =
        run(home.path(), &["permissions", NAME, "isolate_endpoint", "poll_alert_list", "--output", "json"], &[]);
    assert_eq!(code, 0);
    let told = parsed(&shown);
    let apps = told["permissions"].as_object().unwrap();
    let all: Vec<String> = apps
        .iter()
        .flat_map(|(app, names)| {
            names.as_array().unwrap().iter().map(move |name| format!("{app}: {}", name.as_str().unwrap()))
        })
        .collect();
    assert_eq!(
        all,
        [
            "Response Management: View, filter, and search (Task List tab)",
            "Response Management: Isolate endpoint",
            "Workbench: View, filter, and search"
        ]
    );
    let master = told["roles"].as_array().unwrap().iter().find(|role| role["role"] == "Master Administrator").unwrap();
    assert_eq!(master["suffices"], true);
    // Without any one of them an action is refused, and the message names it.
    for lacking in &all {
        let simulation = Simulation::start(home.path(), NAME, &["--deny", lacking]);
        let (action, input) =
            if lacking.starts_with("Workbench") { ("get_alert_list", ALL_TIME) } else { ("isolate_endpoint", ONE) };
        let (code, _, said) = run(home.path(), &["action", NAME, action, "--input", input], &simulation.variables());
        assert!(code == 1 && said.contains("403") && said.contains(lacking), "{lacking}: {said}");
    }
}

#[test]
fn the_demonstration_shows_one_thing_of_each_kind_and_what_it_suggests_works() {
    let home = home();
    let (code, shown, said) = run(home.path(), &["demo"], &[]);
    assert_eq!((code, said.as_str()), (0, ""), "{shown}");
    assert!(shown.lines().count() <= 135 && shown.lines().all(|line| line.chars().count() <= 120), "{shown}");
    for part in [
        "status: succeeded",
        "action: isolate",
        "1 of 2 did not work",
        "exit code 3",
        "total_count: 25",
        "WB-31007-",
        "total_count: 0",
        "pagerduty_user_oncall_service  ",
        "role \"user\" -> \"admin\"",
        "trend_micro_computer_group_has_computer  ",
        "\"inactive\"",
        "killed with SIGKILL after ",
        "0 new, 5 changed, 0 sent again, 3 gone",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let (_, proof) = shown.split_once("compared byte by byte:\n").unwrap();
    for line in proof.lines().skip(1).take(4) {
        let [_, happened, kept, lost, twice] = words(line).try_into().unwrap();
        assert!(happened == kept && happened.len() >= 4 && lost == "0" && twice == "0", "{proof}");
    }
    let left = "What is remembered is in ";
    let left = shown.lines().find_map(|line| line.strip_prefix(left)).unwrap();
    let (_, listed, _) = run(home.path(), &["--state", left, "state", "show"], &[]);
    assert!(listed.contains("trigger/trend-vision-one/poll_alert_list/"), "{listed}");
    assert!(listed.contains("graph/pagerduty") && listed.contains("graph/trend-micro"), "{listed}");
    let (_, next) = shown.split_once("Try next:\n").unwrap();
    assert_eq!(next.lines().count(), 3, "{next}");
    for line in next.lines() {
        // What it is for stands after a wide gap.
        let (command, purpose) = line.trim().split_once("   ").unwrap();
        assert!(!purpose.trim().is_empty(), "{line}");
        let arguments = &words(command)[1..];
        if arguments[0] == "simulate" {
            let simulation = Simulation::start(home.path(), arguments[1], &[]);
            assert_eq!(run(home.path(), &["check", NAME], &simulation.variables()).0, 0);
        } else {
            let (code, shown, said) = run(home.path(), arguments, &[]);
            assert!(code == 0 && said.is_empty() && shown.lines().count() > 3, "{line}: {said}");
        }
    }
    // A second run begins anew.
    let again = run(home.path(), &["demo"], &[]).1;
    assert!(again.contains("total_count: 25") && again.contains("total_count: 0"), "{again}");
}

#[test]
fn shells_complete_every_verb_and_the_manual_has_a_page_for_each() {
    let home = home();
    let verbs = words("demo catalog describe check action trigger permissions simulate state completions man");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, said) = run(home.path(), &["completions", shell], &[]);
        assert_eq!((code, said.as_str()), (0, ""));
        assert!(verbs.iter().all(|verb| script.contains(verb)) && script.contains("dry-run"), "{shell}");
    }
    let (code, _, said) = run(home.path(), &["man", "deep/man"], &[]);
    assert_eq!((code, said.as_str()), (0, ""));
    for verb in verbs {
        let page = std::fs::read_to_string(home.path().join(format!("deep/man/connectome-{verb}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains("Example"), "{verb}");
    }
    std::fs::write(home.path().join("file"), "").unwrap();
    let (code, _, said) = run(home.path(), &["man", "file/man"], &[]);
    assert!(code == 1 && said.contains("file/man") && said.contains("what to do:"), "{code}: {said}");
}
