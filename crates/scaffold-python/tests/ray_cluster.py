"""A cluster of Ray on this machine: a head on which nothing is computed, and nodes that come and go."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import ray
from ray import serve
from ray.cluster_utils import Cluster

_STORE = 100 << 20
"""Bytes of a node's store of objects, the least there is."""


class Nodes:
    """A cluster with a head and so many nodes, which have the resource ``work``."""

    def __init__(self, count: int, cpus: int) -> None:
        head = {"num_cpus": 1, "resources": {"head": 1000}, "object_store_memory": _STORE, "include_dashboard": False}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._cpus = cpus
        self.nodes = [self.add() for _ in range(count)]
        self._cluster.wait_for_nodes()

    def add(self) -> Any:
        """A node more."""
        return self._cluster.add_node(num_cpus=self._cpus, resources={"work": 1000}, object_store_memory=_STORE)

    def kill(self, node: Any) -> None:
        """Takes a node away without a word: its raylet and all workers are killed."""
        self._cluster.remove_node(node, allow_graceful=False)

    def close(self) -> None:
        """Ends the cluster."""
        # Handles of applications live in threads of their own, which would connect again.
        serve.shutdown()
        ray.shutdown()
        wait_until(lambda: ray.shutdown() or not ray.is_initialized(), 20, "this process is disconnected")
        self._cluster.shutdown()

    @property
    def address(self) -> str:
        """Where its head is."""
        return str(self._cluster.address)


@contextlib.contextmanager
def cluster(count: int, cpus: int = 1) -> Iterator[Nodes]:
    """A cluster, to which this process is connected."""
    nodes = Nodes(count, cpus)
    try:
        ray.init(address=nodes.address, logging_level="WARNING", log_to_driver=False)
        yield nodes
    finally:
        nodes.close()


def wait_until(what: Callable[[], Any], seconds: float, why: str) -> Any:
    """Waits until something is so, and gives it."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"after {seconds} s still not so: {why}"
        time.sleep(0.05)
    return found
