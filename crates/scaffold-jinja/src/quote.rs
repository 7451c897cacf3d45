//! Texts in quotes, as `repr` writes them.

use crate::budget::{Budget, Limits};
use crate::chars::printable;
use crate::text::{Builder, Text};

/// A text in quotes, for messages.
pub(crate) fn quoted(text: &str) -> String {
    let budget = Budget::new(Limits::default());
    let mut out = Builder::new(&budget);
    quote(&Text::new(text), false, &mut out);
    out.as_str().to_owned()
}

/// A string in the quotes that need fewer escapes; in ASCII as `ascii` writes it.
pub(crate) fn quote(text: &Text, ascii: bool, out: &mut Builder) {
    let plain = text.as_str();
    let quote = if plain.contains('\'') && !plain.contains('"') { '"' } else { '\'' };
    out.char(quote, false);
    for (c, marked) in text.chars() {
        let code = c as u32;
        match c {
            '\\' => out.piece("\\\\", marked),
            '\n' => out.piece("\\n", marked),
            '\r' => out.piece("\\r", marked),
            '\t' => out.piece("\\t", marked),
            c if c == quote => out.piece(&format!("\\{c}"), marked),
            c if printable(c) && (!ascii || c.is_ascii()) => out.char(c, marked),
            _ if code < 0x100 => out.piece(&format!("\\x{code:02x}"), marked),
            _ if code < 0x1_0000 => out.piece(&format!("\\u{code:04x}"), marked),
            _ => out.piece(&format!("\\U{code:08x}"), marked),
        }
    }
    out.char(quote, false);
}
