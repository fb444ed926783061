//! Roles that a vendor ships.

use crate::choice;
use crate::read::{Map, Names, Word};
use crate::spec::Name;

/// A built-in role, and what is known of its permissions.
#[derive(Debug, Clone)]
pub struct Role {
    /// What it is for.
    pub doc: String,
    /// What it may do.
    pub grants: Grants,
    /// The permissions, when they are listed.
    pub permissions: Names<Vec<Name>>,
}

impl Word for Role {
    const NAME: &'static str = "role";

    fn read(map: &Map<'_>) -> Self {
        Role {
            doc: map.required("doc", "What the role is for."),
            grants: map.required("grants", "What is known of its permissions."),
            permissions: map.many("permissions", "The permissions it has, by app, when `grants` is `listed`."),
        }
    }
}

choice! {
    /// What is known of a role's permissions.
    Grants, "what a role grants" {
        Unknown = "unknown" = "The vendor does not publish them.",
        Everything = "everything" = "Every permission there is.",
        Listed = "listed" = "Those under `permissions`.",
    }
}
