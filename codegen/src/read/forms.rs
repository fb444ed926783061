//! What keys can hold besides words: texts, numbers, lists, mappings from names, spans of time.

use super::{Form, Language, NAMES, Problems, Shape};
use crate::diagnostic::Diagnostic;
use crate::source::{Span, Spanned};
use crate::yaml::{Node, Value};

/// A value of another kind than the one that belongs there.
pub fn wrong_kind(node: &Node, expected: &str) -> Diagnostic {
    match node.value {
        Value::Null => {
            Diagnostic::new("wrong-kind", node.named(), format!("expected {expected}")).label("nothing is said here")
        }
        _ => Diagnostic::new("wrong-kind", node.span, format!("expected {expected}"))
            .label(format!("this is {}", node.kind())),
    }
}

/// A number that is not one, and what to do about it.
fn wrong_number(node: &Node, expected: &str) -> Diagnostic {
    match &node.value {
        Value::Text(text) if text.parse::<f64>().is_ok() => {
            wrong_kind(node, expected).help(format!("write `{text}`, without quotes"))
        }
        Value::Integer(it) if *it < 0 => wrong_kind(node, expected).label("this is less").help("write `0` or more"),
        _ => wrong_kind(node, expected).help("write it in digits"),
    }
}

impl Form for String {
    fn describe(_: &Language) -> Shape {
        Shape::Text
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(text.trim_end().to_owned()),
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => {
                problems.push(wrong_kind(node, "text").help("put it in quotes"));
                None
            }
            _ => {
                problems.push(wrong_kind(node, "text").help("write one text here"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        String::new()
    }
}

impl<T: Form> Form for Spanned<T> {
    fn describe(language: &Language) -> Shape {
        T::describe(language)
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        T::take(node, problems).map(|value| Spanned::new(value, node.span))
    }

    fn absent(span: Span) -> Self {
        Spanned::new(T::absent(span), span)
    }
}

impl Form for bool {
    fn describe(_: &Language) -> Shape {
        Shape::Boolean
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Boolean(it) => Some(it),
            _ => {
                let meant = match &node.value {
                    Value::Text(text) if matches!(text.to_lowercase().as_str(), "yes" | "on" | "true") => {
                        "write `true`"
                    }
                    Value::Text(text) if matches!(text.to_lowercase().as_str(), "no" | "off" | "false") => {
                        "write `false`"
                    }
                    _ => "write one of the two, without quotes",
                };
                problems.push(wrong_kind(node, "`true` or `false`").help(meant));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        false
    }
}

impl Form for i64 {
    fn describe(_: &Language) -> Shape {
        Shape::Integer
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Integer(it) => Some(it),
            _ => {
                problems.push(wrong_number(node, "a whole number"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        0
    }
}

impl Form for u64 {
    fn describe(_: &Language) -> Shape {
        Shape::Integer
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Integer(it) if it >= 0 => Some(it as u64),
            _ => {
                problems.push(wrong_number(node, "a whole number, zero or more"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        0
    }
}

impl Form for f64 {
    fn describe(_: &Language) -> Shape {
        Shape::Number
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match node.value {
            Value::Integer(it) => Some(it as f64),
            Value::Float(it) => Some(it),
            _ => {
                problems.push(wrong_number(node, "a number"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        0.0
    }
}

/// Any value, kept as it stands: a default, an example, a constant.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal {
    /// The value.
    pub value: serde_json::Value,
    /// Its node, for places inside it.
    pub node: Node,
}

impl Literal {
    /// Where it stands.
    pub fn span(&self) -> Span {
        self.node.span
    }
}

impl Form for Literal {
    fn describe(_: &Language) -> Shape {
        Shape::Any
    }

    fn take(node: &Node, _: &Problems) -> Option<Self> {
        Some(Literal { value: node.to_json(), node: node.clone() })
    }

    fn absent(span: Span) -> Self {
        Literal { value: serde_json::Value::Null, node: Node { span, key: None, value: Value::Null } }
    }
}

impl<T: Form> Form for Vec<T> {
    fn describe(language: &Language) -> Shape {
        Shape::List(Box::new(T::describe(language)))
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::List(items) => Some(items.iter().filter_map(|item| T::take(item, problems)).collect()),
            _ => {
                problems.push(wrong_kind(node, "a list").help("write it as `[…]` or as lines that begin with `-`"));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        Vec::new()
    }
}

/// One thing, or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMore<T>(pub Vec<T>);

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Form> Form for OneOrMore<T> {
    fn describe(language: &Language) -> Shape {
        let one = T::describe(language);
        Shape::Either(vec![one.clone(), Shape::List(Box::new(one))])
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            Value::List(_) => Vec::take(node, problems).map(Self),
            _ => T::take(node, problems).map(|one| Self(vec![one])),
        }
    }

    fn absent(_: Span) -> Self {
        Self(Vec::new())
    }
}

/// A mapping whose keys are names that the author chooses, in the order written.
#[derive(Debug, Clone, PartialEq)]
pub struct Names<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Names<T> {
    /// The entry with this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    /// Every entry in order.
    pub fn iter(&self) -> impl Iterator<Item = &(Spanned<String>, T)> {
        self.0.iter()
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.value.as_str())
    }
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Form> Form for Names<T> {
    fn describe(language: &Language) -> Shape {
        Shape::Names(Box::new(T::describe(language)))
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        match &node.value {
            // A value that cannot be read leaves a stand-in, so that its name stays known.
            Value::Map(entries) => Some(Self(
                entries
                    .iter()
                    .map(|(key, node)| {
                        (key.clone(), T::take(node, problems).unwrap_or_else(|| T::absent(node.whole())))
                    })
                    .collect(),
            )),
            _ => {
                let help = if matches!(node.value, Value::List(_)) {
                    "write `name: …` without `-` in front"
                } else {
                    "write `name: …`, a line for each"
                };
                problems.push(wrong_kind(node, NAMES.trim_start_matches("expected ")).help(help));
                None
            }
        }
    }

    fn absent(_: Span) -> Self {
        Self::default()
    }
}

/// A span of time such as `2s`, `10m`, `6h` or `365d`, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Form for Seconds {
    fn describe(_: &Language) -> Shape {
        Shape::Text
    }

    fn take(node: &Node, problems: &Problems) -> Option<Self> {
        let read = match &node.value {
            Value::Text(text) => seconds(text),
            _ => None,
        };
        if read.is_none() {
            problems.push(
                wrong_kind(node, "a span of time").help("write a number and a unit: `2s`, `10m`, `6h` or `365d`"),
            );
        }
        read.map(Seconds)
    }

    fn absent(_: Span) -> Self {
        Seconds(0)
    }
}

fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn spans_of_time_have_a_unit() {
        assert_eq!(
            [seconds("2s"), seconds("10m"), seconds("6h"), seconds("365d")].map(Option::unwrap),
            [2, 600, 21_600, 31_536_000]
        );
        assert_eq!([seconds("10"), seconds("é"), seconds("s"), seconds("-1s"), seconds("")], [None; 5]);
    }
}
