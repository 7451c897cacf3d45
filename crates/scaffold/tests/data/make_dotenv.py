"""What python-dotenv reads out of `.env` files: prints `dotenv.json`. Run with python-dotenv 1.2.4.

Each case is a file and the environment's variables; the result is that of `load_dotenv`, where the environment goes before
the file.
"""

import json
import os
import tempfile

from dotenv.main import DotEnv

CASES = [
    ("A=b", {}), ("A=b\n", {}), ("  A = b  \n", {}), ("export A=b", {}), ("export\tA=b", {}), ("export  A=b", {}),
    ("exportA=b", {}), ("export", {}), ("export A", {}), ("A", {}), ("A=", {}), ("A= ", {}), ("A=\nB=c", {}),
    ("A = \nB=c", {}), ("A=b # c", {}), ("A=b#c", {}), ("A=#c", {}), ("A= # c", {}), ("A='b' # c", {}), ("A='b'#c", {}),
    ("A=\"b\" # c", {}), ("A='b", {}), ("A=\"b", {}), ("A='b\nB=c\n", {}), ("A='b' c\nB=d", {}), ("A='b'c'\nB=d", {}),
    ("A='a\nb'\nB=c", {}), ("A=\"a\nb\"\nB=c", {}), ("A=\"a\\nb\"", {}), ("A='a\\nb'", {}), ("A='a\\'b'", {}),
    ("A=\"a\\\"b\"", {}), ("A=\"a\\\\\"", {}), ("A='a\\\\'\nB=c", {}), (r'A="\t\a\b\f\r\v\$\q\'"', {}), ("A=a\\nb", {}),
    ("NOTE=\"several\nA=0.9\nlines\"\nB=c", {}), ("# A=b\nB=c", {}), ("  # A=b\nB=c", {}), ("A=b\r\nB=c\r\n", {}),
    ("A=b\rB=c", {}), ("\n\n\nA=b", {}), ("'A'=b", {}), ("'A B'=b", {}), ("\"A\"=b", {}), ("A B=c\nC=d", {}), ("=b\nA=c", {}),
    ("A==b", {}), ("A=b=c", {}), ("A='b'=c\nB=d", {}), ("A b=c", {}), ("A\t=\tb", {}), ("A=b c  d  ", {}), ("\ufeffA=b", {}),
    ("A=ü # é", {}), ("A.b-c=d", {}), ("A#b=c\nB=d", {}), ("A =b", {}), ("A: b\nB=c", {}), ("A='' \nB=\"\"", {}),
    ("A=b\nA=c", {}), ("A=b\nA", {}),
    ("A=b\nB=${A}/c", {}), ("A=b\nB=$A", {}), ("B=${A}", {}), ("B=${A}\nA=b", {}), ("B=${A:-d}", {}), ("B=${A:-}", {}),
    ("A=\nB=${A:-d}", {}), ("A\nB=${A:-d}", {}), ("B=${A}", {"A": "env"}), ("A=b\nB=${A}", {"A": "env"}),
    ("A=b\nB='${A}'", {}), ("A=b\nB=\"${A}\"", {}), ("A=b\nB=\\${A}", {}), ("A=b\nB=\"\\${A}\"", {}), ("B=${A", {}),
    ("B=$ {A}", {}), ("B=${A:x}", {"A": "env"}), ("B=${A:-${C}}", {}), ("A=b\nC=c\nB=${A}${C}-${A}", {}), ("A=${A}x", {}),
    ("A=a\nA=${A}x", {}), ("B=${}", {}), ("B=${A:-x y}#z", {}), ("B=${A:-x #y}", {}), ("B=a${A:-${A}", {}),
    ("A=${B}\nB=c", {"B": ""}), ("A='${B}'\\''x'", {}), ("A=\"b\"c\nB=d", {}), ("A=`b`", {}), ("A=$(b)", {}),
    ("A=a\x0bb #c", {}), ("A=a\u00a0#c", {}), ("A=a\u2028B=b", {}), ("A\u00a0=b", {}), ("A='b'\u00a0#c", {}),
]

out = []
for text, environment in CASES:
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, ".env")
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.environ.clear()
        os.environ.update(environment)
        values = DotEnv(path, encoding="utf-8", override=False).dict()
    out.append({"text": text, "environment": environment, "values": dict(values)})
print(json.dumps(out, indent=0, ensure_ascii=True))
