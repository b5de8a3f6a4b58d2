import json
import threading
from dataclasses import asdict, dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from jaxgan.data import pipeline
from jaxgan.data.order import epoch_position
from jaxgan.data.pipeline import Data, is_resident, load, resident_batch
from jaxgan.data.reading import arrays
from jaxgan.data.source import ArraySplit, Info, Split
from jaxgan.data.sources.digits import Digits
from jaxgan.data.sources.gaussians import Ring
from jaxgan.data.sources.idx import fashion_mnist


@dataclass(frozen=True)
class Made:
    """A source with whatever content and self-description a test wants."""

    train: ArraySplit
    test: ArraySplit
    described: Info

    def info(self):
        return self.described

    def load(self, split):
        return {"train": self.train, "test": self.test}[split]


def made(count=6, shape=(4, 4, 1), dtype="uint8", labels=None, test_count=2, **changes):
    labels = np.arange(count) % 3 if labels is None else np.array(labels)
    images = np.arange(count * np.prod(shape)).reshape(count, *shape).astype(dtype)
    described = Info("made", shape, shape[2], "uint8", 3, {"train": count, "test": test_count})
    train = ArraySplit(images, labels)
    test = ArraySplit(images[:test_count], labels[:test_count])
    return Made(train, test, described._replace(**changes))


def small(source, **changes):
    return replace(Data(source, image_size=4), **changes)


def test_defaults_are_digits():
    data = Data()
    assert data.source == Digits()
    assert data.image_shape == (8, 8, 1)
    assert data == Data()
    assert hash(data) == hash(Data())
    assert json.loads(json.dumps(asdict(data)))["image_size"] == 8
    dataset = load(data)
    assert [len(split) for split in (dataset.train, dataset.test)] == [1500, 297]
    assert dataset.validation is None
    assert dataset.info == Digits().info()
    assert all(isinstance(split, Split) for split in (dataset.train, dataset.test))
    np.testing.assert_array_equal(dataset.train[7]["image"], Digits().load("train").images[7])


def test_splits_are_transformed():
    dataset = load(Data(image_size=12, channels=3, resize="pad", color="tile"))
    example = dataset.test[3]
    assert example["image"].shape == (12, 12, 3)
    original = Digits().load("test")[3]
    np.testing.assert_array_equal(example["image"][2:10, 2:10, 1], original["image"][..., 0])
    assert example["label"] == original["label"]


def test_points(message):
    dataset = load(Data(Ring(), image_size=1, channels=2))
    assert dataset.train[0]["image"].shape == (1, 1, 2)
    assert dataset.train[0]["image"].dtype == np.float32
    assert message(load, Data(Ring())) == (
        "ring has points, not images: set --data.image-size 1 and --data.channels 2."
    )


def test_validation_is_set_aside():
    plain = load(Data())
    dataset = load(Data(validation=200))
    assert dataset.validation is not None
    assert [len(split) for split in dataset[:3]] == [1300, 200, 297]
    # The documented rule: the last 200 of a permutation, in the order of the file.
    aside = np.sort(epoch_position(np.arange(1500), 1500, 0x5EED)[1300:])
    kept = np.setdiff1d(np.arange(1500), aside)
    everything = arrays(plain.train)
    for split, rows in ((dataset.train, kept), (dataset.validation, aside)):
        found = arrays(split)
        np.testing.assert_array_equal(found["image"], everything["image"][rows])
        np.testing.assert_array_equal(found["label"], everything["label"][rows])
    assert dataset.info.counts["train"] == 1500
    # Random enough to hold every digit.
    assert set(arrays(dataset.validation)["label"]) == set(range(10))
    with pytest.raises(IndexError, match="index 200 of a split of 200 examples"):
        dataset.validation[200]


def test_validation_too_large(message):
    line = "--data.validation sets 6 images aside, but made has only 6 for training."
    assert message(load, small(made(), validation=6)) == line
    assert len(load(small(made(), validation=5)).train) == 1


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("image_size", 0, "--data.image-size is 0; it must be at least 1."),
        ("image_width", -1, "--data.image-width is -1; it must be at least 0."),
        ("channels", 0, "--data.channels is 0; it must be at least 1."),
        ("classes", -1, "--data.classes is -1; it must be at least 0."),
        ("validation", -1, "--data.validation is -1; it must be at least 0."),
        ("threads", 0, "--data.threads is 0; it must be at least 1."),
        ("workers", -2, "--data.workers is -2; it must be at least 0."),
        ("prefetch", 0, "--data.prefetch is 0; it must be at least 1."),
    ],
)
def test_settings_out_of_range(field, value, line, message):
    assert message(load, replace(Data(), **{field: value})) == line


def test_unknown_streaming(message):
    data = Data()
    object.__setattr__(data, "streaming", "sometimes")
    assert message(load, data) == (
        "--data.streaming is 'sometimes'; it must be one of auto, always, never."
    )


def test_native_size_differs(message):
    assert message(load, Data(image_size=16)) == (
        "digits has images of 8x8, but --data.image-size is 16: set --data.resize to crop, "
        "lanczos, bilinear or pad, or change the size."
    )


def test_classes_are_checked_against_the_source(message):
    assert load(Data(classes=10)).info.classes == 10
    assert message(load, Data(classes=9)) == (
        "digits has 10 classes, but --data.classes is 9: set it to 10."
    )
    source = made(labels=[0] * 6, classes=1)
    assert message(load, small(source, classes=2)) == (
        "made has 1 class, but --data.classes is 2: set it to 1."
    )


def test_images_that_are_not_square():
    data = Data(image_size=12, image_width=9, resize="pad")
    assert data.image_shape == (12, 9, 1)
    original = Digits().load("test").images
    padded = arrays(load(data).test)["image"]
    assert padded.shape == (297, 12, 9, 1)
    # 12 - 8 = 4 rows, two above; 9 - 8 = 1 column, to the right.
    np.testing.assert_array_equal(padded[:, 2:10, :8], original)
    assert not padded[:, [0, 1, 10, 11]].any()
    assert not padded[:, :, 8].any()
    cropped = load(Data(image_size=4, image_width=8, resize="crop")).test[0]["image"]
    np.testing.assert_array_equal(cropped, original[0, 2:6])
    native = load(small(made(shape=(4, 6, 1)), image_width=6)).train[5]["image"]
    np.testing.assert_array_equal(native[..., 0], 120 + np.arange(24).reshape(4, 6))


def test_points_whose_source_forgets_its_dtype(message):
    points = ArraySplit(np.zeros((2, 1, 1, 2), np.float32), np.zeros(2, np.int32))
    source = Made(points, points, Info("made", (1, 1, 2), 2, "float32", 1, {"train": 2}))
    assert message(load, Data(source, image_size=1, channels=2)) == (
        "made: the source describes its images as float32, but its dtype is uint8; it should have "
        "an attribute dtype = 'float32'."
    )


def test_empty_splits(message):
    source = made(test_count=0)
    assert message(load, small(source)) == "made: the test split is empty."


def test_label_out_of_range(message):
    for bad in (3, -1):
        source = made(labels=[bad, 0, 1, 2, 0, 1])
        line = f"made: label {bad} of example 0 is not a class; classes go from 0 to 2."
        assert message(load, small(source)) == line
    # Further in, it is found when the split is read, which comes before training.
    dataset = load(small(made(labels=[0, 1, 2, 0, 7, 1])))
    assert message(arrays, dataset.train) == (
        "made: label 7 of example 4 is not a class; classes go from 0 to 2."
    )


def test_source_that_describes_itself_wrongly(message):
    assert message(load, small(made(dtype="float64"))) == (
        "made: example 0 is float64 of shape (4, 4, 1); it should be uint8, with height, width and "
        "channels."
    )
    source = made(shape=(4, 5, 1))
    source = replace(source, described=source.described._replace(shape=(4, 4, 1)))
    # It is not resized behind one's back.
    for resize in ("none", "lanczos"):
        assert message(load, small(source, resize=resize)) == (
            "made: example 0 is of shape (4, 5, 1), but the source describes its images as "
            "(4, 4, 1)."
        )
    source = made(shape=(4, 5, 2))
    source = replace(source, described=source.described._replace(shape=None, channels=1))
    assert message(load, small(source, resize="crop")) == (
        "made: example 0 is of shape (4, 5, 2), but the source describes its images as of 1 "
        "channel(s)."
    )


def test_residence():
    dataset = load(Data())
    assert is_resident(Data(), dataset.train)
    assert not is_resident(Data(streaming="always"), dataset.train)
    assert is_resident(Data(streaming="never"), dataset.train)


@pytest.mark.parametrize(("spare", "resident"), [(0, True), (1, False)])
def test_auto_goes_by_the_bytes(spare, resident, monkeypatch):
    split = load(Data()).train
    # 64 bytes of pixels and four of a label.
    monkeypatch.setattr(pipeline, "RESIDENT_BYTES", 1500 * 68 - spare)
    assert is_resident(Data(), split) is resident


def test_arrays_read_everything():
    source = Digits().load("train")
    found = arrays(load(Data()).train)
    np.testing.assert_array_equal(found["image"], source.images)
    np.testing.assert_array_equal(found["label"], source.labels)
    assert found["image"].dtype == np.uint8
    assert found["label"].dtype == np.int32
    points = arrays(load(Data(Ring(), image_size=1, channels=2)).test)
    assert points["image"].shape == (10_000, 1, 1, 2)
    assert points["image"].dtype == np.float32


def test_arrays_use_threads():
    class Slow(ArraySplit):
        def __getitem__(self, index, /):
            if index in (255, 511):
                barrier.wait(timeout=60)
            return super().__getitem__(index)

    # The 256th and the 512th example wait for each other, so one thread alone would never finish.
    barrier = threading.Barrier(2)

    images = np.arange(600, dtype=np.uint8).reshape(600, 1, 1, 1)
    found = arrays(Slow(images, np.zeros(600, np.int32)))
    np.testing.assert_array_equal(found["image"], images)


def test_resident_batch_follows_the_order():
    count, batch = 50, 16
    data = {"image": jnp.arange(count * 4).reshape(count, 2, 2, 1), "label": jnp.arange(count)}
    gather = jax.jit(
        lambda step: resident_batch(
            data, step=step, seed=9, batch_size_global=batch, local_count=batch
        )
    )
    rows = epoch_position(np.arange(7 * batch), count, 9).reshape(7, batch)
    for step in range(7):
        found = gather(step)
        np.testing.assert_array_equal(found["label"], rows[step])
        np.testing.assert_array_equal(found["image"][:, 0, 0, 0], rows[step] * 4)
    assert gather._cache_size() == 1
    # Three epochs of 50 within 150 places: every record comes exactly three times.
    first = np.concatenate([gather(step)["label"] for step in range(10)])[:150]
    np.testing.assert_array_equal(np.bincount(first), [3] * count)


@pytest.mark.parametrize("devices", [2, 8])
def test_resident_batch_is_the_same_on_any_number_of_devices(devices):
    data = {"image": jnp.arange(50).reshape(50, 1, 1, 1), "label": jnp.arange(50)}
    whole = resident_batch(data, step=3, seed=1, batch_size_global=16, local_count=16)

    def gather(data, step):
        return resident_batch(
            data,
            step=step,
            seed=1,
            batch_size_global=16,
            local_count=16 // devices,
            axis_name="devices",
        )

    # pmap wants at least one argument that it maps over, even with axis_size.
    steps = jnp.full(devices, 3)
    spread = jax.pmap(gather, "devices", in_axes=(None, 0))(data, steps)
    assert spread["label"].shape == (devices, 16 // devices)
    mesh = jax.make_mesh((devices,), ("devices",), devices=jax.devices()[:devices])
    sharded = jax.jit(
        jax.shard_map(
            gather,
            mesh=mesh,
            in_specs=(PartitionSpec(), PartitionSpec()),
            out_specs=PartitionSpec("devices"),
            check_vma=False,
        )
    )(data, 3)
    for found in (spread, sharded):
        np.testing.assert_array_equal(found["label"].reshape(-1), whole["label"])
        np.testing.assert_array_equal(found["image"].reshape(-1), whole["image"].reshape(-1))


def test_resident_batch_far_into_a_run():
    data = {"image": jnp.zeros((1000, 1, 1, 1)), "label": jnp.arange(1000)}
    # The last step that fits: its places end at 2^32, beyond what int32 could count.
    step = 2**32 // 64 - 1
    found = resident_batch(data, step=jnp.int32(step), seed=0, batch_size_global=64, local_count=64)
    places = np.arange(step * 64, (step + 1) * 64)
    np.testing.assert_array_equal(found["label"], epoch_position(places, 1000, 0))


def test_resident_batch_over_seeds():
    data = {"image": jnp.zeros((30, 1, 1, 1)), "label": jnp.arange(30)}
    found = jax.vmap(
        lambda seed: resident_batch(data, step=0, seed=seed, batch_size_global=8, local_count=8)
    )(jnp.arange(3))
    for seed in range(3):
        expected = epoch_position(np.arange(8), 30, seed)
        np.testing.assert_array_equal(found["label"][seed], expected)


@pytest.mark.fashion_mnist
def test_fashion_mnist_end_to_end():
    data = Data(fashion_mnist(), image_size=32, resize="pad", validation=5000)
    dataset = load(data)
    assert dataset.validation is not None
    assert [len(split) for split in dataset[:3]] == [55_000, 5_000, 10_000]
    assert is_resident(data, dataset.train)
    assert dataset.test[0]["image"].shape == (32, 32, 1)
