"""Arrays on all devices of this process, for compiled functions that are not mapped themselves."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def shared(tree: Any) -> Any:
    """A pytree of arrays whose rows (axis 0) lie on this process's devices in equal parts.

    Whatever compiled function it is given to then runs on all of them.

    Raises:
        ValueError: the rows cannot be shared evenly.
    """
    return jax.device_put(tree, _placed(PartitionSpec("devices")))


def on_every_device(tree: Any) -> Any:
    """A pytree of arrays with a copy of each on every device of this process."""
    return jax.device_put(tree, _placed(PartitionSpec()))


def _placed(spec: PartitionSpec) -> Any:
    devices = jax.local_devices()
    if len(devices) == 1:
        return devices[0]  # as arrays lie that nobody has placed, so that nothing compiles twice
    return NamedSharding(Mesh(np.array(devices), ("devices",)), spec)
