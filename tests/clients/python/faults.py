"""Clients that behave badly, many at once, for a while. Arguments: address, process of the server, model, seconds.

Most hang up at a random moment, some read a byte a second, some send half a request and wait; a few ask properly, and their answers must
stay what they were. Afterwards the server must be where it was: no sequences, no blocks in use but those that are kept for reuse, and no
more memory than after the first third of the time."""

import asyncio
import json
import random
import re
import sys
import time
import urllib.request

from checks import check

CLIENTS = 200
WORDS = "river stone light garden window paper cloud bridge music winter letter market harbour forest mirror engine".split()


def body(model, words, tokens, stream=True):
    text = " ".join(random.choice(WORDS) for _ in range(words))
    messages = [{"role": "user", "content": text}]
    return {"model": model, "messages": messages, "stream": stream, "max_tokens": tokens, "temperature": 0}


def request(what, host):
    data = json.dumps(what).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


class Crowd:
    def __init__(self, address, model, ends):
        self.host = address.removeprefix("http://")
        self.model, self.ends = model, ends
        self.counts = dict.fromkeys(("hung up", "slow", "half", "proper", "refused"), 0)
        self.expected = None

    async def open(self):
        host, port = self.host.split(":")
        return await asyncio.open_connection(host, int(port))

    async def hang_up(self):
        reader, writer = await self.open()
        writer.write(request(body(self.model, random.randint(1, 400), 64), self.host))
        await writer.drain()
        try:
            await asyncio.wait_for(reader.read(random.randint(1, 4000)), random.random() * 2)
        except asyncio.TimeoutError:
            pass
        # Half of them without a word: the system tells the server.
        if random.random() < 0.5:
            writer.transport.abort()
        else:
            writer.close()
        self.counts["hung up"] += 1

    async def read_slowly(self):
        reader, writer = await self.open()
        writer.write(request(body(self.model, 5, 200), self.host))
        for _ in range(random.randint(1, 8)):
            await asyncio.sleep(1)
            await reader.read(1)
        writer.transport.abort()
        self.counts["slow"] += 1

    async def half(self):
        _, writer = await self.open()
        whole = request(body(self.model, 50, 8), self.host)
        writer.write(whole[: random.randint(1, len(whole) - 1)])
        await writer.drain()
        await asyncio.sleep(random.random() * 8)
        writer.transport.abort()
        self.counts["half"] += 1

    async def proper(self):
        reader, writer = await self.open()
        what = {**body(self.model, 0, 12, stream=False), "messages": [{"role": "user", "content": "What is the capital of France?"}]}
        writer.write(request(what, self.host).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        answer = await reader.read()
        writer.close()
        head, _, text = answer.partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        # Too many wait: that is an answer, too.
        if status in ([b"429"], [b"503"]):
            self.counts["refused"] += 1
            return
        check_quietly(status == [b"200"], answer[:300])
        said = json.loads(text)["choices"][0]["message"]["content"]
        self.expected = self.expected or said
        check_quietly(said == self.expected, said)
        self.counts["proper"] += 1

    async def client(self):
        kinds = [self.hang_up] * 8 + [self.read_slowly, self.half, self.proper]
        while time.monotonic() < self.ends:
            try:
                await random.choice(kinds)()
            except (ConnectionError, OSError):
                await asyncio.sleep(0.2)


def check_quietly(holds, shown):
    if not holds:
        sys.exit(f"FAILED a proper client: {shown!r}")


def resident(process):
    with open(f"/proc/{process}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) // 1024


def metrics(address):
    text = urllib.request.urlopen(address + "/metrics").read().decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line and line[0] != "#"}


async def main(address, process, model, seconds):
    begun = time.monotonic()
    crowd = Crowd(address, model, begun + seconds)
    await crowd.proper()
    clients = [asyncio.create_task(crowd.client()) for _ in range(CLIENTS)]
    await asyncio.sleep(seconds / 3)
    third = resident(process)
    await asyncio.gather(*clients)
    await asyncio.sleep(12)
    print(", ".join(f"{count} {what}" for what, count in crowd.counts.items()))
    last = resident(process)
    check(f"memory: {third} MiB after a third, {last} MiB at the end", last < third * 1.1 + 32)
    for name, value in metrics(address).items():
        if re.match(r"scaffold_(requests_(waiting|running|paused)|kv_blocks_held)", name):
            check(f"{name} is {value:g}", value == 0)
    await crowd.proper()
    check("still answers as before", crowd.counts["proper"] > 1, crowd.counts)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
