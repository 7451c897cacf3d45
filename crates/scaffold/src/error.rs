//! What several parts of the library refuse in the same words.

pub use scaffold_error::Error;
use scaffold_error::err;

/// There is nothing to compute.
pub(crate) fn no_tokens() -> Error {
    err!(Usage, "there are no tokens to compute: give at least one")
}

/// The model has no chat format.
pub(crate) fn no_chat_format() -> Error {
    err!(
        Unsupported,
        "the model has no chat template and none is known for its family, so it cannot chat: use plain prompts, or put the \
         template as chat_template.jinja into the model's directory"
    )
}
