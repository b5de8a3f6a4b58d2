import json
import pickle
import zlib
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unpaired import COUNTS, Unpaired, pixels

from jaxgan.data.domains import Domains, domain_of, join
from jaxgan.data.order import epoch_position
from jaxgan.data.pipeline import Data, load, resident_batch
from jaxgan.data.reading import arrays
from jaxgan.data.source import ArraySplit, DataError, Field, Info, Split
from jaxgan.data.stream import stream

DATA = Data(Unpaired(), image_size=2, image_width=3)
BATCH = 4
SEED = 11


def rows_of(domain, step, seed=SEED, batch=BATCH):
    """The documented order: one of the domain's own, by the CRC-32 of its name."""
    size = COUNTS["train"][domain]
    places = np.arange(step * batch, (step + 1) * batch)
    return epoch_position(places, size, seed ^ zlib.crc32(domain.encode()))


@pytest.fixture
def opened():
    """Opens streams and closes them when the test is over."""
    streams = []

    def make(split, **changes):
        settings = {"seed": SEED, "batch_size_global": BATCH, "data": DATA, **changes}
        streams.append(stream(split, **settings))
        return streams[-1]

    yield make
    for made in streams:
        made.close()


def resident(step, split=None, seed=SEED, **sharding):
    data = {name: jnp.asarray(array) for name, array in arrays(split or load(DATA).train).items()}
    settings = {"batch_size_global": BATCH, "local_count": BATCH, **sharding}
    return resident_batch(data, step=step, seed=seed, **settings)


def test_names():
    for full, domain, name in (("a/image", "a", "image"), ("image", "", "image")):
        assert domain_of(full) == domain
        assert join(domain, name) == full


def test_a_split_of_domains_has_the_rows_that_each_of_them_has():
    split = load(DATA).train
    assert isinstance(split, Domains)
    assert isinstance(split, Split)
    assert (len(split), len(split.domain("a")), len(split.domain("b"))) == (12, 7, 12)
    # What no field names, the labels of a, is left out.
    assert split[6].keys() == {"a/image", "b/image", "b/label"}
    np.testing.assert_array_equal(split[6]["a/image"], pixels("a", [6])[0])
    assert split[7].keys() == {"b/image", "b/label"}
    assert split[7]["b/label"] == 7 % 3
    for index in (-1, 12):
        with pytest.raises(IndexError, match=f"index {index} of a split of 12 examples"):
            split[index]


def test_arrays_have_the_length_of_their_domain():
    found = arrays(load(DATA).test)
    assert found.keys() == {"a/image", "b/image", "b/label"}
    np.testing.assert_array_equal(found["a/image"], pixels("a", range(5)))
    np.testing.assert_array_equal(found["b/image"], pixels("b", range(2)))
    np.testing.assert_array_equal(found["b/label"], [0, 1])
    assert found["b/label"].dtype == np.int32
    # Beyond the end of the shorter domain, there is nothing of it, in the right shape.
    part = arrays(load(DATA).test, slice(1, 4))
    np.testing.assert_array_equal(part["a/image"], pixels("a", [1, 2, 3]))
    np.testing.assert_array_equal(part["b/label"], [1])
    part = arrays(load(DATA).test, slice(3, 5))
    assert part["b/image"].shape == (0, 2, 3, 1)
    assert part["b/image"].dtype == np.uint8


def test_each_domain_has_an_order_of_its_own():
    for step in range(5):
        batch = resident(step)
        a, b = rows_of("a", step), rows_of("b", step)
        np.testing.assert_array_equal(batch["a/image"], pixels("a", a))
        np.testing.assert_array_equal(batch["b/image"], pixels("b", b))
        np.testing.assert_array_equal(batch["b/label"], b % 3)


def test_every_epoch_of_a_domain_is_a_permutation_of_it():
    # 21 batches of 4 are 12 epochs of 7, and 7 epochs of 12.
    batches = [resident(step) for step in range(21)]
    for domain, size in COUNTS["train"].items():
        images = np.concatenate([batch[f"{domain}/image"] for batch in batches])
        first = images[:, 0, 0, 0].astype(int) - {"a": 0, "b": 100}[domain]
        epochs = (first // 6).reshape(-1, size)
        np.testing.assert_array_equal(np.sort(epochs, axis=1), [range(size)] * (84 // size))
        assert len({tuple(epoch) for epoch in epochs}) > 1


def test_domains_of_equal_length_are_not_in_step():
    numbers = jnp.arange(50)
    data = {"a/x": numbers, "b/x": numbers, "x": numbers, "a/y": -numbers}
    batch = resident_batch(data, step=0, seed=3, batch_size_global=50, local_count=50)
    # Without a domain, the seed itself decides.
    np.testing.assert_array_equal(batch["x"], epoch_position(np.arange(50), 50, 3))
    # Fields of one domain belong together.
    np.testing.assert_array_equal(batch["a/y"], -batch["a/x"])
    assert len({tuple(batch[name].tolist()) for name in ("a/x", "b/x", "x")}) == 3
    for name in ("a/x", "b/x"):
        assert sorted(batch[name].tolist()) == list(range(50))
        # Of two unrelated orders of 50, about one place agrees (a Poisson number of mean 1).
        assert (batch[name] == batch["x"]).sum() < 8


def test_streamed_batches_equal_the_resident_ones(opened):
    split = load(DATA).train
    batches = opened(split)
    for step in range(8):
        host, device = next(batches), resident(step, split)
        assert host.keys() == device.keys() == DATA.specs.keys()
        for name, (shape, dtype) in DATA.specs.items():
            assert host[name].dtype == device[name].dtype == dtype
            assert host[name].shape == device[name].shape == (BATCH, *shape)
            np.testing.assert_array_equal(host[name], device[name])


def test_processes_share_the_batches_of_every_domain(opened):
    split = load(DATA).train
    halves = [opened(split, process_index=index, process_count=2) for index in (0, 1)]
    for step in range(8):
        shares, whole = [next(half) for half in halves], resident(step, split)
        for name, array in whole.items():
            joined = np.concatenate([share[name] for share in shares])
            np.testing.assert_array_equal(joined, array)


@pytest.mark.parametrize("devices", [2, 4])
def test_devices_share_the_batches_of_every_domain(devices):
    def gather(step):
        return resident(step, local_count=BATCH // devices, axis_name="devices")

    spread = jax.pmap(gather, "devices")(jnp.full(devices, 5))
    for name, array in resident(5).items():
        np.testing.assert_array_equal(spread[name].reshape(array.shape), array)


def test_seeds_may_be_mapped_over():
    found = jax.vmap(lambda seed: resident(2, seed=seed))(jnp.arange(3))
    for seed in range(3):
        np.testing.assert_array_equal(found["b/label"][seed], rows_of("b", 2, seed) % 3)


def test_a_stream_of_domains_goes_on_from_one_number(opened):
    split = load(DATA).train
    batches = opened(split)
    for _ in range(3):
        next(batches)
    state = json.loads(json.dumps(batches.get_state()))
    expected = {"step": 3, "seed": SEED, "batch_size_global": BATCH, "a/size": 7, "b/size": 12}
    assert state == expected
    again = opened(split)
    again.set_state(state)
    found, wanted = next(again), next(batches)
    for name, array in resident(3, split).items():
        np.testing.assert_array_equal(found[name], array)
        np.testing.assert_array_equal(wanted[name], array)


def test_a_stream_refuses_the_state_of_other_domains(opened, message):
    split = load(DATA).train
    assert isinstance(split, Domains)
    state = opened(split).get_state()
    start = "the saved data position belongs to a stream with"
    shorter = Domains({"a": split.domain("a"), "b": split.domain("a")})
    assert message(opened(shorter).set_state, state) == f"{start} b/size 12; this one has 7."
    alone = opened(split.domain("a"))
    assert message(alone.set_state, state) == f"{start} no size; this one has 7."
    fewer = opened(Domains({"a": split.domain("a")}))
    assert message(fewer.set_state, state) == f"{start} b/size 12; this one has none."


def test_domains_travel_to_worker_processes(opened):
    split = pickle.loads(pickle.dumps(load(DATA).train))
    found = next(opened(split))
    for name, array in resident(0).items():
        np.testing.assert_array_equal(found[name], array)


def test_validation_is_cut_from_each_domain(message):
    dataset = load(replace(DATA, validation=2))
    plain = arrays(load(DATA).train)
    kept, aside = arrays(dataset.train), arrays(dataset.validation)
    for domain, size in COUNTS["train"].items():
        # The documented rule: the last two of a permutation of the domain, in its own order.
        order = epoch_position(np.arange(size), size, 0x5EED ^ zlib.crc32(domain.encode()))
        for found, rows in ((kept, order[:-2]), (aside, order[-2:])):
            expected = plain[f"{domain}/image"][np.sort(rows)]
            np.testing.assert_array_equal(found[f"{domain}/image"], expected)
    assert message(load, replace(DATA, validation=7)) == (
        "--data.validation sets 7 images aside, but unpaired has only 7 for training of domain a."
    )


@dataclass(frozen=True)
class Wrong:
    """A source whose splits are not as its fields say."""

    fields: ClassVar = Unpaired.fields
    splits: Any = field(hash=False)

    def info(self):
        return Info("wrong", (2, 3, 1), 1, "uint8", 3, {"train": 1, "test": 1})

    def load(self, split):
        return self.splits


def test_domains_that_are_not_as_the_fields_say(message):
    one, none = (ArraySplit(pixels("a", range(n)), np.zeros(n, int)) for n in (1, 0))

    def line(splits):
        return message(load, replace(DATA, source=Wrong(splits)))

    assert line(Domains({"a": one, "c": one})) == (
        "wrong: the train split has domains 'a', 'c', but the source's fields name 'a', 'b'."
    )
    assert line(one) == (
        "wrong: the train split has domains '', but the source's fields name 'a', 'b'."
    )
    assert line(Domains({"a": one, "b": none})) == "wrong: the train split of domain b is empty."
    bad = ArraySplit(one.images, np.array([3]))
    assert line(Domains({"a": one, "b": bad})) == (
        "wrong: b/label 3 of example 0 is not a class; classes go from 0 to 2."
    )
    flat = ArraySplit(one.images[..., 0], np.array([0]))
    assert line(Domains({"a": flat, "b": one})) == (
        "wrong: a/image of example 0 is uint8 of shape (2, 3); it should be uint8, with height, "
        "width and channels."
    )


def test_no_empty_domain_is_streamed():
    one, none = (ArraySplit(pixels("a", range(n)), np.zeros(n, int)) for n in (1, 0))
    with pytest.raises(DataError, match="an empty split cannot be streamed"):
        stream(Domains({"a": one, "b": none}), seed=0, batch_size_global=1, data=DATA)


def test_fields_without_a_domain_stand_beside_domains():
    class Mixed(Wrong):
        fields: ClassVar = {"image": Field("image"), "b/image": Field("image")}

    parts = {
        name: ArraySplit(pixels("a", range(n)), np.zeros(n, int)) for name, n in (("", 3), ("b", 4))
    }
    found = arrays(load(replace(DATA, source=Mixed(Domains(parts)))).train)
    assert {name: len(array) for name, array in found.items()} == {"image": 3, "b/image": 4}
