//! Which events of a window were delivered already.

use std::collections::HashMap;
use std::fmt::Write;

use crate::key::short;
use crate::ledger::Digest;

/// The events of one window that were seen, and in which pass over it they were last met.
#[derive(Debug, Default)]
pub struct Sieve {
    pass: u32,
    seen: HashMap<Digest, u32>,
}

/// What an event is to this pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nobody has seen it.
    New,
    /// It was delivered, and this pass meets it for the first time.
    Delivered,
    /// This pass has met it before.
    Repeated,
}

impl Sieve {
    /// Begins a pass over another window, or over the same once more.
    pub fn begin(&mut self, pass: u32) {
        self.pass = pass;
        self.seen.clear();
    }

    /// The pass at hand; 0 before the first.
    pub fn pass(&self) -> u32 {
        self.pass
    }

    /// Notes an event that was seen in a pass.
    pub fn recall(&mut self, key: Digest, pass: u32) {
        let met = self.seen.entry(key).or_insert(0);
        if pass == self.pass {
            *met = pass;
        }
    }

    /// Meets an event. Events that are named by their content may well be equal and yet several: the n-th in a pass is
    /// the n-th of all, and from the second on its key says so.
    pub fn meet(&mut self, key: &mut String, mut digest: Digest, content: bool) -> (Digest, Fate) {
        let plain = key.len();
        let mut number = 1_u32;
        loop {
            match self.seen.insert(digest, self.pass) {
                None => return (digest, Fate::New),
                Some(pass) if pass != self.pass => return (digest, Fate::Delivered),
                Some(_) if !content => return (digest, Fate::Repeated),
                Some(_) => {
                    number += 1;
                    key.truncate(plain);
                    // Writing to a text cannot fail.
                    let _ = write!(key, "#{number}");
                    digest = short(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(sieve: &mut Sieve, key: &str, content: bool) -> (String, Fate) {
        let mut key = key.to_owned();
        let digest = short(&key);
        let (_, fate) = sieve.meet(&mut key, digest, content);
        (key, fate)
    }

    #[test]
    fn equal_records_are_as_many_as_one_pass_meets() {
        let mut sieve = Sieve::default();
        sieve.begin(1);
        assert_eq!(meet(&mut sieve, "a", true), ("a".to_owned(), Fate::New));
        assert_eq!(meet(&mut sieve, "a", true), ("a#2".to_owned(), Fate::New));
        let seen: Vec<Digest> = ["a", "a#2"].map(short).to_vec();
        sieve.begin(2);
        seen.iter().for_each(|key| sieve.recall(*key, 1));
        assert_eq!(meet(&mut sieve, "a", true), ("a".to_owned(), Fate::Delivered));
        assert_eq!(meet(&mut sieve, "a", true), ("a#2".to_owned(), Fate::Delivered));
        assert_eq!(meet(&mut sieve, "a", true), ("a#3".to_owned(), Fate::New));
    }

    #[test]
    fn an_id_is_one_event_however_often_it_comes() {
        let mut sieve = Sieve::default();
        sieve.begin(1);
        assert_eq!(meet(&mut sieve, "a", false).1, Fate::New);
        assert_eq!(meet(&mut sieve, "a", false).1, Fate::Repeated);
    }
}
