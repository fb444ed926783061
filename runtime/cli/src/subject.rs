//! What a command is about: a connector, or an instance of one that the configuration names.

use connectome_core::Error;
use connectome_core::connector::Connector;

use crate::World;
use crate::arguments::Access;
use crate::instances::{name_one, synchronised};

/// A connector, and how it is reached.
#[derive(Debug)]
pub struct Subject {
    /// The instance, or the connector where none is configured.
    pub name: String,
    /// Its connector.
    pub connector: &'static Connector,
    /// How it is reached.
    pub access: Access,
}

impl Subject {
    /// The instance or the connector of this name. Of several instances of a connector the access must name one.
    pub fn find(world: &World, name: &str, access: &Access) -> Result<Self, Error> {
        let instances = synchronised(world, Some(name))?;
        let instance = match (&access.instance, instances.as_slice()) {
            // One that is not there, or of another connector, is told when it is read.
            (Some(named), all) => all.iter().find(|it| it.name == *named).or(all.first()),
            (None, [only]) => Some(only),
            (None, several) => {
                let names: Vec<&str> = several.iter().map(|instance| instance.name.as_str()).collect();
                return Err(name_one(name, &names));
            }
        };
        let connector = world.connector(instance.map_or(name, |it| &it.connector))?;
        let mut access = access.clone();
        if let Some(instance) = instance.filter(|it| it.configured && access.instance.is_none()) {
            access.instance = Some(instance.name.clone());
        }
        let name = access.instance.clone().unwrap_or_else(|| connector.name.to_owned());
        Ok(Self { name, connector, access })
    }
}
