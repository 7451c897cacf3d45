//! What stands around a text: `<s> … </s>`, `[CLS] … [SEP] … [SEP]`.

use crate::encoding::Encoding;

/// One place of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The first text, with its type id.
    First(u32),
    /// The second text of a pair, with its type id.
    Second(u32),
    /// A special token, with its type id.
    Token(u32, u32),
}

/// The frame of a single text, and that of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) single: Vec<Slot>,
    pub(crate) pair: Vec<Slot>,
}

impl Default for Frame {
    fn default() -> Self {
        Frame::with(None, None)
    }
}

impl Frame {
    /// `bos text eos`, and for pairs `bos first eos bos second eos`, each token where there is one.
    pub(crate) fn with(bos: Option<u32>, eos: Option<u32>) -> Self {
        let around = |slot: Slot, type_id: u32| {
            let token = |id: Option<u32>| id.map(|id| Slot::Token(id, type_id));
            [token(bos), Some(slot), token(eos)].into_iter().flatten()
        };
        let single: Vec<Slot> = around(Slot::First(0), 0).collect();
        let pair = single.iter().copied().chain(around(Slot::Second(1), 1)).collect();
        Frame { single, pair }
    }

    /// Puts the frame around one text or two.
    pub(crate) fn around(&self, first: &Encoding, second: Option<&Encoding>) -> Encoding {
        let slots = if second.is_some() { &self.pair } else { &self.single };
        let mut out = Encoding::default();
        let none = Encoding::default();
        let second = second.unwrap_or(&none);
        for slot in slots {
            let (body, type_id) = match *slot {
                Slot::Token(id, type_id) => {
                    out.push(id, (0, 0));
                    if let Some(last) = out.type_ids.last_mut() {
                        *last = type_id;
                    }
                    continue;
                }
                Slot::First(type_id) => (first, type_id),
                Slot::Second(type_id) => (second, type_id),
            };
            out.ids.extend_from_slice(&body.ids);
            out.offsets.extend_from_slice(&body.offsets);
            out.type_ids.resize(out.ids.len(), type_id);
        }
        out
    }
}
