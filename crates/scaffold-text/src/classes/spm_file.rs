//! Reading a SentencePiece file as the vocabulary of a tokenizer class.

use super::Beside;
use super::class::Layout;
use super::languages::{MBART, MBART50};
use crate::config::{Named, TokenizerConfig};
use crate::json::{File, Model, Pair, Vocabulary};
use crate::spm::{Algorithm, PieceKind, proto};
use crate::unusable::damaged;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scaffold_error::Error;
use std::collections::{HashMap, HashSet};
use std::path::Path;

type Scored = Vec<(String, f64)>;

/// Reads the file: with `merges` as a vocabulary of merges, else with scores.
pub(super) fn read(
    bytes: &[u8],
    path: &Path,
    layout: Layout,
    merges: bool,
    config: &TokenizerConfig,
) -> Result<(File, Beside), Error> {
    let model = proto::parse(bytes).map_err(|error| damaged(path, error))?;
    let pieces = model
        .pieces
        .iter()
        .filter_map(|piece| {
            let special = match piece.kind {
                PieceKind::Control => true,
                PieceKind::UserDefined => false,
                _ => return None,
            };
            Some(Named {
                normalized: Some(false),
                special: Some(special),
                ..Named::new(piece.text.as_str())
            })
        })
        .collect();
    let beside = Beside {
        charsmap: (!model.charsmap.is_empty()).then(|| STANDARD.encode(&model.charsmap)),
        unknown: usize::try_from(model.unk).ok(),
        pieces: Some(pieces),
    };
    if !merges && model.algorithm == Algorithm::Bpe {
        return Err(damaged(
            path,
            "it holds merges, but the tokenizer's class expects a unigram model".to_owned(),
        ));
    }
    let scored = laid_out(
        model.pieces.into_iter().map(|piece| (piece.text, f64::from(piece.score))).collect(),
        layout,
        config,
    );
    let model = if merges {
        merged(&scored, layout, config)
    } else {
        Model { vocab: Some(Vocabulary::Scored(scored)), ..Model::default() }
    };
    let file = File { model, ..File::default() };
    Ok((file, beside))
}

/// The vocabulary that the class makes of the file's pieces.
fn laid_out(pieces: Scored, layout: Layout, config: &TokenizerConfig) -> Scored {
    let role = |role: &str| (config.role(role).unwrap_or_default().to_owned(), 0.0);
    let named = |name: &str| (name.to_owned(), 0.0);
    let after = |count: usize, pieces: Scored| pieces.into_iter().skip(count);
    let first_four = |first: &str| vec![role(first), role("pad"), role("eos"), role("unk")];
    match layout {
        Layout::AsTheyStand | Layout::Nllb => pieces,
        Layout::Fairseq => {
            let mut out = first_four("bos");
            out.extend(after(3, pieces));
            out.push(role("mask"));
            out
        }
        Layout::Camembert => {
            let mut out = vec![
                named("<s>NOTUSED"),
                role("pad"),
                named("</s>NOTUSED"),
                role("unk"),
                ("<unk>NOTUSED".to_owned(), -100.0),
            ];
            out.extend(after(1, pieces));
            out.push(role("mask"));
            out
        }
        Layout::Mbart | Layout::Mbart50 => {
            let new = layout == Layout::Mbart50;
            let mut out = first_four(if new { "cls" } else { "bos" });
            out.extend(after(3, pieces));
            out.extend(MBART.map(named));
            if new {
                out.extend(MBART50.map(named));
            }
            out.push(role("mask"));
            out
        }
        Layout::ExtraIds => {
            let count = config.number("extra_ids").unwrap_or(100).min(10_000);
            let mut out = pieces;
            out.extend((0..count).rev().map(|n| (format!("<extra_id_{n}>"), 0.0)));
            out
        }
        Layout::Pegasus => {
            // The file's order of these two is not that of the class.
            let given = |name: &str, default: &str| {
                (config.string(name).unwrap_or(default).to_owned(), 0.0)
            };
            let (mask, sentence) =
                (given("mask_token", "<mask_1>"), given("mask_token_sent", "<mask_2>"));
            let mut out = vec![role("pad"), role("eos"), mask.clone()];
            out.extend((sentence.0 != mask.0).then_some(sentence));
            let offset = config.number("offset").unwrap_or(103).min(10_000);
            out.extend((2..offset).map(|n| (format!("<unk_{n}>"), -100.0)));
            out.extend(after(2, pieces));
            out
        }
    }
}

/// Every way to make a piece of two others is a merge, in the order of the pieces that are made.
fn merged(pieces: &[(String, f64)], layout: Layout, config: &TokenizerConfig) -> Model {
    let ids: HashMap<&str, u32> =
        pieces.iter().zip(0..).map(|((name, _), id)| (name.as_str(), id)).collect();
    let mut merges = Vec::new();
    let mut seen = HashSet::new();
    for (name, _) in pieces {
        if !seen.insert(name.as_str()) {
            continue;
        }
        let mut ways: Vec<(u32, u32, usize)> = name
            .char_indices()
            .skip(1)
            .filter_map(|(border, _)| {
                let (left, right) = name.split_at(border);
                Some((*ids.get(left)?, *ids.get(right)?, border))
            })
            .collect();
        ways.sort_unstable();
        merges.extend(ways.into_iter().map(|(_, _, border)| {
            let (left, right) = name.split_at(border);
            (ids[name.as_str()], left.chars().count(), right.chars().count(), left, right)
        }));
    }
    merges.sort_by_key(|&(id, left, right, _, _)| (id, left, right));
    let merges = merges
        .into_iter()
        .map(|(_, _, _, left, right)| Pair(left.to_owned(), right.to_owned()))
        .collect();
    let tokens = if layout == Layout::Nllb {
        fairseq_first(pieces, config)
    } else {
        let mut tokens: Vec<(String, u32)> =
            ids.into_iter().map(|(name, id)| (name.to_owned(), id)).collect();
        tokens.sort_unstable_by_key(|(_, id)| *id);
        tokens
    };
    Model { vocab: Some(Vocabulary::Tokens(tokens)), merges: Some(merges), ..Model::default() }
}

/// fairseq's first four tokens, then the others in order.
fn fairseq_first(pieces: &[(String, f64)], config: &TokenizerConfig) -> Vec<(String, u32)> {
    let mut seen = HashSet::new();
    ["bos", "pad", "eos", "unk"]
        .into_iter()
        .filter_map(|role| config.role(role))
        .chain(pieces.iter().map(|(name, _)| name.as_str()))
        .filter(|name| seen.insert(*name))
        .zip(0..)
        .map(|(name, id)| (name.to_owned(), id))
        .collect()
}
