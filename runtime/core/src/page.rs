//! How the records of all pages are found: by a link, an offset, the last record's id, or a cursor.

use percent_encoding::utf8_percent_encode;
use serde_json::{Map, Value};

use crate::answer::{at, set};
use crate::request::{Body, ENCODED, IN_QUERY, Request};
use crate::shape::Literal;

/// How the records of all pages are found.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// The path of the list of records.
    pub items: &'static [&'static str],
    /// How the next page is found.
    pub next: Next,
    /// How large a page we ask for.
    pub size: Option<PageSize>,
}

/// How the next page is found.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// There is only one.
    None,
    /// The answer holds its URL at this path.
    Link(&'static [&'static str]),
    /// By the number of records to skip.
    Offset {
        /// The query parameter of that number.
        query: &'static str,
        /// The path of the flag that says there are more; empty when only a short page says that there are none.
        more: &'static [&'static str],
        /// The sum of offset and page size beyond which the service refuses.
        at_most: Option<u64>,
    },
    /// By the id of the last record, until a page is empty.
    After {
        /// The path of a record's id.
        field: &'static [&'static str],
        /// Where the id goes.
        place: PagePlace,
        /// What stands there at first.
        start: Option<Literal>,
    },
    /// By an opaque text that the answer holds.
    Cursor {
        /// Its path in the answer; null, empty or absent means the end.
        from: &'static [&'static str],
        /// Where it goes.
        place: PagePlace,
    },
}

/// Where a value that finds a page goes.
#[derive(Debug, Clone, Copy)]
pub enum PagePlace {
    /// A query parameter.
    Query(&'static str),
    /// A path in the JSON body, where a number is a list's index.
    Body(&'static [&'static str]),
}

/// How large a page we ask for.
#[derive(Debug, Clone, Copy)]
pub struct PageSize {
    /// Where the size goes.
    pub place: PagePlace,
    /// The size.
    pub ask: u64,
}

/// What follows a page.
#[derive(Debug)]
pub enum Following {
    /// Nothing.
    End,
    /// The page at this link, which is not yet rebased.
    Link(String),
    /// The page that this request reads.
    Request(Box<Request>),
    /// Records that cannot be reached, and why.
    Cut(String),
    /// An answer that makes no sense.
    Wrong(String),
}

impl Page {
    /// The request of the first page.
    pub fn first(&self, mut request: Request) -> Request {
        if let Some(size) = self.size {
            put(&mut request, size.place, &Value::from(size.ask));
        }
        match self.next {
            Next::Offset { query, .. } => put(&mut request, PagePlace::Query(query), &Value::from(0)),
            Next::After { place, start: Some(start), .. } => put(&mut request, place, &start.value()),
            _ => {}
        }
        request
    }

    /// The request of the page that this cursor or link leads to, unless pages are found otherwise. A link is rebased.
    pub fn at(
        &self,
        first: &Request,
        next: &str,
        rebase: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Request, String> {
        let mut request = first.clone();
        match self.next {
            Next::Cursor { place, .. } => put(&mut request, place, &Value::from(next)),
            Next::Link(_) => request.target = rebase(next)?,
            Next::None | Next::Offset { .. } | Next::After { .. } => {
                return Err("the service gives another page where there is only one".to_owned());
            }
        }
        Ok(request)
    }

    /// What follows a page, of which `offset` records went before.
    pub fn following(&self, request: &Request, body: &Value, offset: u64) -> Following {
        let records = at(body, self.items).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        match self.next {
            Next::None => Following::End,
            Next::Link(path) => match at(body, path).and_then(Value::as_str).filter(|link| !link.is_empty()) {
                Some(link) => Following::Link(link.to_owned()),
                None => Following::End,
            },
            Next::Offset { query, more, at_most } => {
                let size = self.size.map_or(records.len() as u64, |size| size.ask);
                let said = if more.is_empty() {
                    records.len() as u64 >= size && !records.is_empty()
                } else {
                    at(body, more).and_then(Value::as_bool).unwrap_or(false)
                };
                let next = offset + size;
                match at_most {
                    _ if !said => Following::End,
                    _ if records.is_empty() => {
                        Following::Cut(format!("the service says that more follow the first {offset}, and gives none"))
                    }
                    Some(most) if next + size > most => Following::Cut(format!(
                        "the service gives no more than the first {next}, and says that there are more"
                    )),
                    _ => with(request, PagePlace::Query(query), &Value::from(next)),
                }
            }
            Next::After { field, place, .. } => match records.last() {
                None => Following::End,
                Some(last) => match at(last, field) {
                    Some(id) => with(request, place, id),
                    None => Following::Wrong(format!("a record has no {}", field.join("."))),
                },
            },
            Next::Cursor { from, place } => match at(body, from) {
                Some(cursor) if cursor.as_str() != Some("") => with(request, place, cursor),
                _ => Following::End,
            },
        }
    }
}

fn with(request: &Request, place: PagePlace, value: &Value) -> Following {
    let mut next = request.clone();
    put(&mut next, place, value);
    if next == *request {
        return Following::Wrong("the service gives the same page again".to_owned());
    }
    Following::Request(Box::new(next))
}

fn put(request: &mut Request, place: PagePlace, value: &Value) {
    match place {
        PagePlace::Query(name) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            request.target = with_parameter(&request.target, name, &text);
        }
        PagePlace::Body(path) => {
            let mut body = match std::mem::replace(&mut request.body, Body::Empty) {
                Body::Json(body) => body,
                _ => Value::Object(Map::new()),
            };
            set(&mut body, path, value.clone());
            request.body = Body::Json(body);
        }
    }
}

/// A target with this value of a query parameter in place of any other.
pub fn with_parameter(target: &str, name: &str, value: &str) -> String {
    let named = format!("{}=", utf8_percent_encode(name, ENCODED));
    let (path, old) = target.split_once('?').unwrap_or((target, ""));
    let mut kept: Vec<String> =
        old.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(&named)).map(str::to_owned).collect();
    kept.push(format!("{named}{}", utf8_percent_encode(value, IN_QUERY)));
    format!("{path}?{}", kept.join("&"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operation::Method;

    fn request(target: &str, body: Body) -> Request {
        Request { method: Method::Get, target: target.to_owned(), headers: Vec::new(), body }
    }

    fn page(next: Next, size: Option<PageSize>) -> Page {
        Page { items: &["items"], next, size }
    }

    const BY_OFFSET: Next = Next::Offset { query: "offset", more: &["more"], at_most: Some(300) };
    const HUNDRED: Option<PageSize> = Some(PageSize { place: PagePlace::Query("limit"), ask: 100 });

    #[test]
    fn an_offset_grows_until_the_service_says_that_there_is_no_more() {
        let page = page(BY_OFFSET, HUNDRED);
        let first = page.first(request("/users?team=a", Body::Empty));
        assert_eq!(first.target, "/users?team=a&limit=100&offset=0");
        let body = json!({ "items": [1], "more": true });
        let Following::Request(next) = page.following(&first, &body, 0) else { panic!("no next page") };
        assert_eq!(next.target, "/users?team=a&limit=100&offset=100");
        assert!(matches!(page.following(&next, &json!({ "items": [1], "more": false }), 100), Following::End));
        assert!(matches!(page.following(&next, &json!({ "items": [1] }), 100), Following::End));
    }

    #[test]
    fn records_that_cannot_be_reached_are_told() {
        let page = page(BY_OFFSET, HUNDRED);
        let asked = request("/users?limit=100&offset=200", Body::Empty);
        let Following::Cut(why) = page.following(&asked, &json!({ "items": [1], "more": true }), 200) else { panic!() };
        assert_eq!(why, "the service gives no more than the first 300, and says that there are more");
        let Following::Cut(why) = page.following(&asked, &json!({ "items": [], "more": true }), 100) else { panic!() };
        assert_eq!(why, "the service says that more follow the first 100, and gives none");
    }

    #[test]
    fn the_last_id_goes_into_the_body() {
        let place = PagePlace::Body(&["searchCriteria", "0", "idValue"]);
        let page = page(
            Next::After { field: &["ID"], place, start: Some(Literal::Integer(0)) },
            Some(PageSize { place: PagePlace::Body(&["maxItems"]), ask: 2 }),
        );
        let fixed = json!({ "searchCriteria": [{ "idTest": "greater-than" }] });
        let first = page.first(request("/search", Body::Json(fixed)));
        let wanted = json!({ "searchCriteria": [{ "idTest": "greater-than", "idValue": 0 }], "maxItems": 2 });
        assert!(first.body == Body::Json(wanted));
        let Following::Request(next) = page.following(&first, &json!({ "items": [{ "ID": 4 }, { "ID": 7 }] }), 0)
        else {
            panic!("no next page")
        };
        let Body::Json(body) = &next.body else { panic!("no body") };
        assert_eq!(body["searchCriteria"][0]["idValue"], 7);
        assert!(matches!(page.following(&next, &json!({ "items": [] }), 2), Following::End));
        assert!(matches!(page.following(&next, &json!({ "items": [{ "ID": 7 }] }), 2), Following::Wrong(_)));
        assert!(matches!(page.following(&next, &json!({ "items": [{}] }), 2), Following::Wrong(_)));
    }

    #[test]
    fn a_cursor_is_passed_on_until_it_is_empty() {
        let page = page(Next::Cursor { from: &["next"], place: PagePlace::Query("cursor") }, None);
        let asked = request("/a", Body::Empty);
        let Following::Request(next) = page.following(&asked, &json!({ "items": [], "next": "x/y" }), 0) else {
            panic!()
        };
        assert_eq!(next.target, "/a?cursor=x%2Fy");
        assert!(matches!(page.following(&next, &json!({ "next": "x/y" }), 0), Following::Wrong(_)));
        for end in [json!({ "next": null }), json!({ "next": "" }), json!({})] {
            assert!(matches!(page.following(&asked, &end, 0), Following::End), "{end}");
        }
    }
}
