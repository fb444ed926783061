//! Where a connection's settings come from: flags, then the environment, then an instance of `connectome.toml`.

use std::path::PathBuf;
use std::time::Duration;

use connectome_core::connection::environment_prefix;
use connectome_core::connector::Connector;
use connectome_core::pace::Rate;
use connectome_core::{Connection, Error, ErrorKind, Settings};
use serde_json::{Map, Value};

use crate::World;
use crate::arguments::Access;
use crate::instances::instance;
use crate::print;

/// Settings that cannot be used.
pub fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// A connection, with its warnings printed.
pub fn connect(world: &World, connector: &'static Connector, access: &Access) -> Result<Connection, Error> {
    let settings = settings(world, connector, access)?;
    let connection = Connection::new(connector, settings)?;
    for warning in connection.warnings() {
        print::tell(&format!("warning: {warning}"));
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
        // A variable that is empty says nothing: that is how scripts leave one out.
        let variable = std::env::var(format!("{prefix}{}", field.name.to_uppercase()));
        if let Some(value) = variable.ok().filter(|value| !value.is_empty()) {
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
    let rate = access.requests_per_second.map(|per_second| Rate { per_second, burst: access.burst });
    let mut settings = Settings { parameters, rate, ..bare_settings(world, access) };
    settings.network.ca_file = ca_file;
    Ok(settings)
}

/// The settings that flags give, without parameters.
pub fn bare_settings(world: &World, access: &Access) -> Settings {
    let mut settings = Settings::new(Map::new());
    settings.network.ca_file = access.ca_file.clone();
    settings.network.proxy = access.proxy.clone();
    settings.network.request_timeout = Duration::from_secs(access.timeout.max(1));
    settings.network.read_timeout = settings.network.read_timeout.min(settings.network.request_timeout);
    settings.allow_http = access.allow_http;
    settings.tries = access.tries.max(1);
    settings.log_bodies = world.arguments.log_bodies;
    settings
}

/// Flags and variables are texts; a parameter may be something else.
pub fn typed(field: &connectome_core::shape::Field, text: String) -> Value {
    use connectome_core::shape::Shape;
    match field.shape {
        Shape::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Value::from(true),
            "false" | "0" | "no" => Value::from(false),
            _ => Value::from(text),
        },
        Shape::Float => text.parse::<f64>().map_or(Value::from(text), Value::from),
        // A JSON list, or what stands between commas.
        Shape::List(_) if text.trim_start().starts_with('[') => {
            serde_json::from_str(&text).unwrap_or(Value::from(text))
        }
        Shape::List(_) => text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(Value::from).collect(),
        _ => Value::from(text),
    }
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

/// A folder of the XDG specification. A path that is not absolute counts as none, as it says there.
pub fn folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)))
}
