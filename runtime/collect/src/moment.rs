//! Points in time, as services write them.

use connectome_core::stream::TimeForm;
use jiff::Timestamp;

use crate::raw;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Whole seconds since 1970; before 1970 the second in which it lies, as at any other time.
    pub second: i64,
    /// What lies behind the second.
    pub nanosecond: u32,
}

/// The time that a value, as it is written in JSON, says.
pub fn time(value: &str, form: TimeForm) -> Option<Moment> {
    let nanoseconds = match form {
        TimeForm::Rfc3339 => {
            if let Some(second) = whole_second(value) {
                return Some(Moment { second, nanosecond: 0 });
            }
            let text = raw::text(value)?;
            let time: Timestamp = match text.parse() {
                Ok(time) => time,
                Err(_) => shortened(&text)?.parse().ok()?,
            };
            time.as_nanosecond()
        }
        TimeForm::EpochMs => decimal(&raw::scalar(value)?, 6)?,
        TimeForm::EpochS => decimal(&raw::scalar(value)?, 9)?,
    };
    let second = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    Timestamp::from_second(second).ok()?;
    Some(Moment { second, nanosecond: nanoseconds.rem_euclid(1_000_000_000) as u32 })
}

/// The time that a text as `"2024-06-11T07:12:44Z"` says, as most of them are; nothing for any other.
fn whole_second(value: &str) -> Option<i64> {
    let text: &[u8; 22] = value.as_bytes().try_into().ok()?;
    let marks = [(0, b'"'), (5, b'-'), (8, b'-'), (11, b'T'), (14, b':'), (17, b':'), (20, b'Z'), (21, b'"')];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let number = |digits: &[u8]| {
        let digit =
            |number: i64, byte: &u8| Some(number * 10 + i64::from(byte.checked_sub(b'0').filter(|it| *it < 10)?));
        digits.iter().try_fold(0, digit)
    };
    let (year, month, day) = (number(&text[1..5])?, number(&text[6..8])?, number(&text[9..11])?);
    let (hour, minute, second) = (number(&text[12..14])?, number(&text[15..17])?, number(&text[18..20])?);
    // The days that every month has: what else there is need not be fast.
    if year < 1 || !(1..=12).contains(&month) || !(1..=28).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // A year here begins with March, so that its last day is the one that not every year has.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// A time with no more than nine digits of a fraction.
fn shortened(text: &str) -> Option<String> {
    let (whole, rest) = text.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 9).then(|| format!("{whole}.{}{}", &rest[..9], &rest[digits..]))
}

/// A decimal number, its point moved this far to the right, what is then behind the point left out towards the past.
fn decimal(text: &str, shift: u32) -> Option<i128> {
    if let (Ok(number), false) = (text.parse::<i64>(), text.starts_with('+')) {
        return Some(i128::from(number) * 10_i128.pow(shift));
    }
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (text, exponent) = text.split_once(['e', 'E']).map_or((text, "0"), |(text, exponent)| (text, exponent));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    let shift = i32::try_from(shift).ok()?.checked_add(exponent.parse().ok()?)?;
    // Forty digits are more than there are times.
    let point = usize::try_from(shift.checked_add(whole.len().try_into().ok()?)?.max(0)).ok().filter(|it| *it < 40)?;
    let (mut moved, mut beyond) = (0_i128, false);
    for (place, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        if place < point {
            moved = moved.checked_mul(10)?.checked_add(digit.into())?;
        } else {
            beyond |= digit > 0;
        }
    }
    for _ in whole.len() + fraction.len()..point {
        moved = moved.checked_mul(10)?;
    }
    Some(if negative { -moved - i128::from(beyond) } else { moved })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_is_read_as_it_was_written(
            nanosecond in -62_135_596_800_000_000_000_i128..253_402_200_000_000_000_000, digits in 0..10_u8,
            offset in -86_000..86_000_i32, form in 0..4_u8,
        ) {
            let time = Timestamp::from_nanosecond(nanosecond).expect("within range");
            let offset = jiff::tz::Offset::from_seconds(offset / 60 * 60).expect("an offset");
            let printer = jiff::fmt::temporal::DateTimePrinter::new()
                .precision(Some(digits)).lowercase(form & 1 > 0).separator(if form & 2 > 0 { b' ' } else { b'T' });
            let text = printer.timestamp_with_offset_to_string(&time, offset);
            let kept = text.parse::<Timestamp>().expect("a time").as_nanosecond();
            let wanted = Moment {
                second: kept.div_euclid(1_000_000_000) as i64,
                nanosecond: kept.rem_euclid(1_000_000_000) as u32,
            };
            prop_assert_eq!(super::time(&format!("\"{text}\""), TimeForm::Rfc3339), Some(wanted));
            let whole = Timestamp::from_second(wanted.second).expect("within range");
            let moment = Moment { second: wanted.second, nanosecond: 0 };
            prop_assert_eq!(super::time(&format!("\"{whole}\""), TimeForm::Rfc3339), Some(moment));
            let ms = kept.div_euclid(1_000_000);
            let wanted = Moment { nanosecond: wanted.nanosecond / 1_000_000 * 1_000_000, ..wanted };
            prop_assert_eq!(super::time(&ms.to_string(), TimeForm::EpochMs), Some(wanted));
            prop_assert_eq!(super::time(&format!("\"{ms}\""), TimeForm::EpochMs), Some(wanted));
        }
    }

    #[test]
    fn a_time_has_its_second_and_what_lies_behind_it() {
        use TimeForm::{EpochMs, EpochS, Rfc3339};
        let cases = [
            (r#""2024-06-11T07:12:44Z""#, Rfc3339, Some((1_718_089_964, 0))),
            (r#""2024-06-11t07:12:44.5z""#, Rfc3339, Some((1_718_089_964, 500_000_000))),
            (r#""2024-06-11T07:12:44.1234567899999Z""#, Rfc3339, Some((1_718_089_964, 123_456_789))),
            (r#""2024-06-11T09:12:44.000000001999+02:00""#, Rfc3339, Some((1_718_089_964, 1))),
            (r#""2024-06-11T02:42:44-0430""#, Rfc3339, Some((1_718_089_964, 0))),
            (r#""2024-06-11T07:12:44\u005a""#, Rfc3339, Some((1_718_089_964, 0))),
            (r#""1969-12-31T23:59:59.25Z""#, Rfc3339, Some((-1, 250_000_000))),
            (r#""2024-06-11T07:12:44""#, Rfc3339, None),
            (r#""2024-06-11""#, Rfc3339, None),
            (r#""2023-02-29T07:12:44Z""#, Rfc3339, None),
            (r#""2024-02-29T07:12:44Z""#, Rfc3339, Some((1_709_190_764, 0))),
            (r#""2024-06-1:T07:12:44Z""#, Rfc3339, None),
            (r#""2024-13-11T07:12:44Z""#, Rfc3339, None),
            (r#""2024-06-11T24:12:44Z""#, Rfc3339, None),
            (r#""yesterday""#, Rfc3339, None),
            (r#""""#, Rfc3339, None),
            ("1718089964000", Rfc3339, None),
            ("null", Rfc3339, None),
            ("1718089964123", EpochMs, Some((1_718_089_964, 123_000_000))),
            ("1718089964123.25", EpochMs, Some((1_718_089_964, 123_250_000))),
            ("1718089964123.0000019", EpochMs, Some((1_718_089_964, 123_000_001))),
            ("1.718089964123e12", EpochMs, Some((1_718_089_964, 123_000_000))),
            ("17180899641234.5E-1", EpochMs, Some((1_718_089_964, 123_450_000))),
            ("5e-9", EpochMs, Some((0, 0))),
            ("1e99999999999", EpochMs, None),
            ("-1", EpochMs, Some((-1, 999_000_000))),
            ("-0.0000001", EpochMs, Some((-1, 999_999_999))),
            ("0", EpochMs, Some((0, 0))),
            (r#""1718089964123""#, EpochMs, Some((1_718_089_964, 123_000_000))),
            (r#""2024-06-11T07:12:44Z""#, EpochMs, None),
            (r#""nan""#, EpochMs, None),
            (r#""inf""#, EpochMs, None),
            (r#""+5""#, EpochMs, None),
            (r#""1.""#, EpochMs, None),
            (r#""""#, EpochMs, None),
            ("true", EpochMs, None),
            ("[1718089964123]", EpochMs, None),
            ("1e400", EpochMs, None),
            ("1e30", EpochMs, None),
            ("9999999999999999999999999999999999999999999", EpochMs, None),
            ("1718089964", EpochS, Some((1_718_089_964, 0))),
            ("1718089964.123456789", EpochS, Some((1_718_089_964, 123_456_789))),
            (r#""1718089964.5""#, EpochS, Some((1_718_089_964, 500_000_000))),
        ];
        for (value, form, wanted) in cases {
            let wanted = wanted.map(|(second, nanosecond)| Moment { second, nanosecond });
            assert_eq!(time(value, form), wanted, "{value}");
        }
    }
}
