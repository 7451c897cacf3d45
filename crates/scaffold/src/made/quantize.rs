//! The type of weights that somebody wants a model of his own to have.

use scaffold_error::{Error, err};

use crate::about::About;
use crate::model::Model;

/// What `general.file_type` of a GGUF file means, as `llama.h` of llama.cpp lists it (`llama_ftype`).
const FILE_TYPES: [(u64, &str); 17] = [
    (0, "F32"),
    (1, "F16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (32, "BF16"),
];

/// Whether the weights have the type already: they are not converted.
pub(super) fn check(wanted: &str, model: &Model) -> Result<(), Error> {
    let about = About::of(model)?;
    let stored = stated(model)?.unwrap_or(about.quantization());
    if wanted.eq_ignore_ascii_case(stored) {
        return Ok(());
    }
    let wanted: String = wanted.chars().take(40).collect();
    Err(err!(
        Unsupported,
        "quantize is {wanted:?}, and the weights are {stored}: files are not converted here"
    )
    .of_key("quantize")
    .remedy("leave it out, or make the model from files of that type")
    .remedy(
        "`--dtype int8` (LLM_TORCH_DTYPE) makes 8-bit blocks of floats while a model is loaded",
    ))
}

/// What a GGUF file says of its weights as a whole.
fn stated(model: &Model) -> Result<Option<&'static str>, Error> {
    let Some(gguf) = model.gguf() else {
        return Ok(None);
    };
    let number = gguf.metadata().get_u64("general.file_type")?;
    let found = FILE_TYPES.iter().find(|(known, _)| Some(*known) == number);
    Ok(found.map(|(_, name)| *name))
}
