//! What GGUF calls each family, and where its converter departs from the common way.

use scaffold_error::err;

use crate::Error;

/// How llama.cpp's converter treats a family.
#[derive(Debug)]
pub(crate) struct Family {
    /// `model_type` in `config.json`.
    pub(crate) model_type: &'static str,
    /// `general.architecture` in GGUF, the prefix of its keys.
    pub(crate) arch: &'static str,
    /// Rows of q and k are reordered from halves to pairs, for rope on neighbours.
    pub(crate) permuted: bool,
    /// What `post_attention_layernorm` becomes: most families name the norm before the MLP so.
    pub(crate) post_attention: &'static str,
    /// Added to the weights of norms that compute with one plus their weight.
    pub(crate) norm_offset: f32,
    /// `rope.freq_base` is written; readers assume 10000 where it is not.
    pub(crate) rope_base: bool,
    /// `attention.head_count_kv` is written; readers assume as many as query heads where it is not.
    pub(crate) kv_heads: bool,
    /// `vocab_size` and `rope.dimension_count` are written, the latter with the head's size.
    pub(crate) llama_keys: bool,
    /// `rope.dimension_count` is written for a rope over a part of each head.
    pub(crate) partial_rope: bool,
}

const COMMON: Family = Family {
    model_type: "",
    arch: "",
    permuted: false,
    post_attention: "ffn_norm",
    norm_offset: 0.0,
    rope_base: true,
    kv_heads: true,
    llama_keys: false,
    partial_rope: false,
};

const LLAMA: Family =
    Family { model_type: "llama", arch: "llama", permuted: true, llama_keys: true, ..COMMON };
const GEMMA: Family =
    Family { model_type: "gemma", arch: "gemma", norm_offset: 1.0, rope_base: false, ..COMMON };

const FAMILIES: [Family; 22] = [
    LLAMA,
    Family { model_type: "mistral", ..LLAMA },
    Family { model_type: "mixtral", ..LLAMA },
    Family { model_type: "smollm3", arch: "smollm3", ..LLAMA },
    Family { model_type: "granite", arch: "granite", ..LLAMA },
    Family { model_type: "qwen2", arch: "qwen2", ..COMMON },
    Family { model_type: "qwen2_moe", arch: "qwen2moe", ..COMMON },
    Family { model_type: "qwen3", arch: "qwen3", ..COMMON },
    Family { model_type: "qwen3_moe", arch: "qwen3moe", ..COMMON },
    GEMMA,
    Family { model_type: "gemma2", arch: "gemma2", post_attention: "post_attention_norm", ..GEMMA },
    Family {
        model_type: "gemma3_text",
        arch: "gemma3",
        post_attention: "post_attention_norm",
        rope_base: true,
        ..GEMMA
    },
    Family { model_type: "phi", arch: "phi2", rope_base: false, partial_rope: true, ..COMMON },
    Family { model_type: "phi3", arch: "phi3", partial_rope: true, ..COMMON },
    Family { model_type: "gpt2", arch: "gpt2", rope_base: false, kv_heads: false, ..COMMON },
    Family {
        model_type: "gpt_neox",
        arch: "gptneox",
        rope_base: false,
        kv_heads: false,
        partial_rope: true,
        ..COMMON
    },
    Family { model_type: "starcoder2", arch: "starcoder2", ..COMMON },
    Family { model_type: "olmo2", arch: "olmo2", post_attention: "post_attention_norm", ..COMMON },
    Family { model_type: "olmoe", arch: "olmoe", ..COMMON },
    Family { model_type: "cohere", arch: "command-r", ..COMMON },
    Family { model_type: "cohere2", arch: "cohere2", llama_keys: true, ..COMMON },
    Family {
        model_type: "stablelm",
        arch: "stablelm",
        rope_base: false,
        partial_rope: true,
        ..COMMON
    },
];

impl Family {
    /// The family of a `model_type`.
    ///
    /// # Errors
    /// There is none that is written as GGUF.
    pub(crate) fn of(model_type: &str) -> Result<&'static Self, Error> {
        FAMILIES.iter().find(|family| family.model_type == model_type).ok_or_else(|| {
            let known: Vec<&str> = FAMILIES.iter().map(|family| family.model_type).collect();
            err!(
                Unsupported,
                "a {model_type} model is not written as a GGUF file; those that are: {}",
                known.join(", ")
            )
        })
    }
}
