"""openvino_bench.py FILE.gguf THREADS PROMPT NEW: one reading and one writing with OpenVINO GenAI, as JSON. Needs openvino-genai."""

import json
import sys
import time

import numpy
import openvino
import openvino_genai as genai


class Times(genai.StreamerBase):
    """When each token came."""

    def __init__(self):
        super().__init__()
        self.times = []

    def write(self, token):
        now = time.perf_counter()
        self.times += [now] * (len(token) if isinstance(token, list) else 1)
        return genai.StreamingStatus.RUNNING

    def end(self):
        pass


file, threads, prompt, new = sys.argv[1], *map(int, sys.argv[2:])
pipe = genai.LLMPipeline(file, "CPU", {"INFERENCE_NUM_THREADS": threads})


def once(first, count):
    config = genai.GenerationConfig()
    config.max_new_tokens = config.min_new_tokens = count
    config.ignore_eos = True
    ids = [[first + index * 7919 % 20000 + 100 for index in range(prompt)]]
    tensor = openvino.Tensor(numpy.array(ids, dtype=numpy.int64))
    mask = openvino.Tensor(numpy.ones_like(tensor.data))
    streamer, start = Times(), time.perf_counter()
    pipe.generate(genai.TokenizedInputs(tensor, mask), config, streamer)
    return prompt / (streamer.times[0] - start), (len(streamer.times) - 1) / (streamer.times[-1] - streamer.times[0])


once(0, 4)
prefill, decode = once(1, new)
print(json.dumps({"prefill_tok_s": prefill, "decode_tok_s": decode}))
