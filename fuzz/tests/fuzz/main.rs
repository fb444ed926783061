//! Targets: each takes bytes or values of strangers, and says what must hold whatever they are.

mod answers;
mod dates;
mod documents;
mod filters;
mod found;
mod links;
mod pages;
mod saved;
mod specs;
