//! When to try again, and how long to wait before.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::fmt::rfc2822::DateTimeParser;

/// How often a broken transfer is tried again, and how long it waits in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Tries in a row that may end without a single new byte.
    pub attempts: u32,
    /// The first pause; it doubles with each further one.
    pub first_delay: Duration,
    /// The longest pause of our own.
    pub longest_delay: Duration,
    /// The longest `Retry-After` that is obeyed; a longer one is reported as an error instead.
    pub longest_retry_after: Duration,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry {
            attempts: 5,
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(10),
            longest_retry_after: Duration::from_mins(5),
        }
    }
}

impl Retry {
    /// The pause before try number `attempt` (1 is the first repetition), with up to a quarter of
    /// jitter taken off.
    pub(crate) fn delay(&self, attempt: u32) -> Duration {
        let factor = 1u32 << attempt.saturating_sub(1).min(16);
        let full = self.first_delay.saturating_mul(factor).min(self.longest_delay);
        // Clients that failed together should not come back together; the clock's low bits are
        // random enough for that.
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
        full.saturating_sub(full / 4 * (nanos % 1024) / 1024)
    }
}

/// Reads `Retry-After` (seconds or an HTTP date) and, failing that, the `t=` of a `RateLimit`
/// header.
pub(crate) fn retry_after(
    retry_after: Option<&str>,
    rate_limit: Option<&str>,
    date: Option<&str>,
) -> Option<Duration> {
    if let Some(value) = retry_after.map(str::trim) {
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        if let (Some(until), Some(now)) = (http_date(value), date.and_then(http_date)) {
            return Some(Duration::from_secs(until.saturating_sub(now)));
        }
    }
    let seconds =
        rate_limit?.split(';').find_map(|part| part.trim().strip_prefix("t=")?.parse().ok())?;
    Some(Duration::from_secs(seconds))
}

/// Seconds since 1970 of an HTTP date (`Sun, 06 Nov 1994 08:49:37 GMT`). The two older forms of RFC
/// 9110, which servers may no longer send, are not read.
pub(crate) fn http_date(text: &str) -> Option<u64> {
    // A wrong name of the day leaves no doubt about the day.
    let parser = DateTimeParser::new().relaxed_weekday(true);
    let moment = parser.parse_timestamp(text.trim()).ok()?;
    u64::try_from(moment.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_may_say_seconds_a_date_or_a_rate_limit() {
        let s = |n| Some(Duration::from_secs(n));
        assert_eq!(retry_after(Some("7"), None, None), s(7));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(Some("Sun, 06 Nov 1994 08:50:07 GMT"), None, Some(date)), s(30));
        assert_eq!(retry_after(None, Some("\"api\";r=0;t=55"), None), s(55));
        assert_eq!(retry_after(Some("soon"), None, None), None);
        assert_eq!(http_date(date), Some(784_111_777));
        assert_eq!(http_date("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
    }

    #[test]
    fn dates_that_no_calendar_has_are_none() {
        for bad in [
            "Sat, 31 Feb 2024 00:00:00 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Mon, 00 Jan 2024 00:00:00 GMT",
            "Mon, 01 Foo 2024 00:00:00 GMT",
            "Mon, 01 Jan 2024 24:00:00 GMT",
            "Mon, 01 Jan 2024 00:00:00",
            "Thu, 01 Jan 1969 00:00:00 GMT",
            "Mon, 01 Jan 99999 00:00:00 GMT",
            "Mon, ",
            "",
        ] {
            assert_eq!(http_date(bad), None, "{bad}");
        }
        for (odd, seconds) in [
            ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Sun, 06 Nov 1994 09:49:37 +0100", 784_111_777),
            (" Sun, 06 Nov 1994 08:49:37 GMT ", 784_111_777),
        ] {
            assert_eq!(http_date(odd), Some(seconds), "{odd}");
        }
    }

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let retry = Retry::default();
        for (attempt, seconds) in [(1, 0.5), (2, 1.0), (3, 2.0), (9, 10.0), (400, 10.0)] {
            let delay = retry.delay(attempt).as_secs_f64();
            assert!(delay <= seconds && delay >= seconds * 0.74, "{attempt}: {delay}");
        }
    }
}
