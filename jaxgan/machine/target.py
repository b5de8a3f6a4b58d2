"""The platform that programs are made for: that of this process's devices, or one not here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import jax

_ELSEWHERE: ContextVar[str] = ContextVar("elsewhere", default="")


def platform() -> str:
    """``"cpu"``, ``"gpu"`` or ``"tpu"``: where what is being traced will run."""
    return _ELSEWHERE.get() or jax.default_backend()


@contextlib.contextmanager
def made_for(name: str) -> Iterator[None]:
    """Has what is traced within be made for another platform, such as ``"tpu"``.

    JAX traces a function once for shapes of one kind, whatever is in force then: functions that
    are compiled within are to be made within, as `jaxgan.program.program_on` makes them.
    """
    token = _ELSEWHERE.set(name)
    try:
        yield
    finally:
        _ELSEWHERE.reset(token)
