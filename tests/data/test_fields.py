from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unpaired import Unpaired

from jaxgan.data.pipeline import Data, is_resident, load, resident_batch
from jaxgan.data.reading import arrays
from jaxgan.data.source import ArraySplit, Field, Info
from jaxgan.data.sources.gaussians import Ring
from jaxgan.data.stream import stream
from jaxgan.data.transforms import convert_color, resize_image
from jaxgan.run.config_json import from_json, to_json

RANDOM = np.random.RandomState(0)
EXAMPLES = [
    {
        "edges": RANDOM.randint(0, 256, (6, 4, 1)).astype(np.uint8),
        "photo": RANDOM.randint(0, 256, (6, 4, 3)).astype(np.uint8),
        "clip": RANDOM.randint(0, 256, (2, 6, 4, 3)).astype(np.uint8),
        "caption": RANDOM.randint(0, 50, 5),
        "weather": index % 4,
        "kind": index % 2,
        "unread": "nobody looks at this",
    }
    for index in range(9)
]


class Listed(list):
    """A split over a list of examples."""


@dataclass(frozen=True)
class Rich:
    """Pairs of images, videos, captions and two kinds of labels."""

    fields: ClassVar[Any] = {
        "edges": Field("image", channels=1),
        "photo": Field("image"),
        "clip": Field("video", length=2),
        "caption": Field("tokens", length=5, classes=50),
        "weather": Field("label", classes=4),
        "kind": Field("label"),
    }
    examples: Any = field(default_factory=lambda: Listed(EXAMPLES), hash=False)

    def info(self):
        return Info("rich", (6, 4, 3), 3, "uint8", 2, {"train": 9, "test": 9})

    def load(self, split):
        return self.examples


DATA = Data(Rich(), image_size=3, image_width=8, resize="bilinear", color="gray")


def changed(**values):
    """The source, with other values in example 0."""
    return replace(DATA, source=Rich(Listed([{**EXAMPLES[0], **values}])))


def test_specs_of_images_and_points():
    assert Data().specs == {"image": ((8, 8, 1), "uint8"), "label": ((), "int32")}
    shaped = Data(image_size=32, image_width=24, channels=3)
    assert shaped.specs["image"] == ((32, 24, 3), "uint8")
    points = Data(Ring(), image_size=1, channels=2)
    assert points.specs == {"image": ((1, 1, 2), "float32"), "label": ((), "int32")}


def test_a_source_that_names_no_fields_has_images_and_labels():
    class Nameless:
        pass

    assert Data(Nameless()).specs == Data().specs


def test_specs_of_other_fields():
    assert DATA.specs == {
        "edges": ((3, 8, 1), "uint8"),
        "photo": ((3, 8, 1), "uint8"),
        "clip": ((2, 3, 8, 1), "uint8"),
        "caption": ((5,), "int32"),
        "weather": ((), "int32"),
        "kind": ((), "int32"),
    }
    in_color = Data(Rich(), image_size=6, image_width=4, channels=3)
    # Its own number of channels stays.
    assert in_color.specs["edges"].shape == (6, 4, 1)
    assert in_color.specs["clip"].shape == (2, 6, 4, 3)
    unpaired = Data(Unpaired(), image_size=2, image_width=3).specs
    assert unpaired == {
        "a/image": ((2, 3, 1), "uint8"),
        "b/image": ((2, 3, 1), "uint8"),
        "b/label": ((), "int32"),
    }


@pytest.mark.parametrize("data", [Data(), Data(Ring(), image_size=1, channels=2), DATA])
def test_what_is_read_is_what_specs_say(data):
    found = arrays(load(data).test, slice(0, 3))
    assert list(found) == list(data.specs)
    for name, (shape, dtype) in data.specs.items():
        blank = np.zeros((1, *shape), dtype)
        assert found[name].shape[1:] == blank.shape[1:]
        assert found[name].dtype == blank.dtype


def test_every_field_is_read():
    found = arrays(load(DATA).train)
    for index, example in enumerate(EXAMPLES):
        gray = convert_color(example["photo"], "gray")
        np.testing.assert_array_equal(found["photo"][index], resize_image(gray, (3, 8), "bilinear"))
        np.testing.assert_array_equal(
            found["edges"][index], resize_image(example["edges"], (3, 8), "bilinear")
        )
        for frame in (0, 1):
            gray = convert_color(example["clip"][frame], "gray")
            expected = resize_image(gray, (3, 8), "bilinear")
            np.testing.assert_array_equal(found["clip"][index, frame], expected)
        np.testing.assert_array_equal(found["caption"][index], example["caption"])
    np.testing.assert_array_equal(found["weather"], np.arange(9) % 4)
    np.testing.assert_array_equal(found["kind"], np.arange(9) % 2)


def test_every_field_is_in_every_batch():
    split = load(replace(DATA, validation=2)).train
    on_device = {name: jnp.asarray(array) for name, array in arrays(split).items()}
    batches = stream(split, seed=5, batch_size_global=4, data=DATA)
    gather = jax.jit(
        lambda step: resident_batch(
            on_device, step=step, seed=5, batch_size_global=4, local_count=4
        )
    )
    for step in range(4):
        host, device = next(batches), gather(step)
        assert host.keys() == device.keys() == DATA.specs.keys()
        for name, array in host.items():
            assert array.dtype == device[name].dtype == DATA.specs[name].dtype
            np.testing.assert_array_equal(array, device[name])
    batches.close()


def test_residence_counts_every_field(monkeypatch):
    split = load(DATA).train
    # Two images and two frames of 3x8 bytes; five words and two labels of four.
    size = 9 * (4 * 24 + 7 * 4)
    for limit, resident in ((size, True), (size - 1, False)):
        monkeypatch.setattr("jaxgan.data.pipeline.RESIDENT_BYTES", limit)
        assert is_resident(DATA, split) is resident


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"kind": 2}, "kind 2 of example 0 is not a class; classes go from 0 to 1."),
        ({"weather": 4}, "weather 4 of example 0 is not a class; classes go from 0 to 3."),
        (
            {"caption": np.array([0, 1, 50, 2, 3])},
            "caption 50 of example 0 is not a class; classes go from 0 to 49.",
        ),
        (
            {"caption": np.array([0, 1, -1, 2, 3])},
            "caption -1 of example 0 is not a class; classes go from 0 to 49.",
        ),
        (
            {"caption": np.arange(4)},
            "caption of example 0 are int64 of shape (4,); they should be 5 integers.",
        ),
        (
            {"caption": np.zeros(5)},
            "caption of example 0 are float64 of shape (5,); they should be 5 integers.",
        ),
        (
            {"clip": EXAMPLES[0]["clip"][:1]},
            "clip of example 0 has 1 frames; it should have 2.",
        ),
        (
            {"clip": EXAMPLES[0]["clip"][..., :2]},
            "a frame of clip of example 0 is of shape (6, 4, 2), but the source describes its "
            "images as (6, 4, 3).",
        ),
        (
            {"edges": EXAMPLES[0]["photo"]},
            "edges of example 0 is of shape (6, 4, 3), but the source describes its images as "
            "(6, 4, 1).",
        ),
        (
            {"photo": EXAMPLES[0]["photo"].astype(float)},
            "photo of example 0 is float64 of shape (6, 4, 3); it should be uint8, with height, "
            "width and channels.",
        ),
    ],
)
def test_examples_that_are_not_as_their_fields_say(values, line, message):
    assert message(load, changed(**values)) == f"rich: {line}"


def test_a_field_that_is_missing(message):
    example = {name: EXAMPLES[0][name] for name in ("edges", "caption")}
    source = Rich(Listed([example]))
    assert message(load, replace(DATA, source=source)) == (
        "rich: example 0 has no photo; it has edges, caption."
    )


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "its fields are empty; they should name at least one."),
        (
            {"x": Field("words")},
            "field 'x' is of kind 'words'; it must be one of image, label, tokens, video.",
        ),
        ({"x": Field("tokens")}, "field 'x' is tokens of length 0; it must be at least 1."),
        (
            {"a/mask": Field("label")},
            "a field is called 'a/mask'; it needs a name, and 'mask' is taken by the padding of "
            "batches.",
        ),
        (
            {"a/": Field("label")},
            "a field is called 'a/'; it needs a name, and 'mask' is taken by the padding of "
            "batches.",
        ),
    ],
)
def test_fields_that_cannot_be(fields, line, message):
    class Named(Rich):
        pass

    Named.fields = fields
    assert message(load, replace(DATA, source=Named())) == f"rich: {line}"


def test_settings_fit_unless_every_image_has_its_own_channels(message):
    class Gray(Rich):
        fields: ClassVar[Any] = {"edges": Field("image", channels=1)}

    data = replace(DATA, source=Gray(), color="none")
    np.testing.assert_array_equal(
        load(data).train[3]["edges"], resize_image(EXAMPLES[3]["edges"], (3, 8), "bilinear")
    )
    assert "set --data.color gray" in message(load, replace(DATA, color="none"))


def test_json_of_settings():
    data = Data(image_size=12, image_width=9, classes=10)
    assert from_json(to_json(data)) == data
    # A configuration from before there were these settings means the same as ever.
    plain = to_json(Data())
    assert isinstance(plain, dict)
    assert from_json({k: v for k, v in plain.items() if k not in ("image_width", "classes")}) == (
        Data()
    )


def test_points_keep_their_dtype_in_an_array_split():
    points = ArraySplit(np.ones((2, 1, 1, 2), np.float32), np.zeros(2, np.int32))
    found = arrays(points)
    assert {name: array.dtype for name, array in found.items()} == {
        "image": np.float32,
        "label": np.int32,
    }
