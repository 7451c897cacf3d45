//! What families share: the plain decoder that each of them starts from, mixtures of experts, and
//! the readers of windows and activations.

use scaffold_error::Error;
use serde_json::Value;

use super::keys::Keys;
use crate::names::Names;
use crate::spec::{
    Activation, AttentionSpec, EmbeddingSpec, HeadSpec, Kind, LayerSpec, MlpSpec, ModelSpec,
    MoeSpec, NormKind, NormSpec, Parallel, Presence, ResidualSpec,
};

type Result<T> = std::result::Result<T, Error>;

/// More layers than any model has; keeps a hostile configuration from asking for memory.
const MAX_LAYERS: usize = 4096;

/// A norm before each part, no biases, gated SiLU, rotary positions on whole heads: the shape of
/// Llama. Families change what is different in theirs.
pub(super) fn plain_decoder(k: &Keys) -> Result<ModelSpec> {
    k.only("is_causal", &Value::Bool(true))?;
    k.only("add_cross_attention", &Value::Bool(false))?;
    let mut spec = stack(k, "silu")?;
    let tied = k.opt_bool("tie_word_embeddings")?;
    spec.kind = Kind::Decoder(HeadSpec { tied, bias: Presence::No, scale: 1.0, softcap: None });
    Ok(spec)
}

/// [`plain_decoder`] with one rope on all layers.
pub(super) fn rotary_decoder(k: &Keys) -> Result<ModelSpec> {
    let mut spec = plain_decoder(k)?;
    rotated(k, &mut spec, 1.0, 10_000.0)?;
    Ok(spec)
}

/// One rope on all layers. A GGUF file that does not say turns this share of a head, with this
/// base.
pub(super) fn rotated(k: &Keys, spec: &mut ModelSpec, share: f64, base: f64) -> Result<()> {
    let rope = k.rope(spec.attention.head_dim, share, base)?;
    spec.context = rope.stretched_context(spec.context);
    spec.ropes = vec![rope];
    for layer in &mut spec.layers {
        layer.rope = Some(0);
    }
    Ok(())
}

/// Puts experts into every layer. `normalise` is the family's default for scaling the chosen
/// weights to sum to one.
pub(super) fn experts(k: &Keys, spec: &mut ModelSpec, count: &str, normalise: bool) -> Result<()> {
    let experts = k.usize(count)?;
    let top_k = k.usize("num_experts_per_tok")?;
    // In GGUF files 1 is the softmax.
    k.only("expert_gating_func", &Value::from(1))?;
    k.only("n_group", &Value::from(1))?;
    k.only("topk_group", &Value::from(1))?;
    if experts > 1 << 16 || top_k > experts {
        return Err(k.bad(
            "num_experts_per_tok",
            &Value::from(top_k),
            format!("at most the {experts} experts"),
        ));
    }
    let inner = match k.opt_usize("moe_intermediate_size")? {
        Some(n) if n > 0 => n,
        _ => spec.mlp.inner,
    };
    spec.moe = Some(MoeSpec {
        experts,
        top_k,
        inner,
        normalise: k.bool_or("norm_topk_prob", normalise)?,
        shared_inner: None,
    });
    for layer in &mut spec.layers {
        layer.moe = true;
    }
    Ok(())
}

/// What decoders and encoders have in common.
pub(super) fn stack(k: &Keys, activation: &str) -> Result<ModelSpec> {
    let hidden = k.usize("hidden_size")?;
    let heads = k.usize("num_attention_heads")?;
    let kv_heads = k.opt_usize("num_key_value_heads")?.unwrap_or(heads);
    if kv_heads == 0 || heads % kv_heads != 0 {
        return Err(k.bad(
            "num_key_value_heads",
            &Value::from(kv_heads),
            format!("a divisor of the {heads} heads"),
        ));
    }
    let head_dim = match k.opt_usize("head_dim")? {
        Some(dim) if dim == 0 || dim > 1 << 16 => {
            return Err(k.bad("head_dim", &Value::from(dim), "1 to 65536"));
        }
        Some(dim) => dim,
        None if hidden % heads != 0 => {
            return Err(k.bad(
                "hidden_size",
                &Value::from(hidden),
                format!("a multiple of the {heads} heads"),
            ));
        }
        None => hidden / heads,
    };
    let layers = k.usize("num_hidden_layers")?;
    if layers > MAX_LAYERS {
        return Err(k.bad(
            "num_hidden_layers",
            &Value::from(layers),
            format!("at most {MAX_LAYERS}"),
        ));
    }
    let inner = match k.opt_usize("intermediate_size")? {
        Some(_) => k.usize("intermediate_size")?,
        None => 4 * hidden,
    };
    Ok(ModelSpec {
        family: k.family,
        kind: Kind::Decoder(HeadSpec { tied: None, bias: Presence::No, scale: 1.0, softcap: None }),
        vocab: match k.opt_usize("vocab_size")? {
            // The file's embedding will show it.
            None if k.gguf => 0,
            _ => k.usize("vocab_size")?,
        },
        hidden,
        context: k.usize("max_position_embeddings")?,
        embedding: EmbeddingSpec::default(),
        norm: NormSpec { kind: NormKind::Rms, eps: k.norm_eps()?, offset: 0.0, bias: false },
        residual: ResidualSpec {
            norm_in: true,
            norm_out: false,
            norm_sum: false,
            parallel: Parallel::No,
            scale: 1.0,
        },
        attention: AttentionSpec {
            heads,
            kv_heads,
            head_dim,
            scale: match k.opt_f64("attention_multiplier")? {
                Some(scale) => scale as f32,
                None => 1.0 / (head_dim as f32).sqrt(),
            },
            softcap: None,
            clip: None,
            qkv_bias: Presence::No,
            out_bias: Presence::No,
            qk_norm: None,
        },
        ropes: Vec::new(),
        mlp: MlpSpec {
            inner,
            activation: k.activation(activation)?,
            gated: true,
            bias: Presence::No,
        },
        moe: None,
        layers: vec![LayerSpec { window: None, rope: None, moe: false }; layers],
        passed_over: Vec::new(),
        names: Names::EMPTY,
    })
}

impl Keys {
    /// The norm's epsilon, under whichever of its names.
    fn norm_eps(&self) -> Result<f32> {
        // A `config.json` has its class's own, under the one name that its class reads.
        let mut found = None;
        for key in
            ["norm_eps", "norm_epsilon", "layer_norm_epsilon", "layer_norm_eps", "rms_norm_eps"]
        {
            if self.is_null(key) {
                return Err(self.bad(key, &Value::Null, "a number"));
            }
            found = self.opt_f64(key)?.or(found);
            if let Some(eps) = found.filter(|eps| *eps < 0.0) {
                return Err(self.bad(key, &Value::from(eps), "a number that is not negative"));
            }
        }
        // No class leaves it out but one that computes with a number of its own.
        Ok(found.unwrap_or(1e-5) as f32)
    }

    /// Whether tensors are there that a key switches on; GGUF files show it by the tensors.
    pub(super) fn presence(&self, key: &str, default: bool) -> Result<Presence> {
        let said = self.opt_bool(key)?;
        Ok(if self.gguf { Presence::IfPresent } else { said.unwrap_or(default).into() })
    }

    /// A bias that a family always (or never) has; GGUF files show it by the tensor.
    pub(super) fn fixed_bias(&self, yes: bool) -> Presence {
        if self.gguf { Presence::IfPresent } else { yes.into() }
    }

    /// `hidden_act`, in any of its spellings.
    pub(super) fn activation(&self, default: &str) -> Result<Activation> {
        let key = "hidden_act";
        activation(self.opt_str(key)?.unwrap_or(default)).ok_or_else(|| {
            let expected =
                "silu, gelu, gelu_new, gelu_pytorch_tanh, quick_gelu, relu, relu2 or relu6";
            self.bad(key, self.get(key).unwrap_or(&Value::Null), expected)
        })
    }

    /// Sets the layers' windows: by `layer_types` where given, else by `sliding(layer)`.
    pub(super) fn windows(
        &self,
        spec: &mut ModelSpec,
        window: Option<usize>,
        sliding: impl Fn(usize) -> bool,
    ) -> Result<()> {
        let key = "layer_types";
        let types = self.opt_list(key)?;
        if let Some(list) = types
            && list.len() != spec.layers.len()
        {
            let expected = format!("a list of {} entries, one a layer", spec.layers.len());
            return Err(self.bad(key, &Value::from(list.clone()), expected));
        }
        for (l, layer) in spec.layers.iter_mut().enumerate() {
            let slides = match types.map(|list| list[l].as_str()) {
                None => sliding(l),
                Some(Some("full_attention")) => false,
                Some(Some("sliding_attention")) => true,
                Some(_) => {
                    let found = types.map_or(&Value::Null, |list| &list[l]);
                    return Err(self.bad(key, found, "full_attention or sliding_attention"));
                }
            };
            if slides && window.is_none() && types.is_some() && !self.gguf {
                let found = self.get("sliding_window").unwrap_or(&Value::Null);
                let expected = "a window (switched on, where the family has a switch), as layer_types names layers that slide";
                return Err(self.bad("sliding_window", found, expected));
            }
            if slides {
                layer.window = window;
            }
        }
        Ok(())
    }

    /// `sliding_window`, which is absent, null or (in GGUF files) 0 where there is none.
    pub(super) fn sliding_window(&self) -> Result<Option<usize>> {
        Ok(self.opt_usize("sliding_window")?.filter(|w| *w > 0))
    }
}

/// An activation by its name in `transformers`.
pub(super) fn activation(name: &str) -> Option<Activation> {
    Some(match name {
        "silu" | "swish" => Activation::Silu,
        "gelu" | "gelu_python" => Activation::Gelu,
        // One formula, rounded in five ways.
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_python_tanh" | "gelu_fast" | "gelu_accurate" => {
            Activation::GeluTanh
        }
        "relu" => Activation::Relu,
        "quick_gelu" => Activation::QuickGelu,
        "relu2" => Activation::ReluSquared,
        "relu6" => Activation::Relu6,
        "tanh" => Activation::Tanh,
        _ => return None,
    })
}
