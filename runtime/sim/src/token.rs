//! Who may do what.

/// A token that the simulator knows.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub secret: String,
    /// What it may do.
    pub grants: Grants,
}

/// What a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grants {
    /// Everything.
    Everything,
    /// These permissions: apps and names.
    Listed(Vec<(String, String)>),
    /// Everything but these.
    AllBut(Vec<(String, String)>),
    /// Nothing any more.
    Expired,
}

impl Token {
    /// A token that may do everything.
    pub fn master(secret: impl Into<String>) -> Self {
        Self { secret: secret.into(), grants: Grants::Everything }
    }

    /// Whether it has a permission.
    pub fn may(&self, app: &str, name: &str) -> bool {
        let listed = |list: &[(String, String)]| list.iter().any(|(a, n)| a == app && n == name);
        match &self.grants {
            Grants::Everything => true,
            Grants::Listed(list) => listed(list),
            Grants::AllBut(list) => !listed(list),
            Grants::Expired => false,
        }
    }
}
