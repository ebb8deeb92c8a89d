//! Instants with nanosecond precision, in integers only.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// How far the clocks of two machines may differ. A time further in the future was written by a wrong clock and is
/// ignored.
pub const CLOCK_SKEW_MAX: Duration = Duration::from_secs(300);

/// An instant in UTC between the years 0 and 9999, to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

const YEAR_ZERO: time::Date = time::macros::date!(0000 - 01 - 01);

/// Why a text or number is not a [`Timestamp`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The text is not an RFC 3339 date-time such as `2025-10-07T19:44:50Z`.
    #[error("{0:?} is not an RFC 3339 date-time such as 2025-10-07T19:44:50Z")]
    NotRfc3339(String),
    /// The number of seconds is outside the years 0 to 9999.
    #[error("{0} seconds since 1970 is outside the years 0 to 9999")]
    OutOfRange(i64),
    /// The digits are not a UNIX time in seconds, milliseconds, microseconds or nanoseconds.
    #[error("{0} is not a UNIX time in seconds (10 digits), milliseconds (13), microseconds (16) or nanoseconds (19)")]
    NotUnixTime(String),
}

impl Timestamp {
    /// The instant `seconds` after 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, TimestampError> {
        OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .filter(|at| at.year() >= 0)
            .map(Self)
            .ok_or(TimestampError::OutOfRange(seconds))
    }

    /// The instant of a UNIX time in decimal digits. The number of digits before the point gives the unit: 10 are
    /// seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds; each covers the years 2001 to 2286. Any other number
    /// of digits is rejected rather than guessed. Digits after the point are read to the nanosecond.
    pub fn from_unix_digits(digits: &str) -> Result<Self, TimestampError> {
        let rejected = || TimestampError::NotUnixTime(digits.chars().take(32).collect());
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let finer: usize = match whole.len() {
            10 => 9,
            13 => 6,
            16 => 3,
            19 => 0,
            _ => return Err(rejected()),
        };
        let is_plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if !is_plain || whole.starts_with('0') || digits.ends_with('.') {
            return Err(rejected());
        }
        let fraction = &fraction[..fraction.len().min(finer)];
        let nanoseconds = format!("{whole}{fraction:0<finer$}").parse().map_err(|_| rejected())?;
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).map(Self).map_err(|_| rejected())
    }

    /// Whether this is the zero of some clock: the year 1, or earlier, which stands for a missing date.
    pub fn is_zero(self) -> bool {
        self.0.year() <= 1
    }

    /// The instant in any of the forms that providers send: RFC 3339, also with a space for the `T` or an offset without
    /// a colon, RFC 2822, or a UNIX time. A text without an offset is rejected: its zone must not be guessed.
    pub fn from_any_form(text: &str) -> Result<Self, TimestampError> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_number {
            return Self::from_unix_digits(text);
        }
        let as_sent = text.parse();
        if as_sent.is_ok() {
            return as_sent;
        }
        let upper = text.to_ascii_uppercase().replacen(' ', "T", 1).replace(' ', "");
        let rewritten = with_colon_in_offset(&upper).parse::<Self>();
        let rfc_2822 = || OffsetDateTime::parse(text, &Rfc2822).ok()?.checked_to_offset(time::UtcOffset::UTC).map(Self);
        rewritten.ok().or_else(rfc_2822).ok_or(()).or(as_sent)
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_seconds(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// The time from `earlier` to this instant; zero when this instant is not later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0 - earlier.0).unwrap_or(Duration::ZERO)
    }

    /// This instant plus `duration`, at most the last day of the year 9999.
    pub fn plus(self, duration: Duration) -> Self {
        let added = time::Duration::try_from(duration).ok().and_then(|by| self.0.checked_add(by));
        Self(added.unwrap_or(OffsetDateTime::new_utc(time::Date::MAX, time::Time::MIDNIGHT)))
    }

    /// This instant minus `duration`, at least the beginning of the year 0.
    pub fn minus(self, duration: Duration) -> Self {
        let earlier = time::Duration::try_from(duration).ok().and_then(|by| self.0.checked_sub(by));
        let earlier = earlier.filter(|at| at.year() >= 0);
        Self(earlier.unwrap_or(OffsetDateTime::new_utc(YEAR_ZERO, time::Time::MIDNIGHT)))
    }

    /// The instant without its fraction of a second.
    pub fn whole_second(self) -> Self {
        Self(self.0.replace_nanosecond(0).unwrap_or(self.0))
    }

    /// The first instant of the calendar day in UTC.
    pub fn day_start(self) -> Self {
        Self(self.0.replace_time(time::Time::MIDNIGHT))
    }

    /// The first instant of the hour.
    pub fn hour_start(self) -> Self {
        let hour = time::Time::from_hms(self.0.hour(), 0, 0);
        Self(self.0.replace_time(hour.unwrap_or(time::Time::MIDNIGHT)))
    }

    /// The hour in UTC, as `2025-10-07T19`.
    pub fn hour(self) -> String {
        format!("{}T{:02}", self.day(), self.0.hour())
    }

    /// The calendar day in UTC, as `2025-10-07`.
    pub fn day(self) -> String {
        format!("{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }

    /// The instant as text of a fixed length, whose lexicographic order is the order in time. Used in sort keys.
    pub fn sortable(self) -> String {
        let at = self.0;
        let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
        format!("{date}T{hour:02}:{minute:02}:{second:02}.{:09}Z", at.nanosecond())
    }

    /// The calendar day in UTC, as `2025/10/07`. Used in object keys, which people browse by date.
    pub fn day_path(self) -> String {
        self.day().replace('-', "/")
    }
}

/// `text` with a colon in an offset such as `+0000`.
fn with_colon_in_offset(text: &str) -> String {
    const OFFSET_BYTES: usize = 5;
    let offset = text.len().checked_sub(OFFSET_BYTES).and_then(|at| Some((text.get(..at)?, text.get(at..)?)));
    match offset {
        Some((time, offset))
            if offset.starts_with(['+', '-']) && offset[1..].bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            format!("{time}{}:{}", &offset[..3], &offset[3..])
        }
        Some(_) | None => text.to_owned(),
    }
}

impl From<std::time::SystemTime> for Timestamp {
    fn from(at: std::time::SystemTime) -> Self {
        Self(OffsetDateTime::from(at))
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .and_then(|at| at.checked_to_offset(time::UtcOffset::UTC))
            .filter(|at| at.year() >= 0)
            .map(Self)
            .ok_or_else(|| TimestampError::NotRfc3339(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.0;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second()
        )?;
        match at.nanosecond() {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => write!(f, ".{:03}", nanos / 1_000_000)?,
            nanos if nanos % 1_000 == 0 => write!(f, ".{:06}", nanos / 1_000)?,
            nanos => write!(f, ".{nanos:09}")?,
        }
        f.write_str("Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_providers_send_is_read_and_written_back_in_utc() {
        for (sent, written) in [
            ("2025-10-07T19:44:50Z", "2025-10-07T19:44:50Z"),
            ("2025-07-24T15:42:07.123456789Z", "2025-07-24T15:42:07.123456789Z"),
            ("2024-09-10T12:05:39.448Z", "2024-09-10T12:05:39.448Z"),
            ("2024-09-10T14:05:39.4+02:00", "2024-09-10T12:05:39.400Z"),
        ] {
            let read: Timestamp = sent.parse().expect(sent);
            assert_eq!(read.to_string(), written);
            assert_eq!(read.to_string().parse(), Ok(read));
        }
    }

    #[test]
    fn sortable_texts_are_in_the_order_of_their_instants() {
        let texts = [
            "2025-07-24T15:42:07Z",
            "2025-07-24T15:42:07.000000001Z",
            "2025-07-24T15:42:07.5Z",
            "2025-10-07T19:44:50Z",
        ];
        let sortable: Vec<String> =
            texts.iter().map(|text| text.parse::<Timestamp>().expect(text).sortable()).collect();
        assert!(sortable.is_sorted(), "{sortable:?}");
        assert_eq!(sortable[0].parse::<Timestamp>(), texts[0].parse());
    }

    #[test]
    fn a_text_that_is_not_an_instant_is_rejected() {
        for text in ["", "yesterday", "2025-10-07", "2025-13-07T19:44:50Z", "1760484866"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError::NotRfc3339(text.into())));
        }
        assert!(Timestamp::from_unix_seconds(i64::MAX).is_err());
        assert!(Timestamp::from_unix_seconds(i64::MIN).is_err());
    }

    #[test]
    fn the_number_of_digits_gives_the_unit_of_a_unix_time() {
        for (sent, written) in [
            ("1550174574", "2019-02-14T20:02:54Z"),
            ("1750404740514", "2025-06-20T07:32:20.514Z"),
            ("1750404740514000", "2025-06-20T07:32:20.514Z"),
            ("1750404740514000001", "2025-06-20T07:32:20.514000001Z"),
            ("1750404740.5", "2025-06-20T07:32:20.500Z"),
            ("1750404740514.25", "2025-06-20T07:32:20.514250Z"),
            ("1750404740.5140000019", "2025-06-20T07:32:20.514000001Z"),
            ("1000000000", "2001-09-09T01:46:40Z"),
            ("9999999999999999999", "2286-11-20T17:46:39.999999999Z"),
        ] {
            assert_eq!(Timestamp::from_unix_digits(sent).expect(sent).to_string(), written);
        }
        for text in [
            "",
            "0",
            "99",
            "0550174574",
            "-550174574",
            "15501745740",
            "1550174574.",
            "1550174574.5.5",
            "1e12345678",
            "１５５０１７４５７４",
        ] {
            assert!(Timestamp::from_unix_digits(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_time_is_read_in_any_form_but_never_without_its_zone() {
        for text in [
            "2025-10-07T19:44:50Z",
            "2025-10-07t19:44:50z",
            "2025-10-07 19:44:50+00:00",
            "2025-10-07T21:44:50+0200",
            "2025-10-07 19:44:50 +0000",
            "Tue, 07 Oct 2025 19:44:50 GMT",
            "1759866290",
            "1759866290000",
            "1759866290000000",
            "1759866290.000",
        ] {
            let read = Timestamp::from_any_form(text).map(|at| at.to_string());
            assert_eq!(read, Ok("2025-10-07T19:44:50Z".to_owned()), "{text}");
        }
        for text in ["2025-10-07T19:44:50", "2025-10-07", "soon", "", "+1", "-0", "+ü1", "07/10/2025 19:44", "99"] {
            assert!(Timestamp::from_any_form(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_zero_of_a_clock_is_no_date() {
        let year_one: Timestamp = "0001-01-01T00:00:00Z".parse().expect("RFC 3339");
        assert!(year_one.is_zero());
        assert!(!Timestamp::from_unix_seconds(1_760_484_866).expect("in range").is_zero());
    }

    #[test]
    fn differences_never_underflow_and_sums_never_overflow() {
        let at = Timestamp::from_unix_seconds(1_760_484_866).expect("in range");
        let later = at.plus(Duration::from_secs(60));
        assert_eq!(later.since(at), Duration::from_secs(60));
        assert_eq!(at.since(later), Duration::ZERO);
        assert!(at.plus(Duration::MAX) > later);
        assert_eq!(later.minus(Duration::from_secs(60)), at);
        assert_eq!(at.minus(Duration::MAX).to_string(), "0000-01-01T00:00:00Z");
    }

    #[test]
    fn a_day_starts_at_midnight_in_utc() {
        let at: Timestamp = "2025-10-07T19:44:50.5Z".parse().expect("RFC 3339");
        assert_eq!((at.day().as_str(), at.day_path().as_str()), ("2025-10-07", "2025/10/07"));
        assert_eq!(at.day_start().to_string(), "2025-10-07T00:00:00Z");
        assert_eq!(at.whole_second().to_string(), "2025-10-07T19:44:50Z");
        assert_eq!(
            (at.hour_start().to_string().as_str(), at.hour().as_str()),
            ("2025-10-07T19:00:00Z", "2025-10-07T19")
        );
    }
}
