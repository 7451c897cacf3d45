"""What a request's prompt begins with, and which replica is to know it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

BLOCK = 256
"""Characters of a block."""
BLOCKS = 8
"""Blocks that are looked at."""

T = TypeVar("T")


def prefix_of(body: Mapping[str, Any]) -> str:
    """The hash of the first blocks of a prompt, or nothing where there is none.

    Of a chat it is what stands up to its first question: that stays as it is from one turn to the next, so that all turns meet the
    replica that has read the ones before.
    """
    text = _beginning(body)[: BLOCK * BLOCKS]
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest() if text else ""


def _beginning(body: Mapping[str, Any]) -> str:
    told = "".join(_text(body[key]) for key in ("tools", "system", "instructions") if body.get(key))
    for key in ("messages", "input"):
        messages = body.get(key)
        if isinstance(messages, list) and messages and isinstance(messages[0], Mapping):
            return told + _to_first_question(messages)
    for key in ("prompt", "input", "query"):
        if body.get(key):
            return told + _text(body[key])
    return told


def _to_first_question(messages: Sequence[Any]) -> str:
    told = ""
    for message in messages:
        if not isinstance(message, Mapping):
            break
        told += f"{message.get('role')}:{_text(message.get('content'))}\n"
        if message.get("role") == "user":
            break
    return told


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def ordered(prefix: str, replicas: Mapping[str, T]) -> list[T]:
    """Replicas by their names, those first that are to know a prefix.

    Each replica draws a number for each prefix (rendezvous hashing): when one comes or goes, only the prefixes that are its own go
    elsewhere, and all gateways agree without a word.
    """

    def drawn(name: str) -> bytes:
        return hashlib.blake2b(f"{prefix}|{name}".encode(), digest_size=8).digest()

    return [replicas[name] for name in sorted(replicas, key=drawn, reverse=True)]


def preferred(order: Sequence[T], loads: Mapping[T, int], spread: int) -> list[T]:
    """The order, with replicas that have much more to do than the idlest one behind the others.

    Args:
        order: replicas, those first that are to know the prefix.
        loads: requests that each has at work, as far as it is known.
        spread: so many more than the idlest one a replica may have.
    """
    if not order:
        return []
    least = min(loads.get(one, 0) for one in order)
    return sorted(order, key=lambda one: loads.get(one, 0) > least + spread)
