//! Reading a multipart form.

use bytes::Bytes;

/// A part of a form.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its file name, if it is a file.
    pub filename: Option<String>,
    /// Its media type, if it says.
    pub content_type: Option<String>,
    /// Its bytes.
    pub content: Bytes,
}

/// The parts of a form, or what is wrong with it.
pub fn parse(content_type: &str, body: &Bytes) -> Result<Vec<Part>, String> {
    let boundary = content_type
        .split(';')
        .filter_map(|part| part.trim().strip_prefix("boundary="))
        .next()
        .ok_or("the form has no boundary")?
        .trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut at = find(body, delimiter.as_bytes(), 0).ok_or("the form does not begin")? + delimiter.len();
    loop {
        if body[at..].starts_with(b"--") {
            return Ok(parts);
        }
        let start = at + 2;
        let end = find(body, format!("\r\n{delimiter}").as_bytes(), start).ok_or("a part does not end")?;
        parts.push(part(&body.slice(start..end))?);
        at = end + 2 + delimiter.len();
    }
}

fn part(bytes: &Bytes) -> Result<Part, String> {
    let split = find(bytes, b"\r\n\r\n", 0).ok_or("a part has no headers")?;
    let head = String::from_utf8_lossy(&bytes[..split]).into_owned();
    let mut made = Part { name: String::new(), filename: None, content_type: None, content: bytes.slice(split + 4..) };
    for line in head.split("\r\n") {
        let (name, value) = line.split_once(':').ok_or("a part has a bad header")?;
        let parameter = |key: &str| {
            value.split(';').find_map(|it| it.trim().strip_prefix(key)).map(|it| it.trim_matches('"').to_owned())
        };
        if name.eq_ignore_ascii_case("Content-Disposition") {
            made.name = parameter("name=").ok_or("a part has no name")?;
            made.filename = parameter("filename=");
        } else if name.eq_ignore_ascii_case("Content-Type") {
            made.content_type = Some(value.trim().to_owned());
        }
    }
    Ok(made)
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| at + from)
}
