//! Formats of strings, each as a pattern that only valid strings match.
//!
//! A pattern may match less than a format allows: what is written is valid then, too. So hosts have
//! no label of more than 32 characters, times no leap seconds.

/// A format, and the pattern of what is written.
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) pattern: &'static str,
}

/// The formats that answers can be held to.
pub const FORMATS: [&str; 24] = [
    "date",
    "time",
    "date-time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
    "byte",
    "color",
    "host-name",
    "ip-address",
    "uri-template",
    "url",
];

/// Formats that ask for nothing: they tell how a text is shown, or that it may be any.
pub(super) const SILENT: [&str; 2] = ["password", "binary"];

macro_rules! date {
    () => {
        concat!(
            // There is no year 0 in most calendars of programs.
            "(?:(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|",
            "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|",
            // A 29th of February has every fourth year, of full centuries every fourth.
            "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29)"
        )
    };
}
macro_rules! time {
    () => {
        concat!(
            r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?",
            "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
        )
    };
}
macro_rules! byte {
    () => {
        "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
    };
}
macro_rules! ipv4 {
    () => {
        concat!(byte!(), r"(?:\.", byte!(), "){3}")
    };
}
macro_rules! host {
    () => {
        // The last label is no number, as that would be part of an address.
        r"(?:[a-z0-9](?:[a-z0-9]{0,14}-)?[a-z0-9]{0,15}\.){0,4}[a-z](?:[a-z0-9]{0,14}-)?[a-z0-9]{1,15}"
    };
}
macro_rules! uri {
    () => {
        concat!(
            "[a-z][a-z0-9+.-]{0,15}://",
            host!(),
            r"(?::[1-9][0-9]{0,3})?(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2})*)*",
            r"(?:\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*)?",
            r"(?:#(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})*)?"
        )
    };
}
macro_rules! email {
    () => {
        concat!(
            r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}){0,2}@",
            host!()
        )
    };
}

const fn of(name: &'static str, pattern: &'static str) -> Format {
    Format { name, pattern }
}

const TABLE: [Format; 24] = [
    of("date", date!()),
    of("time", time!()),
    of("date-time", concat!(date!(), "T", time!())),
    of(
        "duration",
        concat!(
            "P(?:[0-9]{1,4}W|(?:[0-9]{1,4}Y(?:[0-9]{1,4}M(?:[0-9]{1,4}D)?)?|[0-9]{1,4}M(?:[0-9]{1,4}D)?|[0-9]{1,4}D)",
            "(?:T(?:[0-9]{1,4}H(?:[0-9]{1,4}M(?:[0-9]{1,4}S)?)?|[0-9]{1,4}M(?:[0-9]{1,4}S)?|[0-9]{1,4}S))?",
            "|T(?:[0-9]{1,4}H(?:[0-9]{1,4}M(?:[0-9]{1,4}S)?)?|[0-9]{1,4}M(?:[0-9]{1,4}S)?|[0-9]{1,4}S))"
        ),
    ),
    of("email", email!()),
    of("idn-email", email!()),
    of("hostname", host!()),
    of("idn-hostname", host!()),
    of("ipv4", ipv4!()),
    of(
        "ipv6",
        concat!(
            "(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|::(?:[0-9a-f]{1,4}:){0,5}[0-9a-f]{1,4}|",
            "[0-9a-f]{1,4}::(?:[0-9a-f]{1,4}:){0,4}[0-9a-f]{1,4}|",
            "(?:[0-9a-f]{1,4}:){2}:(?:[0-9a-f]{1,4}:){0,3}[0-9a-f]{1,4}|",
            "(?:[0-9a-f]{1,4}:){3}:(?:[0-9a-f]{1,4}:){0,2}[0-9a-f]{1,4}|",
            "(?:[0-9a-f]{1,4}:){4}:(?:[0-9a-f]{1,4}:)?[0-9a-f]{1,4}|",
            "(?:[0-9a-f]{1,4}:){5}:[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}:|::)"
        ),
    ),
    of("uri", uri!()),
    of("uri-reference", uri!()),
    of("iri", uri!()),
    of("iri-reference", uri!()),
    of("uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"),
    of("json-pointer", "(?:/(?:[^~/\u{0}-\u{1f}\u{7f}]|~[01])*)*"),
    of(
        "relative-json-pointer",
        "(?:0|[1-9][0-9]{0,5})(?:#|(?:/(?:[^~/\u{0}-\u{1f}\u{7f}]|~[01])*)*)",
    ),
    // Without what has a meaning of its own.
    of("regex", "[A-Za-z0-9 _-]*"),
    // Base64, as OpenAPI has it.
    of(
        "byte",
        "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?",
    ),
    // As draft 3 calls them.
    of("color", "#[0-9a-f]{6}"),
    of("host-name", host!()),
    of("ip-address", ipv4!()),
    of("uri-template", uri!()),
    of("url", uri!()),
];

/// A format that answers can be held to.
pub(super) fn format(name: &str) -> Option<&'static Format> {
    TABLE.iter().find(|format| format.name == name)
}

/// The numbers of OpenAPI's formats of integers, as (least, most).
pub(super) fn integers(name: &str) -> Option<(i64, i64)> {
    match name {
        "int8" => Some((i8::MIN.into(), i8::MAX.into())),
        "uint8" => Some((0, u8::MAX.into())),
        "int16" => Some((i16::MIN.into(), i16::MAX.into())),
        "uint16" => Some((0, u16::MAX.into())),
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "uint32" | "uint" => Some((0, u32::MAX.into())),
        // As far as every reader of JSON is exact, and bounds are here.
        "int64" | "int" => Some((-(1 << 53), 1 << 53)),
        "uint64" => Some((0, 1 << 53)),
        _ => None,
    }
}
