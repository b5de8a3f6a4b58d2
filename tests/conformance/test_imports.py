"""Imports point one way: no module knows what is built on top of it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jaxgan

PACKAGE = Path(jaxgan.__file__).parent
EXPERIMENTS = PACKAGE.parent / "experiments"

# A part is a module at the top level, or a folder with all that is in it. Lowest layer first.
LAYERS = (
    {"typing", "machine", "describe", "intervals"},
    {"rng", "optim"},
    {"config"},
    {"data", "networks", "objectives", "evaluation", "visualization", "run"},
    {"algorithms"},
    {"program"},
    {"measurement"},
    {"training"},
    {"study"},
    {"cli"},
    {"__main__"},
)
FRONT = "jaxgan.measurement.finished"
"""What `jaxgan.load` imports when it is called: the package's own front door, and the only one."""

HEIGHT = {part: height for height, parts in enumerate(LAYERS) for part in parts}

# Arrows inside a layer; there are no others. They must not make a circle.
SIDEWAYS: set[tuple[str, str]] = set()

LONGEST = 300
"""Lines of a module; a longer one has two jobs."""


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def part_of(name: str) -> str | None:
    """The part that a module belongs to; None for the package itself."""
    return name.split(".")[1] if "." in name else None


def imported(name: str, source: str, modules: set[str]) -> Iterator[str]:
    """Full names of what a module imports, wherever in it: in functions and for types as well."""
    package = name if name in ("jaxgan", *FOLDERS) else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                # `from jaxgan import rng` names a module, `from jaxgan.rng import base_key` none.
                full = f"{base}.{alias.name}"
                yield full if full in modules else base


FOLDERS = {name for name, path in MODULES.items() if path.name == "__init__.py"}


def wrong_arrows(name: str, source: str) -> list[str]:
    """What a module imports and must not, as lines for people."""
    part, wrong = part_of(name), []
    for target in sorted(set(imported(name, source, set(MODULES)))):
        top = target.split(".")[0]
        if top in ("experiments", "tests"):
            wrong.append(f"{name} imports {target}: the package does not know its users")
        if top != "jaxgan" or (other := part_of(target)) is None or other == part:
            continue
        if part is None:
            if target != FRONT:
                wrong.append(f"{name} imports {target}: it holds the version and `load`")
        elif other not in HEIGHT:
            wrong.append(f"{name} imports {target}, which has no layer in {Path(__file__).name}")
        elif HEIGHT[other] > HEIGHT[part]:
            wrong.append(f"{name} imports {target}, which is built on top of it")
        elif HEIGHT[other] == HEIGHT[part] and (part, other) not in SIDEWAYS:
            wrong.append(f"{name} imports {target}, which stands beside it")
    return wrong


def test_every_part_has_a_layer():
    parts = {part_of(name) for name in MODULES} - {None}
    assert parts == HEIGHT.keys()


@pytest.mark.parametrize("name", MODULES)
def test_arrows_point_down(name):
    assert not wrong_arrows(name, MODULES[name].read_text())


def test_sideways_arrows_are_in_use_and_make_no_circle():
    remaining = {
        (part, other) for part, other in SIDEWAYS if HEIGHT[part] == HEIGHT[other] and part != other
    }
    assert remaining == SIDEWAYS
    while remaining:
        sources = {part for part, _ in remaining}
        ends = {arrow for arrow in remaining if arrow[1] not in sources}
        assert ends, f"a circle: {remaining}"
        remaining -= ends


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("jaxgan.config", "from jaxgan.data.pipeline import Data"),
        ("jaxgan.networks.mlp", "import jaxgan.objectives.gan as gan"),
        ("jaxgan.networks.mlp", "from ..objectives import gan"),
        ("jaxgan.networks.layers.conv", "from ... import program"),
        ("jaxgan.networks", "from ..data import pipeline"),
        ("jaxgan.evaluation.protocol", "def late():\n    from jaxgan import training"),
        ("jaxgan.algorithms.gan", "if TYPE_CHECKING:\n    from jaxgan.program import Program"),
        ("jaxgan.program", "from jaxgan.measurement import pictures"),
        ("jaxgan.measurement.pictures", "from jaxgan.training import feed"),
        ("jaxgan.rng", "from jaxgan import networks"),
        ("jaxgan.typing", "from jaxgan import rng"),
        ("jaxgan.training.loop", "from jaxgan.study import runner"),
        ("jaxgan.data.order", "import experiments.dcgan"),
        ("jaxgan.cli", "from jaxgan.utils import everything\nfrom jaxgan.utils.all import x"),
        ("jaxgan", "from jaxgan.config import Experiment"),
    ],
)
def test_an_arrow_that_points_back_is_seen(name, line):
    assert wrong_arrows(name, line)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("jaxgan.networks.layers.dropout", "from jaxgan.rng import per_example"),
        ("jaxgan.networks.mlp", "from .layers import conv"),
        ("jaxgan.algorithms.gan", "from jaxgan import rng\nimport jaxgan.optim"),
        ("jaxgan.run.workdir", "import jaxgan\nfrom jaxgan import __version__"),
        ("jaxgan.study.runner", "from jaxgan.training import loop\nfrom jaxgan import config"),
        ("jaxgan.training.feed", "from jaxgan.data import splits"),
        ("jaxgan.__main__", "from jaxgan.cli import main"),
    ],
)
def test_an_arrow_that_points_down_is_not(name, line):
    assert not wrong_arrows(name, line)


def names_in_code(source: str) -> set[str]:
    """Identifiers, in code and in imports; strings and comments do not count."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.alias):
            found |= set(node.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            found |= set((node.module or "").split("."))
    return found


MAPPING = {"pmap", "shard_map", "Mesh", "NamedSharding", "PartitionSpec"}


def test_devices_are_the_business_of_two_modules():
    """Training maps over all processes' devices; whatever is measured, over those of its own."""
    assert names_in_code(MODULES["jaxgan.machine.parallel"].read_text()) >= MAPPING
    for name, path in MODULES.items():
        if name not in ("jaxgan.machine.parallel", "jaxgan.machine.devices"):
            assert not names_in_code(path.read_text()) & MAPPING, f"{name} maps over devices itself"
    assert names_in_code("from jax import pmap as p") & MAPPING
    assert names_in_code("jax.shard_map(f)") & MAPPING
    assert not names_in_code("mode = 'pmap'  # or shard_map") & MAPPING


def loaded_by(name: str) -> set[str]:
    """The packages that an import brings in, in a process of its own."""
    code = f"import sys, {name}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PACKAGE.parent, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_package_itself_costs_nothing():
    """`jaxgan.load` imports what it needs when it is called."""
    assert not loaded_by("jaxgan") & {"jax", "numpy", "flax", "orbax"}


def test_types_cost_no_framework():
    """Whoever annotates arrays need not import networks and optimizers."""
    loaded = loaded_by("jaxgan.typing")
    assert "jax" in loaded
    assert not loaded & {"flax", "optax", "orbax", "grain", "tyro", "tensorflow", "sklearn", "PIL"}


@pytest.mark.parametrize(
    "path", [*MODULES.values(), *sorted(EXPERIMENTS.rglob("*.py"))], ids=lambda path: path.name
)
def test_modules_have_one_job(path):
    assert len(path.read_text().splitlines()) <= LONGEST
