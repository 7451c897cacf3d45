//! Models as data: specifications, families, one decoder and one encoder.
//!
//! A model's `config.json` (or GGUF metadata) becomes a [`ModelSpec`]: plain data that says where
//! the norms stand, how attention scores are scaled, which positions are rotated by what. Tables in
//! `families` know the names; the one [`Decoder`] knows only the specification. Under it lies
//! [`backend::Backend`], a small set of operations on batches of rows, so that another machine can
//! take the CPU's place.
//!
//! The crate holds no tokenizer, no sampling, no scheduling and no pooling of hidden states into
//! embeddings: it computes steps that somebody else planned.
//!
//! Key types: [`ModelSpec`]; [`Decoder`], the weights, and [`Session`], which computes steps of
//! [`Span`]s with them; [`Encoder`] with its [`EncoderSession`] and [`Text`]; [`Error`].
//!
//! ```
//! use scaffold_formats::ConfigJson;
//! use scaffold_model::ModelSpec;
//!
//! let config = ConfigJson::parse("config.json", br#"{
//!     "model_type": "llama", "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128,
//!     "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
//!     "max_position_embeddings": 256, "rms_norm_eps": 1e-5
//! }"#)?;
//! let spec = ModelSpec::from_config(&config)?;
//! assert_eq!(spec.attention.head_dim, 16);
//!
//! // What is not understood is refused by name, before any weight is read.
//! let config = ConfigJson::parse("config.json", br#"{"model_type": "mamba"}"#)?;
//! let error = ModelSpec::from_config(&config).unwrap_err().to_string();
//! assert!(error.contains("`mamba`") && error.contains("llama"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

pub mod backend;
mod decoder;
mod encoder;
mod families;
#[doc(hidden)]
pub mod fuzzing;
mod kv;
mod layer;
mod load;
mod names;
mod packed;
mod precision;
mod profile;
mod rope;
mod spec;

pub use decoder::{Decoder, Session, SessionSize, Span, Want};
pub use encoder::{Encoder, EncoderSession, Text};
pub use kv::CacheOverflow;
pub use load::LoadOptions;
pub use packed::{PackedStore, StoredMatrix};
pub use precision::{Packing, Precision};
pub use profile::{Effort, Profile, Stage, StageTotal};
pub use rope::{RopeScaling, RopeSpec, RopeStyle};
pub use scaffold_error::Error;
pub use scaffold_kernels::{Exec, KvType, Turn};
pub use spec::{
    Activation, AttentionSpec, ClassifierPool, ClassifierSpec, EmbeddingSpec, EncoderSpec,
    HeadSpec, Kind, LayerSpec, LearnedPositions, MlpSpec, ModelSpec, MoeSpec, NormKind, NormSpec,
    Parallel, Presence, QkNorm, QkNormOver, RelativeBias, ResidualSpec, UnknownKeys,
};
