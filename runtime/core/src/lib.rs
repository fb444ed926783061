//! What every generated connector shares.
//!
//! A connector is data: [`Connector`](connector::Connector), [`Operation`](operation::Operation) and the
//! [`Record`](shape::Record)s they name are static tables that the generator writes. This crate runs them: it checks an
//! input ([`validate`]), builds the request ([`request`]), sends it ([`connection`], [`transport`], [`retry`],
//! [`rate`]), reads the answer ([`settle`], [`decode`]) and says what went wrong ([`error`]).
//!
//! No vendor is named here, and nothing here knows the command line.

pub mod answer;
pub mod call;
pub mod client;
pub mod clock;
pub mod connection;
pub mod connector;
pub mod convert;
pub mod decode;
pub mod error;
pub mod file;
pub mod filter;
pub mod format;
pub mod mapping;
pub mod names;
pub mod operation;
pub mod origin;
pub mod pace;
pub mod page;
pub mod place;
pub mod private;
pub mod rate;
pub mod request;
pub mod retry;
pub mod secret;
pub mod settle;
pub mod shape;
pub mod snapshot;
pub mod stream;
pub mod template;
pub mod time;
pub mod transport;
pub mod validate;

pub use client::Items;
pub use connection::{Connection, Settings};
pub use error::{Error, ErrorKind};
pub use secret::Secret;
