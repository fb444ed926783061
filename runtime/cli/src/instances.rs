//! Instances of `connectome.toml`: what each says of its connection, and of how it is synchronised.

use std::path::{Path, PathBuf};

use connectome_core::connector::Connector;
use connectome_core::{Error, ErrorKind};
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, TableLike};

use crate::World;
use crate::arguments::Access;
use crate::configuration::{folder, typed, wrong};

/// What an instance may say, and what each setting means.
pub const INSTANCE_KEYS: [(&str, &str); 11] = [
    ("connector", "the connector"),
    ("account_name", "what the account is called; the instance's name when left out"),
    ("description", "what the account is, for the report"),
    ("polling_interval", "how often `sync --all --watch` reads it; DISABLED when left out"),
    ("tag_with_account_name", "whether every entity carries the account's name as tag.AccountName"),
    ("dialect", "the words of its graph"),
    ("strictness", "what a lack of a demanded property means: off, warn or error; warn when left out"),
    ("lookups", "tables of your own: { NAME = \"FILE\" }"),
    ("to", "where the graph goes besides"),
    ("parameters", "the connection's; a secret is { env = \"VARIABLE\" } or { file = \"PATH\" }"),
    ("ca_file", "certificates to trust besides the system's"),
];

fn instance_key(key: &str) -> bool {
    INSTANCE_KEYS.iter().any(|(known, _)| *known == key)
}

fn instance_keys() -> String {
    list(&INSTANCE_KEYS.map(|(key, _)| key))
}

/// What an instance says of its connection.
pub struct Instance {
    pub parameters: Map<String, Value>,
    pub ca_file: Option<PathBuf>,
}

/// An instance with everything that a synchronisation needs to know of it.
#[derive(Debug, Clone)]
pub struct Synchronised {
    /// Its name: the partition of the graph.
    pub name: String,
    /// Its connector's name.
    pub connector: String,
    /// Whether the configuration names it; otherwise it is a connector as it is.
    pub configured: bool,
    /// The account's name.
    pub account_name: String,
    /// What the account is.
    pub description: Option<String>,
    /// How often it is synchronised.
    pub interval: Interval,
    /// Whether every entity carries the account's name.
    pub tag_with_account_name: bool,
    /// The dialect of its graph, unless it is the usual one.
    pub dialect: Option<String>,
    /// What a violation of the data model means.
    pub strictness: Strictness,
    /// The operator's tables: names and files.
    pub lookups: Vec<(String, PathBuf)>,
    /// Where the graph goes besides.
    pub to: Vec<String>,
}

/// How often an instance is synchronised: the platform's own choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// As written.
    pub name: &'static str,
    /// Seconds; none when it is synchronised on demand only.
    pub seconds: Option<u64>,
}

/// The choices.
pub const INTERVALS: [Interval; 8] = [
    Interval { name: "DISABLED", seconds: None },
    Interval { name: "THIRTY_MINUTES", seconds: Some(1800) },
    Interval { name: "ONE_HOUR", seconds: Some(3600) },
    Interval { name: "FOUR_HOURS", seconds: Some(4 * 3600) },
    Interval { name: "EIGHT_HOURS", seconds: Some(8 * 3600) },
    Interval { name: "TWELVE_HOURS", seconds: Some(12 * 3600) },
    Interval { name: "ONE_DAY", seconds: Some(86_400) },
    Interval { name: "ONE_WEEK", seconds: Some(7 * 86_400) },
];

/// What a violation of the data model means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Nothing.
    Off,
    /// It is told.
    Warn,
    /// Nothing is kept.
    Error,
}

/// The instances that a name stands for: the instance of that name, or every instance of the connector of that name, or
/// the connector without any configuration. Without a name all instances.
pub fn synchronised(world: &World, name: Option<&str>) -> Result<Vec<Synchronised>, Error> {
    let mut found = Vec::new();
    let mut known = Vec::new();
    if let Some((path, document)) = document(world)? {
        let at = |message: String| wrong(format!("{}: {message}", path.display()));
        let all = instances(world, &document).map_err(|(message, advice)| at(message).advice(advice))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        known.extend(all.iter().map(|(name, ..)| (*name).to_owned()));
        let named = all.iter().any(|(instance, ..)| Some(*instance) == name);
        for (instance, connector, table) in all {
            if name.is_none() || Some(instance) == name || (!named && Some(connector) == name) {
                found.push(
                    read_synchronised(instance, connector, folder, table)
                        .map_err(|(message, advice)| at(format!("instance {instance:?}: {message}")).advice(advice))?,
                );
            }
        }
    }
    match name {
        Some(name) if found.is_empty() && world.connectors.iter().any(|connector| connector.name == name) => {
            found.push(Synchronised {
                name: name.to_owned(),
                connector: name.to_owned(),
                configured: false,
                account_name: name.to_owned(),
                description: None,
                interval: INTERVALS[0],
                tag_with_account_name: false,
                dialect: None,
                strictness: Strictness::Warn,
                lookups: Vec::new(),
                to: Vec::new(),
            });
        }
        Some(name) if found.is_empty() => {
            let has_graph = |name: &str| world.graphs.iter().any(|(connector, _)| connector.name == name);
            let usable = world.connectors.iter().filter(|it| has_graph(it.name) || it.is_collected());
            known.extend(usable.map(|connector| connector.name.to_owned()));
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(Error::new(ErrorKind::Input, format!("there is no instance and no connector {name:?}"))
                .advice(crate::near::advice(name, names.iter().copied(), list(&names))));
        }
        _ => {}
    }
    Ok(found)
}

fn read_synchronised(
    name: &str,
    connector: &str,
    folder: &Path,
    table: &dyn TableLike,
) -> Result<Synchronised, Mistake> {
    if let Some((key, _)) = table.iter().find(|(key, _)| !instance_key(key)) {
        return Err((format!("unknown key {key:?}"), instance_keys()));
    }
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(item) => match item.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err((format!("{key} is not a string"), format!("write {key} = \"…\""))),
        },
    };
    let interval = text("polling_interval")?.unwrap_or_else(|| "DISABLED".to_owned());
    let interval = INTERVALS.iter().find(|known| known.name == interval).copied().ok_or_else(|| {
        let names: Vec<&str> = INTERVALS.iter().map(|known| known.name).collect();
        (format!("{interval:?} is not a polling interval"), list(&names))
    })?;
    let strictness = match text("strictness")?.as_deref() {
        None | Some("warn") => Strictness::Warn,
        Some("off") => Strictness::Off,
        Some("error") => Strictness::Error,
        Some(other) => return Err((format!("{other:?} is not a strictness"), list(&["off", "warn", "error"]))),
    };
    let tag = match table.get("tag_with_account_name") {
        None => false,
        Some(item) => item.as_bool().ok_or_else(|| {
            ("tag_with_account_name is neither true nor false".to_owned(), "write true or false".to_owned())
        })?,
    };
    let form = || ("lookups is not a table".to_owned(), "write lookups = { NAME = \"FILE\" }".to_owned());
    let lookups = match table.get("lookups") {
        None => Vec::new(),
        Some(item) => item
            .as_table_like()
            .ok_or_else(form)?
            .iter()
            .map(|(name, item)| Ok((name.to_owned(), folder.join(item.as_str().ok_or_else(form)?))))
            .collect::<Result<_, Mistake>>()?,
    };
    let form = || ("to is not a list of destinations".to_owned(), "write to = [\"jupiterone+https://…\"]".to_owned());
    let to = match table.get("to") {
        None => Vec::new(),
        Some(item) => item
            .as_array()
            .ok_or_else(form)?
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(form))
            .collect::<Result<_, Mistake>>()?,
    };
    Ok(Synchronised {
        name: name.to_owned(),
        connector: connector.to_owned(),
        configured: true,
        account_name: text("account_name")?.unwrap_or_else(|| name.to_owned()),
        description: text("description")?,
        interval,
        tag_with_account_name: tag,
        dialect: text("dialect")?,
        strictness,
        lookups,
        to,
    })
}

/// The instance that is named, or the only one of this connector.
pub fn instance(world: &World, connector: &Connector, access: &Access) -> Result<Option<Instance>, Error> {
    let Some((path, document)) = document(world)? else {
        return match &access.instance {
            Some(name) => Err(wrong(format!("there is no instance {name:?}, since there is no connectome.toml"))
                .advice("write one, or name its place with --config")),
            None => Ok(None),
        };
    };
    let at = |message: String| wrong(format!("{}: {message}", path.display()));
    let instances = instances(world, &document).map_err(|(message, advice)| at(message).advice(advice))?;
    let names = |of: &dyn Fn(&str) -> bool| -> Vec<&str> {
        instances.iter().filter(|(_, connector, _)| of(connector)).map(|(name, ..)| *name).collect()
    };
    let ours = names(&|name| name == connector.name);
    let name = match (&access.instance, ours.as_slice()) {
        (Some(name), ours) if ours.contains(&name.as_str()) => name.as_str(),
        (Some(name), _) if names(&|_| true).contains(&name.as_str()) => {
            return Err(at(format!("the instance {name:?} is not of {}", connector.name)).advice(list(&ours)));
        }
        (Some(name), _) => return Err(at(format!("there is no instance {name:?}")).advice(list(&names(&|_| true)))),
        (None, []) => return Ok(None),
        (None, [only]) => only,
        (None, several) => return Err(name_one(connector.name, several)),
    };
    let found = instances.iter().find(|(known, ..)| *known == name).map(|(.., table)| *table);
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = |table| {
        read_instance(connector, folder, table)
            .map_err(|(message, advice)| at(format!("instance {name:?}: {message}")).advice(advice))
    };
    found.map(read).transpose()
}

/// Which of several instances is meant cannot be guessed.
pub fn name_one(connector: &str, instances: &[&str]) -> Error {
    Error::new(ErrorKind::Input, format!("{connector} has several instances"))
        .advice(format!("name one with --instance: {}", instances.join(", ")))
}

/// What is wrong, and what to do about it.
type Mistake = (String, String);

fn list(names: &[&str]) -> String {
    if names.is_empty() { "there is none".to_owned() } else { format!("there are: {}", names.join(", ")) }
}

/// Every instance: its name, its connector and what it says. A misspelt word must not pass for nothing.
fn instances<'a>(
    world: &World,
    document: &'a DocumentMut,
) -> Result<Vec<(&'a str, &'a str, &'a dyn TableLike)>, Mistake> {
    if let Some((key, _)) = document.iter().find(|(key, _)| *key != "instances") {
        return Err((
            format!("unknown key {key:?}"),
            "the file holds tables [instances.NAME] and nothing else".to_owned(),
        ));
    }
    let Some(instances) = document.get("instances") else { return Ok(Vec::new()) };
    let form = || "write [instances.NAME]".to_owned();
    let instances = instances.as_table_like().ok_or_else(|| ("instances is not a table".to_owned(), form()))?;
    let read = |(name, item): (&'a str, &'a Item)| {
        let table = item.as_table_like().ok_or_else(|| (format!("instance {name:?} is not a table"), form()))?;
        let names: Vec<&str> = world.connectors.iter().map(|connector| connector.name).collect();
        match table.get("connector").and_then(Item::as_str) {
            Some(connector) if names.contains(&connector) => Ok((name, connector, table)),
            Some(connector) => Err((format!("instance {name:?}: there is no connector {connector:?}"), list(&names))),
            None => Err((
                format!("instance {name:?} does not say its connector"),
                format!("write connector = {:?}", names.first().unwrap_or(&"NAME")),
            )),
        }
    };
    instances.iter().map(read).collect()
}

fn document(world: &World) -> Result<Option<(PathBuf, DocumentMut)>, Error> {
    let (path, asked) = match &world.arguments.config {
        Some(path) => (path.clone(), true),
        None => {
            let here = PathBuf::from("connectome.toml");
            let home = folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("connectome/connectome.toml"));
            match [Some(here), home].into_iter().flatten().find(|path| path.is_file()) {
                Some(path) => (path, false),
                None => return Ok(None),
            }
        }
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        wrong(format!("{} cannot be read: {error}", path.display())).advice(if asked {
            "check the path given with --config"
        } else {
            "check the file's permissions"
        })
    })?;
    let document = text.parse::<DocumentMut>().map_err(|error| {
        // The line is named rather than shown: it may hold a secret.
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let said = error.message().lines().next().unwrap_or_default().to_owned();
        wrong(format!("{}, line {line}: this is not TOML: {said}", path.display()))
            .advice("mend the line; strings stand in quotes")
    })?;
    Ok(Some((path, document)))
}

/// Relative paths in the file are relative to its folder.
fn read_instance(connector: &Connector, folder: &Path, table: &dyn TableLike) -> Result<Instance, Mistake> {
    if let Some((key, _)) = table.iter().find(|(key, _)| !instance_key(key)) {
        let parameter =
            connector.parameters.field(key).map(|field| format!("; {} goes below [….parameters]", field.name));
        return Err((format!("unknown key {key:?}"), format!("{}{}", instance_keys(), parameter.unwrap_or_default())));
    }
    let mut parameters = Map::new();
    let given = match table.get("parameters") {
        None => None,
        Some(item) => Some(item.as_table_like().ok_or_else(|| {
            ("parameters is not a table".to_owned(), "write parameters = { NAME = VALUE }".to_owned())
        })?),
    };
    for (key, item) in given.into_iter().flat_map(TableLike::iter) {
        let Some(field) = connector.parameters.field(key) else {
            let names: Vec<&str> = connector.parameters.fields.iter().map(|field| field.name).collect();
            return Err((format!("{} has no parameter {key:?}", connector.title), list(&names)));
        };
        let value = match item.as_table_like() {
            Some(reference) => typed(field, referred(key, folder, reference)?),
            None if field.secret => {
                let advice = format!("write {key} = {{ env = \"VAR\" }} or {key} = {{ file = \"PATH\" }}");
                return Err((format!("{key} is a secret and stands here in plain"), advice));
            }
            None => plain(item).ok_or_else(|| {
                (
                    format!("{key} is neither text, number, true, false nor a list of them"),
                    "write one of these".to_owned(),
                )
            })?,
        };
        parameters.insert(field.name.to_owned(), value);
    }
    let ca_file = match table.get("ca_file") {
        None => None,
        Some(item) => Some(
            item.as_str()
                .map(|path| folder.join(path))
                .ok_or_else(|| ("ca_file is not a string".to_owned(), "write the path of a file".to_owned()))?,
        ),
    };
    Ok(Instance { parameters, ca_file })
}

/// The text that `{ env = … }` or `{ file = … }` stands for.
fn referred(key: &str, folder: &Path, reference: &dyn TableLike) -> Result<String, Mistake> {
    let texts: Vec<(&str, Option<&str>)> = reference.iter().map(|(name, item)| (name, item.as_str())).collect();
    match texts.as_slice() {
        [("env", Some(variable))] => std::env::var(variable).map_err(|_| {
            (
                format!("{key} comes from the variable {variable}, which is not set"),
                format!("set {variable} in the environment"),
            )
        }),
        [("file", Some(path))] => {
            std::fs::read_to_string(folder.join(path)).map(|text| text.trim_end().to_owned()).map_err(|error| {
                (
                    format!("{key} comes from {}, which cannot be read: {error}", folder.join(path).display()),
                    "check the path and the file's permissions".to_owned(),
                )
            })
        }
        _ => Err((
            format!("{key} does not say where it comes from"),
            format!("write {key} = {{ env = \"VAR\" }} or {key} = {{ file = \"PATH\" }}"),
        )),
    }
}

fn plain(item: &Item) -> Option<Value> {
    plain_value(item.as_value()?)
}

fn plain_value(value: &toml_edit::Value) -> Option<Value> {
    None.or_else(|| value.as_str().map(Value::from))
        .or_else(|| value.as_bool().map(Value::from))
        .or_else(|| value.as_integer().map(Value::from))
        .or_else(|| value.as_float().map(Value::from))
        .or_else(|| value.as_array().and_then(|items| items.iter().map(plain_value).collect()))
}
