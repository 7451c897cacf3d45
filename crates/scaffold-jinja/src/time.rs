//! Dates and times, and `strftime` in the C locale.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::Offset;

/// A date and time of day in the Gregorian calendar, without a zone, from the year -9999 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(Timestamp);

impl DateTime {
    /// The time so many seconds after 1970-01-01 00:00; beyond the first and the last year, the
    /// nearest.
    pub fn from_unix(seconds: i64) -> Self {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let nearest = seconds.clamp(first, last);
        DateTime(Timestamp::from_second(nearest).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// A moment in UTC. What no calendar has is 1970-01-01 00:00, as a clock that is not set says.
    pub fn from_system(moment: SystemTime) -> Self {
        let moment = Timestamp::try_from(moment).ok();
        DateTime(moment.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The system's clock, in UTC.
    pub fn now() -> Self {
        DateTime::from_system(SystemTime::now())
    }

    /// The date and time that `format` describes, as Python's `strftime` has it in the C locale.
    pub fn strftime(&self, format: &str) -> String {
        strftime(format, self)
    }
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

fn expand(directive: char, moment: &DateTime) -> Option<Field> {
    let number = |n: i64, width: usize| Some(Field::Number(n, width, '0'));
    let text = |text: &str| Some(Field::Text(text.to_owned()));
    let again = |format: &str| Some(Field::Text(strftime(format, moment)));
    let at = Offset::UTC.to_datetime(moment.0);
    let weekday = i64::from(at.weekday().to_sunday_zero_offset());
    let of_year = i64::from(at.day_of_year()) - 1;
    let week = || at.iso_week_date();
    let month = MONTHS[at.month().unsigned_abs() as usize - 1];
    let hour = i64::from(at.hour());
    let twelve = (hour + 11) % 12 + 1;
    match directive {
        'a' => text(&DAYS[weekday as usize][..3]),
        'A' => text(DAYS[weekday as usize]),
        'b' | 'h' => text(&month[..3]),
        'B' => text(month),
        'c' => again("%a %b %e %H:%M:%S %Y"),
        'C' => number(i64::from(at.year()).div_euclid(100), 2),
        'd' => number(at.day().into(), 2),
        'D' | 'x' => again("%m/%d/%y"),
        'e' => Some(Field::Number(at.day().into(), 2, ' ')),
        'f' => number(i64::from(at.subsec_nanosecond()) / 1000, 6),
        'F' => again("%Y-%m-%d"),
        'g' => number(i64::from(week().year()).rem_euclid(100), 2),
        'G' => number(i64::from(week().year()), 4),
        'H' => number(hour, 2),
        'I' => number(twelve, 2),
        'j' => number(of_year + 1, 3),
        'k' => Some(Field::Number(hour, 2, ' ')),
        'l' => Some(Field::Number(twelve, 2, ' ')),
        'm' => number(at.month().into(), 2),
        'M' => number(at.minute().into(), 2),
        'n' => text("\n"),
        'p' => text(if hour < 12 { "AM" } else { "PM" }),
        'P' => text(if hour < 12 { "am" } else { "pm" }),
        'r' => again("%I:%M:%S %p"),
        'R' => again("%H:%M"),
        's' => Some(Field::Number(moment.0.as_second(), 1, '0')),
        'S' => number(at.second().into(), 2),
        't' => text("\t"),
        'T' | 'X' => again("%H:%M:%S"),
        'u' => number(if weekday == 0 { 7 } else { weekday }, 1),
        'U' => number((of_year + 7 - weekday) / 7, 2),
        'V' => number(i64::from(week().week()), 2),
        'w' => number(weekday, 1),
        'W' => number((of_year + 7 - (weekday + 6) % 7) / 7, 2),
        'y' => number(i64::from(at.year()).rem_euclid(100), 2),
        'Y' => number(at.year().into(), 1),
        'z' | 'Z' => text(""),
        '%' => text("%"),
        _ => None,
    }
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

    /// Clocks and tests may say anything.
    #[test]
    fn there_is_a_date_for_every_moment() {
        for (seconds, year) in [
            (i64::MIN, "-9999"),
            (i64::MAX, "9999"),
            (-62_167_219_200, "0"),
            (253_402_207_200, "9999"),
        ] {
            assert_eq!(DateTime::from_unix(seconds).strftime("%Y"), year, "{seconds}");
        }
        let all =
            "%a%A%b%B%c%C%d%D%e%f%F%g%G%H%I%j%k%l%m%M%n%p%P%r%R%s%S%t%T%u%U%V%w%W%x%X%y%Y%z%Z";
        for seconds in [i64::MIN, i64::MIN / 2, -1, 0, i64::MAX / 2, i64::MAX] {
            assert!(!DateTime::from_unix(seconds).strftime(all).is_empty());
        }
    }
}
