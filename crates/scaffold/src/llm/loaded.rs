//! A model in memory: its text side, its engine, and what is told about it.

use std::path::Path;
use std::sync::Arc;

use scaffold_engine::{Engine, EngineConfig, MemoryPlan, bytes_text};
use scaffold_kernels::{BlockType, Level};
use scaffold_model::{Effort, KvType};

use super::text::ModelText;
use crate::error::Error;
use crate::memory::{self, Work};
use crate::notice::Notice;
use crate::opened::Opened;
use crate::options::LoadOptions;
use crate::packed::{Keeping, Seen, Store};
use crate::weights::Weights;

/// A model that can answer.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) text: ModelText,
    pub(crate) engine: Engine,
    pub(crate) info: ModelInfo,
    /// Tokens that the model has.
    pub(crate) vocab: usize,
    /// The file of packed weights that is being written.
    pub(crate) keeping: Option<Keeping>,
}

/// What a model is and what it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// The family, such as `llama`.
    pub family: &'static str,
    /// Weights in all.
    pub parameters: u64,
    /// What most of the weights are stored in.
    pub stored: BlockType,
    /// What they were converted to while they were loaded, where they were: `F32` or `Q8_0`.
    pub converted: Option<BlockType>,
    /// Bytes of the weights in memory.
    pub weight_bytes: usize,
    /// What computing one token takes in all layers, but for attention: see
    /// [`layers_effort`](scaffold_model::Decoder::layers_effort).
    pub layers: Effort,
    /// What the logits of one token take.
    pub head: Effort,
    /// Bytes of the cache of keys and values, handed out as they are first used.
    pub kv_bytes: usize,
    /// How keys and values are stored.
    pub kv_type: KvType,
    /// Tokens that prompt and answer may have together.
    pub context: usize,
    /// Tokens that the model was made for.
    pub model_context: usize,
    /// Threads that compute.
    pub threads: usize,
    /// The instruction set that they use.
    pub cpu: Level,
    /// Which file or vocabulary the tokenizer was read from.
    pub tokenizer: String,
    /// The plan of the memory that it takes.
    pub memory: MemoryPlan,
}

impl ModelInfo {
    pub(crate) fn describe(&self, name: &str) -> String {
        let text = |bytes: usize| bytes_text(bytes as u64);
        let converted =
            self.converted.map_or_else(String::new, |ty| format!("converted to {ty} from "));
        format!(
            "{name}\n  family       {}\n  parameters   {:.1} million\n  weights      {converted}{}, {}\n  context      {} tokens \
             (made for {})\n  cache        {:?}, up to {}\n  memory       {}; {}\n  tokenizer    {}\n  threads      {} ({})",
            self.family,
            self.parameters as f64 / 1e6,
            self.stored.name(),
            text(self.weight_bytes),
            self.context,
            self.model_context,
            self.kv_type,
            text(self.kv_bytes),
            self.memory,
            self.memory.limit_text(),
            self.tokenizer,
            self.threads,
            self.cpu,
        )
    }
}

impl Loaded {
    /// Loads what is at `path`, after checking that it will fit.
    pub(crate) fn open(
        name: &str,
        path: &Path,
        options: &LoadOptions,
    ) -> Result<(Self, Vec<Notice>), Error> {
        // Before anything is opened, so that what is kept never belongs to later files.
        let seen = options.packed.as_ref().and_then(|_| Seen::now(path));
        let weights = Weights::open_with(path, options.unknown_keys)?;
        let work = Work::of(Some(&weights.spec), options);
        let mut opened = Opened::new(&weights, &work, options)?;
        let mut notices = Vec::new();
        let text = ModelText::open(&weights, name, options.fast_tokenizer, &mut notices)?;
        notices.extend(options.kept_format(opened.size.stored));
        notices.append(&mut opened.notices);
        let (threads, cpu) = (opened.exec.team.threads(), opened.exec.cpu.level());
        let store = options.packed.as_ref().zip(seen).and_then(|(packed, seen)| {
            Store::open(name, seen, opened.precision, packed, threads, &mut notices)
        });
        let decoder = opened.decoder(store.as_ref().map(|store| store as _))?;
        notices.append(&mut opened.notices);
        let (layers, head) = (decoder.layers_effort(), decoder.head_effort());
        let Opened { plan, size, .. } = opened;
        notices.extend(Notice::of_context(&plan, options.context));
        let config = EngineConfig {
            eos: text.eos.clone(),
            memory_limit: plan.limit,
            memory_limited_by: plan.limited_by.clone(),
            ..memory::settings(options, None)
        };
        let vocabulary = Arc::new(Arc::clone(&text.tokenizer));
        let engine = Engine::start_planned(decoder, vocabulary, config, plan.clone())?;
        let info = ModelInfo {
            family: weights.spec.family,
            parameters: size.parameters,
            stored: size.stored,
            converted: size.converted,
            weight_bytes: plan.weight_bytes,
            layers,
            head,
            kv_bytes: plan.kv_bytes,
            kv_type: plan.kv_type,
            context: plan.context,
            model_context: plan.model_context,
            threads,
            cpu,
            tokenizer: text.tokenizer.source().to_owned(),
            memory: plan,
        };
        let keeping = store.and_then(|store| store.keep(&mut notices));
        let loaded = Self { text, engine, info, vocab: weights.spec.vocab, keeping };
        Ok((loaded, notices))
    }
}
