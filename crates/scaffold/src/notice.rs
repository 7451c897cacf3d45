//! What was done in another way than might be expected while a model was loaded, to be told to the
//! user.

use std::fmt;

use scaffold_engine::MemoryPlan;
use scaffold_kernels::BlockType;

use crate::config::{self, Dtype};

/// Something that the user should know about a loaded model.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// About the tokenizer or the chat template.
    Text(scaffold_text::Notice),
    /// The model has no chat template and none is known for its family: prompts are continued as
    /// plain text.
    NoTemplate {
        /// Why none was found.
        reason: String,
    },
    /// Which device `auto` came to.
    Device {
        /// The device, and why.
        text: String,
    },
    /// The model's makers recommend sampling values, which stand where no setting says otherwise.
    Recommended {
        /// The values, as `name value`.
        values: Vec<String>,
    },
    /// The model's makers recommend ways of choosing tokens that are not done here.
    NotDone {
        /// The values, as `name value`.
        values: Vec<String>,
    },
    /// The weights stay in the format they are stored in, other than `LLM_TORCH_DTYPE` asks for.
    KeptFormat {
        /// What was asked for.
        asked: Dtype,
        /// What most of the weights are stored in.
        stored: BlockType,
    },
    /// The automatic context is shorter than the model's, because memory does not hold more.
    ShortContext {
        /// Tokens that prompt and answer may have together.
        context: usize,
        /// Tokens that the model was made for.
        model_context: usize,
    },
    /// The context that was asked for is longer than the model was made for.
    LongContext {
        /// Tokens that prompt and answer may have together.
        context: usize,
        /// Tokens that the model was made for.
        model_context: usize,
    },
    /// Something about the configuration that was found and not used.
    Config(config::Notice),
    /// Something that happened while the model was found or fetched.
    Hub(scaffold_hub::Notice),
    /// Keys of the model's `config.json` that `transformers` does not read, and of which nobody
    /// knows what they are for.
    PassedOver {
        /// The keys.
        keys: Vec<String>,
        /// The model's family.
        family: &'static str,
    },
    /// The configuration says that the output matrix is the embedding, but the file holds another
    /// one.
    OwnHead,
    /// More threads were asked for than run at once: they would only wait for each other.
    MoreThreadsThanProcessors {
        /// Threads asked for.
        asked: usize,
        /// Threads that this process can run at once, which compute instead.
        processors: usize,
    },
    /// Packed weights of an earlier run cannot be used; the weights were packed again.
    PackedUnusable {
        /// The file and what is wrong with it.
        problem: String,
    },
    /// Packed weights could not be kept for the next start.
    PackedNotKept {
        /// Why.
        reason: String,
    },
    /// Packed weights of other models or revisions were removed to make room for those of this one.
    PackedRemoved {
        /// The models, by the names that they were loaded by.
        models: Vec<String>,
        /// Bytes that this has freed.
        bytes: u64,
        /// Bytes that all may take together.
        limit: u64,
    },
    /// Fewer threads could be started than were asked for.
    FewerThreads {
        /// Threads asked for.
        asked: usize,
        /// Threads that compute.
        started: usize,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(notice) | Self::Hub(notice) => notice.fmt(f),
            Self::NoTemplate { reason } => {
                write!(
                    f,
                    "prompts are continued as plain text, without a chat format: {reason}"
                )
            }
            Self::Device { text } => f.write_str(text),
            Self::Recommended { values } => write!(
                f,
                "the model's generation_config.json sets {}, where no setting of yours does",
                values.join(", ")
            ),
            Self::NotDone { values } => write!(
                f,
                "the model's generation_config.json sets {}, which is not done here: answers are made without",
                values.join(", ")
            ),
            Self::KeptFormat { asked, stored } => write!(
                f,
                "LLM_TORCH_DTYPE is {asked}, but weights are never converted from one 16-bit format to another, nor from one \
                 quantized format to another: they stay {} as stored (float32 would unpack them)",
                stored.name()
            ),
            Self::ShortContext {
                context,
                model_context,
            } => write!(
                f,
                "the context is {context} tokens of the {model_context} that the model was made for, because memory \
                 holds no more (a q8 cache would hold more)"
            ),
            Self::LongContext {
                context,
                model_context,
            } => write!(
                f,
                "the context is {context} tokens, but the model was made for {model_context}: expect worse answers to \
                 prompts beyond that"
            ),
            Self::Config(notice) => write!(f, "{}: {}", notice.source, notice.text),
            Self::PassedOver { keys, family } => write!(
                f,
                "the model's config.json has {}, which transformers does not read for a {family} model: it was passed over",
                listed(keys)
            ),
            Self::OwnHead => f.write_str(
                "the model's config.json says that its output matrix is the embedding (tie_word_embeddings), but its files \
                 hold another one: that one is computed with, as transformers does",
            ),
            Self::MoreThreadsThanProcessors { asked, processors } => write!(
                f,
                "{asked} threads were asked for, but only {processors} run here at once: {processors} compute, because \
                 more would only wait for each other"
            ),
            Self::PackedUnusable { problem } => {
                write!(
                    f,
                    "{problem}; the weights were packed again from the model's files"
                )
            }
            Self::PackedNotKept { reason } => write!(
                f,
                "the packed weights are not kept for the next start, which will take as long as this one: {reason} \
                 (SCAFFOLD_PACKED_CACHE=off does not try)"
            ),
            Self::PackedRemoved {
                models,
                bytes,
                limit,
            } => write!(
                f,
                "packed weights of {} were removed ({} MiB), because all that are kept may take {} MiB together: the next \
                 start of those will pack again",
                listed(models),
                bytes >> 20,
                limit >> 20
            ),
            Self::FewerThreads { asked, started } => {
                write!(f, "only {started} of {asked} threads could be started")
            }
        }
    }
}

impl Notice {
    /// What is to be known of the context that was planned where `asked` was asked for.
    pub(crate) fn of_context(plan: &MemoryPlan, asked: Option<usize>) -> Option<Self> {
        let (context, model_context) = (plan.context, plan.model_context);
        if context > model_context {
            return Some(Self::LongContext { context, model_context });
        }
        (asked.is_none() && plan.is_shortened())
            .then_some(Self::ShortContext { context, model_context })
    }
}

/// Names in a sentence, each in quotes.
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
