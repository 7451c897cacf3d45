//! Format specifications: `[[fill]align][sign][z][#][0][width][,][.precision][type]`.

use super::number;
use crate::error::{Result, type_error, value_error};
use crate::number::Number;
use crate::state::State;
use crate::text::Text;
use crate::value::Value;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

#[derive(Clone, Copy)]
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    no_negative_zero: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(text: &str, type_name: &str) -> Result<Spec> {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
    let mut spec = Spec {
        fill: ' ',
        align: None,
        sign: '-',
        alternate: false,
        no_negative_zero: false,
        zero: false,
        width: 0,
        grouping: None,
        precision: None,
        kind: None,
    };
    if is_align(chars.get(1)) {
        (spec.fill, spec.align) = (chars[0], Some(chars[1]));
        at = 2;
    } else if is_align(chars.first()) {
        spec.align = Some(chars[0]);
        at = 1;
    }
    let skip = |wanted: &str, at: &mut usize| {
        let found = chars.get(*at).copied().filter(|c| wanted.contains(*c));
        *at += usize::from(found.is_some());
        found
    };
    spec.sign = skip("+- ", &mut at).unwrap_or('-');
    spec.no_negative_zero = skip("z", &mut at).is_some();
    spec.alternate = skip("#", &mut at).is_some();
    if skip("0", &mut at).is_some() {
        spec.zero = true;
        if spec.align.is_none() {
            spec.fill = '0';
            spec.align = Some('=');
        }
    }
    let digits = |at: &mut usize| -> Result<Option<usize>> {
        let start = *at;
        while chars.get(*at).is_some_and(char::is_ascii_digit) {
            *at += 1;
        }
        if *at == start {
            return Ok(None);
        }
        let text: String = chars[start..*at].iter().collect();
        text.parse::<i32>()
            .map(|value| Some(value as usize))
            .map_err(|_| value_error("Too many decimal digits in format string"))
    };
    spec.width = digits(&mut at)?.unwrap_or(0);
    spec.grouping = skip(",_", &mut at);
    if skip(".", &mut at).is_some() {
        spec.precision = Some(
            digits(&mut at)?.ok_or_else(|| value_error("Format specifier missing precision"))?,
        );
    }
    spec.kind = chars.get(at).copied();
    if chars.len() > at + 1 {
        return Err(value_error(format!(
            "Invalid format specifier '{text}' for object of type '{type_name}'"
        )));
    }
    Ok(spec)
}

/// `format(value, spec)`
pub(super) fn format(state: &State, value: &Value, spec: &str) -> Result<Text> {
    if spec.is_empty() {
        return value.text(&state.budget);
    }
    let name = value.type_name();
    match (value, Number::of(value)) {
        (Value::Str(text), _) => string(state, text, &parse(spec, name)?),
        (_, Some(number)) => {
            let spec = parse(spec, name)?;
            state.budget.take(spec.width.saturating_add(spec.precision.unwrap_or(0)))?;
            match number.big() {
                Some(whole) if !spec.kind.is_some_and(|kind| "eEfFgG%".contains(kind)) => {
                    integer(state, &whole, &spec, name)
                }
                _ => float(state, number.float()?, &spec, name),
            }
        }
        (Value::Undefined(_), _) => {
            Err(type_error("unsupported format string passed to Undefined.__format__"))
        }
        _ => Err(type_error(format!("unsupported format string passed to {name}.__format__"))),
    }
}

fn unknown(kind: char, name: &str) -> crate::error::Error {
    value_error(format!("Unknown format code '{kind}' for object of type '{name}'"))
}

fn string(state: &State, text: &Text, spec: &Spec) -> Result<Text> {
    if let Some(kind) = spec.kind.filter(|&kind| kind != 's') {
        return Err(unknown(kind, "str"));
    }
    if spec.sign != '-' {
        return Err(value_error("Sign not allowed in string format specifier"));
    }
    if spec.alternate {
        return Err(value_error("Alternate form (#) not allowed in string format specifier"));
    }
    if let Some(grouping) = spec.grouping {
        return Err(value_error(format!("Cannot specify '{grouping}' with 's'.")));
    }
    let align = match spec.align {
        Some('=') if !spec.zero => {
            return Err(value_error("'=' alignment not allowed in string format specifier"));
        }
        Some('=') | None => '<',
        Some(align) => align,
    };
    let text = match spec.precision {
        Some(most) => {
            let end = text.as_str().char_indices().nth(most);
            text.slice(0..end.map_or(text.as_str().len(), |(at, _)| at))
        }
        None => text.clone(),
    };
    aligned(state, &text, align, spec)
}

fn aligned(state: &State, text: &Text, align: char, spec: &Spec) -> Result<Text> {
    let missing = spec.width.saturating_sub(text.as_str().chars().count());
    let left = match align {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    state.budget.take(missing)?;
    let fill = Text::new(spec.fill.to_string());
    let mut out = state.builder();
    out.repeat(&fill, left);
    out.text(text);
    out.repeat(&fill, missing - left);
    out.finish()
}

fn integer(state: &State, value: &BigInt, spec: &Spec, name: &str) -> Result<Text> {
    let kind = spec.kind.unwrap_or('d');
    if spec.precision.is_some() {
        return Err(value_error("Precision not allowed in integer format specifier"));
    }
    match kind {
        'd' | 'n' | 'b' | 'o' | 'x' | 'X' => {}
        'c' => {
            let c = value.to_u32().and_then(char::from_u32);
            let c =
                c.ok_or_else(|| crate::error::arithmetic_error("%c arg not in range(0x110000)"))?;
            return aligned(state, &Text::new(c.to_string()), spec.align.unwrap_or('<'), spec);
        }
        _ => return Err(unknown(kind, name)),
    }
    let digits = number::whole(value, kind);
    let prefix = match kind {
        'b' if spec.alternate => "0b",
        'o' if spec.alternate => "0o",
        'x' if spec.alternate => "0x",
        'X' if spec.alternate => "0X",
        _ => "",
    };
    let group = match (spec.grouping, kind) {
        (Some(','), 'b' | 'o' | 'x' | 'X' | 'n') | (Some(_), 'n') => {
            let grouping = spec.grouping.unwrap_or(',');
            return Err(value_error(format!("Cannot specify '{grouping}' with '{kind}'.")));
        }
        (_, 'b' | 'o' | 'x' | 'X') => 4,
        _ => 3,
    };
    let negative = value.is_negative();
    laid_out(state, &Shown { negative, prefix, digits: &digits, rest: "" }, group, spec)
}

fn float(state: &State, value: f64, spec: &Spec, name: &str) -> Result<Text> {
    let shown = match spec.kind {
        Some('%') => {
            number::float(value * 100.0, 'f', spec.precision.unwrap_or(6), spec.alternate) + "%"
        }
        Some('n') if spec.grouping.is_some() => {
            let grouping = spec.grouping.unwrap_or(',');
            return Err(value_error(format!("Cannot specify '{grouping}' with 'n'.")));
        }
        Some(kind) if "eEfFgGn".contains(kind) => {
            let kind = if kind == 'n' { 'g' } else { kind };
            number::float(value, kind, spec.precision.unwrap_or(6), spec.alternate)
        }
        Some(kind) => return Err(unknown(kind, name)),
        None => match spec.precision {
            // Like `g`, but with at least one digit after the point.
            Some(precision) => with_fraction(value, precision),
            None => crate::number::float(value.abs()),
        },
    };
    let negative = value.is_sign_negative()
        && !value.is_nan()
        && !(spec.no_negative_zero && shown.trim_matches(['0', '.']).is_empty());
    let end = shown.find(|c: char| !c.is_ascii_digit()).unwrap_or(shown.len());
    let (digits, rest) = shown.split_at(end);
    laid_out(state, &Shown { negative, prefix: "", digits, rest }, 3, spec)
}

fn with_fraction(value: f64, precision: usize) -> String {
    let text = number::float(value, 'g', precision, false);
    if text.contains(['.', 'e', 'n', 'i']) {
        return text;
    }
    // A number that `g` writes without a point has no room for a fraction, unless one digit is to
    // spare.
    if text.len() < precision.max(1) {
        return text + ".0";
    }
    let text = number::float(value, 'e', precision.max(1) - 1, false);
    match text.split_once('e') {
        Some((digits, power)) if digits.contains('.') => {
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{power}")
        }
        _ => text,
    }
}

/// A number without its sign: the digits that may be grouped, and what stands around them.
struct Shown<'a> {
    negative: bool,
    prefix: &'a str,
    digits: &'a str,
    rest: &'a str,
}

fn laid_out(state: &State, shown: &Shown<'_>, group: usize, spec: &Spec) -> Result<Text> {
    let &Shown { negative, prefix, digits, rest } = shown;
    let sign = match (negative, spec.sign) {
        (true, _) => "-",
        (false, '+') => "+",
        (false, ' ') => " ",
        _ => "",
    };
    let align = spec.align.unwrap_or('>');
    let around = sign.len() + prefix.len() + rest.chars().count();
    let mut digits = digits.to_owned();
    // Zeros that fill are grouped like the digits.
    if align == '=' && spec.fill == '0' && spec.grouping.is_some() {
        while grouped_length(digits.len(), group) + around < spec.width {
            digits.insert(0, '0');
        }
    }
    if let Some(separator) = spec.grouping {
        digits = grouped(&digits, separator, group);
    }
    if align == '=' {
        let missing = spec.width.saturating_sub(around + digits.chars().count());
        let fill: String = std::iter::repeat_n(spec.fill, missing).collect();
        return Ok(Text::new(format!("{sign}{prefix}{fill}{digits}{rest}")));
    }
    aligned(state, &Text::new(format!("{sign}{prefix}{digits}{rest}")), align, spec)
}

fn grouped_length(digits: usize, group: usize) -> usize {
    digits + digits.saturating_sub(1) / group
}

fn grouped(digits: &str, separator: char, group: usize) -> String {
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(group) {
            out.push(separator);
        }
        out.push(c);
    }
    out
}
