//! Words out of a closed list.

/// A word out of a closed list that is a Rust enum: `choice! { Effect, "an effect" { Read = "read" = "Changes nothing.", … } }`.
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($variant:ident = $text:literal = $doc:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $doc] $variant,)+
        }

        impl $name {
            /// Every value as specs write it, with its meaning.
            pub const ALL: &'static [(&'static str, &'static str, $name)] = &[$(($text, $doc, $name::$variant),)+];
            const TEXTS: &'static [&'static str] = &[$($text,)+];

            /// As specs write it.
            pub fn text(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The value a text stands for.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().find(|(name, _, _)| *name == text).map(|(_, _, value)| *value)
            }
        }

        impl $crate::read::Form for $name {
            fn describe(_: &$crate::read::Language) -> $crate::read::Shape {
                $crate::read::Shape::OneOf(Self::TEXTS)
            }

            fn take(node: &$crate::yaml::Node, problems: &$crate::read::Problems) -> Option<Self> {
                let text = match &node.value {
                    $crate::yaml::Value::List(_) | $crate::yaml::Value::Map(_) | $crate::yaml::Value::Null => {
                        problems.push($crate::read::wrong_kind(node, $what).suggest("", Self::TEXTS.iter().copied()));
                        return None;
                    }
                    $crate::yaml::Value::Text(text) => text.trim_end().to_owned(),
                    _ => node.to_json().to_string(),
                };
                let found = Self::parse(&text);
                if found.is_none() {
                    problems.push(
                        $crate::diagnostic::Diagnostic::new("unknown-choice", node.span, format!("`{text}` is not {}", $what))
                            .suggest(&text, Self::TEXTS.iter().copied()),
                    );
                }
                found
            }

            fn absent(_: $crate::source::Span) -> Self {
                Self::ALL[0].2
            }
        }
    };
}
