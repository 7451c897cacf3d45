//! Where a model's weights are in its file: the slots that the decoder and the encoder fill, and
//! tables from slots to tensor names.

use crate::profile::Stage;

/// A place for weights. A slot's matrix or norm is the tensor `name.weight`, its bias `name.bias`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// Token embedding `[vocab, hidden]`.
    Embed,
    /// Learned positions `[rows, hidden]`.
    Positions,
    /// Token types `[types, hidden]`.
    TokenTypes,
    /// Norm of the embedding.
    EmbedNorm,
    /// Norm before the attention (and, when shared, before the feed-forward part).
    AttnNorm,
    /// Queries `[heads * head_dim, hidden]`.
    Query,
    /// Keys `[kv_heads * head_dim, hidden]`.
    Key,
    /// Values, as keys.
    Value,
    /// The three above in one.
    Qkv,
    /// Norm on queries.
    QueryNorm,
    /// Norm on keys.
    KeyNorm,
    /// Output projection `[hidden, heads * head_dim]`.
    AttnOut,
    /// Norm on the attention's result, before the addition.
    AttnOutNorm,
    /// Norm after the attention's addition.
    AttnSumNorm,
    /// Norm before the feed-forward part.
    MlpNorm,
    /// Gate `[inner, hidden]`.
    Gate,
    /// Up `[inner, hidden]`.
    Up,
    /// Gate and up in one, the gate's rows first.
    GateUp,
    /// Down `[hidden, inner]`.
    Down,
    /// Norm on the feed-forward part's result, before the addition.
    MlpOutNorm,
    /// Norm after the feed-forward part's addition.
    MlpSumNorm,
    /// Router `[experts, hidden]`.
    Router,
    /// One expert's gate (the name holds `{e}`), or all of them `[experts, inner, hidden]`. A table
    /// may name both.
    ExpertGate,
    /// As the gate.
    ExpertUp,
    /// `[hidden, inner]`, or all of them.
    ExpertDown,
    /// The gate of the expert that every token takes.
    SharedGate,
    /// Its up.
    SharedUp,
    /// Its down.
    SharedDown,
    /// The weight of that expert for a token `[1, hidden]`.
    SharedRouter,
    /// Norm before the head, or after an encoder's last layer.
    FinalNorm,
    /// Output matrix `[vocab, hidden]`.
    Head,
    /// One factor a rotated pair, dividing its frequency `[dims / 2]`.
    RopeFactors,
    /// The same for sequences longer than the original context.
    RopeLongFactors,
    /// The same for shorter ones.
    RopeShortFactors,
    /// Relative position bias `[buckets, heads]`.
    RelativeBias,
    /// Dense layer of a classification head.
    ClassifierDense,
    /// Norm of a classification head.
    ClassifierNorm,
    /// Output of a classification head `[labels, hidden]`.
    ClassifierOut,
}

impl Slot {
    /// The part of a step that a matrix in this slot belongs to.
    pub(crate) fn stage(self) -> Stage {
        match self {
            Slot::Query | Slot::Key | Slot::Value | Slot::Qkv => Stage::Qkv,
            Slot::AttnOut => Stage::AttentionOut,
            Slot::Gate | Slot::Up | Slot::GateUp | Slot::SharedGate | Slot::SharedUp => {
                Stage::FeedForwardUp
            }
            Slot::ExpertGate | Slot::ExpertUp => Stage::FeedForwardUp,
            Slot::Down | Slot::ExpertDown | Slot::SharedDown => Stage::FeedForwardDown,
            Slot::Router | Slot::SharedRouter => Stage::Route,
            Slot::Head | Slot::ClassifierDense | Slot::ClassifierOut => Stage::Head,
            _ => Stage::Rest,
        }
    }
}

/// How the rows of a fused query-key-value matrix are arranged in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QkvRows {
    /// All queries, then all keys, then all values.
    Stacked,
    /// Head by head: its query, its key, its value.
    PerHead,
}

/// Tensor names by slot: `{l}` stands for the layer, `{e}` for the expert (or the head, where each
/// has its own norm).
pub(crate) type Table = &'static [(Slot, &'static str)];

/// The tables of one family in one convention, with what else is particular about the tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// Looked up in order: a family's own names, then those that it shares.
    pub(crate) tables: &'static [Table],
    /// What may stand before every name (`bert.`); the last that fits the file is taken.
    pub(crate) prefixes: &'static [&'static str],
    /// Matrices are stored `[in, out]`.
    pub(crate) transposed: bool,
    /// Arrangement of [`Slot::Qkv`].
    pub(crate) qkv_rows: QkvRows,
    /// Endings of tensors that hold nothing the model needs (buffers, other heads).
    pub(crate) unused: &'static [&'static str],
}

impl Names {
    /// The name of a slot's tensor, without `.weight` or `.bias`.
    pub(crate) fn get(&self, slot: Slot) -> Option<&'static str> {
        self.all(slot).next()
    }

    /// The names that a slot's tensor may have: those of the first table that has the slot.
    pub(crate) fn all(&self, slot: Slot) -> impl Iterator<Item = &'static str> + use<> {
        let table = self.tables.iter().find(|t| t.iter().any(|(s, _)| *s == slot));
        let names = table.into_iter().flat_map(|t| t.iter());
        names.filter(move |(s, _)| *s == slot).map(|(_, name)| *name)
    }

    /// The slot that a matrix of this name is for, with its layer (0 where there is none).
    pub(crate) fn slot_of(&self, tensor: &str) -> Option<(Slot, usize)> {
        let name = tensor.strip_suffix(".weight").unwrap_or(tensor);
        let bare = self.prefixes.iter().map(|prefix| name.strip_prefix(prefix)).collect::<Vec<_>>();
        self.tables.iter().flat_map(|table| table.iter()).find_map(|(slot, template)| {
            let layers = bare.iter().flatten().find_map(|name| layer_in(template, name));
            layers.map(|layer| (*slot, layer))
        })
    }
}

/// The layer in a name that a template makes; 0 where the template has none.
fn layer_in(template: &str, name: &str) -> Option<usize> {
    let (mut layer, mut name) = (0, name);
    let mut parts = template.split('{');
    name = name.strip_prefix(parts.next()?)?;
    for part in parts {
        let (what, literal) = part.split_once('}')?;
        let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = name[..digits].parse().ok()?;
        if what == "l" {
            layer = number;
        }
        name = name[digits..].strip_prefix(literal)?;
    }
    name.is_empty().then_some(layer)
}

/// Fills in a layer's and an expert's number.
pub(crate) fn fill(template: &str, layer: usize, expert: usize) -> String {
    template.replace("{l}", &layer.to_string()).replace("{e}", &expert.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_back_to_its_slot() {
        let names = crate::families::of_gguf();
        assert_eq!(names.slot_of("blk.12.ffn_down.weight"), Some((Slot::Down, 12)));
        assert_eq!(names.slot_of("blk.3.ffn_down.7.weight"), Some((Slot::ExpertDown, 3)));
        assert_eq!(names.slot_of("output.weight"), Some((Slot::Head, 0)));
        assert_eq!(names.slot_of("blk.x.ffn_down.weight"), None);
        assert_eq!(names.slot_of("blk.1.ffn_down.weight.more"), None);
    }

    #[test]
    fn a_template_holds_numbers_only() {
        assert_eq!(
            layer_in("layers.{l}.mlp.experts.{e}.up", "layers.4.mlp.experts.31.up"),
            Some(4)
        );
        assert_eq!(layer_in("layers.{l}.up", "layers..up"), None);
        assert_eq!(layer_in("layers.{l}.up", "layers.99999999999999999999999.up"), None);
        assert_eq!(layer_in("norm", "norm"), Some(0));
    }
}
