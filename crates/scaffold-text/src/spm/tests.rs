use super::normalizer::{Replacements, SpmNormalizer};
use super::*;

fn pieces(list: &[(&str, f32, PieceKind)]) -> Vec<Piece> {
    let unknown = Piece { text: "<unk>".to_owned(), score: 0.0, kind: PieceKind::Unknown };
    let rest = list.iter().map(|&(text, score, kind)| Piece { text: text.to_owned(), score, kind });
    std::iter::once(unknown).chain(rest).collect()
}

fn plain() -> SpmNormalizer {
    let mut normalizer = SpmNormalizer::default();
    normalizer.add_dummy_prefix = false;
    normalizer
}

fn ids(model: &SentencePiece, text: &str) -> Vec<u32> {
    let mut out = Encoding::default();
    model.encode(text, 0, true, &mut out);
    out.ids
}

#[test]
fn merged_pieces_that_are_unused_are_taken_apart_again() {
    use PieceKind::{Normal, Unused};
    let list = pieces(&[
        ("a", -5.0, Normal),
        ("b", -6.0, Normal),
        ("ab", -1.0, Unused),
        ("abb", -2.0, Normal),
    ]);
    let model = SentencePiece::new(list, Algorithm::Bpe, plain()).expect("a model");
    assert_eq!(ids(&model, "ab"), [1, 2]);
    assert_eq!(ids(&model, "abb"), [4]);
}

#[test]
fn user_defined_pieces_are_never_cut_or_merged() {
    use PieceKind::{Normal, UserDefined};
    let list = pieces(&[
        ("a", -5.0, Normal),
        ("x", -6.0, Normal),
        ("ax", -1.0, Normal),
        ("xx", -2.0, UserDefined),
    ]);
    let model = SentencePiece::new(list, Algorithm::Bpe, plain()).expect("a model");
    assert_eq!(ids(&model, "axx"), [1, 4]);
    assert_eq!(ids(&model, "ax"), [3]);
}

#[test]
fn what_is_unknown_is_one_token_or_bytes() {
    use PieceKind::{Byte, Normal};
    let model = SentencePiece::new(pieces(&[("a", -1.0, Normal)]), Algorithm::Bpe, plain())
        .expect("a model");
    assert_eq!(ids(&model, "zzazz"), [0, 1, 0]);
    let names: Vec<String> = (0..=255u8).map(|byte| format!("<0x{byte:02X}>")).collect();
    let mut list = pieces(&[("a", -1.0, Normal)]);
    list.extend(names.iter().map(|name| Piece { text: name.clone(), score: 0.0, kind: Byte }));
    let model = SentencePiece::new(list, Algorithm::Unigram, plain()).expect("a model");
    assert_eq!(ids(&model, "aé"), [1, 2 + 0xc3, 2 + 0xa9]);
    assert_eq!(model.id("<0x0A>"), Some(2 + 10));
}

#[test]
fn the_likeliest_path_wins_and_not_the_longest_piece() {
    use PieceKind::Normal;
    let list = pieces(&[
        ("a", -1.0, Normal),
        ("b", -1.0, Normal),
        ("ab", -3.0, Normal),
        ("bc", -1.0, Normal),
        ("c", -5.0, Normal),
    ]);
    let model = SentencePiece::new(list, Algorithm::Unigram, plain()).expect("a model");
    assert_eq!(ids(&model, "ab"), [1, 2]);
    assert_eq!(ids(&model, "abc"), [1, 4]);
}

/// A double-array trie with the one entry "A" to "bc".
fn replacements() -> Vec<u8> {
    let mut units = [0u32; 256];
    units[0] = 1 << 10; // offset 1
    let at = 1 ^ usize::from(b'A');
    units[at] = u32::from(b'A') | 1 << 8 | 2 << 10; // has a leaf, offset 2
    units[at ^ 2] = 1 << 31; // value 0
    let mut out = (units.len() as u32 * 4).to_le_bytes().to_vec();
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    out.extend(b"bc\0");
    out
}

#[test]
fn lines_are_normalized_with_the_way_back() {
    let mut normalizer = SpmNormalizer::trained();
    normalizer.replacements = Replacements::from_bytes(&replacements()).expect("a table");
    let line = normalizer.apply("  xA  y ", true);
    assert_eq!(line.text, "▁xbc▁y");
    assert_eq!(line.original(4, 5), (3, 4));
    assert_eq!(line.original(4, 6), (3, 4));
    assert_eq!(normalizer.apply("   ", true).text, "");
    assert_eq!(normalizer.apply("a", false).text, "a");
    normalizer.space_is_suffix = true;
    assert_eq!(normalizer.apply("a b", true).text, "a▁b▁");
}

#[test]
fn a_damaged_table_of_replacements_is_refused() {
    for (bytes, part) in [
        (&[1u8, 2][..], "too few"),
        (&[255, 255, 0, 0, 1][..], "announces"),
        (&[3, 0, 0, 0, 1, 1, 1][..], "announces"),
    ] {
        let error = Replacements::from_bytes(bytes).expect_err("refused").to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(Replacements::from_bytes(&[]).expect("no table").is_none());
}

#[test]
fn a_damaged_model_file_is_diagnosed_with_its_place() {
    for (bytes, part) in [
        (&b""[..], "no pieces"),
        (&[0x0a, 0x7f][..], "127 bytes"),
        (&[0x0b][..], "wire type 3"),
        (&[0x0a, 0x03, 0x0a, 0x01, 0xff][..], "not UTF-8"),
        (&[0x0a, 0x02, 0x18, 0x09][..], "kind 9"),
        (
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
            "ten bytes",
        ),
        (&[0x12, 0x02, 0x18, 0x09][..], "type 9"),
    ] {
        let error = proto::parse(bytes).err().expect("refused").to_string();
        assert!(error.contains(part) && error.contains("at byte"), "{part}: {error}");
    }
}
