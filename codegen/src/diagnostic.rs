//! A mistake in a spec, and how it is told.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::{Source, Span};

/// One mistake: what is wrong, where, what stands there, and what to write instead.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Two words that name the kind of mistake; `tests/mistakes/<code>` shows each.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop, the spec's own words in backticks.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands there. May be empty.
    pub label: String,
    /// What would be right.
    pub help: Option<String>,
    /// Whether nothing of the kind is declared at all, as when the key of its section is misspelt.
    pub lost: bool,
}

impl Diagnostic {
    /// A mistake without label or help; see [`Diagnostic::label`] and [`Diagnostic::help`].
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, label: String::new(), help: None, lost: false }
    }

    /// Says what stands at the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says what would be right.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says that nothing of the kind is declared at all. Beside an unknown key this is not told.
    pub fn lost(self) -> Self {
        Self { lost: true, ..self }
    }

    /// Offers the nearest of the known names, or lists them when none is near.
    pub fn suggest<'a>(self, wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        if let Some(near) = nearest(wrong, known.iter().copied()) {
            self.help(format!("did you mean `{near}`?"))
        } else if known.is_empty() || (known.len() > 16 && self.help.is_some()) {
            self
        } else {
            // Somebody who is told nothing has nothing to go by, and nobody reads a hundred names.
            let names: Vec<String> = known.iter().take(16).map(|name| format!("`{name}`")).collect();
            let more = known.len().checked_sub(names.len()).filter(|more| *more > 0);
            let more = more.map(|more| format!(", and {more} more")).unwrap_or_default();
            self.help(format!("known here: {}{more}", names.join(", ")))
        }
    }

    /// The mistake as a person reads it, with the line it stands on.
    pub fn render(&self, sources: &[Source]) -> String {
        let Some(source) = sources.get(self.span.file as usize) else {
            return format!("error[{}]: {}", self.code, self.message);
        };
        let length = source.text.len();
        let start = (self.span.start as usize).min(length);
        let end = (self.span.end as usize).clamp(start, length);
        // A place that runs over several lines is underlined on its first: the rest is context nobody asked for.
        let end = source.text[start..end].find('\n').map_or(end, |at| start + at);
        let mut annotation = AnnotationKind::Primary.span(start..end);
        if !self.label.is_empty() {
            annotation = annotation.label(self.label.as_str());
        }
        let snippet = Snippet::source(source.text.as_str()).path(source.path.as_str()).annotation(annotation);
        let mut group: Group<'_> = Level::ERROR.primary_title(self.message.as_str()).id(self.code).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Renderer::plain().render(&[group])
    }
}

/// All mistakes of a run, in the order of the files, with a count at the end.
pub fn render_all(diagnostics: &[Diagnostic], sources: &[Source]) -> String {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    let mut text = String::new();
    for diagnostic in &sorted {
        text.push_str(&diagnostic.render(sources));
        text.push_str("\n\n");
    }
    let count = sorted.len();
    text.push_str(&format!(
        "{count} {} in the specs; nothing was written\n",
        if count == 1 { "mistake" } else { "mistakes" }
    ));
    text
}

/// The known name nearest to a wrong one, if it is within a third of its length.
///
/// Two swapped letters count as one edit, since `tpye` and `nmae` are the slips people make.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = wrong.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= reach && *distance < name.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn two_swapped_letters_are_one_edit() {
        assert_eq!(nearest("tpye", ["doc", "type", "title"]), Some("type"));
        assert_eq!(nearest("nmae", ["name"]), Some("name"));
    }

    #[test]
    fn a_far_name_is_not_offered() {
        assert_eq!(nearest("colour", ["type", "title"]), None);
        assert_eq!(nearest("q", ["p"]), None);
    }
}
