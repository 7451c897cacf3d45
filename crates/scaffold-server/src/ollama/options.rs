//! What requests for answers have in common: options, how long the model stays, and what is not
//! done.

use scaffold::GenerateOptions;
use scaffold::registry::KeepAlive;
use serde_json::{Value, json};

use crate::call::Call;
use crate::fault::Fault;
use crate::fields::Fields;
use crate::forms;
use crate::sampling;
use crate::tools::Choice;

/// What chats and prompts share.
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) keep: Option<KeepAlive>,
    pub(super) options: GenerateOptions,
    /// As many new tokens as the context holds, whatever the settings say.
    pub(super) unlimited: bool,
    /// The model is to think, which it must be able to.
    pub(super) thinks: bool,
    /// The prompt is no chat.
    pub(super) is_raw: bool,
    /// What is written stands between two texts.
    pub(super) is_middle: bool,
}

/// The name of a model, under the key of now or of old.
pub(super) fn model(fields: &mut Fields) -> Result<String, Fault> {
    let (now, old) = (fields.text("model")?, fields.text("name")?);
    let name = now.or(old).filter(|name| !name.trim().is_empty());
    name.ok_or_else(|| fields.missing("model"))
}

impl Asked {
    pub(super) fn read(call: &Call, fields: &mut Fields) -> Result<Self, Fault> {
        let model = model(fields)?;
        let stream = fields.flag("stream")?.unwrap_or(true);
        let keep = sampling::keep_alive(fields)?;
        let grammar = forms::ollama(fields)?;
        fields.refuse("images", "models here read text: leave it out")?;
        // Nothing is ever cut off a chat, nor shifted out of a context.
        fields.settle_flag("truncate", false)?;
        fields.settle_flag("shift", false)?;
        let mut options = GenerateOptions::new().standing(call.standing());
        options.grammar = grammar;
        options.render.parse_arguments = true;
        // Ollama has no choice of tools, and clients ask for it.
        options.render.tools = Choice::read(fields, &mut options)?.tools;
        let thinks = think(fields, &mut options)?;
        options.logprobs = sampling::logprobs(fields)?;
        let mut unlimited = false;
        if let Some(mut own) = fields.object("options")? {
            unlimited = read(call, &mut own, &mut options)?;
            call.ignore(own);
        }
        Ok(Self {
            model,
            stream,
            keep,
            options,
            unlimited,
            thinks,
            is_raw: false,
            is_middle: false,
        })
    }
}

/// Whether the model is to think, told to its template; a level is, too.
fn think(fields: &mut Fields, options: &mut GenerateOptions) -> Result<bool, Fault> {
    let Some(value) = fields.take("think") else {
        return Ok(false);
    };
    let kwargs = &mut options.render.kwargs;
    let thinks = match &value {
        Value::Bool(thinks) => *thinks,
        Value::String(level) if ["low", "medium", "high", "max"].contains(&level.as_str()) => {
            kwargs.push(("reasoning_effort".to_owned(), level.as_str().into()));
            true
        }
        _ => {
            let accepted = "true, false, \"low\", \"medium\", \"high\" or \"max\"";
            return Err(fields.wrong("think", &value, accepted));
        }
    };
    kwargs.push(("enable_thinking".to_owned(), thinks.into()));
    Ok(thinks)
}

/// Reads options; whether there is no limit of new tokens.
fn read(call: &Call, own: &mut Fields, options: &mut GenerateOptions) -> Result<bool, Fault> {
    sampling::common(own, options)?;
    options.repetition_penalty = own.real("repeat_penalty")?;
    // The penalty looks at everything, which is what -1 asks for; without one it does not matter.
    if let Some(count) = own.whole("repeat_last_n")?
        && count != -1
        && options.repetition_penalty.is_some_and(|penalty| penalty != 1.0)
    {
        call.ignore_these(vec![own.path("repeat_last_n")]);
    }
    match own.whole("num_predict")? {
        None => Ok(false),
        // -1 is no limit, -2 the rest of the context: the same here.
        Some(-2 | -1) => Ok(true),
        Some(count) => {
            let accepted = "a whole number, 1 or more, or -1 for as many as the context holds";
            let count = usize::try_from(count).ok().filter(|count| *count > 0);
            options.max_new_tokens =
                Some(count.ok_or_else(|| own.wrong("num_predict", &json!(0), accepted))?);
            Ok(false)
        }
    }
}
