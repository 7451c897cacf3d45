//! Special tokens by their roles.

/// The names of the special tokens, as `tokenizer_config.json` gives them and templates read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Starts a sequence.
    pub bos: Option<String>,
    /// Ends a sequence.
    pub eos: Option<String>,
    /// Stands for what the vocabulary cannot express.
    pub unk: Option<String>,
    /// Fills batches.
    pub pad: Option<String>,
    /// Separates texts.
    pub sep: Option<String>,
    /// Stands for a whole text.
    pub cls: Option<String>,
    /// Hides a token.
    pub mask: Option<String>,
    /// Further ones by their key in `tokenizer_config.json` (`image_token`, …).
    pub others: Vec<(String, String)>,
}

impl SpecialTokens {
    /// Gives the token of a role, or a further one by its key.
    pub(crate) fn set(&mut self, name: &str, token: &str) {
        let role = match name {
            "bos_token" => &mut self.bos,
            "eos_token" => &mut self.eos,
            "unk_token" => &mut self.unk,
            "pad_token" => &mut self.pad,
            "sep_token" => &mut self.sep,
            "cls_token" => &mut self.cls,
            "mask_token" => &mut self.mask,
            _ => {
                self.others.push((name.to_owned(), token.to_owned()));
                return;
            }
        };
        *role = Some(token.to_owned());
    }

    /// The tokens by the names that templates use (`bos_token`, …).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        [
            ("bos_token", &self.bos),
            ("eos_token", &self.eos),
            ("unk_token", &self.unk),
            ("pad_token", &self.pad),
            ("sep_token", &self.sep),
            ("cls_token", &self.cls),
            ("mask_token", &self.mask),
        ]
        .into_iter()
        .filter_map(|(name, token)| Some((name, token.as_deref()?)))
        .chain(self.others.iter().map(|(name, token)| (name.as_str(), token.as_str())))
    }
}
