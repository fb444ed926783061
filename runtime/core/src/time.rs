//! Dates and times as services write and take them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{Offset, TimeZone};

/// Reads a date and time: `T` or one blank between the two, an optional fraction, and a zone `Z`, `±hh:mm`, `±hhmm` or
/// none for UTC.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is not a date and time such as 2024-06-11T07:12:44Z");
    if text.len() < 19 || !text.is_ascii() || text.contains('[') {
        return Err(wrong());
    }
    let (date, rest) = text.split_at(10);
    let (separator, clock) = rest.split_at(1);
    if !matches!(separator, "T" | "t" | " ") {
        return Err(wrong());
    }
    let zone_at = clock.find(['Z', 'z', '+', '-', ' ']).unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(zone_at);
    let offset = offset(zone).ok_or_else(wrong)?;
    let civil: DateTime = DateTimeParser::new().parse_datetime(format!("{date}T{clock}")).map_err(|_| wrong())?;
    civil.to_zoned(TimeZone::fixed(offset)).map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}

fn offset(zone: &str) -> Option<Offset> {
    if matches!(zone, "" | "Z" | "z") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match zone.split_at(1) {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = match rest.len() {
        5 if rest.as_bytes()[2] == b':' => [&rest[..2], &rest[3..]].concat(),
        4 => rest.to_owned(),
        _ => return None,
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    if minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// The 20 characters that services take: UTC, whole seconds.
pub fn whole_seconds(time: Timestamp, round_up: bool) -> String {
    let floor = time.as_nanosecond().div_euclid(1_000_000_000);
    let exact = time.as_nanosecond().rem_euclid(1_000_000_000) == 0;
    let seconds = i64::try_from(floor).unwrap_or(0) + i64::from(round_up && !exact);
    Timestamp::from_second(seconds).unwrap_or(time).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_form_becomes_the_one_that_is_sent() {
        for text in [
            "2020-06-15T10:00:00Z",
            "2020-06-15 10:00:00+00:00",
            "2020-06-15T12:00:00+0200",
            "2020-06-15T10:00:00",
            "2020-06-15t10:00:00.25z",
        ] {
            assert_eq!(parse(text).map(|it| whole_seconds(it, false)), Ok("2020-06-15T10:00:00Z".to_owned()), "{text}");
        }
        assert_eq!(
            parse("2020-06-15T10:00:00.25Z").map(|it| whole_seconds(it, true)),
            Ok("2020-06-15T10:00:01Z".to_owned())
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2020-06-15",
            "startDateTime=2020-06-15T10:00:00Z",
            "2020-13-15T10:00:00Z",
            "2020-06-15T10:00:00+1:00",
            "15 Jun 2020 10:00:00",
            "2020-06-15T10:00:00Z[UTC]",
            "2020-06-15T10:00:00+00:99",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
