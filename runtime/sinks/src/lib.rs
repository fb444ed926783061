//! Where results go. What takes events is chosen by a URL, a [`Destination`](destination::Destination), and opened as an
//! [`Outlet`](outlet::Outlet). A module that is a protocol is named after who defined it.

mod append;
pub mod destination;
pub mod elasticsearch;
pub mod file;
pub mod jupiterone;
mod letters;
mod lines;
pub mod outlet;
pub mod stdout;
mod wire;
pub mod xsiam;
