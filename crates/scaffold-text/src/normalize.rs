//! Unicode normalization in front of a byte-level vocabulary, as `tokenizer.json` describes it.

use crate::guard::guarded;
use scaffold_error::{Error, err};
use tokenizers::tokenizer::normalizer::Range;
use tokenizers::{NormalizedString, Normalizer as _, NormalizerWrapper};

/// A normalizer of the `tokenizers` crate.
#[derive(Debug)]
pub(crate) struct Normalizer {
    inner: NormalizerWrapper,
    keeps_ascii: bool,
}

/// A text after normalization, with the way back.
pub(crate) struct Normalized {
    inner: NormalizedString,
}

impl Normalizer {
    /// From the `normalizer` of a tokenizer.json.
    pub(crate) fn from_json(value: &serde_json::Value) -> Result<Self, serde_json::Error> {
        let inner = guarded(|| serde_json::from_value(value.clone()));
        Ok(Self::new(inner.map_err(serde::de::Error::custom)??))
    }

    pub(crate) fn nfc() -> Self {
        Self::new(NormalizerWrapper::NFC(tokenizers::normalizers::NFC))
    }

    fn new(inner: NormalizerWrapper) -> Self {
        let keeps_ascii = matches!(
            inner,
            NormalizerWrapper::NFC(_)
                | NormalizerWrapper::NFD(_)
                | NormalizerWrapper::NFKC(_)
                | NormalizerWrapper::NFKD(_)
        );
        Normalizer { inner, keeps_ascii }
    }

    /// The normalized text, or nothing where it is the text itself.
    pub(crate) fn apply(&self, text: &str) -> Result<Option<Normalized>, Error> {
        if self.keeps_ascii && text.is_ascii() {
            return Ok(None);
        }
        let normalized = guarded(|| {
            let mut inner = NormalizedString::from(text);
            self.inner.normalize(&mut inner).map(|()| inner)
        });
        let failed =
            |why: String| err!(Damaged, "the text cannot be encoded: normalization failed: {why}");
        let inner = normalized.map_err(failed)?.map_err(|error| failed(error.to_string()))?;
        Ok((inner.get() != text).then_some(Normalized { inner }))
    }

    /// The normalized form of a token's name.
    pub(crate) fn apply_to_name(&self, name: &str) -> String {
        match self.apply(name) {
            Ok(Some(normalized)) => normalized.text().to_owned(),
            _ => name.to_owned(),
        }
    }
}

impl Normalized {
    pub(crate) fn text(&self) -> &str {
        self.inner.get()
    }

    /// The bytes of the original text that the bytes `start..end` come from; for an empty range the
    /// place after what stands before it.
    pub(crate) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        let range = |start: usize, end: usize| {
            self.inner
                .convert_offsets(Range::Normalized(start..end))
                .map_or((0, 0), |range| (range.start, range.end))
        };
        match start {
            _ if start < end => range(start, end),
            0 => (0, 0),
            _ => {
                let (_, place) = range(start - 1, start);
                (place, place)
            }
        }
    }
}
