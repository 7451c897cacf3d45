//! A model in memory: its text side, its engine, and what is told about it.

use std::path::Path;
use std::sync::Arc;

use scaffold_engine::{Engine, EngineConfig, Footprint, plan_memory, scratch_bytes};
use scaffold_formats::Tensor;
use scaffold_kernels::{BlockType, Cpu, Exec, Level, Team};
use scaffold_model::{Decoder, Effort, KvType, ModelSpec, Precision};

use super::notice::Notice;
use super::options::LoadOptions;
use super::text::ModelText;
use crate::packed::{Keeping, Seen, Store};
use crate::{Error, Weights};

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
    /// [`Decoder::layers_effort`].
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
}

impl ModelInfo {
    pub(crate) fn describe(&self, name: &str) -> String {
        let mib = |bytes: usize| format!("{:.0} MiB", bytes as f64 / (1 << 20) as f64);
        let converted =
            self.converted.map_or_else(String::new, |ty| format!("converted to {ty} from "));
        format!(
            "{name}\n  family       {}\n  parameters   {:.1} million\n  weights      {converted}{}, {}\n  context      {} tokens \
             (made for {})\n  cache        {:?}, up to {}\n  tokenizer    {}\n  threads      {} ({})",
            self.family,
            self.parameters as f64 / 1e6,
            self.stored.name(),
            mib(self.weight_bytes),
            self.context,
            self.model_context,
            self.kv_type,
            mib(self.kv_bytes),
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
        let mut notices = Vec::new();
        // Before anything is opened, so that what is kept never belongs to later files.
        let seen = options.packed.as_ref().and_then(|_| Seen::now(path));
        let weights = Weights::open_with(path, options.unknown_keys)?;
        let text = ModelText::open(&weights, name, options.fast_tokenizer, &mut notices)?;
        let size = Size::of(&weights, options.precision())?;
        let config = engine_config(options, text.eos.clone());
        // Refused now rather than after minutes of loading, or by the system's last resort.
        plan_memory(&footprint(&weights.spec, &size, &config), &config)?;
        notices.extend(options.kept_format(size.stored));

        let exec = exec(options, &mut notices)?;
        let (threads, cpu) = (exec.team.threads(), exec.cpu.level());
        // Where nothing is converted, the packed weights are those of the stored format: one file
        // of them is enough.
        let precision = if size.converts { options.precision() } else { Precision::Native };
        let store = options.packed.as_ref().zip(seen).and_then(|(packed, seen)| {
            Store::open(name, seen, precision, packed, threads, &mut notices)
        });
        let load = scaffold_model::LoadOptions {
            precision,
            store: store.as_ref().map(|store| store as _),
        };
        let decoder =
            Decoder::load(weights.tensors(), weights.spec.clone(), Arc::new(exec), &load)?;
        notices.extend(weights.notices(Some(&decoder)));
        let (layers, head) = (decoder.layers_effort(), decoder.head_effort());
        let engine = Engine::start(Arc::new(decoder), Arc::clone(&text.tokenizer), config)?;
        let plan = engine.memory();
        if options.context.is_none() && plan.is_shortened() {
            notices.push(Notice::ShortContext {
                context: plan.context,
                model_context: plan.model_context,
            });
        }
        if plan.context > plan.model_context {
            notices.push(Notice::LongContext {
                context: plan.context,
                model_context: plan.model_context,
            });
        }
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
        };
        let keeping = store.and_then(|store| store.keep(&mut notices));
        let loaded = Self { text, engine, info, vocab: weights.spec.vocab, keeping };
        Ok((loaded, notices))
    }
}

/// The processor and the threads that the options ask for.
pub(crate) fn exec(options: &LoadOptions, notices: &mut Vec<Notice>) -> Result<Exec, Error> {
    let cpu = options.cpu.map_or_else(|| Ok(Cpu::detect()), Cpu::at)?;
    let processors = Team::cores();
    let mut asked = options.threads.unwrap_or(processors);
    if asked > processors {
        notices.push(Notice::MoreThreadsThanProcessors { asked, processors });
        asked = processors;
    }
    let team = Team::new(asked);
    if team.threads() < asked {
        notices.push(Notice::FewerThreads { asked, started: team.threads() });
    }
    Ok(Exec { cpu, team })
}

fn engine_config(options: &LoadOptions, eos: Vec<u32>) -> EngineConfig {
    let available = options.memory.available();
    EngineConfig {
        context: options.context,
        max_sequences: options.max_sequences,
        kv_type: options.kv_type,
        memory_limit: available.as_ref().map(|available| available.bytes),
        memory_limited_by: available.map_or_else(String::new, |a| a.by.to_string()),
        eos,
        ..EngineConfig::default()
    }
}

/// Bytes that the weights take in memory.
pub(crate) fn weight_bytes(weights: &Weights, precision: Precision) -> Result<usize, Error> {
    Ok(Size::of(weights, precision)?.bytes)
}

/// What the files hold.
struct Size {
    /// Bytes in memory.
    bytes: usize,
    parameters: u64,
    /// What most of the weights are stored in, and converted to where they are.
    stored: BlockType,
    converted: Option<BlockType>,
    /// Whether any matrix is converted.
    converts: bool,
}

impl Size {
    fn of(weights: &Weights, precision: Precision) -> Result<Self, Error> {
        let tensors = weights.tensors();
        let mut by_type: Vec<(BlockType, usize)> = Vec::new();
        let (mut bytes, mut parameters) = (0usize, 0u64);
        let mut converts = false;
        for name in tensors.names() {
            let info = tensors.info(name);
            if info.is_none_or(|info| weights.spec.leaves_unused(&info)) {
                continue;
            }
            let Some(tensor) = tensors.tensor(name)? else {
                continue;
            };
            bytes = bytes.saturating_add(packed_bytes(&tensor, precision));
            converts |= match tensor.shape {
                // Vectors are not packed.
                [] | [_] => false,
                [.., cols] => precision.packed_type(tensor.ty, *cols) != tensor.ty,
            };
            parameters += tensor.len() as u64;
            match by_type.iter_mut().find(|(ty, _)| *ty == tensor.ty) {
                Some((_, sum)) => *sum += tensor.bytes.len(),
                None => by_type.push((tensor.ty, tensor.bytes.len())),
            }
        }
        let stored = by_type
            .into_iter()
            .max_by_key(|(_, bytes)| *bytes)
            .map_or(BlockType::F32, |(ty, _)| ty);
        // The columns of large weights fill blocks.
        let packed = precision.packed_type(stored, BlockType::Q8_0.values());
        Ok(Self {
            bytes,
            parameters,
            stored,
            converted: (packed != stored).then_some(packed),
            converts,
        })
    }
}

/// Bytes that a tensor takes when it is packed.
fn packed_bytes(tensor: &Tensor<'_>, precision: Precision) -> usize {
    let cols = tensor.shape.last().copied().unwrap_or(1).max(1);
    let row = precision.packed_type(tensor.ty, cols).row_bytes(cols);
    row.map_or(tensor.bytes.len(), |row| (tensor.len() / cols).saturating_mul(row))
}

/// What loading will take, from the sizes of the files: the engine plans again with what was really
/// packed.
fn footprint(spec: &ModelSpec, size: &Size, config: &EngineConfig) -> Footprint {
    let block = |kv: KvType| (kv, spec.kv_bytes_per_token(kv).saturating_mul(config.block_tokens));
    Footprint {
        weights: size.bytes,
        scratch: scratch_bytes(spec, config.step_tokens),
        context: spec.context,
        block: [KvType::F32, KvType::F16, KvType::Q8].map(block).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_threads_than_run_at_once() {
        let processors = Team::cores();
        for (threads, told) in [(None, 0), (Some(1), 0), (Some(processors + 1), 1)] {
            let (options, mut notices) =
                (LoadOptions { threads, ..LoadOptions::default() }, Vec::new());
            let exec = exec(&options, &mut notices).unwrap();
            assert!(exec.team.threads() <= processors);
            assert_eq!(notices.len(), told, "{threads:?}: {notices:?}");
        }
    }
}
