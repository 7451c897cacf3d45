//! Flags for how a model is computed. Their values are read by the configuration, which checks
//! every source alike.

use clap::Args;
use scaffold::config::{Flag, Key};

/// How the model is computed
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Computing")]
pub(crate) struct ComputeArgs {
    /// auto, cpu or cuda [LLM_DEVICE]
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// auto, float16, bfloat16, float32 or int8 [LLM_TORCH_DTYPE]; int8 makes 8-bit blocks of
    /// floating-point weights
    #[arg(long, value_name = "DTYPE")]
    dtype: Option<String>,
    /// Unpack quantized weights and compute in float32 (the same as --dtype float32)
    #[arg(long, conflicts_with = "dtype")]
    dequantize: bool,
    /// auto, or a number of threads [SCAFFOLD_THREADS]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    threads: Option<String>,
    /// auto, or the instruction set to use [SCAFFOLD_CPU]
    #[arg(long, value_name = "LEVEL")]
    cpu: Option<String>,
    /// auto, or the tokens that prompt and answer may have together [SCAFFOLD_CONTEXT]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    ctx: Option<String>,
    /// f32, f16 or q8: number format of the cache of keys and values [SCAFFOLD_KV_TYPE]
    #[arg(long, value_name = "TYPE")]
    kv_type: Option<String>,
    /// auto, on or off: keep packed weights on disk for the next start [SCAFFOLD_PACKED_CACHE]
    #[arg(long, value_name = "WHEN")]
    packed_cache: Option<String>,
    /// refuse or ignore: keys of a model's config.json that are not known [SCAFFOLD_UNKNOWN_KEYS]
    #[arg(long, value_name = "WHAT")]
    unknown_keys: Option<String>,
}

impl ComputeArgs {
    /// Whether the context is left to the command.
    pub(crate) fn sets_no_context(&self) -> bool {
        self.ctx.is_none()
    }

    /// What was given, for the configuration.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let float32 = self.dequantize.then(|| "float32".to_owned());
        [
            (Key::Device, "--device", &self.device),
            (Key::TorchDtype, "--dtype", &self.dtype),
            (Key::TorchDtype, "--dequantize", &float32),
            (Key::Threads, "--threads", &self.threads),
            (Key::Cpu, "--cpu", &self.cpu),
            (Key::Context, "--ctx", &self.ctx),
            (Key::KvType, "--kv-type", &self.kv_type),
            (Key::PackedCache, "--packed-cache", &self.packed_cache),
            (Key::UnknownKeys, "--unknown-keys", &self.unknown_keys),
        ]
        .into_iter()
        .filter_map(|(key, name, value)| value.clone().map(|value| Flag { key, name, value }))
        .collect()
    }
}
