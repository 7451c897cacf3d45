//! Two constructs that minijinja does not know are rewritten in a template's source before it is compiled:
//! the `{% generation %}` tags of `transformers`, and `%` between a string and its values.

mod percent;

/// A stretch of a template's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// Text, comments and raw blocks.
    Plain(&'a str),
    /// `{{ … }}` or `{% … %}`: the opening with its marker, what is inside, the closing with its marker.
    Code {
        open: &'a str,
        body: &'a str,
        close: &'a str,
    },
}

/// The name of the filter that does what `%` does in Python.
pub(super) const PERCENT_FILTER: &str = "__percent";

/// The source with both constructs rewritten.
pub(super) fn rewrite(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for piece in pieces(source) {
        match piece {
            Piece::Plain(text) => out.push_str(text),
            Piece::Code { open, body, close } => {
                out.push_str(open);
                match (open.starts_with("{%"), body.trim()) {
                    // The block has a scope of its own, as the call block behind it has in Jinja.
                    (true, "generation") => out.push_str(" with "),
                    (true, "endgeneration") => out.push_str(" endwith "),
                    _ if body.contains('%') => out.push_str(&percent::rewrite(body)),
                    _ => out.push_str(body),
                }
                out.push_str(close);
            }
        }
    }
    out
}

fn pieces(source: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    let bytes = source.as_bytes();
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"{#" => {
                at = source[at..]
                    .find("#}")
                    .map_or(bytes.len(), |end| at + end + 2);
            }
            b"{{" | b"{%" => {
                let Some(end) = code_end(source, at) else {
                    break;
                };
                let open = at + 2 + usize::from(matches!(bytes.get(at + 2), Some(b'-' | b'+')));
                let close =
                    end - 2 - usize::from(matches!(bytes[end - 3], b'-' | b'+') && end - 3 >= open);
                let body = &source[open..close];
                out.push(Piece::Plain(&source[plain..at]));
                out.push(Piece::Code {
                    open: &source[at..open],
                    body,
                    close: &source[close..end],
                });
                let raw = bytes[at + 1] == b'%' && body.trim() == "raw";
                at = end;
                plain = at;
                if raw {
                    at = end_of_raw(source, at);
                }
            }
            _ => at += 1,
        }
    }
    out.push(Piece::Plain(&source[plain..]));
    out
}

/// The byte after the tag that starts at `at`; strings inside may hold its closing.
fn code_end(source: &str, at: usize) -> Option<usize> {
    let bytes = source.as_bytes();
    let close: &[u8; 2] = if bytes[at + 1] == b'%' { b"%}" } else { b"}}" };
    let mut i = at + 2;
    let mut depth = 0usize;
    while i < bytes.len() {
        match bytes[i] {
            quote @ (b'"' | b'\'') => {
                i += 1;
                while i < bytes.len() && bytes[i] != quote {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            _ if bytes[i..].starts_with(close) => return Some(i + 2),
            _ => {}
        }
        i += 1;
    }
    None
}

/// Where the tag starts that ends a raw block.
fn end_of_raw(source: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(found) = source[at..].find("{%") {
        let start = at + found;
        let inside = source[start + 2..]
            .trim_start_matches(['-', '+'])
            .trim_start();
        if inside.starts_with("endraw") {
            return start;
        }
        at = start + 2;
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::rewrite;

    #[test]
    fn generation_tags_become_scopes() {
        assert_eq!(
            rewrite("a{%- generation -%}b{% endgeneration %}c"),
            "a{%- with -%}b{% endwith %}c"
        );
        assert_eq!(
            rewrite("{# {% generation %} #}{% raw %}{% generation %}{% endraw %}"),
            "{# {% generation %} #}{% raw %}{% generation %}{% endraw %}"
        );
        assert_eq!(
            rewrite("{{ '{% generation %}' }}"),
            "{{ '{% generation %}' }}"
        );
        assert_eq!(rewrite("{{ {'a': {}} }}x{{"), "{{ {'a': {}} }}x{{");
    }

    #[test]
    fn percent_signs_become_a_filter() {
        assert_eq!(rewrite("{{ '%s' % x }}"), "{{ (( '%s')|__percent( x)) }}");
        assert_eq!(rewrite("{{ a * b % c }}"), "{{ a * b % c }}");
        assert_eq!(
            rewrite("{% if loop.index0 % 2 == 0 %}"),
            "{% if (( loop.index0)|__percent( 2)) == 0 %}"
        );
        assert_eq!(
            rewrite("{{ f('%d' % (n, 2)) ~ 'x%' }}"),
            "{{ f((('%d')|__percent( (n, 2)))) ~ 'x%' }}"
        );
    }
}
