"""Settings that every test shares. They must be made before JAX starts."""

import gc
import os
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

import pytest

# Eight virtual devices on one CPU; single-device tests simply use the first. And XLA's older way
# to compile elementwise code, which takes less than half the time, and in one piece; JAX 0.12 has
# the former no more, gains nothing by the latter, and ends at flags it does not know. XLA_FLAGS
# that are set hold.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_force_host_platform_device_count=8"
    + " --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
    * metadata.version("jaxlib").startswith("0.10."),
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Statistics of real images are measured by the tests themselves.
os.environ.setdefault("JAXGAN_STATISTICS_CACHE", "off")

import jax
from jaxtyping import install_import_hook

# Most tests compile much and run little. With few optimizations that takes half the time, and
# rounding changes at most.
jax.config.update("jax_disable_most_optimizations", True)

# Every annotated shape in the package is checked at run time while tests run.
install_import_hook("jaxgan", "beartype.beartype")


# Where workers of one session find each other's compiled programs; the first process sets it.
PROGRAMS = "JAXGAN_TESTS_PROGRAMS"


def pytest_configure(config):
    """Programs that were compiled before, in this process or another one, are not compiled again.

    The order of modules is left to `pytest_collection_modifyitems`; xdist has one of its own.
    """
    config.option.loadscopereorder = False
    if PROGRAMS not in os.environ:
        os.environ[PROGRAMS] = folder = tempfile.mkdtemp(prefix="jaxgan-tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    jax.config.update("jax_compilation_cache_dir", os.environ[PROGRAMS])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def pytest_collection_modifyitems(items):
    """Long modules first, so that no worker waits at the end while another has one of them."""
    long = ("end_to_end", "benchmarks", "conformance")
    items.sort(key=lambda item: item.path.parent.name not in long)


def pytest_runtest_setup(item):
    """Leaves out what needs a data set that is not there; on CI, where it must be, that fails."""
    from jaxgan.data.sources.idx import DEBIAN_FASHION_MNIST

    if item.get_closest_marker("fashion_mnist") and not Path(DEBIAN_FASHION_MNIST).is_dir():
        reason = "needs `apt-get install dataset-fashion-mnist`"
        if os.environ.get("JAXGAN_TESTS_NEED_DATA") == "1":
            pytest.fail(f"{reason}, for JAXGAN_TESTS_NEED_DATA is 1", pytrace=False)
        pytest.skip(reason)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item, nextitem):
    """Forgets compiled programs where the process has very many, between modules or slow tests.

    Each has a dozen mappings of memory, of which Linux gives a process 65,530.
    """
    maps = Path("/proc/self/maps")
    elsewhere = nextitem is None or nextitem.path != item.path
    if (elsewhere or item.get_closest_marker("slow")) and maps.exists():
        with maps.open() as lines:
            count = sum(1 for _ in lines)
        if count > (20_000 if elsewhere else 40_000):
            jax.clear_caches()
            gc.collect()


def pytest_collection_finish():
    """Modules and tests stay: the garbage collector need not look through them again and again.

    Tracing makes many small objects, and would cause that all the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


@pytest.fixture(scope="module")
def full_compilation():
    """Compiles as for users: for what is about the compiler's results, or runs long."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(scope="module")
def quick_compilation():
    """What is the rule by now."""
