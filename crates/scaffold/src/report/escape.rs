//! Text in HTML.

/// Text that HTML shows as it is, in an element or in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}
