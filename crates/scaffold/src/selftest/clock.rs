//! A moment as text.

use std::time::SystemTime;

use scaffold_text::DateTime;

/// A moment in UTC, to the second, as ISO 8601 writes it.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// assert_eq!(scaffold::selftest::utc(UNIX_EPOCH + Duration::from_secs(951_827_696)), "2000-02-29T12:34:56Z");
/// ```
pub fn utc(moment: SystemTime) -> String {
    DateTime::from_system(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn dates_are_right_at_the_corners_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (86_399, "1970-01-01T23:59:59Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
