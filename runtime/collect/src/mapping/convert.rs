//! What becomes of one value: a date, a number, a truth, an address. Values are JSON as it is written.

use std::borrow::Cow;
use std::net::IpAddr;

use connectome_core::mapping::Kind;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::raw;

/// What a conversion came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Converted {
    /// The value stays as it is.
    Same,
    /// This, as JSON.
    To(String),
    /// It cannot be converted.
    Failed,
}

/// Converts a scalar.
pub fn convert(kind: Kind, strict: bool, value: &str) -> Converted {
    match value.as_bytes().first() {
        Some(b'n') | None => Converted::Same,
        Some(b'"') => match raw::text(value) {
            Some(text) => of_text(kind, strict, &text),
            None => Converted::Failed,
        },
        Some(b't' | b'f') => match kind {
            Kind::Boolean => Converted::Same,
            Kind::Text => Converted::To(format!("\"{value}\"")),
            _ => Converted::Failed,
        },
        Some(b'{' | b'[') => Converted::Failed,
        Some(_) => of_number(kind, strict, value),
    }
}

fn of_text(kind: Kind, strict: bool, text: &str) -> Converted {
    let made = match kind {
        Kind::Text => return Converted::Same,
        Kind::Date | Kind::Ip if text.is_empty() => return Converted::Same,
        Kind::Date if is_canonical(text) => return Converted::Same,
        Kind::Date => date(text).or_else(|| if strict { None } else { epoch(text) }).map(|date| format!("\"{date}\"")),
        Kind::Ip if text.parse::<IpAddr>().is_ok() => return Converted::Same,
        Kind::Ip => None,
        Kind::Boolean => {
            ["true", "false"].into_iter().find(|truth| text.eq_ignore_ascii_case(truth)).map(str::to_owned)
        }
        Kind::Long => integer(text).map(|number| number.to_string()),
        Kind::Double => text.parse().ok().and_then(float),
    };
    made.map_or(Converted::Failed, Converted::To)
}

fn of_number(kind: Kind, strict: bool, number: &str) -> Converted {
    let made = match kind {
        Kind::Long if number.parse::<i64>().is_ok() => return Converted::Same,
        Kind::Long => whole(number),
        Kind::Double if number.parse::<f64>().is_ok_and(f64::is_finite) => return Converted::Same,
        Kind::Text => Some(format!("\"{}\"", whole(number).map_or(Cow::Borrowed(number), Cow::Owned))),
        Kind::Date if !strict => epoch(number).map(|date| format!("\"{date}\"")),
        _ => None,
    };
    made.map_or(Converted::Failed, Converted::To)
}

/// A number that has no fraction although it is written with one.
fn whole(number: &str) -> Option<String> {
    let float = number.parse::<f64>().ok().filter(|it| it.fract() == 0.0 && it.abs() < 9.0e18)?;
    Some((float as i64).to_string())
}

fn float(number: f64) -> Option<String> {
    number.is_finite().then(|| serde_json::Value::from(number).to_string())
}

/// A decimal integer with or without a sign, or a hexadecimal one behind `0x`.
fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (&text[..1], rest),
        None => ("", text),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) if !hex.starts_with(['-', '+']) => i64::from_str_radix(&format!("{sign}{hex}"), 16).ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// Ten digits as seconds since 1970, thirteen as milliseconds.
fn epoch(text: &str) -> Option<String> {
    let number: i64 = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let time = match text.len() {
        10 => Timestamp::from_second(number),
        13 => Timestamp::from_millisecond(number),
        _ => return None,
    };
    Some(format!("{:.3}", time.ok()?))
}

/// Whether this is `2025-11-03T10:55:37.000Z` as it is to be written. The days that not every month has need not be fast.
fn is_canonical(text: &str) -> bool {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let Ok(text) = <&[u8; 24]>::try_from(text.as_bytes()) else { return false };
    let fits =
        text.iter().zip(FORM).all(|(byte, form)| if *form == b'0' { byte.is_ascii_digit() } else { byte == form });
    let number = |at: usize| (text[at] & 15) * 10 + (text[at + 1] & 15);
    fits && (1..=12).contains(&number(5))
        && (1..=28).contains(&number(8))
        && number(11) < 24
        && number(14) < 60
        && number(17) < 60
}

/// Reads `2025`, `2025-11`, `2025-11-03`, and times with `T`, minutes, seconds, fractions and a zone left out or not;
/// without a zone it is UTC. Gives UTC with three digits of fraction, cut off rather than rounded.
pub fn date(text: &str) -> Option<String> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time)),
        None => (text, None),
    };
    let mut parts = day.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let number = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    if parts.next().is_some() || (time.is_some() && day.len() != 10) {
        return None;
    }
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(number).ok()?).ok()?;
    let (hour, minute, second, millisecond, offset) = match time {
        Some(time) => clock(time)?,
        None => (0, 0, 0, 0, 0),
    };
    let moment = date.at(hour, minute, second, 0);
    let moment = Offset::from_seconds(offset).ok()?.to_timestamp(moment).ok()?;
    Some(format!("{}.{millisecond:03}Z", moment.strftime("%Y-%m-%dT%H:%M:%S")))
}

/// Hour, minute, second, millisecond, and the distance from UTC in seconds.
fn clock(time: &str) -> Option<(i8, i8, i8, i32, i32)> {
    let (time, offset) = zone(time)?;
    let (time, millisecond) = match time.split_once(['.', ',']) {
        // A fraction is one of a second.
        Some((time, fraction)) if time.len() == 8 && (1..=9).contains(&fraction.len()) => {
            (time, digits(&format!("{fraction:0<9}"), 9)? / 1_000_000)
        }
        Some(_) => return None,
        None => (time, 0),
    };
    let mut parts = time.split(':');
    let mut next = |below: i32| match parts.next() {
        None => Some(0),
        Some(part) => digits(part, 2).filter(|it| *it < below).map(|it| it as i8),
    };
    let (hour, minute, second) = (next(24)?, next(60)?, next(60)?);
    (!time.is_empty() && parts.next().is_none()).then_some((hour, minute, second, millisecond, offset))
}

/// A time of day, and its distance from UTC in seconds.
fn zone(time: &str) -> Option<(&str, i32)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (clock, zone) = time.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = match zone.as_bytes() {
        [_, _, _] => (&zone[1..], "00"),
        [_, _, _, b':', _, _] => (&zone[1..3], &zone[4..]),
        [_, _, _, _, _] if zone.is_ascii() => (&zone[1..3], &zone[3..]),
        _ => return None,
    };
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 18 && minutes < 60).then_some((clock, sign * (hours * 3600 + minutes * 60)))
}

/// A number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i32> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn converted(kind: Kind, strict: bool, value: &Value) -> Option<Value> {
        match convert(kind, strict, &value.to_string()) {
            Converted::Same => Some(value.clone()),
            Converted::To(made) => Some(serde_json::from_str(&made).expect("JSON")),
            Converted::Failed => None,
        }
    }

    /// Each kind with what it takes and gives; `null` where it fails.
    #[test]
    fn texts_are_converted_or_refused() {
        for (kind, cases) in [
            (
                Kind::Date,
                json!({
                    "2025-11-03T10:55:37Z": "2025-11-03T10:55:37.000Z",
                    "2025-11-03T10:55:37": "2025-11-03T10:55:37.000Z",
                    "2025-11-03T10:55:37.000Z": "2025-11-03T10:55:37.000Z",
                    "2025-11-03T10:55:37.1234567Z": "2025-11-03T10:55:37.123Z",
                    "2025-11-03T10:55:37,9999Z": "2025-11-03T10:55:37.999Z",
                    "2025-11-03T10:55:37+02:00": "2025-11-03T08:55:37.000Z",
                    "2025-11-03T10:55:37-0530": "2025-11-03T16:25:37.000Z",
                    "2025-11-03T10:55:37+02": "2025-11-03T08:55:37.000Z",
                    "2025-11-03T10:55": "2025-11-03T10:55:00.000Z",
                    "2025-11-03T10": "2025-11-03T10:00:00.000Z",
                    "2025-11-03": "2025-11-03T00:00:00.000Z",
                    "2025-11": "2025-11-01T00:00:00.000Z",
                    "2025": "2025-01-01T00:00:00.000Z",
                    "2024-02-29T00:00:00.000Z": "2024-02-29T00:00:00.000Z",
                    "": "",
                    "1762167337188": null, "1762167337": null, "2025-11-03 10:55:37": null, "3 Nov 2025": null,
                    "2025-02-30": null, "2025-02-30T00:00:00.000Z": null, "2025-13-03T10:55:37.000Z": null,
                    "2025-11-03T25:00:00Z": null, "2025-11-03T": null, "2025-11T10": null, "2025-11-03T10:60Z": null,
                    "2025-11-03T10:55:37.Z": null, "2025-11-03T10:55:": null, "2025-11-03T10:55:60Z": null,
                    "2025-11-03T10:55:37+é": null, "2025-11-03T10:55:37:01Z": null, "2025-11-03T1:55Z": null,
                }),
            ),
            (
                Kind::Boolean,
                json!({ "true": true, "TRUE": true, "False": false, "yes": null, "1": null, "0": null, "": null }),
            ),
            (
                Kind::Long,
                json!({ "7": 7, "-7": -7, "+7": 7, "0x1F": 31, "-0x10": -16, "7.0": null, "": null, "7 ": null,
                    "99999999999999999999": null, "--7": null, "0x": null, "0x-1": null }),
            ),
            (
                Kind::Double,
                json!({ "7": 7.0, "7.25": 7.25, "1e3": 1000.0, "High": null, "": null, "NaN": null, "1e999": null }),
            ),
            (
                Kind::Ip,
                json!({ "10.0.0.7": "10.0.0.7", "2001:DB8::1": "2001:DB8::1", "": "", "10.0.0.7:80": null,
                    "10.0.0.0/8": null, "10.0.0": null, "10.0.0.999": null }),
            ),
            (Kind::Text, json!({ "a": "a", "": "" })),
        ] {
            for (given, wanted) in cases.as_object().expect("cases") {
                let wanted = Some(wanted.clone()).filter(|it| !it.is_null());
                assert_eq!(converted(kind, true, &json!(given)), wanted, "{kind:?} {given:?}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_converted_as_well() {
        for (kind, given, wanted) in [
            (Kind::Long, json!(7), Some(json!(7))),
            (Kind::Long, json!(7.0), Some(json!(7))),
            (Kind::Long, json!(5.5), None),
            (Kind::Long, json!(9_007_199_254_740_993_i64), Some(json!(9_007_199_254_740_993_i64))),
            (Kind::Long, json!(true), None),
            (Kind::Double, json!(7), Some(json!(7))),
            (Kind::Double, json!(false), None),
            (Kind::Text, json!(1), Some(json!("1"))),
            (Kind::Text, json!(1.0), Some(json!("1"))),
            (Kind::Text, json!(1.5), Some(json!("1.5"))),
            (Kind::Text, json!(true), Some(json!("true"))),
            (Kind::Text, json!({}), None),
            (Kind::Boolean, json!(true), Some(json!(true))),
            (Kind::Boolean, json!(0), None),
            (Kind::Date, json!(1_762_167_337_188_i64), None),
            (Kind::Ip, json!(7), None),
            (Kind::Date, json!(null), Some(json!(null))),
        ] {
            assert_eq!(converted(kind, true, &given), wanted, "{kind:?} {given}");
        }
    }

    #[test]
    fn numbers_are_dates_unless_strict() {
        for (given, wanted) in [
            (json!(1_762_167_337_188_i64), Some("2025-11-03T10:55:37.188Z")),
            (json!("1762167337188"), Some("2025-11-03T10:55:37.188Z")),
            (json!(1_762_167_337), Some("2025-11-03T10:55:37.000Z")),
            (json!("2025"), Some("2025-01-01T00:00:00.000Z")),
            (json!(17_621_673_371_i64), None),
            (json!(-1_762_167_337), None),
            (json!(1.5), None),
            (json!("3 Nov 2025"), None),
        ] {
            assert_eq!(converted(Kind::Date, false, &given), wanted.map(Value::from), "{given}");
        }
    }
}
