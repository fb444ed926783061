//! Where a connection's settings come from: flags, then the environment, then an instance of `connectome.toml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use connectome_core::connection::environment_prefix;
use connectome_core::connector::Connector;
use connectome_core::{Connection, Error, ErrorKind, Settings};
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, TableLike};

use crate::World;
use crate::arguments::Access;

/// What instances may say beside their parameters.
const INSTANCE_KEYS: [&str; 7] =
    ["connector", "account_name", "description", "polling_interval", "tag_with_account_name", "parameters", "ca_file"];

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// A connection, with its warnings printed.
pub fn connect(world: &World, connector: &'static Connector, access: &Access) -> Result<Connection, Error> {
    let settings = settings(world, connector, access)?;
    let connection = Connection::new(connector, settings)?;
    for warning in connection.warnings() {
        eprintln!("warning: {warning}");
    }
    Ok(connection)
}

/// The settings that flags, environment and configuration give.
pub fn settings(world: &World, connector: &'static Connector, access: &Access) -> Result<Settings, Error> {
    let mut parameters = Map::new();
    let mut ca_file = access.ca_file.clone();
    if let Some(instance) = instance(world, connector, access)? {
        parameters.extend(instance.parameters);
        ca_file = ca_file.or(instance.ca_file);
    }
    let prefix = environment_prefix(connector.name);
    for field in connector.parameters.fields {
        if let Ok(value) = std::env::var(format!("{prefix}{}", field.name.to_uppercase())) {
            parameters.insert(field.name.to_owned(), typed(field, value));
        }
    }
    for given in &access.parameters {
        let (name, value) = given.split_once('=').ok_or_else(|| wrong(format!("--param {given}: write NAME=VALUE")))?;
        let Some(field) = connector.parameters.field(name) else {
            let names: Vec<&str> =
                connector.parameters.fields.iter().filter(|field| !field.secret).map(|field| field.name).collect();
            return Err(wrong(format!("{} has no parameter {name:?}", connector.title))
                .advice(format!("there are: {}", names.join(", "))));
        };
        if field.secret {
            return Err(wrong(format!("{name} is a secret: on a command line everybody on this machine can read it"))
                .advice(format!(
                    "set {prefix}{} in the environment, or name a file in connectome.toml",
                    name.to_uppercase()
                )));
        }
        parameters.insert(name.to_owned(), typed(field, value.to_owned()));
    }
    let mut settings = Settings::new(parameters);
    settings.network.ca_file = ca_file;
    settings.network.proxy = access.proxy.clone();
    settings.network.request_timeout = Duration::from_secs(access.timeout.max(1));
    settings.network.read_timeout = settings.network.read_timeout.min(settings.network.request_timeout);
    settings.allow_http = access.allow_http;
    settings.tries = access.tries.max(1);
    settings.log_bodies = world.arguments.log_bodies;
    Ok(settings)
}

/// Flags and variables are texts; a parameter may be something else.
fn typed(field: &connectome_core::shape::Field, text: String) -> Value {
    use connectome_core::shape::Shape;
    match field.shape {
        Shape::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Value::from(true),
            "false" | "0" | "no" => Value::from(false),
            _ => Value::from(text),
        },
        Shape::Float => text.parse::<f64>().map_or(Value::from(text), Value::from),
        _ => Value::from(text),
    }
}

struct Instance {
    parameters: Map<String, Value>,
    ca_file: Option<PathBuf>,
}

/// The instance that is named, or the only one of this connector.
fn instance(world: &World, connector: &Connector, access: &Access) -> Result<Option<Instance>, Error> {
    let Some((path, document)) = document(world)? else {
        return match &access.instance {
            Some(name) => Err(wrong(format!("there is no instance {name:?}, since there is no connectome.toml"))
                .advice("write one, or name its place with --config")),
            None => Ok(None),
        };
    };
    let at = |message: String| wrong(format!("{}: {message}", path.display()));
    let instances = document.get("instances").and_then(Item::as_table_like);
    let names: Vec<&str> = instances.map(|table| table.iter().map(|(name, _)| name).collect()).unwrap_or_default();
    let of = |name: &str| instances.and_then(|table| table.get(name)).and_then(Item::as_table_like);
    let is_ours =
        |name: &&str| of(name).and_then(|table| table.get("connector")).and_then(Item::as_str) == Some(connector.name);
    let name = match &access.instance {
        Some(name) if of(name).is_none() => {
            return Err(at(format!("there is no instance {name:?}")).advice(format!("there are: {}", names.join(", "))));
        }
        Some(name) if !is_ours(&name.as_str()) => {
            return Err(at(format!("the instance {name:?} is not of {}", connector.name)));
        }
        Some(name) => name.as_str(),
        None => match names.iter().filter(|name| is_ours(name)).collect::<Vec<_>>().as_slice() {
            [] => return Ok(None),
            [only] => **only,
            several => {
                let several: Vec<&str> = several.iter().map(|name| **name).collect();
                return Err(at(format!("{} has several instances", connector.name))
                    .advice(format!("name one with --instance: {}", several.join(", "))));
            }
        },
    };
    of(name).map(|table| read_instance(connector, name, table).map_err(|message| at(message))).transpose()
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
    let document = text
        .parse::<DocumentMut>()
        .map_err(|error| wrong(format!("{} is not TOML: {}", path.display(), error.message())))?;
    Ok(Some((path, document)))
}

fn read_instance(connector: &Connector, name: &str, table: &dyn TableLike) -> Result<Instance, String> {
    for (key, _) in table.iter() {
        if !INSTANCE_KEYS.contains(&key) {
            return Err(format!("instance {name:?}: unknown key {key:?}; there are {}", INSTANCE_KEYS.join(", ")));
        }
    }
    let mut parameters = Map::new();
    if let Some(given) = table.get("parameters").and_then(Item::as_table_like) {
        for (key, item) in given.iter() {
            let Some(field) = connector.parameters.field(key) else {
                let names: Vec<&str> = connector.parameters.fields.iter().map(|field| field.name).collect();
                return Err(format!(
                    "instance {name:?}: {} has no parameter {key:?}; there are {}",
                    connector.title,
                    names.join(", ")
                ));
            };
            let value = match item.as_table_like() {
                Some(reference) => Value::from(secret(name, key, reference)?),
                None if field.secret => {
                    return Err(format!(
                        "instance {name:?}: {key} is a secret and stands here in plain; write `{key} = {{ env = \"VAR\" }}` or `{{ file = \"PATH\" }}`"
                    ));
                }
                None => plain(item)
                    .ok_or_else(|| format!("instance {name:?}: {key} is neither text, number, true nor false"))?,
            };
            parameters.insert(key.to_owned(), value);
        }
    }
    let ca_file = table.get("ca_file").and_then(Item::as_str).map(PathBuf::from);
    Ok(Instance { parameters, ca_file })
}

fn secret(name: &str, key: &str, reference: &dyn TableLike) -> Result<String, String> {
    match (reference.get("env").and_then(Item::as_str), reference.get("file").and_then(Item::as_str)) {
        (Some(variable), None) => std::env::var(variable)
            .map_err(|_| format!("instance {name:?}: {key} comes from the variable {variable}, which is not set")),
        (None, Some(path)) => std::fs::read_to_string(path)
            .map(|text| text.trim_end().to_owned())
            .map_err(|error| format!("instance {name:?}: {key} comes from {path}, which cannot be read: {error}")),
        _ => Err(format!("instance {name:?}: {key} says neither `env` nor `file`")),
    }
}

fn plain(item: &Item) -> Option<Value> {
    let value = item.as_value()?;
    None.or_else(|| value.as_str().map(Value::from))
        .or_else(|| value.as_bool().map(Value::from))
        .or_else(|| value.as_integer().map(Value::from))
        .or_else(|| value.as_float().map(Value::from))
}

/// The state database of this run.
pub fn state_path(world: &World) -> Result<PathBuf, Error> {
    match &world.arguments.state {
        Some(path) => Ok(path.clone()),
        None => folder("XDG_STATE_HOME", ".local/state")
            .map(|folder| folder.join("connectome/state.sqlite"))
            .ok_or_else(|| wrong("there is no home folder to keep state in").advice("name a file with --state")),
    }
}

fn folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |path: PathBuf| Some(path).filter(|path| path.is_absolute());
    std::env::var_os(variable)
        .map(PathBuf::from)
        .and_then(absolute)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(below_home)))
}
