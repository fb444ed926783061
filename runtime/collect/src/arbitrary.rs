//! JSON of every kind for tests: odd numbers, needless escapes, names that stand twice, blanks.

use connectome_core::operation::{Call, Operation};
use connectome_core::stream::{Event, Stream, TimeForm, Transform, Window};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// JSON as it is written, but for its blanks.
#[derive(Debug, Clone)]
pub enum Json {
    /// A number, `true`, `false` or `null`.
    Word(String),
    /// A text without its quotes.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object, its names without their quotes.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The text, with one of these blanks after the other wherever one may stand.
    pub fn write(&self, blanks: &[&str]) -> String {
        fn append(json: &Json, out: &mut String, blank: &mut dyn FnMut() -> String) {
            match json {
                Json::Word(word) => *out += word,
                Json::Text(text) => *out += &format!("\"{text}\""),
                Json::List(items) => {
                    *out += &format!("[{}", blank());
                    for (place, item) in items.iter().enumerate() {
                        *out += &if place > 0 { format!(",{}", blank()) } else { String::new() };
                        append(item, out, blank);
                        *out += &blank();
                    }
                    out.push(']');
                }
                Json::Object(members) => {
                    *out += &format!("{{{}", blank());
                    for (place, (name, value)) in members.iter().enumerate() {
                        *out += &if place > 0 { format!(",{}", blank()) } else { String::new() };
                        *out += &format!("\"{name}\"{}:{}", blank(), blank());
                        append(value, out, blank);
                        *out += &blank();
                    }
                    out.push('}');
                }
            }
        }
        let (mut out, mut turn) = (String::new(), blanks.iter().cycle());
        append(self, &mut out, &mut || turn.next().map_or_else(String::new, |blank| (*blank).to_owned()));
        out
    }

    /// The first value at a path of names.
    pub fn at(&self, path: &[&str]) -> Option<&Json> {
        let Some((name, rest)) = path.split_first() else { return Some(self) };
        let Json::Object(members) = self else { return None };
        members.iter().filter(|(text, _)| said(text) == *name).find_map(|(_, value)| value.at(rest))
    }

    /// The same content with the members of every object the other way round. Objects with a name twice stay.
    pub fn reversed(&self) -> Self {
        match self {
            Json::List(items) => Json::List(items.iter().map(Json::reversed).collect()),
            Json::Object(members) => {
                let mut names: Vec<String> = members.iter().map(|(name, _)| said(name)).collect();
                names.sort_unstable();
                let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
                let mut members: Vec<_> = members.iter().map(|(name, it)| (name.clone(), it.reversed())).collect();
                if !twice {
                    members.reverse();
                }
                Json::Object(members)
            }
            other => other.clone(),
        }
    }
}

/// What a text says, or the text itself where it is no Unicode.
pub fn said(text: &str) -> String {
    serde_json::from_str(&format!("\"{text}\"")).unwrap_or_else(|_| text.to_owned())
}

/// A text without its quotes.
fn text() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "a",
        "Z",
        "0",
        " ",
        "é",
        "日",
        "🦀",
        ",",
        ":",
        "{",
        "]",
        "/",
        "\u{7f}",
        "a long run of ordinary letters",
        r"\n",
        r"\t",
        r#"\""#,
        r"\\",
        r"\/",
        r"\b",
        r"\u00e9",
        r"\u0001",
        r"\u0041",
        r"\uD83E\uDD80",
        r"\ud800",
        r"\udead",
    ]);
    vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

/// Any JSON, with these names among those of its objects.
pub fn json(names: &'static [&'static str]) -> impl Strategy<Value = Json> {
    let words =
        ["null", "true", "false", "0", "-0", "1.0", "1e400", "-1E-7", "12345678901234567890", "1772440003417", "5.50"];
    let leaf = prop_oneof![
        select(words.to_vec()).prop_map(|word| Json::Word(word.to_owned())),
        text().prop_map(Json::Text),
        select(vec!["2026-03-02T08:14:09Z", "1772440003417", "lost"]).prop_map(|text| Json::Text(text.to_owned())),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let name = prop_oneof![4 => select(names.to_vec()).prop_map(str::to_owned), 1 => text()];
        prop_oneof![vec(inner.clone(), 0..5).prop_map(Json::List), vec((name, inner), 0..7).prop_map(Json::Object)]
    })
}

/// Blanks.
pub fn blanks() -> impl Strategy<Value = Vec<&'static str>> {
    vec(select(vec!["", " ", "\n", "\r\n\t", "  "]), 0..6)
}

/// A stream whose events are named by these fields, happen at `at`, and are changed like this.
pub fn stream(
    id: &'static [&'static [&'static str]],
    form: TimeForm,
    transforms: &'static [Transform],
) -> &'static Stream {
    static READ: Operation = Operation { call: Call::get("/s"), ..Operation::named("list_s") };
    Box::leak(Box::new(Stream {
        name: "s",
        title: "S",
        aliases: &[],
        permission: "",
        on_request: false,
        read: &READ,
        page_sizes: &[],
        window: Window {
            from: "from",
            to: "to",
            widest: None,
            look_back: None,
            step: 3600,
            cap: 1000,
            count: None,
            slack: 0,
        },
        event: Event { id, clock: &["at"], form, time: "_time" },
        late_by: 0,
        requests_per_minute: None,
        expired: None,
        transforms,
    }))
}
