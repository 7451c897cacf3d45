//! Times as the interfaces write them.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use scaffold::registry::KeepAlive;

/// RFC 3339 in UTC with nanoseconds, as Ollama writes times.
pub(crate) fn text(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.9}")
}

/// The time now, as [`text`].
pub(crate) fn now_text() -> String {
    text(SystemTime::now())
}

/// Seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Seconds since 1970, now.
pub(crate) fn now_seconds() -> u64 {
    seconds(SystemTime::now())
}

/// Whole nanoseconds.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// How long a model stays in memory when nobody uses it, as clients of Ollama say it: `5m`,
/// `1h30m`, `300ms`, a number of seconds; below zero for ever, 0 not at all. `None` where it is
/// none of that.
///
/// ```
/// use std::time::Duration;
///
/// use scaffold::registry::KeepAlive;
///
/// let keep = scaffold_server::keep_alive_of("1h30m");
/// assert_eq!(keep, Some(KeepAlive::For(Duration::from_secs(5400))));
/// assert_eq!(scaffold_server::keep_alive_of("-1"), Some(KeepAlive::Forever));
/// ```
pub fn keep_alive_of(text: &str) -> Option<KeepAlive> {
    Some(match go_duration(text)? {
        GoDuration::For(time) => KeepAlive::For(time),
        GoDuration::Negative => KeepAlive::Forever,
    })
}

/// A length of time as Go writes and reads it; a number without a unit is seconds.
fn go_duration(text: &str) -> Option<GoDuration> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Ok(seconds) = rest.parse::<f64>() {
        return GoDuration::of_seconds(seconds, negative);
    }
    let mut rest = rest;
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += number
            * match &rest[..end] {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = &rest[end..];
    }
    GoDuration::of_seconds(seconds, negative)
}

/// A length of time that may be below zero, where it means for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GoDuration {
    /// So long.
    For(Duration),
    /// Below zero.
    Negative,
}

impl GoDuration {
    fn of_seconds(seconds: f64, negative: bool) -> Option<Self> {
        if negative && seconds > 0.0 {
            return Some(Self::Negative);
        }
        Duration::try_from_secs_f64(seconds.abs()).ok().map(Self::For)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_nine_digits_and_a_z() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 5);
        assert_eq!(text(time), "2023-11-14T22:13:20.000000005Z");
        assert_eq!(text(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000000000Z");
    }

    #[test]
    fn lengths_of_time_are_read_as_go_does() {
        let seconds = |text| match go_duration(text) {
            Some(GoDuration::For(time)) => time.as_secs_f64(),
            Some(GoDuration::Negative) => -1.0,
            None => f64::NAN,
        };
        for (text, wanted) in [
            ("5m", 300.0),
            ("1h30m", 5400.0),
            ("300ms", 0.3),
            ("-1s", -1.0),
            ("0", 0.0),
            ("1.5h", 5400.0),
        ] {
            assert_eq!(seconds(text), wanted, "{text}");
        }
        for text in ["", "m", "5 apples", "5mm", "1h-5m", "NaN", "inf"] {
            assert!(seconds(text).is_nan(), "{text}");
        }
    }
}
