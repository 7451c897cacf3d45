"""Sends requests to the replicas that have read the beginnings of their prompts."""

from __future__ import annotations

from typing import Any

from ray.serve.request_router import PendingRequest, RequestRouter, RunningReplica

from .prefix import ordered, preferred


class PrefixRouter(RequestRouter):
    """A router of Ray Serve: by the hash of a prompt's first blocks, as long as no replica has much more to do than others.

    Requests are not served in their order, as Serve's own router does it: each goes to a replica of its own choice.
    """

    def initialize_state(self, spread: int = 4, **_: Any) -> None:
        """What :class:`Served` says of the router."""
        self._spread = spread

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """The replicas to be asked, each for itself, in this order."""
        if pending_request is not None:
            # All are among the candidates: after none has had room, time is to pass.
            pending_request.routing_context.should_backoff = True
        prefix = "" if pending_request is None else str(pending_request.kwargs.get("prefix") or "")
        by_name: dict[str, Any] = {str(one.replica_id.unique_id): one for one in candidate_replicas}
        loads = {name: self.replica_queue_len_cache.get(one.replica_id) or 0 for name, one in by_name.items()}
        if not prefix:
            return [list(candidate_replicas)]
        order = preferred(ordered(prefix, {name: name for name in by_name}), loads, self._spread)
        return [[by_name[name]] for name in order]
