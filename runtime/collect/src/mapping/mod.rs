//! Records become documents of another schema, stage by stage.
//!
//! What the stages are is data of a [`Mapping`]; [`Mapper`] makes it ready once and then maps one record after another
//! in the same memory. Whatever a record holds, there is a document: what went wrong is in it.

mod convert;
mod keys;
mod names;
mod program;
mod run;
mod tree;
mod url;

use connectome_core::mapping::Mapping;
use jiff::Timestamp;
use serde_json::{Map, Value};

use program::Program;
use run::Now;
use tree::Tree;

/// What is known of a document besides its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// How many values could not be mapped as they should.
    pub failures: usize,
}

/// Maps records.
#[derive(Debug)]
pub struct Mapper {
    program: Program,
    tree: Tree,
    now: Now,
}

impl Mapper {
    /// For this mapping, with the connection's parameters.
    pub fn new(mapping: &Mapping, parameters: &Map<String, Value>) -> Self {
        let (program, tree) = Program::new(mapping, parameters);
        Self { program, tree, now: Timestamp::UNIX_EPOCH.into() }
    }

    /// Appends the document that becomes of a record, which is known to be JSON.
    pub fn write(&mut self, record: &str, now: Timestamp, out: &mut Vec<u8>) -> Mapped {
        if self.now.time != now {
            self.now = now.into();
        }
        self.tree.clear();
        let failures = run::run(&self.program, &mut self.tree, record, &self.now);
        self.tree.print(tree::ROOT, out);
        Mapped { failures }
    }
}

#[cfg(test)]
mod tests;
