//! Dates and times, and `strftime` in the C locale.

use std::time::{SystemTime, UNIX_EPOCH};

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
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
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

/// Year, month and day from days since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level
/// date algorithms").
fn civil(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    ((year + era * 400 + i64::from(month <= 2)) as i32, month as u8, day as u8)
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The date in the form that `format` describes, with the directives of Python's documentation and
/// glibc's flags `-`, `_`, `0`, `^` and `#`. A directive that is not known stays as it is.
pub(crate) fn strftime(format: &str, at: &DateTime) -> String {
    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flag = None;
        let mut directive = rest.next();
        if let Some(f @ ('-' | '_' | '0' | '^' | '#')) = directive {
            flag = Some(f);
            directive = rest.next();
        }
        let Some(directive) = directive else {
            out.push('%');
            out.extend(flag);
            break;
        };
        if let Some(field) = expand(directive, at) {
            out.push_str(&field.shown(flag));
        } else {
            out.push('%');
            out.extend(flag);
            out.push(directive);
        }
    }
    out
}

enum Field {
    Text(String),
    /// A number, its width and what fills it.
    Number(i64, usize, char),
}

impl Field {
    fn shown(self, flag: Option<char>) -> String {
        match (self, flag) {
            (Field::Text(text), Some('^')) => text.to_uppercase(),
            (Field::Text(text), Some('#')) => {
                if text.chars().any(char::is_lowercase) {
                    text.to_uppercase()
                } else {
                    text.to_lowercase()
                }
            }
            (Field::Text(text), _) => text,
            (Field::Number(n, ..), Some('-')) => n.to_string(),
            (Field::Number(n, width, _), Some('_')) | (Field::Number(n, width, ' '), None) => {
                format!("{n:width$}")
            }
            (Field::Number(n, width, _), _) => format!("{n:0width$}"),
        }
    }
}

fn expand(directive: char, at: &DateTime) -> Option<Field> {
    let number = |n: i64, width: usize| Some(Field::Number(n, width, '0'));
    let text = |text: &str| Some(Field::Text(text.to_owned()));
    let days = at.days();
    let weekday = (days + 4).rem_euclid(7);
    let of_year = days - DateTime { month: 1, day: 1, ..*at }.days();
    let month = MONTHS[usize::from(at.month.clamp(1, 12)) - 1];
    let twelve = i64::from((at.hour + 11) % 12 + 1);
    match directive {
        'a' => text(&DAYS[weekday as usize][..3]),
        'A' => text(DAYS[weekday as usize]),
        'b' | 'h' => text(&month[..3]),
        'B' => text(month),
        'c' => Some(Field::Text(strftime("%a %b %e %H:%M:%S %Y", at))),
        'C' => number(i64::from(at.year).div_euclid(100), 2),
        'd' => number(at.day.into(), 2),
        'D' | 'x' => Some(Field::Text(strftime("%m/%d/%y", at))),
        'e' => Some(Field::Number(at.day.into(), 2, ' ')),
        'f' => number(at.microsecond.into(), 6),
        'F' => Some(Field::Text(strftime("%Y-%m-%d", at))),
        'g' => number(iso_week(days).0.rem_euclid(100), 2),
        'G' => number(iso_week(days).0, 4),
        'H' => number(at.hour.into(), 2),
        'I' => number(twelve, 2),
        'j' => number(of_year + 1, 3),
        'k' => Some(Field::Number(at.hour.into(), 2, ' ')),
        'l' => Some(Field::Number(twelve, 2, ' ')),
        'm' => number(at.month.into(), 2),
        'M' => number(at.minute.into(), 2),
        'n' => text("\n"),
        'p' => text(if at.hour < 12 { "AM" } else { "PM" }),
        'P' => text(if at.hour < 12 { "am" } else { "pm" }),
        'r' => Some(Field::Text(strftime("%I:%M:%S %p", at))),
        'R' => Some(Field::Text(strftime("%H:%M", at))),
        's' => Some(Field::Number(days * 86_400 + seconds(at), 1, '0')),
        'S' => number(at.second.into(), 2),
        't' => text("\t"),
        'T' | 'X' => Some(Field::Text(strftime("%H:%M:%S", at))),
        'u' => number(if weekday == 0 { 7 } else { weekday }, 1),
        'U' => number((of_year + 7 - weekday) / 7, 2),
        'V' => number(iso_week(days).1, 2),
        'w' => number(weekday, 1),
        'W' => number((of_year + 7 - (weekday + 6) % 7) / 7, 2),
        'y' => number(i64::from(at.year).rem_euclid(100), 2),
        'Y' => number(at.year.into(), 1),
        'z' | 'Z' => text(""),
        '%' => text("%"),
        _ => None,
    }
}

fn seconds(at: &DateTime) -> i64 {
    i64::from(at.hour) * 3600 + i64::from(at.minute) * 60 + i64::from(at.second)
}

/// Year and week of ISO 8601: weeks start on Monday, and the first one holds the year's first
/// Thursday.
fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let year = i64::from(DateTime::from_unix(thursday * 86_400).year);
    let start = DateTime { month: 1, day: 1, ..DateTime::from_unix(thursday * 86_400) }.days();
    (year, (thursday - start) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_those_of_python() {
        let at = DateTime::from_unix(1_709_210_096);
        for (format, expected) in [
            ("%d %b %Y", "29 Feb 2024"),
            ("%A, %B %-d, %Y", "Thursday, February 29, 2024"),
            ("%Y-%m-%dT%H:%M:%S", "2024-02-29T12:34:56"),
            ("%I:%M %p %j %U %W %V %G %u %w", "12:34 PM 060 08 09 09 2024 4 4"),
            ("%e|%_d|%y%%", "29|29|24%"),
            ("%c", "Thu Feb 29 12:34:56 2024"),
            ("100%", "100%"),
            ("%Q", "%Q"),
        ] {
            assert_eq!(strftime(format, &at), expected, "{format}");
        }
        assert_eq!(strftime("%G-W%V", &DateTime::from_unix(1_609_459_200)), "2020-W53");
    }

    #[test]
    fn dates_and_days_agree() {
        for days in [-719_468, -1, 0, 59, 60, 365, 11_016, 19_782, 20_779, 2_932_896] {
            let date = DateTime::from_unix(days * 86_400);
            assert_eq!(date.days(), days, "{date:?}");
        }
        let date = DateTime::from_unix(1_709_210_096);
        assert_eq!(
            (date.year, date.month, date.day, date.hour, date.minute, date.second),
            (2024, 2, 29, 12, 34, 56)
        );
    }
}
