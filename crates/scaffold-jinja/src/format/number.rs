//! Numbers with a precision.

use num_bigint::BigInt;
use num_traits::Signed;

/// The digits of a float without its sign, as the types `e`, `f`, `g` and `%` of format
/// specifications write it. `alternate` keeps the point and trailing zeros.
pub(super) fn float(value: f64, kind: char, precision: usize, alternate: bool) -> String {
    let upper = kind.is_ascii_uppercase();
    let value = value.abs();
    let text = if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        "inf".to_owned()
    } else {
        match kind.to_ascii_lowercase() {
            'e' => exponent(value, precision, alternate),
            'g' => general(value, precision, alternate),
            _ => {
                let point = if alternate && precision == 0 { "." } else { "" };
                format!("{}{point}", fixed(value, precision))
            }
        }
    };
    if upper { text.to_uppercase() } else { text }
}

/// More digits than any float has: those after it are zeros. The standard library refuses more than
/// 65,535.
const DIGITS: usize = 1100;

/// `value` with `precision` digits after the point.
fn fixed(value: f64, precision: usize) -> String {
    let (shown, zeros) = (precision.min(DIGITS), precision.saturating_sub(DIGITS));
    format!("{value:.shown$}") + &"0".repeat(zeros)
}

/// The same with one digit before the point, and an exponent.
fn scientific(value: f64, precision: usize) -> String {
    let (shown, zeros) = (precision.min(DIGITS), precision.saturating_sub(DIGITS));
    let text = format!("{value:.shown$e}");
    match text.split_once('e') {
        Some((digits, exponent)) if zeros > 0 => {
            format!("{digits}{}e{exponent}", "0".repeat(zeros))
        }
        _ => text,
    }
}

fn exponent(value: f64, precision: usize, alternate: bool) -> String {
    let text = scientific(value, precision);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    let point = if alternate && precision == 0 { "." } else { "" };
    format!("{digits}{point}e{sign}{exponent:0>2}")
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let precision = precision.max(1);
    let digits = scientific(value, precision - 1);
    let power: i64 = digits.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let text = if power < -4 || power >= precision as i64 {
        exponent(value, precision - 1, alternate)
    } else {
        fixed(value, (precision as i64 - 1 - power) as usize)
    };
    if alternate {
        return text;
    }
    let (digits, rest) = match text.find('e') {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    let digits = if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    };
    format!("{digits}{rest}")
}

/// The digits of a whole number without its sign, in base 2, 8, 10 or 16.
pub(super) fn whole(value: &BigInt, kind: char) -> String {
    let base = match kind {
        'b' => 2,
        'o' => 8,
        'x' | 'X' => 16,
        _ => 10,
    };
    let text = value.abs().to_str_radix(base);
    if kind == 'X' { text.to_uppercase() } else { text }
}
