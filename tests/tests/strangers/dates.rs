//! Dates: the same time in every form.

use connectome_core::time::{parse, whole_seconds};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::cases;

/// A time in the forms that people and services write.
fn written(time: Timestamp, form: usize) -> String {
    let minutes: i64 = [0, 0, 0, 0, 0, 120, -330, 570, -60][form];
    let local =
        Timestamp::from_nanosecond(time.as_nanosecond() + i128::from(minutes) * 60_000_000_000).expect("a time");
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    let fraction = match time.as_nanosecond().rem_euclid(1_000_000_000) {
        0 => String::new(),
        nanoseconds => format!(".{nanoseconds:09}"),
    };
    let (separator, zone) = match form {
        0 => ('T', "Z".to_owned()),
        1 => (' ', String::new()),
        2 => ('t', "z".to_owned()),
        3 => (' ', "+00:00".to_owned()),
        4 => ('T', "-0000".to_owned()),
        5 | 6 => ('T', format!("{sign}{hours:02}:{rest:02}")),
        _ => (' ', format!("{sign}{hours:02}{rest:02}")),
    };
    format!("{}{separator}{}{fraction}{zone}", local.strftime("%Y-%m-%d"), local.strftime("%H:%M:%S"))
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_time_is_the_same_in_every_form(second in -62_135_510_400_i64..253_402_000_000, nanosecond in prop_oneof![Just(0_i32), 1..1_000_000_000_i32], form in 0..9_usize) {
        let time = Timestamp::new(second, nanosecond).expect("a time");
        let text = written(time, form);
        prop_assert_eq!(parse(&text), Ok(time), "{}", &text);
        let down = whole_seconds(time, false);
        prop_assert_eq!(down.len(), 20);
        let floor = i64::try_from(time.as_nanosecond().div_euclid(1_000_000_000)).expect("seconds");
        prop_assert_eq!(parse(&down).map(|it| it.as_second()), Ok(floor), "{}", &text);
        let up = parse(&whole_seconds(time, true)).expect("a time");
        prop_assert!(up >= time && up.duration_since(time).as_nanos() < 1_000_000_000, "{} up to {}", &text, up);
    }

    #[test]
    fn no_text_upsets_the_reading_of_times(text in prop_oneof![any::<String>(), "[0-9T:. Zz+-]{15,32}", "20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-9:.]{8,16}[Zz+ -]?[0-9:]{0,6}"]) {
        if let Ok(time) = parse(&text) {
            prop_assert_eq!(parse(&whole_seconds(time, false)).map(|it| it.as_second()), Ok(time.as_nanosecond().div_euclid(1_000_000_000) as i64));
        }
    }
}
