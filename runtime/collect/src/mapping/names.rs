//! Names of members, each known by a number: comparing two is comparing numbers, and what a name becomes is found once.

use std::borrow::Cow;

use connectome_core::mapping::Keys;

use super::keys;
use crate::raw::Span;

/// A name, as it stands within quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name(u32);

impl Name {
    /// The name of what has none.
    pub const NONE: Self = Self(0);

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// So many names of records are remembered from one to the next.
const REMEMBERED: usize = 8192;

/// All names that were met.
#[derive(Debug)]
pub struct Names {
    /// Each as it stands before a value.
    text: String,
    known: Vec<Known>,
    /// Numbers of names, each in the first free place behind its hash; 0 for none.
    places: Vec<u32>,
    /// How many are never forgotten.
    kept: usize,
    /// A secret that keeps others from choosing names that share a hash.
    seed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    span: Span,
    hash: u64,
    /// What it becomes in snake case, and when its escapes are made as few as can be; 0 until it is asked.
    renamed: [u32; 2],
}

impl Names {
    /// None yet.
    pub fn new() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let seed = RandomState::new().hash_one(0_u64) | 1;
        let nothing = Known { span: Span { start: 0, end: 0 }, hash: 0, renamed: [0; 2] };
        Self { text: String::new(), known: vec![nothing], places: vec![0; 1024], kept: 1, seed }
    }

    /// Those that are known now are never forgotten.
    pub fn keep(&mut self) {
        self.kept = self.known.len();
    }

    /// Forgets names when there are too many.
    pub fn tidy(&mut self) {
        if self.known.len() <= self.kept + REMEMBERED {
            return;
        }
        let end = self.known[1..self.kept].last().map_or(0, |known| known.span.end + 2);
        self.known.truncate(self.kept);
        self.text.truncate(end);
        // What they became may be forgotten.
        self.known.iter_mut().for_each(|known| known.renamed = [0; 2]);
        self.settle(self.places.len());
    }

    /// The name of this text, which stands within quotes.
    pub fn name(&mut self, text: &str) -> Name {
        let hash = hash(text.as_bytes(), self.seed);
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let number = self.places[place];
            if number == 0 {
                break;
            }
            let known = &self.known[number as usize];
            if known.hash == hash && self.text.as_bytes()[known.span.start..known.span.end] == *text.as_bytes() {
                return Name(number);
            }
            place = (place + 1) & mask;
        }
        let start = self.text.len() + 2;
        self.text.extend([",\"", text, "\":"]);
        let number = self.known.len() as u32;
        self.known.push(Known { span: Span { start, end: start + text.len() }, hash, renamed: [0; 2] });
        self.places[place] = number;
        if self.known.len() * 2 > self.places.len() {
            self.settle(self.places.len() * 2);
        }
        Name(number)
    }

    /// What a name of a record becomes.
    pub fn renamed(&mut self, text: &str, how: Keys) -> Name {
        let name = self.name(text);
        let way = usize::from(how == Keys::Same);
        match self.known[name.0 as usize].renamed[way] {
            0 => {
                let said = said(text);
                let renamed = match how {
                    Keys::SnakeCase => keys::snake_case(&said),
                    Keys::Same => Cow::Borrowed(said.as_ref()),
                };
                let renamed = self.name(&quoted(&renamed));
                self.known[name.0 as usize].renamed[way] = renamed.0;
                renamed
            }
            number => Name(number),
        }
    }

    /// As it stands within quotes.
    pub fn text(&self, name: Name) -> &str {
        self.known[name.0 as usize].span.of(&self.text)
    }

    /// As it stands before a value: a comma, the name in quotes, a colon.
    pub fn before_value(&self, name: Name) -> &str {
        let span = self.known[name.0 as usize].span;
        Span { start: span.start.saturating_sub(2), end: span.end + 2 }.of(&self.text)
    }

    fn settle(&mut self, size: usize) {
        self.places.clear();
        self.places.resize(size, 0);
        for (number, known) in self.known.iter().enumerate().skip(1) {
            let mut place = known.hash as usize & (size - 1);
            while self.places[place] != 0 {
                place = (place + 1) & (size - 1);
            }
            self.places[place] = number as u32;
        }
    }
}

/// What a text within quotes says. What is no Unicode says itself.
fn said(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    serde_json::from_str(&format!("\"{text}\"")).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A text as it stands within quotes.
fn quoted(said: &str) -> String {
    let json = serde_json::Value::from(said).to_string();
    json[1..json.len() - 1].to_owned()
}

fn hash(name: &[u8], seed: u64) -> u64 {
    let step = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(seed);
    let (words, rest) = name.as_chunks::<8>();
    let hash = words.iter().fold(seed ^ name.len() as u64, |hash, word| step(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let hash = step(hash, rest);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_number_however_it_is_written() {
        let mut names = Names::new();
        let kept = names.name("kept");
        names.keep();
        let plain = names.renamed("createdOn", Keys::SnakeCase);
        assert_eq!(names.text(plain), "created_on");
        assert_eq!(names.renamed(r"created\u004fn", Keys::SnakeCase), plain);
        assert_eq!(names.renamed("created_on", Keys::Same), plain);
        assert_eq!(names.renamed(r#"a\"B"#, Keys::SnakeCase), names.name(r#"a\"b"#));
        assert_eq!(names.renamed(r"\ud800", Keys::SnakeCase), names.name(r"\\ud800"));
        for number in 0..3 * REMEMBERED {
            let name = names.renamed(&format!("aB{number}"), Keys::SnakeCase);
            assert_eq!(names.text(name), format!("a_b{number}"));
            names.tidy();
        }
        assert!(names.known.len() <= REMEMBERED + 4);
        assert_eq!((names.name("kept"), names.text(kept)), (kept, "kept"));
    }
}
