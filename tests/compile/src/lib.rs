//! Nothing is here but tests: a crate with few dependencies, since they are built once more for each of its cases.
