//! What a model needs of memory: one answer for a look at it, for the choice of its files, for
//! loading and for a diagnosis. [`scaffold_engine::plan_memory`] adds up what is put together here.

use scaffold_engine::{
    DoesNotFit, EngineConfig, Footprint, MemoryPlan, bytes_text, plan_memory, scratch_bytes,
};
use scaffold_error::{Error, Notice, Topic};
use scaffold_kernels::Team;
use scaffold_model::{Kind, KvType, ModelSpec};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::size::Size;
use super::{Available, RESERVE};
use crate::batch::sessions::BATCH_TOKENS;
use crate::options::LoadOptions;

/// What is to be computed with a model, as far as memory goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// Tokens that are computed at once.
    pub(crate) rows: usize,
    /// Threads that have buffers of their own.
    pub(crate) threads: usize,
    /// Numbers that are given back at once.
    pub(crate) results: usize,
    /// Tokens of the only sequence, where that is known.
    pub(crate) positions: Option<usize>,
}

impl Work {
    /// What a model is loaded for: to answer, or to embed and rank texts.
    pub(crate) fn of(spec: Option<&ModelSpec>, options: &LoadOptions) -> Self {
        let work = |rows, threads| Self { rows, threads, results: 0, positions: None };
        match spec.map(|spec| &spec.kind) {
            Some(Kind::Encoder(_)) => {
                let processors = Team::cores();
                work(BATCH_TOKENS, options.threads.map_or(processors, |n| n.min(processors)))
            }
            _ => work(EngineConfig::default().step_tokens, 1),
        }
    }
}

/// The engine's settings for a model that is loaded so.
pub(crate) fn settings(options: &LoadOptions, available: Option<Available>) -> EngineConfig {
    EngineConfig {
        context: options.context,
        max_sequences: options.max_sequences,
        max_waiting: options.max_waiting,
        owner_waiting: options.owner_waiting,
        owner_running: options.owner_running,
        prefill_slowdown: options.prefill_slowdown,
        limits: options.limits.clone(),
        kv_type: options.kv_type,
        memory_limit: available.map(|available| available.bytes),
        memory_limited_by: available.map_or_else(String::new, |a| a.by.to_string()),
        ..EngineConfig::default()
    }
}

/// The plan for a model of this size and, where it is known, of this specification.
///
/// # Errors
/// [`DoesNotFit`].
pub(crate) fn plan(
    spec: Option<&ModelSpec>,
    size: &Size,
    work: &Work,
    options: &LoadOptions,
    available: Option<Available>,
) -> Result<MemoryPlan, DoesNotFit> {
    let mut settings = settings(options, available);
    if let Some(positions) = work.positions {
        settings.context = Some(positions);
        settings.max_sequences = 1;
    }
    plan_memory(&footprint(spec, size, work, &settings), &settings)
}

fn footprint(
    spec: Option<&ModelSpec>,
    size: &Size,
    work: &Work,
    settings: &EngineConfig,
) -> Footprint {
    let results = work.results.saturating_mul(size_of::<f32>());
    let mut footprint = Footprint {
        weights: size.bytes,
        packing: size.packing,
        scratch: results,
        rest: RESERVE,
        context: 0,
        block: Vec::new(),
    };
    let Some(spec) = spec else {
        return footprint;
    };
    let logits = match spec.kind {
        Kind::Decoder(_) => settings.logit_rows(),
        Kind::Encoder(_) => 0,
    };
    let buffers = scratch_bytes(spec, work.rows, logits).saturating_mul(work.threads);
    footprint.scratch = footprint.scratch.saturating_add(buffers);
    footprint.rest = RESERVE.saturating_add(tokenizer_bytes(spec));
    footprint.context = spec.context;
    if let Kind::Decoder(_) = spec.kind {
        let block = |kv: KvType| {
            let token = spec.kv_bytes_per_token(kv);
            (kv, token.saturating_mul(settings.block_tokens))
        };
        footprint.block = KvType::ALL.map(block).to_vec();
    }
    footprint
}

/// What the tokenizer of a vocabulary takes, at most. Measured while it is read: 270 bytes a token
/// out of a GGUF file, 380 (`WordPiece`) to 430 (BPE) out of a `tokenizer.json`, and some 3,000
/// with a lattice of pieces (Unigram), which is what encoders with the largest vocabularies have.
fn tokenizer_bytes(spec: &ModelSpec) -> usize {
    const UNIGRAM: usize = 200_000;
    let each = match spec.kind {
        Kind::Encoder(_) if spec.vocab > UNIGRAM => 3200,
        _ => 450,
    };
    spec.vocab.saturating_mul(each)
}

/// What is to be known of the context that was planned where `asked` was asked for.
pub(crate) fn notice_of(plan: &MemoryPlan, asked: Option<usize>) -> Option<Notice> {
    let (context, made_for) = (plan.context, plan.model_context);
    let text = if context > made_for {
        format!(
            "the context is {context} tokens, but the model was made for {made_for}: expect worse answers to prompts beyond \
             that"
        )
    } else if asked.is_none() && plan.is_shortened() {
        format!(
            "the context is {context} tokens of the {made_for} that the model was made for, because memory holds no more (a q8 \
             cache would hold more)"
        )
    } else {
        return None;
    };
    Some(Notice::new(Topic::Context, text))
}

/// What one form of a model's weights needs here.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The quantization label, or `safetensors`.
    pub form: String,
    /// Bytes to download.
    pub download: u64,
    /// Whether the engine computes with it.
    pub supported: bool,
    /// The plan by which it is loaded, or the refusal of it.
    pub plan: Result<MemoryPlan, DoesNotFit>,
    /// Whether the weights' size is worked out from sizes of files.
    pub is_estimate: bool,
    /// Whether what describes the model is not known, so that the weights are all that is counted.
    pub is_bound: bool,
}

/// What weights become where that is left to the memory that there is: the finest that fits.
pub(crate) fn decide(
    spec: Option<&ModelSpec>,
    options: &LoadOptions,
    available: Option<Available>,
    size_of: impl Fn(&LoadOptions) -> Result<Size, Error>,
) -> LoadOptions {
    options.clone().decided(|options| {
        let work = Work::of(spec, options);
        size_of(options).is_ok_and(|size| plan(spec, &size, &work, options, available).is_ok())
    })
}

impl Need {
    /// [`Need::new`] of what is decided by memory.
    pub(crate) fn decided(
        form: &str,
        spec: Option<&ModelSpec>,
        options: &LoadOptions,
        available: Option<Available>,
        size_of: impl Fn(&LoadOptions) -> Result<Size, Error>,
    ) -> Result<Self, Error> {
        let options = decide(spec, options, available, &size_of);
        Ok(Self::new(form, spec, &size_of(&options)?, &options, available))
    }

    pub(crate) fn new(
        form: &str,
        spec: Option<&ModelSpec>,
        size: &Size,
        options: &LoadOptions,
        available: Option<Available>,
    ) -> Self {
        Self {
            form: form.to_owned(),
            download: 0,
            supported: true,
            plan: plan(spec, size, &Work::of(spec, options), options, available),
            is_estimate: size.is_estimate,
            is_bound: spec.is_none(),
        }
    }

    /// The numbers, be they within the limit or not.
    pub fn memory(&self) -> &MemoryPlan {
        match &self.plan {
            Ok(plan) => plan,
            Err(refusal) => &refusal.plan,
        }
    }

    /// Whether it fits; `None` where the system does not say what may be had.
    pub fn fits(&self) -> Option<bool> {
        self.memory().limit.map(|_| self.plan.is_ok())
    }

    /// The whole of it, in bytes, with a word where that is not exact.
    pub fn total_text(&self) -> String {
        format!("{}{}", self.hedge(), bytes_text(self.memory().total() as u64))
    }

    /// What it needs and what may be had, or the refusal: as it is said when it is loaded.
    pub fn text(&self) -> String {
        let hedge = self.hedge();
        match &self.plan {
            Ok(plan) => format!("{hedge}{plan}; {}", plan.limit_text()),
            Err(refusal) => format!(
                "{hedge}{}, but {}: {}",
                refusal.plan,
                refusal.plan.limit_text(),
                refusal.suggestion
            ),
        }
    }

    /// What is to be known of the context, if anything: as it is said when it is loaded.
    pub fn notice(&self, options: &LoadOptions) -> Option<Notice> {
        let plan = self.plan.as_ref().ok()?;
        notice_of(plan, options.context)
    }

    fn hedge(&self) -> &'static str {
        match (self.is_bound, self.is_estimate) {
            (true, _) => "over ",
            (false, true) => "about ",
            (false, false) => "",
        }
    }
}

impl Serialize for Need {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let plan = self.memory();
        json!({
            "form": self.form, "download": self.download, "supported": self.supported, "fits": self.fits(),
            "memory": plan.total(), "weights": plan.weight_bytes, "packing": plan.packing_bytes, "cache": plan.kv_bytes,
            "buffers": plan.scratch_bytes, "beside": plan.rest_bytes, "context": plan.context,
            "model_context": plan.model_context, "limit": plan.limit, "limited_by": plan.limited_by,
            "estimate": self.is_estimate || self.is_bound, "text": self.text(),
        })
        .serialize(serializer)
    }
}
