//! A model in memory: its text side, its engine, and what is told about it.

use std::sync::Arc;
use std::time::Duration;

use scaffold_engine::{Engine, EngineConfig, MemoryPlan, bytes_text};
use scaffold_error::Notice;
use scaffold_hub::Progress;
use scaffold_kernels::{BlockType, Level};
use scaffold_model::{Effort, KvType};

use super::text::ModelText;
use crate::error::Error;
use crate::memory::{self, Work};
use crate::model::{Model, Placed};
use crate::packed::{Keeping, Store};
use crate::prefixes::{PrefixOptions, Shelf};
use crate::prompts::Prompts;
use crate::slot::Held;

/// A model that can answer.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) text: ModelText,
    pub(crate) engine: Engine,
    pub(crate) info: ModelInfo,
    /// Where prefixes are kept, if they can be.
    pub(crate) shelf: Option<Shelf>,
    /// Long prompts that are kept by themselves, if they are.
    pub(crate) prompts: Option<Prompts>,
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
    /// How long loading took, without what was downloaded.
    pub load: Duration,
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
    /// Loads an opened model, after checking that it will fit.
    pub(crate) fn of(
        model: &Model,
        progress: &mut dyn Progress,
    ) -> Result<(Self, Vec<Notice>), Error> {
        let options = model.options();
        let work = Work::of(Some(model.spec()), options);
        let mut placed = Placed::of(model, &work)?;
        let mut notices = Vec::new();
        let text = ModelText::of(model, &mut notices)?;
        notices.extend(options.kept_format(placed.size.stored));
        notices.append(&mut placed.notices);
        let (threads, cpu) = (placed.exec.team.threads(), placed.exec.cpu.level());
        let store = options.packed.as_ref().zip(model.seen()).and_then(|(packed, seen)| {
            let seen = seen.clone();
            Store::open(model.name(), seen, placed.precision, packed, threads, &mut notices)
        });
        let decoder = placed.decoder(store.as_ref().map(|store| store as _), progress)?;
        notices.append(&mut placed.notices);
        let (layers, head) = (decoder.layers_effort(), decoder.head_effort());
        let Placed { plan, size, precision, .. } = placed;
        notices.extend(memory::notice_of(&plan, options.context));
        let config = EngineConfig {
            eos: text.eos.clone(),
            memory_limit: plan.limit,
            memory_limited_by: plan.limited_by.clone(),
            ..memory::settings(options, None)
        };
        let vocabulary = Arc::new(Arc::clone(&text.tokenizer));
        let engine = Engine::start_planned(decoder, vocabulary, config, plan.clone())?;
        let info = ModelInfo {
            family: model.spec().family,
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
            load: model.age(),
            memory: plan,
        };
        let shelf_of = |place: &PrefixOptions| {
            let (kv_type, block) = (info.kv_type, info.memory.block_tokens);
            Some(Shelf::new(place, model.seen()?, precision, kv_type, block))
        };
        let shelf = options.prefixes.as_ref().and_then(shelf_of);
        let prompts = options.prompts.as_ref().and_then(|prompts| {
            let directory = prompts.directory.clone();
            let shelf = shelf_of(&PrefixOptions { directory, limit: prompts.limit })?;
            Some(Prompts::new(shelf, prompts))
        });
        let keeping = store.and_then(|store| store.keep(&mut notices));
        Ok((Self { text, engine, info, shelf, prompts, keeping }, notices))
    }
}

impl Held for Loaded {
    fn is_alive(&self) -> bool {
        self.engine.health().is_running()
    }

    fn end(&self) {
        self.engine.shutdown();
    }
}
