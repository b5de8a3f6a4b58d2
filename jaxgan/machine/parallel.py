"""Runs a per-device step on one device, under pmap, or under shard_map, on one host or several.

The step itself knows only an axis name. It gets a replicated state, a sharded batch or replicated
data, and returns a replicated state: nothing outside this file replicates, shards or unreplicates.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from signal import Signals
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

AXIS = "devices"


class ParallelError(ValueError):
    """A batch or a device count that cannot work, found before anything is compiled."""


class Plan(NamedTuple):
    """Where and how a step runs.

    Attributes:
        mode: ``"none"`` (one device), ``"pmap"`` or ``"shard_map"``.
        mesh: all devices, of all processes, along one axis.
    """

    mode: Literal["none", "pmap", "shard_map"]
    mesh: Mesh

    @property
    def axis_name(self) -> str | None:
        """What an algorithm averages over; None on one device."""
        return None if self.mode == "none" else AXIS

    @property
    def devices(self) -> int:
        """Devices over all processes."""
        return self.mesh.size

    @property
    def local_devices(self) -> int:
        """Devices of this process."""
        return sum(d.process_index == jax.process_index() for d in self.mesh.devices.flat)

    @property
    def platform(self) -> str:
        """``"cpu"``, ``"gpu"`` or ``"tpu"``."""
        return self.mesh.devices.flat[0].platform

    def replicate(self, tree: Any) -> Any:
        """Puts host values on every device; each process must pass the same."""
        return jax.tree.map(lambda leaf: self._put(leaf, P()), tree)

    def shard(self, tree: Any) -> Any:
        """Puts the rows that this process holds of a global batch on its devices, in order.

        Args:
            tree: arrays ``(global_batch / processes, ...)``; rows of process 0 come first.
        """
        return jax.tree.map(self._shard, tree)

    def compile(
        self,
        function: Callable[..., Any],
        *,
        sharded: tuple[bool, ...],
        donate: tuple[int, ...] = (),
    ) -> Callable[..., Any]:
        """Compiles a per-device function whose outputs are equal on every device.

        Args:
            function: pure; its arguments are this device's rows of the sharded arguments and the
                whole of the others. It must average over `axis_name` whatever depends on the rows.
            sharded: for each argument, whether it comes from `shard` (else from `replicate`).
            donate: positions of arguments whose buffers may be reused.
        """
        if self.mode == "none":
            return jax.jit(function, donate_argnums=donate)
        mapped = self._map(function, sharded, donate)
        if self.platform != "cpu":
            return mapped
        # Virtual CPU devices share one thread pool: with several steps in flight, threads that wait
        # for a collective of one step can starve those of another for good.
        return lambda *arguments: jax.block_until_ready(mapped(*arguments))

    def _map(
        self, function: Callable[..., Any], sharded: tuple[bool, ...], donate: tuple[int, ...]
    ) -> Callable[..., Any]:
        if self.mode == "pmap":
            # pmap insists on an argument with a mapped axis, so one that nobody reads comes last.
            mapped = jax.pmap(
                lambda *arguments: function(*arguments[:-1]),
                axis_name=AXIS,
                axis_size=self.devices,
                in_axes=(*(0 if s else None for s in sharded), 0),
                out_axes=None,  # pyright: ignore[reportArgumentType]
                donate_argnums=donate,
            )
            unread = self.shard(np.zeros(self.local_devices, np.int32))
            return lambda *arguments: mapped(*arguments, unread)
        # With check_vma=True an explicit pmean of the gradients of replicated parameters would
        # yield their sum: autodiff has already inserted one.
        over_mesh = jax.shard_map(
            function,
            mesh=self.mesh,
            in_specs=tuple(P(AXIS) if s else P() for s in sharded),
            out_specs=P(),
            check_vma=False,
        )
        return jax.jit(over_mesh, donate_argnums=donate)

    def _put(self, leaf: Any, spec: P) -> jax.Array:
        sharding = NamedSharding(self.mesh, spec)
        if jax.process_count() == 1:
            return jax.device_put(leaf, sharding)
        return jax.make_array_from_process_local_data(sharding, np.asarray(leaf))

    def _shard(self, leaf: Any) -> jax.Array:
        if self.mode != "pmap":
            return self._put(leaf, P(AXIS) if self.mode == "shard_map" else P())
        # pmap wants this process's devices along a leading axis.
        leaf = np.asarray(leaf)
        leaf = leaf.reshape(self.local_devices, -1, *leaf.shape[1:])
        local = Mesh(np.array(jax.local_devices()[: self.local_devices]), (AXIS,))
        return jax.device_put(leaf, NamedSharding(local, P(AXIS)))


def plan(
    mode: Literal["auto", "pmap", "shard_map", "none"] = "auto", *, batch_size: int | None = None
) -> Plan:
    """Chooses devices and checks that a batch can be shared among them.

    Args:
        mode: ``auto`` takes all devices with pmap, or the one device without. ``none`` takes one.
        batch_size: global batch to check.

    Raises:
        ParallelError: if the global batch is not divisible by the devices, or if ``none`` is asked
            for in a run of several processes.
    """
    devices = jax.devices()
    if mode == "auto":
        mode = "pmap" if len(devices) > 1 else "none"
    if mode == "none":
        if jax.process_count() > 1:
            raise ParallelError(
                f"parallel=none uses one device, but {jax.process_count()} processes take part:"
                " use --parallel pmap or shard_map"
            )
        devices = devices[:1]
    count = len(devices)
    if batch_size is not None and batch_size % count:
        lower, upper = batch_size // count * count, -(-batch_size // count) * count
        nearest = f"{lower} or {upper}" if lower else f"{upper}"
        raise ParallelError(
            f"batch_size {batch_size} cannot be shared evenly by {count} devices:"
            f" use --batch-size {nearest}, or --parallel none for one device"
        )
    return Plan(mode, Mesh(np.array(devices), (AXIS,)))


def barrier(name: str) -> None:
    """Waits until all processes have come to the same place."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def is_main_process() -> bool:
    """Whether this process writes logs, pictures and results."""
    return jax.process_index() == 0


def on_main_process(action: Callable[[], None]) -> None:
    """Runs an action on the main process, while the others wait for it; if it fails, all fail.

    Raises:
        ParallelError: on the other processes, so that none waits for a main process that has gone.
    """
    error: Exception | None = None
    if is_main_process():
        try:
            action()
        except Exception as raised:
            error = raised
    failed = largest(int(error is not None))
    if error is not None:
        raise error
    if failed:
        raise ParallelError("the main process cannot go on; it says why")


def largest(value: int) -> int:
    """The largest of the values that the processes pass; all must call it at the same place."""
    if jax.process_count() == 1:
        return value
    return int(np.max(multihost_utils.process_allgather(np.asarray(value, np.int32))))


def agreed_signal(received: Signals | None, *, ask: bool) -> Signals | None:
    """The signal that any process has received, so that all of them stop after the same step.

    Args:
        received: by this process.
        ask: whether to ask the others, which costs a message; the same on all of them. A signal
            that comes meanwhile waits for the next time. A process that is alone need not ask.
    """
    if jax.process_count() == 1:
        return received
    number = largest(received or 0) if ask else 0
    return Signals(number) if number else None


def initialize() -> None:
    """Joins the processes of a cluster, where the environment says that there is one.

    Must run before anything touches a device. JAX finds SLURM, Open MPI, Kubernetes and TPU pods by
    itself; elsewhere set ``JAX_COORDINATOR_ADDRESS``, ``JAX_NUM_PROCESSES`` and ``JAX_PROCESS_ID``.
    """
    names = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
    address, count, index = (os.environ.get(name) for name in names)
    if address and count and index:
        jax.distributed.initialize(address, int(count), int(index))
    elif os.environ.get("JAX_DISTRIBUTED") == "auto":
        jax.distributed.initialize()
