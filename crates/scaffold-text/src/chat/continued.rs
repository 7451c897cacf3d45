//! Leaving the last message of a chat open, as `transformers` does: its end is marked, and the
//! rendering is cut at the mark.

use scaffold_error::{Error, err};
use scaffold_jinja::{Json, Rendering};

/// Marks the end of the message that is to be continued.
const MARK: &str = "CONTINUE_FINAL_MESSAGE_TAG ";
/// What is continued.
const FIELD: &str = "content";

pub(super) fn cannot(problem: &str) -> Error {
    err!(Usage, "the last message cannot be continued: {problem}")
}

/// Puts the mark at the end of the last message's text, and gives that text.
pub(super) fn mark_end(chat: &mut [Json], source: &str) -> Result<String, Error> {
    let last = chat.last_mut().ok_or_else(|| cannot("the chat is empty"))?;
    if !source.contains(FIELD) {
        return Err(cannot("the template never reads what messages say"));
    }
    let text = match last.get_mut(FIELD) {
        Some(Json::String(text)) => text,
        Some(Json::Array(parts)) => {
            let part = parts.iter_mut().rev().find_map(|part| part.get_mut("text"));
            match part {
                Some(Json::String(text)) => text,
                _ => return Err(cannot("it has no text")),
            }
        }
        _ => return Err(cannot("it has no text")),
    };
    let before = text.clone();
    text.push_str(MARK);
    Ok(before)
}

/// The prompt up to the mark. A template that trims messages trims the mark's space too, and then
/// what stands before the mark is trimmed as well.
pub(super) fn cut_at_mark(mut rendering: Rendering, message: &str) -> Result<Rendering, Error> {
    let is_space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    let at = rendering
        .text
        .rfind(MARK.trim_end())
        .filter(|_| rendering.text.contains(message.trim_matches(is_space)))
        .ok_or_else(|| cannot("the template leaves out its end, or the whole message"))?;
    let kept = &rendering.text[..at];
    let end = if rendering.text[at..].starts_with(MARK) {
        at
    } else {
        kept.trim_end_matches(is_space).len()
    };
    rendering.text.truncate(end);
    rendering.marked.retain_mut(|range| {
        range.end = range.end.min(end);
        range.start < range.end
    });
    Ok(rendering)
}
