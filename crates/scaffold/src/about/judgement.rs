//! What can be said of a model that is not here, by the little that a look at the Hub brings; and
//! the choice among its GGUF files, which is made by the same numbers.

use scaffold_formats::{ConfigJson, Metadata};
use scaffold_hub::{Check, Fit, GgufChoice, Judge, Known, is_supported_label};
use scaffold_model::ModelSpec;
use serde::Serialize;

use crate::memory::{self, Available, Listed, Need, Size};
use crate::options::LoadOptions;

/// What can be said of a model that is not here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The architecture by its own account.
    pub architecture: Option<String>,
    /// Why it cannot be computed; `None` if it can, or if nothing speaks against it.
    pub unsupported: Option<String>,
    /// What each form of its weights needs.
    pub needs: Vec<Need>,
}

impl Judgement {
    /// Judges by what a look at the Hub has brought, for a model that is to be loaded with
    /// `options`.
    pub fn of(check: &Check, options: &LoadOptions) -> Judgement {
        let known = Known { config: check.config.clone(), head: check.head.clone() };
        let described = Described::of(&known, options);
        let (architecture, mut unsupported) = (described.architecture, described.unsupported);
        if let Some(reason) = &check.unusable {
            unsupported.get_or_insert_with(|| reason.clone());
        }
        let available = options.memory.available();
        let mut needs = Vec::new();
        if check.files.iter().any(|f| f.path.contains("safetensors")) {
            let (spec, bytes) = (described.spec.as_ref(), check.weight_bytes());
            let listed = Listed::Floats(described.width);
            let size_of =
                |options: &LoadOptions| Size::of_listing(spec, bytes, listed, options.precision());
            let options = &memory::decide(spec, options, available, |options| Ok(size_of(options)));
            needs.push(Need {
                download: bytes,
                supported: unsupported.is_none(),
                ..Need::new("safetensors", spec, &size_of(options), options, available)
            });
        }
        let of_choice =
            |choice| need_of_choice(choice, described.spec.as_ref(), options, available);
        needs.extend(check.quantizations.iter().map(of_choice));
        needs.sort_by_key(|n| n.memory().weight_bytes);
        Judgement { architecture, unsupported, needs }
    }
}

/// What a GGUF model in a listing needs.
fn need_of_choice(
    choice: &GgufChoice,
    spec: Option<&ModelSpec>,
    options: &LoadOptions,
    available: Option<Available>,
) -> Need {
    let form = match choice.label.as_str() {
        "" => &choice.files[0],
        label => label,
    };
    let bytes = choice.bytes.unwrap_or(0);
    let size = Size::of_listing(spec, bytes, Listed::Gguf, options.precision());
    Need {
        download: bytes,
        supported: choice.label.is_empty() || is_supported_label(&choice.label),
        ..Need::new(form, spec, &size, options, available)
    }
}

/// Who chooses among GGUF files of which none was asked for: by what [`Judgement`] says of them.
pub(crate) fn judge(options: LoadOptions) -> Judge {
    Judge::new(move |choice, known| {
        let spec = Described::of(known, &options).spec;
        let available = options.memory.available();
        let need = need_of_choice(choice, spec.as_ref(), &options, available);
        Fit { fits: need.plan.is_ok(), needs: need.text() }
    })
}

/// What a configuration and the first bytes of weights tell of a model.
#[derive(Default)]
struct Described {
    architecture: Option<String>,
    unsupported: Option<String>,
    spec: Option<ModelSpec>,
    /// Bytes of a weight that is stored as it was trained.
    width: usize,
}

impl Described {
    fn of(known: &Known, options: &LoadOptions) -> Self {
        let mut described = Self { width: 2, ..Self::default() };
        if let Some(text) = &known.config {
            described.read_config(text, options);
        }
        if let Some(head) = &known.head {
            described.read_head(&head.bytes);
        }
        described
    }

    fn read_config(&mut self, text: &[u8], options: &LoadOptions) {
        let config = match ConfigJson::parse("config.json", text) {
            Ok(config) => config,
            Err(error) => {
                self.unsupported = Some(error.to_string());
                return;
            }
        };
        let model_type = config.root().get_str("model_type").ok().flatten();
        self.architecture = model_type.map(str::to_owned);
        self.width = stored_width(&config);
        match ModelSpec::from_config_with(&config, options.unknown_keys) {
            Ok(spec) => self.spec = Some(spec),
            Err(error) => self.unsupported = Some(error.to_string()),
        }
    }

    /// The start of a GGUF file says more of it than a configuration beside it.
    fn read_head(&mut self, head: &[u8]) {
        let Some(found) = gguf_architecture(head) else {
            return;
        };
        let supported = ModelSpec::check_gguf_architecture(&found);
        self.unsupported = supported.err().map(|e| e.to_string());
        self.architecture = Some(found);
        // What is cut off before its end may lack what a specification needs: then nothing is
        // known.
        let metadata = Metadata::of_start("the start of a GGUF file", head.to_vec());
        let spec = metadata.ok().and_then(|m| ModelSpec::from_gguf(&m).ok());
        self.spec = spec.or(self.spec.take());
    }
}

/// Bytes of a weight, by the configuration's account.
pub(crate) fn stored_width(config: &ConfigJson) -> usize {
    let dtype = ["dtype", "torch_dtype"].into_iter();
    let mut dtype = dtype.filter_map(|key| config.root().get_str(key).ok().flatten());
    if dtype.any(|dtype| dtype == "float32") { 4 } else { 2 }
}

/// `general.architecture` from the first bytes of a GGUF file. It is among the first keys, so that
/// a whole header need not be there: key, type 8 (a string), length, text.
fn gguf_architecture(head: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"general.architecture\x08\0\0\0";
    if !head.starts_with(b"GGUF") {
        return None;
    }
    let at = head.windows(KEY.len()).position(|w| w == KEY)? + KEY.len();
    let length = head.get(at..at + 8)?.try_into().map(u64::from_le_bytes).ok()?;
    let length = usize::try_from(length).ok().filter(|n| *n <= 64)?;
    let text = head.get(at + 8..at + 8 + length)?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_enough_to_judge() {
        let mut check = Check {
            id: "o/n".into(),
            renamed: false,
            commit: String::new(),
            licence: None,
            task: None,
            gate: scaffold_hub::Gate::Open,
            private: false,
            refusal: None,
            files: Vec::new(),
            unusable: None,
            quantizations: scaffold_hub::gguf_choices([
                ("m-Q8_0.gguf", Some(900 << 20)),
                ("m-Q4_0.gguf", Some(500 << 20)),
                ("m-IQ1_S.gguf", Some(200 << 20)),
            ]),
            config: None,
            head: Some(scaffold_hub::Head { file: "m-Q8_0.gguf".into(), bytes: head("llama") }),
        };
        let within = |mib: usize| LoadOptions {
            memory: crate::MemoryLimit::Bytes(mib << 20),
            ..LoadOptions::default()
        };
        let judgement = Judgement::of(&check, &within(600));
        assert_eq!(
            (judgement.architecture.as_deref(), &judgement.unsupported),
            (Some("llama"), &None)
        );
        let shown: Vec<_> =
            judgement.needs.iter().map(|n| (n.form.as_str(), n.fits(), n.supported)).collect();
        assert_eq!(
            shown,
            [("IQ1_S", Some(true), false), ("Q4_0", Some(true), true), ("Q8_0", Some(false), true)]
        );
        // The choice among them is made by the same numbers.
        let judge = judge(within(600));
        let known = Known { config: None, head: check.head.clone() };
        for choice in &check.quantizations {
            let need = judgement.needs.iter().find(|n| n.form == choice.label);
            let (need, fit) = (need.unwrap(), judge.fit(choice, &known));
            assert_eq!((fit.fits, fit.needs), (need.plan.is_ok(), need.text()));
        }
        check.head.as_mut().unwrap().bytes = head("no-such-thing");
        let unsupported = Judgement::of(&check, &within(600)).unsupported.unwrap();
        assert!(unsupported.contains("no-such-thing"), "{unsupported}");
        check.config = Some(br#"{"model_type": "nothing-known"}"#.to_vec());
        check.head = None;
        let unsupported = Judgement::of(&check, &within(600)).unsupported.unwrap();
        assert!(unsupported.contains("nothing-known"), "{unsupported}");
    }

    fn head(architecture: &str) -> Vec<u8> {
        let mut bytes =
            b"GGUF\x03\0\0\0........pairs...\x14\0\0\0\0\0\0\0general.architecture\x08\0\0\0"
                .to_vec();
        bytes.extend((architecture.len() as u64).to_le_bytes());
        bytes.extend(architecture.as_bytes());
        bytes
    }

    #[test]
    fn cut_heads_tell_nothing() {
        let whole = head("llama");
        for length in 0..whole.len() {
            assert_eq!(gguf_architecture(&whole[..length]), None);
        }
    }
}
