"""Makes a small language model of random weights: noise.py LIKE.gguf NAME.gguf, or noise.py bytes NAME.gguf

Tokenizer, chat template and control tokens are those of the model LIKE; with `bytes` each byte is a token. What it would like to say is noise, but for one thing: tokens
that close a text, a list or an object are likelier than others, as they are for every real model, so that answers come to an end. Of
two such files of the same LIKE all bytes are the same.
"""

import sys

import gguf
import numpy

WIDTH, HIDDEN, LAYERS, HEADS, CONTEXT = 64, 128, 2, 4, 8192
# How much likelier tokens are that begin so, in logits.
LIKED = {'"': 6.0, "]": 7.0, "}": 7.0}
# The standard deviation of the logits of all tokens.
NOISE = 1.7


def string(field):
    return bytes(field.parts[field.data[0]]).decode()


def copied(reader, writer):
    """Writes the tokenizer of a model; gives its tokens."""
    tokens = []
    for name, field in reader.fields.items():
        if not name.startswith("tokenizer."):
            continue
        kind = field.types[0]
        if kind == gguf.GGUFValueType.ARRAY and field.types[1] == gguf.GGUFValueType.STRING:
            values = [bytes(field.parts[at]).decode("utf-8", "replace") for at in field.data]
            if name == "tokenizer.ggml.tokens":
                tokens = values
            writer.add_array(name, values)
        elif kind == gguf.GGUFValueType.ARRAY:
            writer.add_key_value(name, [field.parts[at][0].item() for at in field.data], kind, sub_type=field.types[1])
        elif kind == gguf.GGUFValueType.STRING:
            writer.add_string(name, string(field))
        else:
            writer.add_key_value(name, field.parts[field.data[0]][0].item(), kind)
    return tokens


def bytewise(writer):
    """Writes a tokenizer whose tokens are bytes, in the letters of GPT-2; gives its tokens."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spare = iter(range(0x100, 0x200))
    letters = [chr(byte if byte in printable else next(spare)) for byte in range(0x100)]
    # A list of merges has to be there: its one makes a token of two zeros.
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *letters, "\u0100\u0100"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * 0x101)
    writer.add_token_merges(["\u0100 \u0100"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return tokens


def weights(tokens):
    """The tensors of a Llama whose next token depends on those before it in no way that means anything."""
    chance = numpy.random.default_rng(14)

    def normal(rows, columns, deviation):
        return (chance.standard_normal((rows, columns)) * deviation).astype(numpy.float16)

    embedding = normal(len(tokens), WIDTH, 1.0)
    # One place is the same for all tokens: by it the last matrix knows what is likelier whatever came before.
    embedding[:, 0] = 8.0
    yield "token_embd.weight", embedding
    for layer in range(LAYERS):
        yield f"blk.{layer}.attn_norm.weight", numpy.ones(WIDTH, numpy.float32)
        for name, rows, columns in [
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", WIDTH // 2, WIDTH),
            ("attn_v", WIDTH // 2, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", HIDDEN, WIDTH),
            ("ffn_up", HIDDEN, WIDTH),
            ("ffn_down", WIDTH, HIDDEN),
        ]:
            matrix = normal(rows, columns, 0.1)
            if rows == WIDTH and name in ("attn_output", "ffn_down"):
                matrix[0, :] = 0
            yield f"blk.{layer}.{name}.weight", matrix
        yield f"blk.{layer}.ffn_norm.weight", numpy.ones(WIDTH, numpy.float32)
    yield "output_norm.weight", numpy.ones(WIDTH, numpy.float32)
    size = numpy.sqrt((8.0**2 + WIDTH - 1) / WIDTH)
    last = normal(len(tokens), WIDTH, NOISE * size / numpy.sqrt(WIDTH - 1))
    liked = numpy.array([LIKED.get(token[:1], 0.0) for token in tokens])
    last[:, 0] = (liked * size / 8.0).astype(numpy.float16)
    yield "output.weight", last


def main(like, name):
    writer = gguf.GGUFWriter(name, "llama")
    tokens = bytewise(writer) if like == "bytes" else copied(gguf.GGUFReader(like), writer)
    writer.add_name("noise")
    writer.add_vocab_size(len(tokens))
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS // 2)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    for tensor, values in weights(tokens):
        writer.add_tensor(tensor, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
