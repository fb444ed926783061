//! Where results go. A module is a protocol, named after who defined it.

pub mod jupiterone;
