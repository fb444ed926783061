//! The language as it describes itself: words, and what each of their keys holds.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::{Map, Way, Word};

/// The words described so far: each one's keys in the order it asks for them.
#[derive(Default)]
pub struct Language(pub(super) RefCell<BTreeMap<&'static str, Vec<Key>>>);

impl Language {
    /// Describes a word and every word it uses.
    pub fn of<T: Word>() -> BTreeMap<&'static str, Vec<Key>> {
        let language = Self::default();
        language.word::<T>();
        language.0.into_inner()
    }

    pub(super) fn word<T: Word>(&self) -> Shape {
        if !self.0.borrow().contains_key(T::NAME) {
            self.0.borrow_mut().insert(T::NAME, Vec::new());
            let map = Map { way: Way::Describe(self), word: T::NAME, keys: RefCell::default() };
            T::read(&map);
            self.0.borrow_mut().insert(T::NAME, map.keys.into_inner());
        }
        Shape::Word(T::NAME)
    }
}

/// One key of a word.
#[derive(Debug, Clone)]
pub struct Key {
    /// As written in a spec.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub doc: &'static str,
}

/// What a value looks like, for the JSON Schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Text that matches nothing in particular.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Any JSON value.
    Any,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A list.
    List(Box<Shape>),
    /// A mapping from names the author chooses.
    Names(Box<Shape>),
    /// Any of these.
    Either(Vec<Shape>),
    /// A word of the language.
    Word(&'static str),
}
