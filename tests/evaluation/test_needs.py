"""What metrics need: every message, who needs what, and what data and extractors offer."""

from typing import NamedTuple

import jax
import pytest

from jaxgan.data.source import Info
from jaxgan.evaluation.features.load import Backbone, load_backbone
from jaxgan.evaluation.metrics import SAMPLE_METRICS, needs_of
from jaxgan.evaluation.model_metrics import MODEL_METRICS
from jaxgan.evaluation.needs import LACKING, NEEDS, lacking, of_backbone, of_data

EVERYTHING = frozenset(NEEDS)

MESSAGES = {
    "likelihood": "it needs an encoder and a likelihood, and this model has none",
    "code densities": "it needs codes that have a density, and this model's are points",
    "codes": "it needs an encoder, and this model has none",
    "encoder": "it needs an encoder whose codes are Gaussian, and this model's are not",
    "images alone": "it needs an encoder of images alone, and this model's is given their labels",
    "factors": "it needs a data set whose factors of variation are known, such as sprites",
    "manifold": "it needs a data set whose manifold is known: triangles or lucic-triangles",
    "mixture": "it needs a data set whose modes are known, such as ring",
    "stacked": "it needs a data set of stacked gray images, such as stacked",
    "native images": "it needs images as they are drawn, 64x64x1: leave out --data.resize",
    "samples": "it needs samples, and this model draws none",
    "generator": "it needs a generator that has gradients, and this model has none",
    "annealing": "it needs a decoder of codes from a density on all vectors, and this model has"
    " none",
    "classes": "it needs images of known classes, and the real ones have none",
    "labels": "it needs samples of given classes, and this model draws none",
    "class scores": "it needs class scores, and backbone pixels8x8 gives none",
    "8 bits": "it needs images of 8 bits, and these are points",
}

# What a person would look up, metric by metric.
TABLE = {
    "fid": set(),
    "fid_inf": set(),
    "kid": set(),
    "is": {"class scores"},
    "prdc": set(),
    "cfid": {"classes", "labels"},
    "cas": {"classes", "labels", "8 bits"},
    "memorization": {"8 bits"},
    "swd": {"8 bits"},
    "ms_ssim": {"8 bits"},
    "modes": {"stacked", "class scores"},
    "likelihood": {"likelihood", "code densities"},
    "ais": {"annealing"},
    "surgery": {"codes", "encoder"},
    "disentanglement": {"codes", "images alone", "factors", "native images"},
    "manifold": {"manifold", "native images", "generator"},
    "sigma": set(),
}


def test_every_need_has_its_line():
    assert MESSAGES.keys() == LACKING.keys() == set(NEEDS)
    assert len(NEEDS) == len(set(NEEDS))
    for need, message in MESSAGES.items():
        found = lacking("it", {need}, EVERYTHING - {need}, shape=(64, 64, 1), backbone="pixels8x8")
        assert found == message
        assert lacking("it", {need}, {need}) is None


def test_lines_without_particulars():
    assert lacking("mig", {"native images"}, set()) == (
        "mig needs images as they are drawn: leave out --data.resize"
    )
    assert lacking("is", {"class scores"}, set()) == (
        "is needs class scores, and the backbone gives none"
    )


def test_of_several_missing_things_one_is_told():
    for there, message in (
        (set(), "encoder and a likelihood"),
        ({"likelihood"}, "codes that have a density"),
        ({"code densities"}, "an encoder and a likelihood"),
    ):
        assert message in lacking("likelihood", MODEL_METRICS["likelihood"].needs, there)
    needs = MODEL_METRICS["manifold"].needs
    assert "manifold is known" in lacking("manifold", needs, set())
    assert "as they are drawn" in lacking("manifold", needs, {"manifold"})
    assert "gradients" in lacking("manifold", needs, {"manifold", "native images"})
    needs = MODEL_METRICS["disentanglement"].needs
    assert "an encoder" in lacking("disentanglement", needs, set())
    assert "factors of variation" in lacking("disentanglement", needs, {"codes", "images alone"})


def test_every_metric_declares_its_needs():
    assert {name: set(needs_of(name)) for name in (*SAMPLE_METRICS, *MODEL_METRICS)} == TABLE
    for name in TABLE:
        assert needs_of(name) <= EVERYTHING
        assert lacking(name, needs_of(name), EVERYTHING) is None
    with pytest.raises(KeyError):
        needs_of("fdi")


@pytest.mark.parametrize(
    ("name", "need"), [(name, need) for name, needs in TABLE.items() for need in sorted(needs)]
)
def test_a_metric_is_refused_for_each_of_its_needs(name, need):
    line = lacking(
        name, needs_of(name), EVERYTHING - {need}, shape=(64, 64, 1), backbone="pixels8x8"
    )
    assert line == MESSAGES[need].replace("it needs", f"{name} needs", 1)


class Described(NamedTuple):
    """As much of a data set's information as counts."""

    shape: tuple[int, int, int] | None = (8, 8, 1)
    dtype: str = "uint8"
    classes: int = 10
    knows: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("info", "image_shape", "expected"),
    [
        (Described(), (8, 8, 1), {"classes", "8 bits", "native images"}),
        (Described(), (16, 16, 1), {"classes", "8 bits"}),
        (Described(shape=None), (8, 8, 1), {"classes", "8 bits"}),
        (Described(classes=1), (16, 16, 1), {"8 bits"}),
        (Described(classes=2, dtype="float32"), (16, 16, 1), {"classes"}),
        (
            Described((1, 1, 2), "float32", 1, frozenset({"mixture"})),
            (1, 1, 2),
            {"mixture", "native images"},
        ),
        (
            Described((9, 9, 1), "float32", 1, frozenset({"factors", "manifold"})),
            (8, 8, 1),
            {"factors", "manifold"},
        ),
        (
            Described((8, 8, 3), classes=1000, knows=frozenset({"stacked"})),
            (8, 8, 3),
            {"stacked", "classes", "8 bits", "native images"},
        ),
        # What a data set cannot know.
        (Described((9, 9, 1), "float32", 1, frozenset({"encoder"})), (8, 8, 1), set()),
    ],
)
def test_what_data_offers(info, image_shape, expected):
    assert of_data(info, image_shape) == expected


def test_sources_describe_themselves_well_enough():
    info = Info("squares", (8, 8, 1), 1, "uint8", 4, {"train": 16, "test": 16})
    assert of_data(info, (8, 8, 1)) == {"classes", "8 bits", "native images"}
    assert of_data(info._replace(knows=frozenset({"factors"})), (4, 4, 1)) == {
        "classes", "8 bits", "factors"
    }  # fmt: skip


def test_what_backbones_offer():
    assert of_backbone(load_backbone("pixels", (8, 8, 1))) == set()
    mine = Backbone("mine", "1", jax.jit(lambda x: x), jax.jit(lambda x: x), None, 2)
    assert of_backbone(mine) == {"class scores"}
