"""Settings that every test shares. They must be made before JAX starts."""

import gc
import os

import pytest

# Eight virtual devices on one CPU; single-device tests simply use the first.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Statistics of real images are measured by the tests themselves.
os.environ.setdefault("JAXGAN_STATISTICS_CACHE", "off")

import jax
from jaxtyping import install_import_hook

# Every annotated shape in the package is checked at run time while tests run.
install_import_hook("jaxgan", "beartype.beartype")


def pytest_configure(config):
    """Leaves the order of modules to `pytest_collection_modifyitems`; xdist has one of its own."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    """Long modules first, so that no worker waits at the end while another has one of them."""
    items.sort(key=lambda item: item.path.parent.name not in ("end_to_end", "benchmarks"))


def pytest_collection_finish():
    """Modules and tests stay: the garbage collector need not look through them again and again.

    Tracing makes many small objects, and would cause that all the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture(scope="module")
def quick_compilation():
    """Compiles with few optimizations, which takes half the time and changes rounding at most."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
