//! A token's logits do not depend on how its prompt was cut, nor on what else is in the step, bit
//! for bit: for every decoder family, past sliding windows and past the original contexts of scaled
//! ropes.

mod common;

use std::sync::Arc;

use common::{BLOCK_TOKENS, BLOCKS, Lone, decoder, scattered, session, sized};
use scaffold_formats::{BlockType, Gguf};
use scaffold_kernels::{Cpu, Level, Team};
use scaffold_model::{Decoder, Exec, KvType, LoadOptions, ModelSpec, SessionSize, Span, Want};
use scaffold_testing::golden::{TinyGolden, tiny, tiny_decoders};
use scaffold_testing::tolerance::{SameBits, Tolerance};

/// Longer than any window (8) and any original context (16, 32), and not a multiple of a chunk.
const LENGTH: usize = 101;

/// A text that goes on where the golden's ends.
fn text(golden: &TinyGolden, vocab: usize) -> Vec<u32> {
    (0..LENGTH)
        .map(|i| golden.input_ids.get(i).copied().unwrap_or((i * i * 7 + 11) as u32 % vocab as u32))
        .collect()
}

/// What each type of cache gives for the text in one piece.
fn whole(decoder: &Arc<Decoder>, tokens: &[u32], ty: KvType) -> Vec<f32> {
    Lone::new(decoder, ty).feed_in(tokens, tokens.len())
}

#[test]
fn a_prompt_in_pieces_is_the_prompt_in_one_piece() {
    for golden in tiny_decoders() {
        let decoder = decoder(&golden);
        let vocab = decoder.spec().vocab;
        let tokens = text(&golden, vocab);
        for ty in [KvType::F32, KvType::F16, KvType::Q8] {
            let whole = whole(&decoder, &tokens, ty);
            for piece in [1, 7, 64] {
                let what = format!("{} in pieces of {piece}, {ty:?} cache", golden.name);
                let found = Lone::new(&decoder, ty).feed_in(&tokens, piece);
                SameBits.check_values(&what, vocab, &found, &whole);
            }
        }
    }
}

#[test]
fn a_sequence_among_eight_others_is_the_sequence_alone() {
    for golden in tiny_decoders() {
        let decoder = decoder(&golden);
        let vocab = decoder.spec().vocab;
        let tokens = text(&golden, vocab);
        let alone = whole(&decoder, &tokens, KvType::F32);
        let found = among_others(&decoder, &tokens, vocab);
        SameBits.check_values(&golden.name, vocab, &found, &alone);
    }
}

/// Feeds the text in uneven pieces, each in a step with pieces of eight other texts around it.
fn among_others(decoder: &Arc<Decoder>, tokens: &[u32], vocab: usize) -> Vec<f32> {
    let mut session = sized(
        decoder,
        SessionSize {
            blocks: BLOCKS * 2,
            block_tokens: BLOCK_TOKENS,
            kv_type: KvType::F32,
            rows: 512,
        },
    );
    let all = scattered(BLOCKS * 2);
    let tables: Vec<&[u32]> = all.chunks(all.len() / 9).collect();
    let others: Vec<Vec<u32>> = (0..8)
        .map(|o| (0..LENGTH).map(|i| (i * 31 + o * 57 + 5) as u32 % vocab as u32).collect())
        .collect();
    let mut out = Vec::new();
    let mut done = [0; 9];
    for step in 0.. {
        // Each sequence goes at its own pace; the one that is watched stands in the middle.
        let take = |s: usize, done: usize| (1 + (step * 3 + s * 5) % 11).min(LENGTH - done);
        let spans: Vec<Span<'_>> = (0..9)
            .map(|s| {
                let source = if s == 4 { tokens } else { &others[s - usize::from(s > 4)] };
                let want = if s == 4 { Want::All } else { [Want::Nothing, Want::Last][s % 2] };
                let tokens = &source[done[s]..done[s] + take(s, done[s])];
                Span { tokens, start: done[s], blocks: tables[s], want, planned: LENGTH }
            })
            .collect();
        let before: usize = spans[..4]
            .iter()
            .map(|s| usize::from(s.want == Want::Last && !s.tokens.is_empty()))
            .sum();
        let own = spans[4].tokens.len();
        let rows = session.forward(&spans).expect("a step");
        out.extend_from_slice(&rows[before * vocab..(before + own) * vocab]);
        for (done, span) in done.iter_mut().zip(&spans) {
            *done += span.tokens.len();
        }
        if done[4] == LENGTH {
            return out;
        }
    }
    out
}

/// The golden's model with quantized weights, which meet 8-bit activations.
fn quantized(golden: &TinyGolden, ty: BlockType, exec: Exec) -> Arc<Decoder> {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("model.gguf");
    golden.write_gguf(&path, ty);
    let file = Gguf::open(&path).expect("a GGUF file");
    let spec = ModelSpec::from_gguf(file.metadata()).expect("a specification");
    let decoder = Decoder::load(&file, spec, Arc::new(exec), &LoadOptions::default());
    Arc::new(decoder.expect("a decoder"))
}

#[test]
fn quantized_weights_threads_and_instruction_sets_change_no_bit() {
    for name in ["llama", "gemma2", "mixtral", "gpt2"] {
        let golden = tiny(name);
        for ty in [BlockType::Q4_0, BlockType::Q8_0, BlockType::F16] {
            let decoder = quantized(&golden, ty, Exec::new(2));
            let vocab = decoder.spec().vocab;
            let tokens = text(&golden, vocab);
            let whole = whole(&decoder, &tokens, KvType::F16);
            for piece in [1, 7, 64] {
                let what = format!("{name} as {ty} in pieces of {piece}");
                let found = Lone::new(&decoder, KvType::F16).feed_in(&tokens, piece);
                SameBits.check_values(&what, vocab, &found, &whole);
            }
            for cpu in Level::ALL.into_iter().filter_map(|level| Cpu::at(level).ok()) {
                let what = format!("{name} as {ty} with {}", cpu.level());
                let exec = Exec { cpu, team: Team::new(1) };
                let found = self::whole(&quantized(&golden, ty, exec), &tokens, KvType::F16);
                SameBits.check_values(&what, vocab, &found, &whole);
            }
            for threads in [1, 3] {
                let found =
                    self::whole(&quantized(&golden, ty, Exec::new(threads)), &tokens, KvType::F16);
                SameBits.check_values(
                    &format!("{name} as {ty} on {threads} threads"),
                    vocab,
                    &found,
                    &whole,
                );
            }
        }
    }
}

#[test]
fn only_the_wanted_rows_come_back() {
    let golden = tiny("llama");
    let decoder = decoder(&golden);
    let vocab = decoder.spec().vocab;
    let tokens = &golden.input_ids;
    let whole = whole(&decoder, tokens, KvType::F32);
    let blocks = scattered(BLOCKS);
    let mut session = session(&decoder, KvType::F32, 64);
    let mut span = Span { tokens, start: 0, blocks: &blocks, want: Want::Nothing, planned: 0 };
    assert!(session.forward(&[span]).expect("a step").is_empty());
    span.want = Want::Last;
    let last = session.forward(&[span]).expect("a step").to_vec();
    SameBits.check_values("the last row", vocab, &last, &whole[whole.len() - vocab..]);
}

#[test]
fn hidden_states_come_from_the_same_step() {
    let golden = tiny("llama");
    let decoder = decoder(&golden);
    let tokens = &golden.input_ids;
    let blocks = scattered(BLOCKS);
    let mut session = session(&decoder, KvType::F32, 64);
    let mut states = |want| {
        let span = Span { tokens, start: 0, blocks: &blocks, want, planned: 0 };
        session.hidden_states(&[span]).expect("a step").to_vec()
    };
    let hidden = decoder.spec().hidden;
    let all = states(Want::All);
    assert_eq!(all.len(), tokens.len() * hidden);
    SameBits.check_values("the last row", hidden, &states(Want::Last), &all[all.len() - hidden..]);
}
