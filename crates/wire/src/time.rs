//! Timestamps: milliseconds since the Unix epoch, and their spellings. No clock.

use jiff::Timestamp;

/// A timestamp in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// ISO-8601 in UTC with milliseconds, as the query services write it:
    /// `2016-03-25T21:26:12.920Z`.
    pub fn iso_millis(self) -> String {
        self.stamp().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    /// ISO-8601 in UTC with whole seconds, as API Gateway writes it: `2020-03-12T19:03:58Z`.
    pub fn iso_seconds(self) -> String {
        self.stamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Reads ISO-8601 with an offset or `Z`, or decimal seconds since the epoch.
    pub fn parse(text: &str) -> Option<Time> {
        if let Ok(stamp) = text.parse::<Timestamp>() {
            return Some(Time(stamp.as_millisecond()));
        }
        Time::from_seconds(text.parse().ok()?)
    }

    /// Reads seconds since the epoch; `None` outside the years that can be written.
    pub fn from_seconds(seconds: f64) -> Option<Time> {
        let millis = (seconds * 1000.0).round();
        let fits = millis.is_finite() && Timestamp::from_millisecond(millis as i64).is_ok();
        fits.then_some(Time(millis as i64))
    }

    /// Seconds since the epoch, with a fraction of milliseconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// A time outside the calendar is written as its nearest end.
    fn stamp(self) -> Timestamp {
        let end = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_millisecond(self.0).unwrap_or(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let time = Time(1_458_941_186_920);
        assert_eq!(time.iso_millis(), "2016-03-25T21:26:26.920Z");
        assert_eq!(time.iso_seconds(), "2016-03-25T21:26:26Z");
        assert_eq!(Time(-1).iso_millis(), "1969-12-31T23:59:59.999Z");
        assert!(Time(i64::MAX).iso_seconds().starts_with("9999-12-3"));
        assert!(Time(i64::MIN).iso_millis().starts_with("-9999-"));
    }

    #[test]
    fn reading() {
        let rows = [
            ("2016-03-25T21:26:26.920Z", Some(1_458_941_186_920)),
            ("2016-03-25T22:26:26+01:00", Some(1_458_941_186_000)),
            ("1458941186.92", Some(1_458_941_186_920)),
            ("0", Some(0)),
            ("1e300", None),
            ("NaN", None),
            ("2016-03-25", None),
            ("", None),
        ];
        for (text, expect) in rows {
            assert_eq!(Time::parse(text), expect.map(Time), "{text}");
        }
    }
}
