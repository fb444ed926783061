//! `connectome permissions`

use std::collections::BTreeMap;

use connectome_core::connector::Grants;
use connectome_core::{Error, ErrorKind};
use serde_json::{Value, json};

use crate::World;
use crate::arguments::{Form, Permissions};
use crate::exit::Outcome;
use crate::{near, print};

pub fn run(world: &World, verb: &Permissions) -> Outcome {
    let connector = world.connector(&verb.connector)?;
    // In the order in which they are first needed, with who needs them.
    let mut needed: Vec<((&str, &str), Vec<&str>)> = Vec::new();
    for name in &verb.operations {
        let operation = connector
            .operation(name)
            .or_else(|| connector.trigger(name).map(|trigger| trigger.operation))
            .or_else(|| connector.stream(name).map(|stream| stream.read))
            .ok_or_else(|| {
                let known = connector.operations.iter().map(|it| it.name);
                let known = known.chain(connector.triggers.iter().map(|it| it.name));
                let known = known.chain(connector.streams.iter().map(|it| it.name));
                let kinds =
                    if connector.streams.is_empty() { "action or trigger" } else { "action, trigger or stream" };
                let all = format!("`connectome describe {}` lists them", connector.name);
                Error::new(ErrorKind::Input, format!("{} has no {kinds} {name:?}", connector.title))
                    .advice(near::advice(name, known, all))
            })?;
        for permission in operation.permissions.iter().flat_map(|(app, names)| names.iter().map(|name| (*app, *name))) {
            match needed.iter_mut().find(|(known, _)| *known == permission) {
                Some((_, by)) => by.push(name),
                None => needed.push((permission, vec![name])),
            }
        }
    }
    let suffices = |grants: &Grants| match grants {
        Grants::Everything => Some(true),
        Grants::Unknown => None,
        Grants::Listed(listed) => {
            Some(needed.iter().all(|((app, name), _)| listed.iter().any(|(a, names)| a == app && names.contains(name))))
        }
    };
    let roles: Vec<(&str, Option<bool>)> =
        connector.roles.iter().map(|role| (role.name, suffices(&role.grants))).collect();
    if world.arguments.output != Form::Text {
        let mut apps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for ((app, name), _) in &needed {
            apps.entry(app).or_default().push(name);
        }
        let roles: Vec<Value> =
            roles.iter().map(|(name, suffices)| json!({ "role": name, "suffices": suffices })).collect();
        return print::document(world.arguments.output, &json!({ "permissions": apps, "roles": roles }));
    }
    if needed.is_empty() {
        return print::line("None of these needs a permission.");
    }
    let rows = needed.iter().map(|((app, name), by)| vec![(*app).to_owned(), (*name).to_owned(), by.join(", ")]);
    print::text(&print::table(&["app", "permission", "needed by"], rows))?;
    let named = |wanted: Option<bool>| {
        roles.iter().filter(|(_, suffices)| *suffices == wanted).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    };
    print::line("")?;
    for (wanted, says) in [
        (Some(true), "Built-in roles that suffice:"),
        (Some(false), "Built-in roles that do not:"),
        (None, "Built-in roles whose permissions the vendor does not publish:"),
    ] {
        if !named(wanted).is_empty() {
            print::line(&format!("{says} {}", named(wanted)))?;
        }
    }
    print::line("The least role is one of your own with just the permissions above.")
}
