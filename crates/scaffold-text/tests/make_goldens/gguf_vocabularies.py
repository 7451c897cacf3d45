"""Writes vocabularies as GGUF files hold them, and what the libraries that they were made for give.

Run with the packages tokenizers (0.23.3), sentencepiece and protobuf, after classes.py:
    python gguf_vocabularies.py
Writes ../data/gguf.json.gz: for each vocabulary the values of its `tokenizer.ggml.*` keys, texts and their ids without
control tokens around them. Word pieces and byte pairs come from `tokenizers`, SentencePiece's from `sentencepiece`,
with the vocabulary from which the GGUF's is made the way llama.cpp's converter makes it.
"""

import base64
import gzip
import json
import pathlib
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).parent
CLASSES = json.loads(gzip.decompress((HERE / "../data/classes.json.gz").read_bytes()))
TEXTS = [t for t in CLASSES["texts"] if not any(s in t for s in ["<s>", "</s>", "[CLS]", "<pad>", "<unk>", "[MASK]", "<mask>", "<|"])]
BRACKETS = ["hello [1] world", "see [hello]", "[", "]", "[]", "a[b]c", "[[x]]", "x[", "[unused1] x", "##[ #"]
USER = ["<user>", "a<user>b", "<user>a", "a <user> b", "<user><user> a", " <user>", "hello<user> hello", "a  b", "a   b", "   a"]


def word_pieces(lowercase, strip_accents):
    tokens = CLASSES["files"]["bert-words"].split("\n")[:-1] + ["[unused1]", "##[x]"]
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True if lowercase is None else lowercase, strip_accents=strip_accents)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def phantom(token):
        if token.startswith("[") and token.endswith("]"):
            return token
        return token[2:] if token.startswith("##") else "\u2581" + token

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    keys = {"model": "bert", "tokens": [phantom(t) for t in tokens], "token_type": [3 if t in special else 1 for t in tokens],
        "unknown_token_id": 1, "cls_token_id": 2, "seperator_token_id": 3}
    for name, value in [("lowercase", lowercase), ("strip_accents", strip_accents)]:
        if value is not None:
            keys["normalizer." + name] = value
    return keys, tokenizer, TEXTS + BRACKETS


def byte_pairs():
    vocab = json.loads(CLASSES["files"]["gpt2-vocab"])
    merges = [line for line in CLASSES["files"]["gpt2-merges"].split("\n")[1:] if line]
    merged = ["".join(merge.split(" ")) for merge in merges]
    user = [t for t in merged if t.isalpha() and t.isascii()][-3:] + [t for t in merged if t.startswith("Ġ")][-1:]
    tokenizer = Tokenizer(models.BPE(vocab, [tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in user[:3]])
    tokens = sorted(vocab, key=vocab.get)
    keys = {"model": "gpt2", "pre": "gpt-2", "tokens": tokens, "merges": merges,
        "token_type": [3 if t.startswith("<|") else 4 if t in user[:3] else 1 for t in tokens]}
    return keys, tokenizer, TEXTS + [f"a{t}b {t}{t}" for t in user]


def pieces(name, kind):
    data = base64.b64decode(CLASSES["files"][name]["base64"])
    path = tempfile.mktemp()
    pathlib.Path(path).write_bytes(data)
    model = proto.ModelProto()
    model.ParseFromString(data)
    normalizer = model.normalizer_spec
    keys = {"model": kind, "tokens": [p.piece.replace("\u2581", " ") if p.type == 4 else p.piece for p in model.pieces],
        "scores": [p.score for p in model.pieces], "token_type": [p.type for p in model.pieces],
        "add_space_prefix": normalizer.add_dummy_prefix, "remove_extra_whitespaces": normalizer.remove_extra_whitespaces,
        "add_bos_token": False, "add_eos_token": False, "unknown_token_id": model.trainer_spec.unk_id}
    if normalizer.precompiled_charsmap:
        keys["precompiled_charsmap"] = list(normalizer.precompiled_charsmap)
    return keys, sentencepiece.SentencePieceProcessor(model_file=path), TEXTS + USER


def spaced():
    """A model of merges with user-defined runs of spaces, which its GGUF spells as they look."""
    out = tempfile.mktemp()
    sentences = [line for line in (HERE / "classes.py").read_text().split('SENTENCES = """')[1].split('"""')[0].strip().split("\n")] * 3
    with open(out + ".model", "wb") as writer:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(sentences), model_writer=writer, model_type="bpe", vocab_size=550,
            byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, hard_vocab_limit=False, minloglevel=2,
            num_threads=1, character_coverage=1.0, user_defined_symbols=["<user>", "\u2581\u2581", "\u2581\u2581\u2581"])
    CLASSES["files"]["spaced"] = {"base64": base64.b64encode(pathlib.Path(out + ".model").read_bytes()).decode()}
    return pieces("spaced", "llama")


def main():
    out = []
    made = {"word pieces": word_pieces(None, None), "cased word pieces": word_pieces(False, False), "word pieces with accents": word_pieces(True, False),
        "cased word pieces without accents": word_pieces(False, True), "byte pairs": byte_pairs(), "merges": pieces("gemma", "llama"),
        "merges and runs of spaces": spaced(), "unigram": pieces("unigram", "t5")}
    for name, (keys, library, texts) in made.items():
        encode = (lambda t: library.encode(t)) if name in ["merges", "merges and runs of spaces", "unigram"] else (lambda t: library.encode(t).ids)
        out.append({"name": name, "keys": keys, "texts": texts, "ids": [list(map(int, encode(t))) for t in texts]})
    path = HERE / "../data/gguf.json.gz"
    path.write_bytes(gzip.compress(json.dumps(out, ensure_ascii=False).encode(), 9, mtime=0))
    print(path.stat().st_size, [len(case["texts"]) for case in out])


main()
