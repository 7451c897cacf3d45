"""Writes tiny tokenizers of every class that is read, and what `transformers` makes of them.

Run with the packages transformers (5.24), tokenizers (0.23.3), sentencepiece and protobuf:
    python classes.py
Writes ../data/classes.json.gz: `files` by name (text, or bytes in base64), `texts`, and `cases`. A case is a folder:
its files by their names, each the name of an entry of `files` or an object to be written as JSON, and what
`AutoTokenizer.from_pretrained` of that folder gives: ids of the texts, of pairs of texts with their types, or nothing
where it fails. All vocabularies are trained here, on the sentences below.
"""

import base64
import gzip
import io
import json
import os
import pathlib
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import sentencepiece
import tokenizers
import transformers
from tokenizers import models, pre_tokenizers, trainers

transformers.logging.set_verbosity_error()
HERE = pathlib.Path(__file__).parent

SENTENCES = """
All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience.
Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt.
Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison.
Все люди рождаются свободными и равными в своём достоинстве и правах.
Hello world, hello Berlin! The price is 1,234.50 and 9, or 10,000 for 3 of them.
人人生而自由，在尊严和权利上一律平等。
def f(x): return x + 1  # a comment, isn't it?
"""

TEXTS = [
    "Hello world", " Hello  world ", "hello Berlin", "", " ", "a", "don't", "1,234 and 10,000",
    "naïve café ÉTÉ", "e\u0301te\u0301", "人人生而自由", "日本 a人b", "tab\tnew\nline\n\n  two",
    "a <mask> b", "a [MASK] b", "<s>a</s>", "x</s> y", "[CLS] a [SEP]", "<pad><unk>", "a<unk>b",
    "``quoted'' \"text\"", "Вернулся домой", "🙂 smile", "ﬁne ½ ①", "word<extra>word <extra> end",
    "under_score and (brackets) [x]", "THE PRICE", "a\u00a0b\u3000c", "<extra_id_0> b <extra_id_99>",
    "▁a ▁▁b", "user defined <user> piece<user>s", "<|endoftext|>a <|endoftext|>", "hello\r\nworld",
    "  three   spaces", "zero\u200bwidth", "ΑΣ σίγμα", "İstanbul", "en_XX text __eng__", "free free free",
]
PAIRS = [("Hello world", "hello Berlin"), ("a", ""), ("free and equal", "<mask> in dignity")]

files = {}


def file(name, content):
    files[name] = content if isinstance(content, str) else {"base64": base64.b64encode(content).decode()}
    return name


def word_pieces(name, specials):
    words = sorted({w for w in tokenizers.normalizers.BertNormalizer(lowercase=True).normalize_str(SENTENCES).split() if w.isalpha() and len(w) < 6})
    cased = ["Hello", "Berlin", "Alle", "The", "café", "été", "Würde"]
    letters = sorted(set(SENTENCES.lower() + SENTENCES) - set(" \n")) + list("éïàüö[]<>_'\"`日本x")
    letters = list(dict.fromkeys(letters))
    lines = specials + letters + ["##" + c for c in letters] + words + cased + ["##ing", "##s", "##en"]
    return file(name, "\n".join(dict.fromkeys(lines)) + "\n")


def byte_pairs(name, specials, suffix=""):
    ends = {"end_of_word_suffix": suffix} if suffix else {}
    base = tokenizers.Tokenizer(models.BPE(**ends))
    base.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=specials, show_progress=False, **ends,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    base.train_from_iterator(SENTENCES.split("\n"), trainer)
    model = json.loads(base.to_str())["model"]
    merges = "#version: 0.2\n" + "".join(" ".join(m) + "\n" for m in model["merges"])
    return file(name + "-vocab", json.dumps(model["vocab"], ensure_ascii=False)), file(name + "-merges", merges)


def pieces(name, **options):
    out = io.BytesIO()
    defaults = dict(vocab_size=250, hard_vocab_limit=False, normalization_rule_name="identity", character_coverage=1.0,
        minloglevel=2, num_threads=1)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(SENTENCES.strip().split("\n") * 3), model_writer=out, **{**defaults, **options})
    return file(name, out.getvalue())


def rules():
    """A small table of replacements: SentencePiece's own have a hundred thousand entries."""
    pairs = [("ﬁ", "fi"), ("½", "1/2"), ("①", "1"), ("\u00a0", " "), ("\u3000", " "), ("\t", " "), ("\n", " "), ("\r", " "), ("\u200b", ""),
        ("e\u0301", "é"), ("Σ", "σ")]
    hexes = lambda s: " ".join(f"{ord(c):X}" for c in s)
    path = pathlib.Path(tempfile.mkdtemp()) / "rules.tsv"
    path.write_text("".join(f"{hexes(a)}\t{hexes(b)}\n" for a, b in pairs))
    return str(path)


cases = []


def run(folder):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    pairs = []
    for a, b in PAIRS:
        # In a list, since an empty second text by itself counts as none.
        out = tokenizer([a], [b], return_token_type_ids=True)
        pairs.append([out["input_ids"][0], out["token_type_ids"][0]])
    # What an empty text gives as floats, in lists of no ids, is made a list of integers again.
    return tokenizer, {"class": type(tokenizer).__name__, "ids": [[int(i) for i in x] for x in ids],
        "pairs": [[[int(i) for i in x] for x in pair] for pair in pairs]}


def case(name, contents):
    folder = tempfile.mkdtemp()
    for target, content in contents.items():
        path = pathlib.Path(folder) / target
        if isinstance(content, str):
            stored = files[content]
            path.write_bytes(base64.b64decode(stored["base64"]) if isinstance(stored, dict) else stored.encode())
        else:
            path.write_text(json.dumps(content, ensure_ascii=False))
    try:
        tokenizer, expected = run(folder)
    except Exception as error:
        print("fails:", name, type(error).__name__, str(error)[:150].replace("\n", " "))
        tokenizer, expected = None, {"error": type(error).__name__}
    shutil.rmtree(folder)
    cases.append({"name": name, "files": contents, **expected})
    return tokenizer


def family(name, slow, config, variants=()):
    """A class with and without each of its files, and with further settings."""
    only_slow = case(f"{name}: original files", {**slow, **config})
    if only_slow is not None:
        fast = file(f"{name}-json", only_slow._tokenizer.to_str())
        case(f"{name}: tokenizer.json", {"tokenizer.json": fast, **config})
        case(f"{name}: both", {"tokenizer.json": fast, **slow, **config})
    for number, settings in enumerate(variants):
        changed = {**config}
        for target, content in settings.items():
            changed[target] = {**config.get(target, {}), **content}
        case(f"{name}: variant {number}, original files", {**slow, **changed})
        if only_slow is not None:
            case(f"{name}: variant {number}, tokenizer.json", {"tokenizer.json": fast, **changed})


def model(kind):
    return {"config.json": {"model_type": kind}}


def cls(name, **settings):
    return {"tokenizer_config.json": {"tokenizer_class": name, **settings}}


def settings(**values):
    return {"tokenizer_config.json": values}


ADDED = {"added_tokens_decoder": {
    "7000": {"content": "<extra>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False, "special": True},
    "7001": {"content": "free", "lstrip": False, "rstrip": False, "normalized": True, "single_word": True, "special": False},
}}
MAP = {"special_tokens_map.json": {"mask_token": {"content": "<extra>", "lstrip": True, "rstrip": True, "normalized": False, "single_word": False}}}
COMMON = [settings(**ADDED), MAP, settings(extra_special_tokens=["<extra>"]), settings(additional_special_tokens=["<extra>"]),
    settings(add_bos_token=True, add_eos_token=True), settings(image_token="<extra>"), {"added_tokens.json": {"<extra>": 7000, "free": 7001}}]


def main():
    bert = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = word_pieces("bert-words", bert + ["[QUESTION]", "."])
    case_settings = [settings(do_lower_case=False), settings(do_lower_case=False, strip_accents=True), settings(strip_accents=False),
        settings(tokenize_chinese_chars=False)]
    family("BertTokenizer", {"vocab.txt": words}, model("bert"), case_settings + COMMON)
    for name in ["ElectraTokenizer", "LayoutLMTokenizer", "LxmertTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer", "DistilBertTokenizer",
            "ConvBertTokenizer", "DPRContextEncoderTokenizer", "DPRQuestionEncoderTokenizer", "DPRReaderTokenizer", "BertTokenizerFast"]:
        family(name, {"vocab.txt": words}, cls(name), [settings(do_lower_case=False)])
    family("SplinterTokenizer", {"vocab.txt": words}, cls("SplinterTokenizer"), case_settings)
    lower = word_pieces("mpnet-words", ["<s>", "<pad>", "</s>", "[UNK]", "<mask>", "<unk>", "<sep>", "<cls>"])
    family("MPNetTokenizer", {"vocab.txt": lower}, model("mpnet"), case_settings)
    family("FunnelTokenizer", {"vocab.txt": lower}, model("funnel"), case_settings)

    vocab, merges = byte_pairs("roberta", ["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    pairs = {"vocab.json": vocab, "merges.txt": merges}
    prefix = [settings(add_prefix_space=True), settings(add_prefix_space=False)]
    family("RobertaTokenizer", pairs, model("roberta"), prefix + [settings(trim_offsets=False)] + COMMON)
    for name in ["BartTokenizer", "LEDTokenizer", "LongformerTokenizer", "MvpTokenizer"]:
        family(name, pairs, cls(name), prefix[:1])
    family("BlenderbotTokenizer", pairs, cls("BlenderbotTokenizer"), prefix)
    vocab, merges = byte_pairs("gpt2", ["<|endoftext|>"])
    pairs = {"vocab.json": vocab, "merges.txt": merges}
    family("GPT2Tokenizer", pairs, model("gpt2"), prefix + COMMON)
    family("CodeGenTokenizer", pairs, cls("CodeGenTokenizer"), prefix)
    family("GPTNeoXTokenizer", pairs, model("gpt_neox"), prefix + COMMON)
    family("Qwen2Tokenizer", pairs, model("qwen2"), prefix + COMMON)
    family("CohereTokenizer", pairs, cls("CohereTokenizer"), prefix + COMMON[:1])
    for config in [model("qwen3_5"), *({**model("qwen3_5"), **p} for p in prefix)]:
        case(f"Qwen3_5Tokenizer: tokenizer.json, {config}", {"tokenizer.json": "Qwen2Tokenizer-json", **config})
    vocab, merges = byte_pairs("deberta", ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"])
    family("DebertaTokenizer", {"vocab.json": vocab, "merges.txt": merges}, model("deberta"), prefix)
    vocab, merges = byte_pairs("clip", ["<|startoftext|>", "<|endoftext|>", "<unk>"], suffix="</w>")
    family("CLIPTokenizer", {"vocab.json": vocab, "merges.txt": merges}, model("clip"))
    family("OpenAIGPTTokenizer", {"vocab.json": vocab, "merges.txt": merges}, cls("OpenAIGPTTokenizer"))
    family("HerbertTokenizer", {"vocab.json": vocab, "merges.txt": merges}, cls("HerbertTokenizer"))

    table = rules()
    mapped = dict(normalization_rule_name="", normalization_rule_tsv=table)
    uni = pieces("unigram", **mapped, user_defined_symbols=["<user>"])
    flat = pieces("unigram-identity")
    spiece = {"spiece.model": uni}
    fair = {"sentencepiece.bpe.model": uni}
    family("XLMRobertaTokenizer", fair, model("xlm-roberta"), prefix[1:] + COMMON)
    family("XLMRobertaTokenizer, no table", {"sentencepiece.bpe.model": flat}, cls("XLMRobertaTokenizer"))
    family("CamembertTokenizer", fair, model("camembert"), prefix[1:] + COMMON)
    family("BarthezTokenizer", fair, cls("BarthezTokenizer"), prefix[1:])
    family("MBartTokenizer", fair, cls("MBartTokenizer"), [settings(src_lang="de_DE")])
    family("MBart50Tokenizer", fair, cls("MBart50Tokenizer"), [settings(src_lang="de_DE")])
    family("T5Tokenizer", spiece, model("t5"), [settings(extra_ids=3)] + COMMON)
    family("T5Tokenizer, no table", {"spiece.model": flat}, model("mt5"))
    family("XLNetTokenizer", spiece, model("xlnet"), [settings(do_lower_case=True)] + COMMON)
    albert = pieces("albert", **mapped, pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]", "[MASK]"], user_defined_symbols=["(", ")"])
    family("AlbertTokenizer", {"spiece.model": albert}, model("albert"), [settings(do_lower_case=False, keep_accents=True)] + prefix[1:])
    family("DebertaV2Tokenizer", {"spm.model": pieces("deberta2", pad_id=0, unk_id=3, bos_id=1, eos_id=2, bos_piece="[CLS]", eos_piece="[SEP]", pad_piece="[PAD]", unk_piece="[UNK]", user_defined_symbols=["[MASK]"])},
        cls("DebertaV2Tokenizer"), [settings(do_lower_case=True), settings(split_by_punct=True)] + prefix[1:])
    bird = pieces("bigbird", pad_id=0, eos_id=1, bos_id=2, unk_id=100, control_symbols=["[SEP]", "[MASK]", "[CLS]"])
    family("BigBirdTokenizer", {"spiece.model": bird}, model("big_bird"), prefix[1:])
    pegasus = pieces("pegasus", **mapped, pad_id=0, eos_id=1, bos_id=-1, unk_id=2)
    family("PegasusTokenizer", {"spiece.model": pegasus}, cls("PegasusTokenizer"))
    rembert = pieces("rembert", **mapped, pad_id=0, unk_id=2, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]", "[MASK]"])
    family("RemBertTokenizer", {"sentencepiece.model": rembert}, cls("RemBertTokenizer"), [settings(do_lower_case=True, keep_accents=False)])
    merge = dict(model_type="bpe", byte_fallback=True, vocab_size=550)
    bpe = pieces("bpe", **merge)
    family("LlamaTokenizer", {"tokenizer.model": bpe}, cls("LlamaTokenizer"),
        [settings(legacy=True), settings(legacy=False, add_bos_token=True), settings(add_prefix_space=False)] + COMMON)
    family("CodeLlamaTokenizer", {"tokenizer.model": bpe}, cls("CodeLlamaTokenizer"), [settings(add_bos_token=False)])
    gemma = pieces("gemma", **merge, pad_id=0, eos_id=1, bos_id=2, unk_id=3, bos_piece="<bos>", eos_piece="<eos>", user_defined_symbols=["<mask>", "<user>"])
    family("GemmaTokenizer", {"tokenizer.model": gemma}, model("gemma"), [settings(add_bos_token=True)] + COMMON[:3])
    family("TokenizersBackend, merges", {"tokenizer.model": bpe}, model("mistral"),
        [settings(legacy=False), settings(add_bos_token=True, add_eos_token=True)] + COMMON[:4])
    family("TokenizersBackend, unigram", {"tokenizer.model": uni}, cls("PreTrainedTokenizerFast"))
    plain = pieces("bpe-plain", model_type="bpe", vocab_size=300, **mapped)
    family("ReformerTokenizer", {"spiece.model": plain}, cls("ReformerTokenizer"))
    family("NllbTokenizer", {"sentencepiece.bpe.model": plain}, cls("NllbTokenizer"), [settings(src_lang="deu_Latn"), settings(legacy_behaviour=True)])

    case("T5Tokenizer: tokenizer.model before spiece.model", {"tokenizer.model": uni, "spiece.model": flat, **model("t5")})

    # Classes that read `tokenizer.json` only, and files that do not agree with their class.
    xglm = json.loads(files["XLMRobertaTokenizer-json"])
    case("XGLMTokenizer: tokenizer.json", {"tokenizer.json": file("xglm-json", json.dumps(xglm)), **cls("XGLMTokenizer")})
    for lowercase in [True, False]:
        other = json.loads(files["BertTokenizer-json"])
        other["normalizer"]["lowercase"] = lowercase
        fast = file(f"bert-json-lowercase-{lowercase}", json.dumps(other, ensure_ascii=False))
        for configuration in [model("bert"), cls("BertTokenizer", do_lower_case=False), cls("PreTrainedTokenizerFast", do_lower_case=not lowercase), {}]:
            case(f"lowercase {lowercase} in tokenizer.json, {configuration}", {"tokenizer.json": fast, **configuration})
    case("a byte-level file under Llama's class", {"tokenizer.json": "GPT2Tokenizer-json", **cls("LlamaTokenizerFast")})
    case("Llama's class in a mislabelled model", {"tokenizer.json": "GPT2Tokenizer-json", **cls("LlamaTokenizerFast"), **model("qwen2")})
    case("another class than the model's", {"tokenizer.json": "GPT2Tokenizer-json", **cls("GPT2Tokenizer"), **model("roberta")})
    case("Llama's class in a model of Mistral's", {"tokenizer.json": "LlamaTokenizer-json", **cls("LlamaTokenizer"), **model("mistral")})
    case("a class of its own", {"tokenizer.json": "GPT2Tokenizer-json", **cls("NonesuchTokenizer")})

    out = {"files": files, "texts": TEXTS, "pairs": PAIRS, "cases": cases}
    data = json.dumps(out, ensure_ascii=False).encode()
    (HERE / "../data/classes.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    print(len(cases), "cases,", sum("error" in c for c in cases), "fail")


main()
