"""Chips that are not here, to compile for: those of a TPU slice, as libtpu knows them."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental import topologies
from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from jaxgan.config import ConfigError
from jaxgan.machine.parallel import AXIS, Plan

SETTINGS = {
    "TPU_SKIP_MDS_QUERY": "1",  # asks no machine of a cloud what it is
    "TPU_ACCELERATOR_TYPE": "v5litepod-1",
    "TPU_WORKER_HOSTNAMES": "localhost",
    "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",  # no chip is held, so several processes may compile
    "TPU_STDERR_LOG_LEVEL": "3",
    "TPU_MIN_LOG_LEVEL": "3",
}
"""What libtpu reads in the environment, unless that says otherwise already."""


def settle() -> None:
    """Has this process compile and nothing else; to be called before JAX looks for devices."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if not os.environ.get("JAX_PLATFORMS"):
        jax.config.update("jax_platforms", "cpu")


class Chips(NamedTuple):
    """Chips and how an experiment runs on them.

    Attributes:
        name: as JAX calls the topology, such as ``v5e:4x4``.
        plan: one chip alone, or several under ``shard_map`` (which is held equal to ``pmap``).
    """

    name: str
    plan: Plan

    @property
    def size(self) -> int:
        """How many there are."""
        return self.plan.devices

    def whole(self, tree: Any) -> Any:
        """Shapes and types of arrays, all of them on every chip."""
        return self._placed(tree, PartitionSpec())

    def shared(self, tree: Any) -> Any:
        """Shapes and types of arrays, whose rows (axis 0) the chips share evenly."""
        return self._placed(tree, PartitionSpec(AXIS))

    def _placed(self, tree: Any, spec: PartitionSpec) -> Any:
        mesh = self.plan.mesh
        sharding = (
            SingleDeviceSharding(mesh.devices.flat[0])
            if self.size == 1
            else NamedSharding(mesh, spec)
        )
        return jax.tree.map(
            lambda one: jax.ShapeDtypeStruct(one.shape, one.dtype, sharding=sharding), tree
        )


def chips(name: str) -> Chips:
    """The chips of a topology.

    Args:
        name: kind and numbers of chips along the sides, such as ``v5e:1x1`` or ``v5e:4x4``.

    Raises:
        ConfigError: libtpu is not installed, or knows no such topology.
    """
    try:
        found = topologies.get_topology_desc(platform="tpu", topology_name=name)
    except (RuntimeError, ValueError, NotImplementedError) as error:
        line = " ".join(str(error).split())
        if "not installed" in line or "libtpu.so" in line:
            line = "it needs the package libtpu: install the extra `tpu-check`"
        raise ConfigError(f"--topology {name}: {line}") from error
    return of_devices(name, found.devices)


def of_devices(name: str, devices: Any) -> Chips:
    """Chips that are given, one or several of them."""
    mesh = Mesh(np.array(devices), (AXIS,))
    return Chips(name, Plan("none" if mesh.size == 1 else "shard_map", mesh))
