//! Points in time, as milliseconds since the Unix epoch. Nothing here reads a clock.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time `ms` milliseconds later; saturates.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The time `seconds` later; saturates.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_ms(seconds.saturating_mul(1000))
    }

    /// The folders of a day: `2016/03/25`.
    pub fn day_path(self) -> String {
        self.written("%Y/%m/%d")
    }

    /// The minute as names of log files have it: `20160325T2126Z`.
    pub fn minute_stamp(self) -> String {
        self.written("%Y%m%dT%H%MZ")
    }

    fn written(self, format: &str) -> String {
        let time = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        time.strftime(format).to_string()
    }

    /// As HTTP writes dates: `Fri, 25 Mar 2016 21:26:12 GMT`.
    pub fn http_date(self) -> String {
        self.written("%a, %d %b %Y %H:%M:%S GMT")
    }
}

/// Microseconds since 1970-01-01T00:00:00Z, as logs tell times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub i64);

/// ISO 8601 in UTC with microseconds: `2016-03-25T21:26:12.920186Z`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time:.6}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

/// ISO 8601 in UTC with milliseconds: `2016-03-25T21:26:12.920Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Micros, Timestamp};

    #[test]
    fn prints_iso_8601_with_milliseconds() {
        let check = |ms, expect: &str| assert_eq!(Timestamp(ms).to_string(), expect);
        check(0, "1970-01-01T00:00:00.000Z");
        check(1_458_941_172_920, "2016-03-25T21:26:12.920Z");
        assert_eq!(Timestamp(1_458_941_172_920).http_date(), "Fri, 25 Mar 2016 21:26:12 GMT");
    }
    #[test]
    fn logs_have_names_and_times() {
        let time = Timestamp(1_458_941_172_920);
        assert_eq!(
            (time.day_path(), time.minute_stamp()),
            ("2016/03/25".into(), "20160325T2126Z".into())
        );
        assert_eq!(Micros(1_458_941_172_920_186).to_string(), "2016-03-25T21:26:12.920186Z");
        assert_eq!(Micros(1_458_941_172_000_000).to_string(), "2016-03-25T21:26:12.000000Z");
    }
}
