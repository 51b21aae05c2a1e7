//! The time of day as `Date` says it (RFC 9110, 5.6.7), made once per second and thread.

use std::cell::RefCell;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

thread_local! {
    static LAST: RefCell<(u64, Vec<u8>)> = const { RefCell::new((u64::MAX, Vec::new())) };
}

/// Call `then` with the present time.
pub(crate) fn with_now<T>(then: impl FnOnce(&[u8]) -> T) -> T {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    LAST.with_borrow_mut(|(second, text)| {
        if *second != since {
            *second = since;
            text.clear();
            write(text, since);
        }
        then(text)
    })
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Append the time `since` the epoch, in seconds.
fn write(out: &mut Vec<u8>, since: u64) {
    let (days, second) = (since / 86_400, since % 86_400);
    let (year, month, day) = civil(days);
    let (name, month) = (DAYS[(days % 7) as usize], MONTHS[month]);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    // Writing to a buffer cannot fail.
    let _ = write!(out, "{name}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT");
}

/// Year, month from 0, day from 1. Years are counted from March, so that a leap day ends one.
fn civil(days: u64) -> (u64, usize, u64) {
    const ERA: u64 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march = (5 * day + 2) / 153;
    let month = if march < 10 { march + 2 } else { march - 10 };
    let year = year + era * 400 + u64::from(month < 2);
    (year, month as usize, day - (153 * march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let check = |since, expect: &str| {
            let mut out = Vec::new();
            write(&mut out, since);
            assert_eq!(String::from_utf8(out).unwrap(), expect);
        };
        check(0, "Thu, 01 Jan 1970 00:00:00 GMT");
        check(784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT");
        check(951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT");
        check(951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT");
        check(1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT");
        check(4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT");
    }
}
