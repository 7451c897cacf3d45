//! Quantization labels in the names of GGUF files, and which of several files to take.

use scaffold_files::SplitName;

/// Labels that the engine can compute with, the preferred first. `Q4_K_M` leads: a quarter of the
/// bytes of `F16`, which is what decides the speed on a CPU, at a loss that few notice; after it
/// come better ones as far as memory reaches, then worse.
const PREFERENCE: [&str; 25] = [
    "Q4_K_M", "Q5_K_M", "Q4_K_S", "Q4_1", "Q4_0", "IQ4_NL", "IQ4_XS", "Q5_K_S", "Q5_1", "Q5_0",
    "Q6_K", "Q8_0", "Q4_K_L", "Q5_K_L", "Q4_K_XL", "Q5_K_XL", "Q6_K_L", "Q3_K_L", "Q3_K_M",
    "Q3_K_S", "Q2_K", "Q2_K_S", "BF16", "F16", "F32",
];

/// A GGUF model of a repository or directory: one file, or the parts of a split one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GgufChoice {
    /// `Q4_K_M` and so on, in upper case; empty when the name has no label.
    pub label: String,
    /// Its files, in order; the first one is to be opened.
    pub files: Vec<String>,
    /// Their sizes together, where known.
    pub bytes: Option<u64>,
}

/// A part's number, path and size.
type Numbered<'a> = (u32, &'a str, Option<u64>);

/// Groups the GGUF files of a listing (name, size) into models; incomplete splits and companions
/// are left out.
pub fn gguf_choices<'a>(
    files: impl IntoIterator<Item = (&'a str, Option<u64>)>,
) -> Vec<GgufChoice> {
    let mut groups: Vec<(String, Option<u32>, Vec<Numbered>)> = Vec::new();
    for (path, size) in files {
        let lower = path.to_ascii_lowercase();
        let Some(stem) = lower.strip_suffix(".gguf").map(|s| &path[..s.len()]) else {
            continue;
        };
        let name = lower.rsplit('/').next().unwrap_or(&lower);
        // Vision projectors and calibration data are not models.
        if name.contains("mmproj") || name.contains("imatrix") {
            continue;
        }
        let (base, number, count) = match SplitName::parse(path) {
            Some(part) => (part.prefix, part.number, Some(part.count)),
            None => (stem, 1, None),
        };
        match groups.iter_mut().find(|g| g.0 == base && g.1 == count) {
            Some(group) => group.2.push((number, path, size)),
            None => groups.push((base.to_owned(), count, vec![(number, path, size)])),
        }
    }
    let mut choices: Vec<GgufChoice> = Vec::new();
    for (base, count, mut parts) in groups {
        parts.sort_unstable();
        let whole = count.is_none_or(|count| parts.iter().map(|p| p.0).eq(1..=count));
        if whole {
            let bytes = parts.iter().map(|p| p.2).sum();
            choices.push(GgufChoice {
                label: label_of(&base).unwrap_or_default(),
                files: parts.iter().map(|p| p.1.to_owned()).collect(),
                bytes,
            });
        }
    }
    choices.sort_by(|a, b| a.files.cmp(&b.files));
    choices
}

/// The quantization label in a file's name (or, failing that, in its directory's), in upper case.
pub fn label_of(path: &str) -> Option<String> {
    let path = path.strip_suffix(".gguf").unwrap_or(path);
    path.rsplit('/').find_map(label_in)
}

fn label_in(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let is_boundary = |byte: u8| b"-._ ".contains(&byte);
    let starts = (0..upper.len()).rev().filter(|&i| i == 0 || is_boundary(upper.as_bytes()[i - 1]));
    for start in starts {
        let Some(rest) = upper.get(start..) else {
            continue;
        };
        let Some(length) = label_length(rest) else {
            continue;
        };
        if rest.as_bytes().get(length).is_none_or(|&b| is_boundary(b)) {
            let label = &rest[..length];
            let front = upper[..start]
                .strip_suffix("UD-")
                .filter(|f| f.is_empty() || f.ends_with(['-', '.', '_']));
            let label = if label == "FP16" { "F16" } else { label };
            return Some(if front.is_some() { format!("UD-{label}") } else { label.to_owned() });
        }
    }
    None
}

/// How many bytes at the start of `text` (upper case) are a label.
fn label_length(text: &str) -> Option<usize> {
    for whole in ["BF16", "FP16", "F16", "F32", "MXFP4_MOE", "MXFP4", "NVFP4"] {
        if text.starts_with(whole) {
            return Some(whole.len());
        }
    }
    let digits = ["IQ", "TQ", "Q"].iter().find_map(|p| text.strip_prefix(p))?;
    if !digits.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let mut length = text.len() - digits.len() + 1;
    while let Some(part) = text[length..].strip_prefix('_') {
        let part = part.split(['_', '-', '.', ' ', '/']).next().unwrap_or("");
        if !["0", "1", "4", "8", "K", "S", "M", "L", "XL", "XS", "XXS", "NL"].contains(&part) {
            break;
        }
        length += 1 + part.len();
    }
    Some(length)
}

/// Whether the engine computes with all block types that a file of this label has.
pub fn is_supported(label: &str) -> bool {
    let plain = label.strip_prefix("UD-").unwrap_or(label);
    PREFERENCE.contains(&plain)
}

/// The choices whose label is `wanted`: exactly, else without `UD-`, else beginning with it.
pub(crate) fn matching<'a>(choices: &'a [GgufChoice], wanted: &str) -> Vec<&'a GgufChoice> {
    let wanted = wanted.to_ascii_uppercase();
    let wanted = if wanted == "FP16" { "F16" } else { &wanted };
    let with =
        |test: &dyn Fn(&str) -> bool| choices.iter().filter(|c| test(&c.label)).collect::<Vec<_>>();
    let exact = with(&|label| label == wanted);
    if !exact.is_empty() {
        return exact;
    }
    let dynamic = with(&|label| label.strip_prefix("UD-") == Some(wanted));
    if !dynamic.is_empty() {
        return dynamic;
    }
    with(&|label| label.strip_prefix("UD-").unwrap_or(label).starts_with(wanted))
}

/// The file to take when none was asked for: the most preferred label of those that fit into
/// memory; when none fits, the smallest file, so that the refusal later names the smallest need.
pub(crate) fn best<'a>(
    choices: &'a [GgufChoice],
    fits: &dyn Fn(&GgufChoice) -> bool,
) -> Option<&'a GgufChoice> {
    let rank = |c: &GgufChoice| {
        let plain = c.label.strip_prefix("UD-").unwrap_or(&c.label);
        PREFERENCE.iter().position(|p| *p == plain).unwrap_or(PREFERENCE.len())
    };
    choices
        .iter()
        .filter(|c| fits(c))
        .filter(|c| is_supported(&c.label) || c.label.is_empty())
        .min_by_key(|c| (rank(c), c.bytes))
        .or_else(|| choices.iter().min_by_key(|c| (!is_supported(&c.label), c.bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_in_the_wild() {
        for (path, label) in [
            ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
            ("SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1"),
            ("model-q8_0.gguf", "Q8_0"),
            ("phi_q4_k_s.gguf", "Q4_K_S"),
            ("x-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
            ("x-IQ4_XS.gguf", "IQ4_XS"),
            ("x-IQ2_XXS-imat.gguf", "IQ2_XXS"),
            ("ggml-model-f16.gguf", "F16"),
            ("x.fp16.gguf", "F16"),
            ("x-BF16.gguf", "BF16"),
            ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
            ("Q4_0_4_4/x.gguf", "Q4_0_4_4"),
            ("BF16/model-00001-of-00002.gguf", "BF16"),
        ] {
            assert_eq!(label_of(path).as_deref(), Some(label), "{path}");
        }
        for none in ["model.gguf", "FAQ4all.gguf", "Qwen2-7B.gguf", "x-Q.gguf"] {
            assert_eq!(label_of(none), None, "{none}");
        }
    }

    fn choices(files: &[(&'static str, u64)]) -> Vec<GgufChoice> {
        gguf_choices(files.iter().map(|(f, s)| (*f, Some(*s))))
    }

    #[test]
    fn splits_are_one_choice_and_gaps_none() {
        let c = choices(&[
            ("a-Q8_0-00002-of-00002.gguf", 5),
            ("a-Q8_0-00001-of-00002.gguf", 7),
            ("a-Q4_0-00001-of-00003.gguf", 1),
            ("mmproj-a-f16.gguf", 1),
            ("readme.md", 1),
        ]);
        assert_eq!(c.len(), 1);
        assert_eq!(c[0].files, ["a-Q8_0-00001-of-00002.gguf", "a-Q8_0-00002-of-00002.gguf"]);
        assert_eq!(c[0].bytes, Some(12));
        let loud = choices(&[("M-00001-of-00002.GGUF", 5), ("M-00002-of-00002.GGUF", 7)]);
        assert_eq!(loud.len(), 1);
        // A sign is no digit: these are two files, and the reader would not find one as a part of
        // the other.
        let signs = choices(&[("m-+0001-of-00002.gguf", 5), ("m-+0002-of-00002.gguf", 7)]);
        assert_eq!(signs.len(), 2);
    }

    #[test]
    fn the_best_fits_the_memory() {
        let c = choices(&[
            ("m-Q8_0.gguf", 800),
            ("m-Q4_K_M.gguf", 450),
            ("m-Q2_K.gguf", 300),
            ("m-IQ1_S.gguf", 100),
        ]);
        let within = |budget: u64| move |c: &GgufChoice| c.bytes.unwrap() <= budget;
        let label = |budget| best(&c, &within(budget)).unwrap().label.clone();
        assert_eq!(label(u64::MAX), "Q4_K_M");
        assert_eq!(label(400), "Q2_K");
        // Nothing that can be computed fits: the smallest of those is named.
        assert_eq!(label(200), "Q2_K");
        assert_eq!(best(&choices(&[("m-IQ1_S.gguf", 100)]), &|_| true).unwrap().label, "IQ1_S");
        assert!(best(&[], &|_| true).is_none());
    }

    #[test]
    fn a_label_may_be_shortened_when_it_stays_clear() {
        let c = choices(&[
            ("m-Q4_K_M.gguf", 1),
            ("m-Q4_K_S.gguf", 1),
            ("m-UD-Q6_K_XL.gguf", 1),
            ("m-Q8_0.gguf", 1),
        ]);
        assert_eq!(matching(&c, "q8_0").len(), 1);
        assert_eq!(matching(&c, "Q8").len(), 1);
        assert_eq!(matching(&c, "Q6_K_XL").len(), 1);
        assert_eq!(matching(&c, "Q4").len(), 2);
        assert!(matching(&c, "Q3").is_empty());
    }
}
