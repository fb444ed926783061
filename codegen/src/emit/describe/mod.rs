//! Tables in words, for readers: what the catalog, the pages and `connectome describe` say of what the files beside this
//! folder print as Rust.

pub mod graph;
pub mod mapping;
pub mod snapshot;
pub mod stream;
