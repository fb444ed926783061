//! A spec file as read from disk, and places in it.

/// Which file of a run a place is in: its index among the sources.
pub type FileId = u32;

/// The text of one spec file.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path as a person would type it, for example `specs/pagerduty/users.yaml`.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// Whether another place lies in this one.
    pub fn holds(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The part of this span that `part` takes up, when the text it covers contains `part` unescaped.
    ///
    /// Lets a message underline `{alert_id}` inside `GET /alerts/{alert_id}` rather than the whole line.
    pub fn narrow(self, sources: &[Source], part: &str) -> Span {
        self.part(self.text(sources).find(part), part)
    }

    /// As [`Span::narrow`], to the last place where `part` stands.
    pub fn narrow_last(self, sources: &[Source], part: &str) -> Span {
        self.part(self.text(sources).rfind(part), part)
    }

    fn text(self, sources: &[Source]) -> &str {
        &sources[self.file as usize].text[self.start as usize..self.end as usize]
    }

    fn part(self, found: Option<usize>, part: &str) -> Span {
        match found {
            Some(at) if !part.is_empty() => {
                Span { start: self.start + at as u32, end: self.start + (at + part.len()) as u32, ..self }
            }
            _ => self,
        }
    }
}

/// A value and the place where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value and its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

impl<T> std::ops::Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
