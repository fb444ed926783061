//! The value of a property, from a record.

use std::collections::{BTreeMap, HashMap};

use connectome_core::convert::Convert;
use serde_json::Value;

use crate::table::{From, Part, Property, Template};

/// Tables that the operator supplied, by name. Keys are in lower case.
#[derive(Debug, Clone, Default)]
pub struct Lookups(pub BTreeMap<String, HashMap<String, String>>);

/// The value at a path. A number in the path is a list's index.
pub fn at<'a>(record: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(record, |value, key| match value {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        value => value.get(*key),
    })
}

/// A scalar as text; nothing for null, lists and objects.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A scalar, or each of a list, as text; without those that say nothing.
pub fn texts(value: &Value) -> Vec<String> {
    let all = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    all.iter().filter_map(text).filter(|text| !text.is_empty()).collect()
}

impl Template {
    /// The text, unless a value is missing or is the one that stands for none.
    pub fn fill(&self, record: &Value, unless: Option<&Value>) -> Option<String> {
        let mut filled = String::new();
        for part in self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Path(path) => {
                    let value = at(record, path).filter(|value| Some(*value) != unless)?;
                    filled.push_str(&text(value).filter(|text| !text.is_empty())?);
                }
            }
        }
        Some(filled)
    }
}

impl Property {
    /// The property's value. `None` leaves it out; a null stays where the table keeps it.
    pub fn value(&self, record: &Value, lookups: &Lookups) -> Option<Value> {
        let unless = self.unless.map(|unless| unless.value());
        let found = match self.from {
            From::Constant(constant) => return Some(constant.value()),
            From::Template(template) => template.fill(record, unless.as_ref()).map(Value::from),
            From::Paths([path]) => at(record, path).cloned(),
            From::Paths(paths) => paths.iter().filter_map(|path| at(record, path)).find(|it| holds(it)).cloned(),
        };
        let found = found.filter(|value| Some(value) != unless.as_ref());
        let made = if let Some(wanted) = self.equals {
            Some(Value::from(found.is_some_and(|value| value == wanted.value())))
        } else if self.find.is_empty() {
            found.and_then(|value| self.change(value, lookups))
        } else {
            found.as_ref().and_then(Value::as_str).and_then(|text| first_word(text, self.find)).map(Value::from)
        };
        match made.or_else(|| self.otherwise.map(|it| it.value()))? {
            Value::Null => (self.keeps_null && !self.list).then_some(Value::Null),
            Value::Object(_) => None,
            Value::Array(items) if items.iter().any(|item| item.is_array() || item.is_object()) => None,
            value if self.list => Some(Value::Array(vec![value])),
            value => Some(value),
        }
    }

    fn change(&self, value: Value, lookups: &Lookups) -> Option<Value> {
        if value.is_null() {
            return Some(value);
        }
        let value = match self.with {
            Some(Convert::EpochMs) => Some(Convert::EpochMs.apply(value)).filter(Value::is_number)?,
            Some(convert) => {
                Some(convert.apply(value)).filter(|value| !value.is_null() && value.as_str() != Some(""))?
            }
            None => value,
        };
        match self.lookup {
            Some(table) => lookups.0.get(table)?.get(&text(&value)?.to_lowercase()).cloned().map(Value::from),
            None => Some(value),
        }
    }
}

fn holds(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// The word that stands first in a text, in any case.
fn first_word(text: &str, words: &[&'static str]) -> Option<&'static str> {
    let text = text.to_lowercase();
    words.iter().filter_map(|word| Some((text.find(word)?, *word))).min().map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use connectome_core::shape::Literal;
    use serde_json::json;

    use super::*;

    fn value(property: Property, record: Value) -> Option<Value> {
        property.value(&record, &Lookups::default())
    }

    const NAME: Property = Property::of("name", From::Paths(&[&["a"]]));

    #[test]
    fn null_is_kept_by_an_assignment_and_not_by_a_copy() {
        assert_eq!(value(NAME, json!({ "a": null })), Some(Value::Null));
        assert_eq!(value(Property::copied("a", &[&["a"]]), json!({ "a": null })), None);
        assert_eq!(value(NAME, json!({})), None);
        assert_eq!(value(NAME, json!({ "a": "" })), Some(json!("")));
    }

    #[test]
    fn of_several_paths_the_first_that_holds_something_counts() {
        let either = Property::of("name", From::Paths(&[&["a"], &["b", "0", "c"]]));
        for (record, wanted) in [
            (json!({ "a": "x", "b": [{ "c": "y" }] }), Some(json!("x"))),
            (json!({ "a": "", "b": [{ "c": "y" }] }), Some(json!("y"))),
            (json!({ "a": null, "b": [] }), None),
        ] {
            assert_eq!(value(either, record), wanted);
        }
    }

    #[test]
    fn only_scalars_and_lists_of_them_are_properties() {
        assert_eq!(value(NAME, json!({ "a": { "b": 1 } })), None);
        assert_eq!(value(NAME, json!({ "a": [1, 2] })), Some(json!([1, 2])));
        assert_eq!(value(NAME, json!({ "a": [[1]] })), None);
    }

    #[test]
    fn a_word_is_found_where_it_stands_first() {
        let platform = Property { find: &["linux", "windows"], otherwise: Some(Literal::Text("other")), ..NAME };
        for (text, wanted) in [
            ("Microsoft Windows 10", "windows"),
            ("Ubuntu Linux on Windows", "linux"),
            ("Red Hat 8", "other"),
            ("", "other"),
        ] {
            assert_eq!(value(platform, json!({ "a": text })), Some(json!(wanted)), "{text}");
        }
        assert_eq!(value(platform, json!({})), Some(json!("other")));
    }

    #[test]
    fn a_template_wants_all_its_values() {
        let template = Property {
            unless: Some(Literal::Integer(0)),
            ..Property::of("id", From::Template(Template(&[Part::Text("group:"), Part::Path(&["g"])])))
        };
        assert_eq!(value(template, json!({ "g": 8 })), Some(json!("group:8")));
        for none in [json!({ "g": 0 }), json!({ "g": null }), json!({}), json!({ "g": "" }), json!({ "g": {} })] {
            assert_eq!(value(template, none.clone()), None, "{none}");
        }
    }

    #[test]
    fn values_are_compared_converted_and_looked_up() {
        let active = Property { equals: Some(Literal::Text("active")), ..NAME };
        assert_eq!(value(active, json!({ "a": "active" })), Some(json!(true)));
        assert_eq!(value(active, json!({})), Some(json!(false)));
        let time = Property { with: Some(Convert::EpochMs), ..NAME };
        assert_eq!(value(time, json!({ "a": "2023-02-01T09:30:00+01:00" })), Some(json!(1_675_240_200_000_i64)));
        assert_eq!(value(time, json!({ "a": "soon" })), None);
        let listed = Property { list: true, ..NAME };
        assert_eq!(value(listed, json!({ "a": "x" })), Some(json!(["x"])));
        assert_eq!(value(listed, json!({ "a": null })), None);
        let owners = Lookups(BTreeMap::from([(
            "owners".to_owned(),
            HashMap::from([("lab-ws-01".to_owned(), "ines@harbor.example".to_owned())]),
        )]));
        let owner = Property { lookup: Some("owners"), ..NAME };
        assert_eq!(owner.value(&json!({ "a": "LAB-WS-01" }), &owners), Some(json!("ines@harbor.example")));
        assert_eq!(owner.value(&json!({ "a": "other" }), &owners), None);
    }
}
