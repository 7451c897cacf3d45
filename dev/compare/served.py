"""The part "served" of compare.py: clients of the servers of Scaffold and llama.cpp, which stream answers from the same file.

So many clients ask at once, each for a completion of a prompt of its own by OpenAI's interface. Of each level: new tokens of all a
second, and how long the first one took, at the median and for the slowest hundredth (with fewer than a hundred requests: the
slowest). Standard library only.
"""

import asyncio
import contextlib
import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLIENTS, WORDS, NEW = (1, 4, 16, 64), (100, 2000), 64
# One that is free: nobody else's server is measured.
with socket.create_server(("127.0.0.1", 0)) as free:
    PORT = free.getsockname()[1]
NOUNS = "time people world house water light night school great river paper stone green music story train small point".split()


def prompts(words, count):
    """Texts of so many words that have no beginning in common."""
    chance = random.Random(words)
    return [f"{index} " + " ".join(chance.choice(NOUNS) for _ in range(words)) for index in range(count)]


async def ask(model, text):
    """Seconds to the first token, and the number of new tokens."""
    body = {"model": model, "prompt": text, "max_tokens": NEW, "temperature": 0, "stream": True, "ignore_eos": True,
            "cache_prompt": False, "stream_options": {"include_usage": True}}
    data = json.dumps(body).encode()
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT, limit=1 << 22)
    head = f"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n" \
        f"Content-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    first, tokens = None, 0
    while line := await reader.readline():
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if first is None and event.get("choices") and event["choices"][0].get("text"):
            first = time.perf_counter() - begun
        if event.get("usage"):
            tokens = event["usage"]["completion_tokens"]
    writer.close()
    if first is None or tokens != NEW:
        raise RuntimeError(f"an answer has {tokens} tokens in place of {NEW}")
    return first, tokens


async def level(model, clients, words):
    """So many clients, each with two requests one after the other; one where prompts are long."""
    each = 1 if words > 1000 and clients > 4 else 2
    texts = prompts(words, clients * each)

    async def client(own):
        return [await ask(model, text) for text in own]

    begun = time.perf_counter()
    answers = await asyncio.gather(*(client(texts[index::clients]) for index in range(clients)))
    seconds = time.perf_counter() - begun
    told = [answer for one in answers for answer in one]
    firsts = sorted(first for first, _ in told)
    return {f"tok_s_{clients}_{words}": sum(tokens for _, tokens in told) / seconds,
            f"first_s_{clients}_{words}": statistics.median(firsts),
            f"first_p99_s_{clients}_{words}": firsts[min(len(firsts) - 1, int(0.99 * len(firsts)))]}


@contextlib.contextmanager
def running(command):
    """A server that answers, until the block ends."""
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            for _ in range(600):
                if server.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(f"{command[0]} ended: {log.read()[-300:]!r}")
                with contextlib.suppress(OSError):
                    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
                    connection.request("GET", "/health")
                    if connection.getresponse().status == 200:
                        break
                time.sleep(0.1)
            yield
        finally:
            server.terminate()
            server.wait()


def commands(file, threads, args, clients, words):
    """The servers as they are started for a level; Scaffold is started in the same way for all."""
    yield "scaffold", ["env", f"SCAFFOLD_THREADS={threads}", args.scaffold, "serve", "--port", str(PORT), "--keep-prompts", "0", "--model", file]
    if args.llama:
        # A slot for each client, with room for prompt and answer: words have up to 1.4 tokens.
        context = clients * (words * 3 // 2 + NEW + 32)
        yield "llama.cpp", [str(Path(args.llama) / "llama-server"), "-m", file, "-t", str(threads), "-c", str(context), "-np",
                            str(clients), "-cb", "-fa", "on", "--host", "127.0.0.1", "--port", str(PORT)]


def served(label, file, threads, args, shown):
    """One record for each program: the median of every value."""
    samples, last = {}, {}
    for clients in CLIENTS:
        for words in WORDS:
            for index in range(args.rounds if words < 1000 else max(1, args.rounds // 2)):
                for name, command in commands(file, threads, args, clients, words):
                    with running(command):
                        # Warm: the file is read and the first pages are there.
                        asyncio.run(ask(file, "Once upon a time"))
                        values = asyncio.run(level(file, clients, words))
                    for key, value in values.items():
                        samples.setdefault(name, {}).setdefault(key, []).append(value)
                    last[name] = command
                    told = {key: round(value, 2) for key, value in values.items()}
                    print(f"  round {index + 1} {name}: {told}", file=sys.stderr)
    for name, values in samples.items():
        medians = {key: round(statistics.median(taken), 3) for key, taken in values.items()}
        yield {"part": "served", "model": label, "threads": threads, "program": name, "command": shown(last[name], file),
               "rounds": args.rounds, "values": medians}
