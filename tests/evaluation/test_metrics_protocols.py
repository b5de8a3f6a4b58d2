"""Under which protocols metrics of models are taken."""

import dataclasses

import numpy as np

from jaxgan.evaluation.model_metrics import MODEL_METRICS, Model
from jaxgan.evaluation.protocol import Protocol

HELD_OUT = Protocol("", "", "test", 4, "abc", 0, image="2x2x1")
IMAGES = np.arange(16, dtype=np.uint8).reshape(4, 2, 2, 1)
BATCHES = (
    {"image": IMAGES[:3], "mask": np.ones(3, np.float32)},
    {"image": IMAGES[[3, 0, 0]], "mask": np.array([1, 0, 0], np.float32)},
)
MODEL = Model(source=None, batches=BATCHES, draws=16, seed=0, sample_count=2000)


def taken(metric, model=MODEL):
    return MODEL_METRICS[metric].protocol(HELD_OUT, model)


def test_likelihoods_of_different_kinds_have_different_names():
    plain = taken("likelihood")
    assert plain == dataclasses.replace(HELD_OUT, draws=16)
    kinds = [taken("likelihood", MODEL._replace(likelihood=kind)) for kind in ("A", "B")]
    assert [kind.name("likelihood") for kind in kinds] == [
        "likelihood[test4,ema,draws=16,likelihood=A]",
        "likelihood[test4,ema,draws=16,likelihood=B]",
    ]
    assert len({plain.digest, *(kind.digest for kind in kinds)}) == 3


def test_what_looks_at_codes_alone_does_not_depend_on_the_likelihood():
    assert taken("surgery", MODEL._replace(likelihood="A")) == HELD_OUT


def test_images_are_those_that_count():
    np.testing.assert_array_equal(MODEL.images(), IMAGES)
    np.testing.assert_array_equal(MODEL.images(2), IMAGES[:2])
    found = taken("manifold")
    assert (found.real_count, found.sample_count, found.split) == (4, 1000, "test")
    assert found.real_digest != HELD_OUT.real_digest
    assert taken("manifold", MODEL._replace(batches=BATCHES[:1])).real_count == 3
