//! How a model is loaded.

use scaffold_engine::{EngineConfig, Limits};
use scaffold_error::{Notice, Topic};
use scaffold_kernels::{BlockType, Level};
use scaffold_model::{KvType, Precision, UnknownKeys};

use crate::config::{Config, Dtype, Quantize, Source};
use crate::packed::PackedOptions;
use crate::prefixes::PrefixOptions;
use crate::prompts::PromptOptions;

/// A setter for each field, and `new`, for structures that may get more fields.
macro_rules! setters {
    ($name:ident $(<$life:lifetime>)? { $($field:ident: $type:ty,)* }) => {
        impl $(<$life>)? $name $(<$life>)? {
            /// The defaults.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            $(#[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
            #[must_use]
            pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                self.$field = $field.into();
                self
            })*
        }
    };
}
pub(crate) use setters;

/// How a model is loaded and how much of the machine it may use.
///
/// ```
/// use scaffold::{LoadOptions, config::Dtype};
///
/// let options = LoadOptions::new().dtype(Dtype::Int8).context(4096);
/// assert_eq!(options.context, Some(4096));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// The number format of the weights: as they are stored; unpacked to `f32` for exact
    /// comparisons, in several times the memory (`Float32`); or floats quantized to 8-bit blocks,
    /// in a quarter to half of the memory (`Int8`). The 16-bit formats convert nothing: see the
    /// conversion from [`Config`].
    pub dtype: Dtype,
    /// What floats become while they are loaded, in place of what `dtype` says of them; weights that
    /// are quantized already stay as they are stored. `Auto` takes the finest that fits into memory.
    /// The scales are looked for, which takes a while; where packed weights are kept, only once.
    pub quantize: Quantize,
    /// Threads that compute. `None`: as many as the system runs at once.
    pub threads: Option<usize>,
    /// The instruction set. `None`: the best that this processor has.
    pub cpu: Option<Level>,
    /// Tokens that prompt and answer may have together. `None`: what the model was made for and
    /// memory holds.
    pub context: Option<usize>,
    /// How keys and values are stored.
    pub kv_type: KvType,
    /// Whether `tokenizer.json` is read before the model's original tokenizer file.
    pub fast_tokenizer: bool,
    /// Sequences that are computed together at most.
    pub max_sequences: usize,
    /// What the model may take of the machine's memory.
    pub memory: MemoryLimit,
    /// Whether packed weights are kept between runs, and where. `None`: they are not.
    pub packed: Option<PackedOptions>,
    /// Where prefixes of prompts are kept between runs. `None`: they are not.
    pub prefixes: Option<PrefixOptions>,
    /// Where long prompts are kept between runs by themselves. `None`: they are not.
    pub prompts: Option<PromptOptions>,
    /// What happens to keys of a `config.json` that are not known and that other code may read.
    pub unknown_keys: UnknownKeys,
    /// Requests, or calls of an embedder or cross-encoder, that may wait until they are begun, of all
    /// together; more are refused.
    pub max_waiting: usize,
    /// Requests or calls of one owner that may wait. `None`: as many as of all together.
    pub owner_waiting: Option<usize>,
    /// Sequences of one owner that are computed at once. `None`: as many as of all together.
    pub owner_running: Option<usize>,
    /// How much longer a step with running answers may take because prompts are read beside them,
    /// as a part of its time without.
    pub prefill_slowdown: f32,
    /// What a request may ask for.
    pub limits: Limits,
    /// Whether prompts are words of people who may not speak in the model's name: they are always
    /// put into the chat format, and a control token in them is text. `false` takes a prompt that
    /// is written in the model's format already as it is. To be set by whatever serves others.
    pub special_as_text: bool,
}

setters!(LoadOptions {
    dtype: Dtype,
    quantize: Quantize,
    threads: Option<usize>,
    cpu: Option<Level>,
    context: Option<usize>,
    kv_type: KvType,
    fast_tokenizer: bool,
    max_sequences: usize,
    memory: MemoryLimit,
    packed: Option<PackedOptions>,
    prefixes: Option<PrefixOptions>,
    prompts: Option<PromptOptions>,
    unknown_keys: UnknownKeys,
    max_waiting: usize,
    owner_waiting: Option<usize>,
    owner_running: Option<usize>,
    prefill_slowdown: f32,
    limits: Limits,
    special_as_text: bool,
});

/// What a model may take of the machine's memory, weights and cache together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryLimit {
    /// What is available when it is loaded: the system's count, or what a container's limit leaves.
    Available,
    /// So many bytes.
    Bytes(usize),
    /// Everything, swap space included.
    Unlimited,
}

impl Default for LoadOptions {
    fn default() -> Self {
        let engine = EngineConfig::default();
        Self {
            dtype: Dtype::Auto,
            quantize: Quantize::None,
            threads: None,
            cpu: None,
            context: None,
            kv_type: KvType::F16,
            fast_tokenizer: true,
            max_sequences: engine.max_sequences,
            memory: MemoryLimit::Available,
            packed: None,
            prefixes: None,
            prompts: None,
            unknown_keys: UnknownKeys::Refuse,
            max_waiting: engine.max_waiting,
            owner_waiting: engine.owner_waiting,
            owner_running: engine.owner_running,
            prefill_slowdown: engine.prefill_slowdown,
            limits: engine.limits,
            special_as_text: false,
        }
    }
}

impl From<&Config> for LoadOptions {
    /// The configuration's settings. `LLM_TORCH_DTYPE` means:
    ///
    /// - `auto`: weights stay as they are stored, the cache is `f16`;
    /// - `float32`: quantized and 16-bit weights are unpacked to `f32`, and the cache is `f32` too
    ///   unless `SCAFFOLD_KV_TYPE` says otherwise;
    /// - `int8`: floating-point weights become blocks of 32 8-bit numbers with a scale each (Q8_0)
    ///   while they are loaded; weights that are quantized already stay as they are stored, and a
    ///   notice says so;
    /// - `float16`, `bfloat16`: weights stay as they are stored. Sums are always computed in `f32`,
    ///   and converting stored weights to another 16-bit format would only lose digits; a notice
    ///   says so where the stored format is another one.
    fn from(config: &Config) -> Self {
        let float32 = config.torch_dtype.value == Dtype::Float32;
        let kv_type = match config.kv_type.value {
            _ if float32 && config.kv_type.source == Source::Default => KvType::F32,
            set => set,
        };
        Self {
            dtype: config.torch_dtype.value,
            quantize: config.quantize.value,
            threads: config.threads.value,
            cpu: config.cpu.value,
            context: config.context.value,
            kv_type,
            fast_tokenizer: config.use_fast_tokenizer.value,
            packed: Some(PackedOptions::of(config)),
            prefixes: PrefixOptions::of(config),
            unknown_keys: config.unknown_keys.value,
            ..Self::default()
        }
    }
}

impl LoadOptions {
    /// The configuration's settings for one answer at a time: room for others would only be planned
    /// for.
    pub fn for_one_answer(config: &Config) -> Self {
        Self { max_sequences: 1, ..Self::from(config) }
    }

    /// Whether anything is kept between runs that belongs to one state of the model's files.
    pub(crate) fn keeps(&self) -> bool {
        self.packed.is_some() || self.prefixes.is_some() || self.prompts.is_some()
    }

    /// How weights are packed. What `Quantize::Auto` is, is decided before: see
    /// [`LoadOptions::decided`].
    pub(crate) fn precision(&self) -> Precision {
        match (self.quantize, self.dtype) {
            (Quantize::Q4_0, _) => Precision::Blocks(BlockType::Q4_0),
            (Quantize::Q4K, _) => Precision::Blocks(BlockType::Q4_K),
            (Quantize::Q5K, _) => Precision::Blocks(BlockType::Q5_K),
            (Quantize::Q6K, _) => Precision::Blocks(BlockType::Q6_K),
            (Quantize::Q8_0, _) | (_, Dtype::Int8) => Precision::Blocks(BlockType::Q8_0),
            (_, Dtype::Float32) => Precision::F32,
            (_, Dtype::Auto | Dtype::Float16 | Dtype::BFloat16) => Precision::Native,
        }
    }

    /// With the finest quantization that `fits` in the place of `Quantize::Auto`: none where the
    /// weights fit as they are, and the smallest where nothing does.
    pub(crate) fn decided(self, fits: impl Fn(&Self) -> bool) -> Self {
        if self.quantize != Quantize::Auto {
            return self;
        }
        let by_size = [
            Quantize::None,
            Quantize::Q8_0,
            Quantize::Q6K,
            Quantize::Q5K,
            Quantize::Q4K,
            Quantize::Q4_0,
        ];
        let with = |quantize| Self { quantize, ..self.clone() };
        by_size.into_iter().map(with).find(fits).unwrap_or_else(|| with(Quantize::Q4_0))
    }

    /// A notice where the weights stay in another format than `LLM_TORCH_DTYPE` names.
    pub(crate) fn kept_format(&self, stored: BlockType) -> Option<Notice> {
        if self.quantize != Quantize::None {
            let (asked, dtype, stored_as) = (self.quantize, self.dtype, stored.name());
            let text = if stored.is_quantized() {
                format!(
                    "LLM_QUANTIZE is {asked}, but the weights are quantized already: they stay {stored_as} as stored, for what is lost \
                     does not come back"
                )
            } else if matches!(dtype, Dtype::Float32 | Dtype::Int8) {
                format!(
                    "LLM_QUANTIZE is {asked} and LLM_TORCH_DTYPE is {dtype}: the weights become {asked}"
                )
            } else {
                return None;
            };
            return Some(Notice::new(Topic::Files, text));
        }
        let kept = match self.dtype {
            Dtype::Auto | Dtype::Float32 => return None,
            Dtype::Float16 => stored == BlockType::F16,
            Dtype::BFloat16 => stored == BlockType::BF16,
            Dtype::Int8 => !stored.is_quantized() || stored == BlockType::Q8_0,
        };
        let (asked, stored) = (self.dtype, stored.name());
        let text = format!(
            "LLM_TORCH_DTYPE is {asked}, but weights are never converted from one 16-bit format to another, nor from one \
             quantized format to another: they stay {stored} as stored (float32 would unpack them)"
        );
        (!kept).then(|| Notice::new(Topic::Files, text))
    }
}
