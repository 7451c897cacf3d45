//! What `transformers` 5.24 makes of a model's files, a row for each tokenizer class.

use super::class::{Files, Layout, Make, Row};
use super::{byte_pairs, pieces, word_pieces};

const NO_FILES: &str = "its class reads `tokenizer.json` only";

const fn row(
    names: &'static [&'static str],
    files: Files,
    roles: &'static [(&'static str, &'static str)],
    pipeline: Make,
) -> Row {
    Row { names, files, roles, mask_strips: false, merges: false, keeps_file: false, pipeline }
}

const fn mask_strips(row: Row) -> Row {
    Row { mask_strips: true, ..row }
}

const fn merges(row: Row) -> Row {
    Row { merges: true, ..row }
}

const BERT: &[(&str, &str)] = &[
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

/// fairseq's names.
const ROBERTA: &[(&str, &str)] = &[
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "<unk>"),
    ("sep_token", "</s>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<s>"),
    ("mask_token", "<mask>"),
];

const GPT2: &[(&str, &str)] = &[
    ("bos_token", "<|endoftext|>"),
    ("eos_token", "<|endoftext|>"),
    ("unk_token", "<|endoftext|>"),
];

const QWEN: &[(&str, &str)] = &[
    ("eos_token", "<|endoftext|>"),
    ("unk_token", "<|endoftext|>"),
    ("pad_token", "<|endoftext|>"),
];

const ALBERT: &[(&str, &str)] = &[
    ("bos_token", "[CLS]"),
    ("eos_token", "[SEP]"),
    ("unk_token", "<unk>"),
    ("sep_token", "[SEP]"),
    ("pad_token", "<pad>"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

const LLAMA: &[(&str, &str)] =
    &[("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")];

const SPIECE: &[&str] = &["spiece.model"];
const FAIRSEQ: &[&str] = &["sentencepiece.bpe.model"];

use Files::{Pairs, Pieces, Unread, Words};
use Layout::{AsTheyStand, Camembert, ExtraIds, Fairseq, Mbart, Mbart50, Nllb, Pegasus};

/// The table. What is not in it is read as its `tokenizer.json` says.
pub(super) const TABLE: &[Row] = &[
    // Word pieces
    row(
        &[
            "BertTokenizer",
            "ElectraTokenizer",
            "LayoutLMTokenizer",
            "LxmertTokenizer",
            "MobileBertTokenizer",
            "SqueezeBertTokenizer",
            "DistilBertTokenizer",
        ],
        Words,
        BERT,
        word_pieces::bert,
    ),
    Row { keeps_file: true, ..row(&["ConvBertTokenizer"], Words, BERT, word_pieces::bert) },
    row(
        &["DPRContextEncoderTokenizer", "DPRQuestionEncoderTokenizer", "DPRReaderTokenizer"],
        Words,
        BERT,
        word_pieces::dpr,
    ),
    row(
        &["FunnelTokenizer"],
        Words,
        &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "<sep>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<cls>"),
            ("mask_token", "<mask>"),
        ],
        word_pieces::funnel,
    ),
    mask_strips(row(
        &["MPNetTokenizer"],
        Words,
        &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "[UNK]"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
            ("mask_token", "<mask>"),
        ],
        word_pieces::mpnet,
    )),
    row(
        &["SplinterTokenizer"],
        Words,
        &[
            ("unk_token", "[UNK]"),
            ("sep_token", "[SEP]"),
            ("pad_token", "[PAD]"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
            ("question_token", "[QUESTION]"),
        ],
        word_pieces::splinter,
    ),
    // Byte pairs
    row(
        &[
            "RobertaTokenizer",
            "BartTokenizer",
            "LEDTokenizer",
            "LongformerTokenizer",
            "MvpTokenizer",
        ],
        Pairs,
        ROBERTA,
        byte_pairs::roberta,
    ),
    row(&["GPT2Tokenizer"], Pairs, GPT2, byte_pairs::gpt2),
    row(&["CodeGenTokenizer"], Pairs, GPT2, byte_pairs::codegen),
    mask_strips(row(&["BlenderbotTokenizer"], Pairs, ROBERTA, byte_pairs::blenderbot)),
    row(
        &["DebertaTokenizer"],
        Pairs,
        &[
            ("bos_token", "[CLS]"),
            ("eos_token", "[SEP]"),
            ("unk_token", "[UNK]"),
            ("sep_token", "[SEP]"),
            ("pad_token", "[PAD]"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ],
        byte_pairs::deberta,
    ),
    row(
        &["GPTNeoXTokenizer"],
        Pairs,
        &[
            ("bos_token", "<|endoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|padding|>"),
        ],
        byte_pairs::gpt_neox,
    ),
    row(
        &["CohereTokenizer"],
        Pairs,
        &[
            ("bos_token", "<BOS_TOKEN>"),
            ("eos_token", "<|END_OF_TURN_TOKEN|>"),
            ("unk_token", "<UNK>"),
            ("sep_token", "<SEP>"),
            ("pad_token", "<PAD>"),
            ("cls_token", "<CLS>"),
            ("mask_token", "<MASK_TOKEN>"),
        ],
        byte_pairs::cohere,
    ),
    row(&["Qwen2Tokenizer"], Pairs, QWEN, byte_pairs::qwen2),
    row(&["Qwen3_5Tokenizer"], Unread(NO_FILES), QWEN, byte_pairs::qwen35),
    row(
        &["CLIPTokenizer"],
        Pairs,
        &[
            ("bos_token", "<|startoftext|>"),
            ("eos_token", "<|endoftext|>"),
            ("unk_token", "<|endoftext|>"),
            ("pad_token", "<|endoftext|>"),
        ],
        byte_pairs::clip,
    ),
    row(&["OpenAIGPTTokenizer"], Pairs, &[("unk_token", "<unk>")], byte_pairs::openai_gpt),
    row(
        &["HerbertTokenizer"],
        Pairs,
        &[
            ("unk_token", "<unk>"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
            ("mask_token", "<mask>"),
        ],
        byte_pairs::herbert,
    ),
    // SentencePiece, unigram
    row(&["XLMRobertaTokenizer"], Pieces(FAIRSEQ, Fairseq), ROBERTA, pieces::xlm_roberta),
    mask_strips(row(
        &["CamembertTokenizer"],
        Pieces(FAIRSEQ, Camembert),
        ROBERTA,
        pieces::camembert,
    )),
    mask_strips(row(&["BarthezTokenizer"], Pieces(FAIRSEQ, AsTheyStand), ROBERTA, pieces::barthez)),
    row(
        &["T5Tokenizer"],
        Pieces(SPIECE, ExtraIds),
        &[("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")],
        pieces::t5,
    ),
    mask_strips(row(
        &["XLNetTokenizer"],
        Pieces(SPIECE, AsTheyStand),
        &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "<sep>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<cls>"),
            ("mask_token", "<mask>"),
        ],
        pieces::xlnet,
    )),
    row(&["AlbertTokenizer"], Pieces(SPIECE, AsTheyStand), ALBERT, pieces::albert),
    mask_strips(row(
        &["BigBirdTokenizer"],
        Pieces(SPIECE, AsTheyStand),
        &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "[SEP]"),
            ("pad_token", "<pad>"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ],
        pieces::big_bird,
    )),
    mask_strips(row(&["MBartTokenizer"], Pieces(FAIRSEQ, Mbart), ROBERTA, pieces::mbart)),
    mask_strips(row(
        &["MBart50Tokenizer"],
        Pieces(FAIRSEQ, Mbart50),
        &[
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
            ("mask_token", "<mask>"),
        ],
        pieces::mbart50,
    )),
    merges(mask_strips(row(&["NllbTokenizer"], Pieces(FAIRSEQ, Nllb), ROBERTA, pieces::nllb))),
    row(
        &["PegasusTokenizer"],
        Pieces(SPIECE, Pegasus),
        &[
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask_2>"),
        ],
        pieces::pegasus,
    ),
    row(
        &["RemBertTokenizer"],
        Pieces(&["sentencepiece.model"], AsTheyStand),
        ALBERT,
        pieces::rembert,
    ),
    row(
        &["DebertaV2Tokenizer"],
        Pieces(&["spm.model"], AsTheyStand),
        &[
            ("bos_token", "[CLS]"),
            ("eos_token", "[SEP]"),
            ("unk_token", "[UNK]"),
            ("sep_token", "[SEP]"),
            ("pad_token", "[PAD]"),
            ("cls_token", "[CLS]"),
            ("mask_token", "[MASK]"),
        ],
        pieces::deberta_v2,
    ),
    row(
        &["XGLMTokenizer"],
        Unread(NO_FILES),
        &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("sep_token", "</s>"),
            ("pad_token", "<pad>"),
            ("cls_token", "<s>"),
        ],
        pieces::xglm,
    ),
    // SentencePiece, merges
    merges(row(
        &["ReformerTokenizer"],
        Pieces(SPIECE, AsTheyStand),
        &[("eos_token", "</s>"), ("unk_token", "<unk>")],
        pieces::reformer,
    )),
    merges(row(
        &["GemmaTokenizer"],
        Pieces(&["tokenizer.model"], AsTheyStand),
        &[
            ("bos_token", "<bos>"),
            ("eos_token", "<eos>"),
            ("unk_token", "<unk>"),
            ("pad_token", "<pad>"),
            ("mask_token", "<mask>"),
        ],
        pieces::gemma,
    )),
    merges(row(
        &["LlamaTokenizer"],
        Pieces(&["tokenizer.model"], AsTheyStand),
        LLAMA,
        pieces::llama,
    )),
    merges(row(
        &["CodeLlamaTokenizer"],
        Pieces(&["tokenizer.model"], AsTheyStand),
        &[
            ("bos_token", "<s>"),
            ("eos_token", "</s>"),
            ("unk_token", "<unk>"),
            ("prefix_token", "▁<PRE>"),
            ("middle_token", "▁<MID>"),
            ("suffix_token", "▁<SUF>"),
            ("eot_token", "▁<EOT>"),
            ("fill_token", "<FILL_ME>"),
        ],
        pieces::code_llama,
    )),
];

const IN_PYTHON: &str = "its rules are a program in `transformers`";
const SENTENCE_PIECE: &str = "its rules stand outside the SentencePiece file, in a program";
const WITH_BOXES: &str = "it reads words with their places on a page, not plain text";

/// Classes whose original files are not read.
pub(super) const UNREAD: &[(&str, &str)] = &[
    ("BartphoTokenizer", SENTENCE_PIECE),
    ("BertGenerationTokenizer", SENTENCE_PIECE),
    ("BertJapaneseTokenizer", "it needs a Japanese morphological analyser"),
    ("BertweetTokenizer", IN_PYTHON),
    ("BioGptTokenizer", IN_PYTHON),
    ("BlenderbotSmallTokenizer", IN_PYTHON),
    ("ByT5Tokenizer", IN_PYTHON),
    ("CanineTokenizer", IN_PYTHON),
    ("ClvpTokenizer", IN_PYTHON),
    ("CpmAntTokenizer", IN_PYTHON),
    ("CpmTokenizer", "it needs a Chinese word segmenter"),
    ("CTRLTokenizer", IN_PYTHON),
    ("DiaTokenizer", IN_PYTHON),
    ("EsmTokenizer", IN_PYTHON),
    ("EsmcTokenizer", NO_FILES),
    ("FastSpeech2ConformerTokenizer", IN_PYTHON),
    ("FlaubertTokenizer", IN_PYTHON),
    ("FNetTokenizer", SENTENCE_PIECE),
    ("FSMTTokenizer", IN_PYTHON),
    ("GPTNeoXJapaneseTokenizer", IN_PYTHON),
    ("GPTSw3Tokenizer", SENTENCE_PIECE),
    ("LasrTokenizer", SENTENCE_PIECE),
    ("LayoutLMv2Tokenizer", WITH_BOXES),
    ("LayoutLMv3Tokenizer", WITH_BOXES),
    ("LayoutXLMTokenizer", WITH_BOXES),
    ("LukeTokenizer", "it reads entities beside the text"),
    ("M2M100Tokenizer", IN_PYTHON),
    ("MarianTokenizer", IN_PYTHON),
    ("MarkupLMTokenizer", "it reads the tags of web pages beside the text"),
    ("MgpstrTokenizer", IN_PYTHON),
    ("MLukeTokenizer", "it reads entities beside the text"),
    ("MyT5Tokenizer", IN_PYTHON),
    ("NougatTokenizer", NO_FILES),
    ("PerceiverTokenizer", IN_PYTHON),
    ("PhobertTokenizer", IN_PYTHON),
    ("PLBartTokenizer", SENTENCE_PIECE),
    ("Pop2PianoTokenizer", IN_PYTHON),
    ("ProphetNetTokenizer", IN_PYTHON),
    ("RagTokenizer", "it stands for two tokenizers"),
    ("RoCBertTokenizer", IN_PYTHON),
    ("RoFormerTokenizer", "it needs a Chinese word segmenter"),
    ("SeamlessM4TTokenizer", SENTENCE_PIECE),
    ("Siglip2Tokenizer", NO_FILES),
    ("SiglipTokenizer", SENTENCE_PIECE),
    ("Speech2TextTokenizer", IN_PYTHON),
    ("SpeechT5Tokenizer", SENTENCE_PIECE),
    ("TapasTokenizer", "it reads tables beside the text"),
    ("Tipsv2Tokenizer", SENTENCE_PIECE),
    ("UdopTokenizer", WITH_BOXES),
    ("VideoPrismTokenizer", SENTENCE_PIECE),
    ("VitsTokenizer", IN_PYTHON),
    ("Wav2Vec2CTCTokenizer", IN_PYTHON),
    ("Wav2Vec2PhonemeCTCTokenizer", IN_PYTHON),
    ("WhisperTokenizer", "its frame depends on the language and the task"),
    ("XLMTokenizer", IN_PYTHON),
];
