"""The process of an engine: ``scaffold serve``, which ends when the actor does that has started it.

An actor that is killed tells nobody. But the pipe that it holds to this process is closed then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from .. import _native

_GRACE = 10.0
"""Seconds for answers at hand when the actor has gone: nobody reads them any more."""


def _watch() -> None:
    # Not by `sys.stdin`, whose lock Python would want at its end.
    while os.read(0, 1 << 12):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_GRACE)
    os._exit(1)


def main() -> int:
    """Serves until it is told to end, or until there is nobody who could."""
    threading.Thread(target=_watch, daemon=True, name="scaffold-parent").start()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.run_command(["scaffold", "serve", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
