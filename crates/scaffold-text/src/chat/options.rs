//! What a template is given beside the messages.

use serde_json::{Map, Value};
use std::time::{SystemTime, UNIX_EPOCH};

/// How a chat is rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderOptions {
    /// End with the beginning of the assistant's answer.
    pub add_generation_prompt: bool,
    /// Leave the last message open, so that the model goes on with it. No generation prompt is added then.
    pub continue_final_message: bool,
    /// Tools, as `{"type": "function", "function": {…}}`. Empty means that there are none.
    pub tools: Vec<Value>,
    /// Documents to answer from, as `{"title": …, "text": …}`. Empty means that there are none.
    pub documents: Vec<Value>,
    /// Further variables of the template: `enable_thinking`, `date_string`, …
    pub kwargs: Map<String, Value>,
    /// Let the names of control tokens in messages, tools and documents count as those tokens, as
    /// `transformers` does. Otherwise they are text, and a user cannot end a turn by typing `<|im_end|>`; for
    /// text without such names there is no difference.
    pub special_in_messages: bool,
    /// Which of the model's templates to use. Without a name: `tool_use` where there are tools and the model
    /// has it, else `default`.
    pub template: Option<String>,
    /// What `strftime_now` sees; without it, the system's clock in UTC.
    pub now: Option<DateTime>,
}

impl Default for RenderOptions {
    /// A prompt for the assistant's next answer.
    fn default() -> Self {
        RenderOptions {
            add_generation_prompt: true,
            continue_final_message: false,
            tools: Vec::new(),
            documents: Vec::new(),
            kwargs: Map::new(),
            special_in_messages: false,
            template: None,
            now: None,
        }
    }
}

/// A date and time of day, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// Year of the Gregorian calendar.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999999.
    pub microsecond: u32,
}

impl DateTime {
    /// The time so many seconds after 1970-01-01 00:00.
    pub fn from_unix(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        DateTime {
            year,
            month,
            day,
            hour: (rest / 3600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
            microsecond: 0,
        }
    }

    /// The system's clock, in UTC.
    pub fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        DateTime {
            microsecond: since.subsec_micros(),
            ..DateTime::from_unix(since.as_secs() as i64)
        }
    }

    /// Days since 1970-01-01.
    pub(crate) fn days(&self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let month = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    }
}

/// Year, month and day from days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (
        (year + era * 400 + i64::from(month <= 2)) as i32,
        month as u8,
        day as u8,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_agree() {
        for days in [
            -719_468, -1, 0, 59, 60, 365, 11_016, 19_782, 20_779, 2_932_896,
        ] {
            let date = DateTime::from_unix(days * 86_400);
            assert_eq!(date.days(), days, "{date:?}");
        }
        let date = DateTime::from_unix(1_709_210_096);
        assert_eq!(
            (
                date.year,
                date.month,
                date.day,
                date.hour,
                date.minute,
                date.second
            ),
            (2024, 2, 29, 12, 34, 56)
        );
    }
}
