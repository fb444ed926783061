//! Times and spans of time as people write them.

use connectome_core::{Error, ErrorKind};
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp, Unit};

/// A point in time, in seconds since 1970: a date, a time, or how long ago, as `3 days`.
pub fn moment(option: &str, text: &str, now: Timestamp) -> Result<i64, Error> {
    let wrong = || {
        Error::new(ErrorKind::Input, format!("{option} {text:?} is no time"))
            .advice("write 2026-06-11T07:12:44Z, 2026-06-11, or how long ago, as 3d or '3 days'")
    };
    let text = text.trim();
    if let Ok(time) = connectome_core::time::parse(text) {
        return Ok(time.as_second());
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return date.to_zoned(TimeZone::UTC).map(|day| day.timestamp().as_second()).map_err(|_| wrong());
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    // `3 days` and `3 days ago` are the same here.
    let back = now.to_zoned(TimeZone::UTC).checked_sub(span.abs()).map_err(|_| wrong())?;
    Ok(back.timestamp().as_second())
}

/// A span of time in seconds.
pub fn seconds(option: &str, text: &str) -> Result<u64, Error> {
    let wrong = || {
        Error::new(ErrorKind::Input, format!("{option} {text:?} is no span of time"))
            .advice("write a number and a unit, as 60s, 10m, 1h or '3 days'")
    };
    let span: Span = text.trim().parse().map_err(|_| wrong())?;
    let total = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).map_err(|_| wrong())?;
    if !(0.0..1e12).contains(&total) {
        return Err(wrong());
    }
    Ok(total.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_how_long_ago() {
        let now: Timestamp = "2023-01-01T15:20:45Z".parse().unwrap();
        for (text, time) in [
            ("3 years", "2020-01-01T15:20:45Z"),
            ("1 month ago", "2022-12-01T15:20:45Z"),
            ("3 days", "2022-12-29T15:20:45Z"),
            ("90m", "2023-01-01T13:50:45Z"),
            ("2022-06-11", "2022-06-11T00:00:00Z"),
            ("2022-06-11T07:12:44Z", "2022-06-11T07:12:44Z"),
        ] {
            let time: Timestamp = time.parse().unwrap();
            assert_eq!(moment("--first-fetch", text, now).unwrap(), time.as_second(), "{text}");
        }
        let error = moment("--first-fetch", "soon", now).unwrap_err().to_string();
        assert!(error.contains("--first-fetch \"soon\" is no time") && error.contains("3 days"), "{error}");
    }

    #[test]
    fn spans_have_units() {
        for (text, length) in [("60s", 60), ("10m", 600), ("1h30m", 5400), ("3 days", 259_200), ("0s", 0)] {
            assert_eq!(seconds("--every", text).unwrap(), length, "{text}");
        }
        for text in ["", "60", "1 fortnight", "-5s"] {
            assert!(seconds("--every", text).is_err(), "{text}");
        }
    }
}
