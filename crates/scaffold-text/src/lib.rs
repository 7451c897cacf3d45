//! Text in and out of a language model, byte for byte: tokenizers, chat templates, streaming
//! detokenization and stop strings.
//!
//! It is strings only: it knows nothing of models, weights or the network, and reads files only
//! where it is given a directory. The types to know are [`Tokenizer`], [`ChatTemplate`] with
//! [`Message`], [`StreamDecoder`] and [`StopMatcher`].
//!
//! ```
//! use scaffold_text::{ChatTemplate, Message, RenderOptions, SpecialTokens};
//!
//! let source = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}";
//! let template = ChatTemplate::from_source(source, &SpecialTokens::default())?;
//! let prompt = template.render(&[Message::user("Hello")], &RenderOptions::default())?;
//! assert_eq!(prompt, "<|user|>Hello\n");
//! # Ok::<(), scaffold_text::Error>(())
//! ```

#![forbid(unsafe_code)]

mod added;
mod answer;
mod bpe;
mod byte_level;
mod chat;
mod classes;
mod config;
mod encoding;
mod fim;
mod foreign;
mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod json;
mod mistral_version;
mod normalize;
mod parts;
mod ranked;
mod special;
mod split;
mod spm;
mod stop;
mod tokenizer;
mod tokens;
mod unusable;

pub use answer::in_words as tools_in_words;
pub use answer::{AnswerParser, AnswerSyntax, Call, CallForm, CallWriting, Described, Part, Piece};
pub use chat::{ChatTemplate, FamilyHint, Message, Prompt, RenderOptions, template_sources};
pub use encoding::{EncodeOptions, Encoding};
pub use fim::FillInMiddle;
pub use scaffold_error::{Error, Kind, Notice};
pub use scaffold_jinja::{DateTime, Json, JsonError};
pub use special::SpecialTokens;
pub use stop::{StopMatcher, StopOutcome};
pub use tokenizer::{GgufKey, GgufKeys, GgufVocabulary, LoadOptions, StreamDecoder, Tokenizer};
pub use tokens::TokenKind;
