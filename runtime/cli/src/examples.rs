//! Examples of the help that name a connector: one of those that are here, since another crate has others.

use clap::{Command, CommandFactory};
use connectome_core::connection::environment_prefix;
use connectome_core::connector::Connector;
use connectome_sim::Service;

use crate::Graphs;
use crate::arguments::Arguments;
use crate::verbs::catalog::entry;

/// Stands for a connector where none fits.
const NAME: &str = "NAME";

/// A longer input is a file in an example: lines of the help are wrapped, and JSON that is wrapped cannot be typed.
const LONGEST_INPUT: usize = 70;

/// The whole command line, with all of its examples.
pub fn command(
    connectors: &'static [&'static Connector],
    services: &'static [&'static Service],
    graphs: Graphs,
) -> Command {
    let here = Here { connectors, services, graphs };
    let whole = format!(
        "Example:\n  connectome demo\n  {}\n\nExit codes: 0 done, 1 failed, 2 bad usage, input or settings (nothing was \
         done), 3 done in part, 130 interrupted.",
        here.describe()
    );
    Arguments::command().after_help(whole).mut_subcommands(|verb| {
        let name = verb.get_name().to_owned();
        let verb = verb.mut_subcommands(|inner| {
            let lines = here.of(&format!("{name} {}", inner.get_name()));
            shown(inner, &lines)
        });
        shown(verb, &here.of(&name))
    })
}

fn shown(verb: Command, lines: &[String]) -> Command {
    // The others name no connector and have their examples already.
    if lines.is_empty() { verb } else { verb.after_help(format!("Example:\n  {}", lines.join("\n  "))) }
}

/// What there is to choose from.
struct Here {
    connectors: &'static [&'static Connector],
    services: &'static [&'static Service],
    graphs: Graphs,
}

impl Here {
    /// The examples of a verb that name a connector.
    fn of(&self, verb: &str) -> Vec<String> {
        let graph = self.graphs.first().map_or(NAME, |(connector, _)| connector.name);
        match verb {
            "setup" => {
                let searched = named(self.first(|it| !it.search.is_empty()));
                let setup =
                    format!("connectome setup elasticsearch {searched} --to elasticsearch+https://search.example");
                vec![format!("{setup} --plan"), format!("{setup} --kibana https://kibana.example")]
            }
            "describe" => vec![self.describe()],
            "check" => vec![self.check()],
            "action" => {
                let connector = self.first(|it| !it.operations.is_empty());
                let first = connector.and_then(|it| it.operations.first()).map_or("ACTION", |it| it.name);
                vec![format!("{} --dry-run", called("action", connector, first))]
            }
            "trigger" => {
                let connector = self.first(|it| !it.triggers.is_empty());
                let first = connector.and_then(|it| it.triggers.first()).map_or("TRIGGER", |it| it.name);
                vec![format!("{} --once", called("trigger", connector, first))]
            }
            "sync" => vec![
                format!("connectome sync {graph}"),
                format!("connectome sync {graph} --plan --output json > plan.json"),
                format!("connectome sync {graph} --apply plan.json"),
                "connectome sync --all --watch".to_owned(),
            ],
            "graph changes" => vec![format!("connectome graph changes {graph} --since 2026-06-11T00:00:00Z")],
            "collect" => self.collect(),
            "permissions" => {
                let connector = self.usual();
                let names = connector.map_or(Vec::new(), parts);
                let names = if names.is_empty() { "ACTION".to_owned() } else { names[..names.len().min(2)].join(" ") };
                vec![format!("connectome permissions {} {names}", named(connector))]
            }
            "simulate" => vec![self.simulate()],
            "state" => {
                let reset = self.kept().into_iter().take(1).map(|kept| format!("connectome state reset {kept}"));
                std::iter::once("connectome state show".to_owned()).chain(reset).collect()
            }
            "state reset" => self.kept().iter().map(|kept| format!("connectome state reset {kept}")).collect(),
            _ => Vec::new(),
        }
    }

    /// The first connector that is so.
    fn first(&self, fits: impl Fn(&Connector) -> bool) -> Option<&'static Connector> {
        self.connectors.iter().copied().find(|connector| fits(connector))
    }

    /// The connector of what can be done with any: one that has actions, if there is one.
    fn usual(&self) -> Option<&'static Connector> {
        self.first(|it| !it.operations.is_empty()).or_else(|| self.first(|_| true))
    }

    fn describe(&self) -> String {
        let connector = self.usual();
        let part = connector.and_then(|it| parts(it).first().copied());
        let part = part.map(|part| format!(" {part}")).unwrap_or_default();
        format!("connectome describe {}{part}", named(connector))
    }

    fn check(&self) -> String {
        let connector = self.usual();
        let secret = connector.and_then(|it| {
            let field = it.parameters.fields.iter().find(|field| field.secret)?;
            Some(format!("{}{}=… ", environment_prefix(it.name), field.name.to_uppercase()))
        });
        format!("{}connectome check {}", secret.unwrap_or_default(), named(connector))
    }

    fn collect(&self) -> Vec<String> {
        let streaming = self.first(|it| !it.streams.is_empty());
        let listed = self.first(|it| !it.snapshots.is_empty() && !it.search.is_empty());
        let name = named(streaming.or_else(|| self.first(Connector::is_collected)));
        let mut lines = vec![format!("connectome collect {name} --to file:events.jsonl")];
        if let Some(stream) = streaming.and_then(|it| it.streams.first()) {
            let stream = stream.name;
            lines.push(format!("connectome collect {name} --stream {stream} --to stdout: --from '1 hour' --limit 5"));
        }
        lines.push(format!("connectome collect {name} --status"));
        if let Some(listed) = listed {
            lines.push(format!("connectome collect {} --to elasticsearch+https://search.example", listed.name));
        }
        lines
    }

    fn simulate(&self) -> String {
        let simulated = |it: &&Connector| self.services.iter().any(|service| service.connector.name == it.name);
        let first = || self.services.first().map(|service| service.connector);
        let connector: Option<&Connector> = self.usual().filter(simulated).or_else(first);
        // An action on several things at once may be done in part.
        let several = connector
            .and_then(|it| it.operations.iter().find(|it| !it.multi_status.is_empty() && !it.call.path.contains('{')));
        let several = several.map(|it| format!(" --fault partial@{}", it.call.path)).unwrap_or_default();
        format!("connectome simulate {} --fault rate-limit*3{several}", named(connector))
    }

    /// What `state reset` may name.
    fn kept(&self) -> Vec<String> {
        let trigger = self.first(|it| !it.triggers.is_empty()).map(|it| format!("trigger/{}", it.name));
        let collected = || self.first(Connector::is_collected).map(|it| format!("collect/{}", it.name));
        let graph = self.graphs.first().map(|(connector, _)| format!("graph/{}", connector.name));
        let kept: Vec<String> = trigger.or_else(collected).into_iter().chain(graph).collect();
        if kept.is_empty() { vec![format!("trigger/{NAME}")] } else { kept }
    }
}

fn named(connector: Option<&Connector>) -> &str {
    connector.map_or(NAME, |connector| connector.name)
}

/// The names of what a connector can be asked for, actions first.
fn parts(connector: &Connector) -> Vec<&'static str> {
    let actions = connector.operations.iter().map(|it| it.name);
    let triggers = connector.triggers.iter().map(|it| it.name);
    actions.chain(triggers).chain(connector.streams.iter().map(|it| it.name)).collect()
}

/// How an action or a trigger is called: the first whose input fits into a line, or else the first of all with a file.
fn called(verb: &str, connector: Option<&Connector>, first: &str) -> String {
    let described = connector.map(|it| entry(it.catalog)).unwrap_or_default();
    let all = described[format!("{verb}s")].as_array().map(Vec::as_slice).unwrap_or_default();
    let short = all.iter().find_map(|it| {
        let input = it.get("example_input").filter(|input| input.is_object())?.to_string();
        (input.len() <= LONGEST_INPUT && !input.contains('\'')).then_some((it["name"].as_str()?, input))
    });
    let name = named(connector);
    match short {
        Some((part, input)) => format!("connectome {verb} {name} {part} \\\n    --input '{input}'"),
        None => format!("connectome {verb} {name} {first} --input input.json"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(command: &Command, path: &str) {
        for verb in command.get_subcommands() {
            let path = format!("{path} {}", verb.get_name());
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example:\n  ") && help.contains(&path), "{path}: {help}");
            look(verb, &path);
        }
    }

    #[test]
    fn every_verb_has_an_example_even_without_a_connector() {
        look(&command(&[], &[], &[]), "connectome");
    }
}
