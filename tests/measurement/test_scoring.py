"""What is measured of a trained state."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from scipy import stats

from jaxgan.config import ConfigError, Evaluation
from jaxgan.data import splits
from jaxgan.data.order import subset_rows
from jaxgan.data.pipeline import Data
from jaxgan.data.source import IMAGE_AND_LABEL, ArraySplit, Info
from jaxgan.data.sources.gaussians import Ring
from jaxgan.evaluation.distances.fid import frechet_between, frechet_distance
from jaxgan.evaluation.protocol import bracket, from_document, short_name
from jaxgan.evaluation.reference import pixels_digest
from jaxgan.measurement import pictures, scoring
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.program import compile_program, example_batch
from jaxgan.run.finite import NonFiniteError

DISTANCES = "digits-cnn,train1500,gen100,q8,ema"
HELD_OUT = "test297,ema,likelihood=Bernoulli"
POINTS = Data(source=Ring(), image_size=1, channels=2)


@functools.cache
def made(experiment):
    """A program and the state that training would start from."""
    program = compile_program(experiment, "none")
    return program, program.init(0, example_batch(experiment))


def measure(experiment, distances="train", held_out_split="test", **options):
    program, state = made(experiment)
    return scoring.measure(
        program, state, experiment, distances=distances, held_out_split=held_out_split, **options
    ).metrics


@functools.cache
def kl_by_hand():
    """KL(N(m, diag(v)) || N(0, 1)) of each test image: (m^2 + v - log v - 1) / 2, summed."""
    experiment = tiny.vae()
    _, state = made(experiment)
    images = splits.in_memory(experiment.data, "test")["image"]
    mean, log_variance = experiment.model.encoder.apply(
        {"params": state.ema["autoencoder"]["params"]["encoder"]},
        jnp.asarray(images / 127.5 - 1.0, jnp.float32),
        latent_size=4,
        train=False,
    )
    mean, log_variance = np.asarray(mean, np.float64), np.asarray(log_variance, np.float64)
    return ((mean**2 + np.exp(log_variance) - log_variance - 1) / 2).sum(axis=1)


def test_names_say_what_was_measured():
    numbers = measure(tiny.vae())
    assert set(numbers) == {
        *(f"{metric}[{DISTANCES}]" for metric in ("fid", "kid", "kid_se")),
        *(f"{metric}[{HELD_OUT}]" for metric in ("elbo", "kl", "reconstruction")),
    }
    assert numbers == measure(tiny.vae())  # the same latents every time
    assert short_name(f"fid[{DISTANCES}]") == "fid"
    assert short_name("step") == "step"


@pytest.mark.parametrize("size", [64, 400])
def test_every_held_out_image_counts_once_whatever_the_batch(size):
    experiment = tiny.vae(evaluation=Evaluation(samples=100, batch_size=size))
    numbers = measure(experiment)
    assert len(kl_by_hand()) == 297
    assert numbers[f"kl[{HELD_OUT}]"] == pytest.approx(kl_by_hand().mean(), rel=1e-5)
    # elbo = reconstruction - kl, by definition.
    assert numbers[f"elbo[{HELD_OUT}]"] == pytest.approx(
        numbers[f"reconstruction[{HELD_OUT}]"] - numbers[f"kl[{HELD_OUT}]"], rel=1e-5
    )


def test_intervals_of_the_held_out_means_are_those_of_their_images():
    experiment = tiny.vae()
    program, state = made(experiment)
    found = scoring.measure(program, state, experiment, distances="train", held_out_split="test")
    # The KL is in closed form, so each image has the same one whatever is drawn.
    mean, error = kl_by_hand().mean(), kl_by_hand().std(ddof=1) / 297**0.5
    # Student's quantile, about the logarithm of what cannot be negative.
    expected = mean * np.exp(np.array([-1, 1]) * stats.t.ppf(0.975, 296) * error / mean)
    np.testing.assert_allclose(found.intervals[f"kl[{HELD_OUT}]"], expected, rtol=1e-4)
    assert f"kl_se[{HELD_OUT}]" not in found.metrics
    low, high = found.intervals[f"kid[{DISTANCES}]"]
    error = found.metrics[f"kid_se[{DISTANCES}]"]
    np.testing.assert_allclose(high - low, 2 * 1.959964 * error, rtol=1e-6)


def test_protocols_are_recorded_beside_the_numbers():
    experiment = tiny.vae()
    program, state = made(experiment)
    found = scoring.measure(program, state, experiment, distances="train", held_out_split="test")
    assert set(found.protocols) == {DISTANCES, HELD_OUT}
    for name in found.metrics:
        protocol = from_document(found.protocols[bracket(name)])
        assert protocol.name(short_name(name)) == name
    assert found.protocols[DISTANCES]["image"] == "8x8x1"
    held_out = found.protocols[HELD_OUT]
    other = scoring.reference(experiment.data, "digits-cnn", "test").protocol
    assert (held_out["real_count"], other.real_count) == (297, 297)


def test_few_samples_for_their_features_are_told():
    program, state = made(tiny.vae())
    for samples, told in ((64, True), (65, False)):
        experiment = tiny.vae(evaluation=Evaluation(samples=samples, metrics=("fid", "kid")))
        said = []
        found = scoring.measure(
            program, state, experiment, distances="train", held_out_split=None, log=said.append
        )
        line = (
            "fid of 64 samples with 64 features each: their covariance has not even full rank, and"
            " the distance is far too large; compare it at equal counts alone, or take kid"
        )
        assert found.warnings == ([line] if told else [])
        assert (line in said) is told
    few = dataclasses.replace(
        tiny.vae(), evaluation=Evaluation(samples=319, metrics=("kid", "fid_inf"))
    )
    with pytest.raises(ConfigError, match=r"^fid_inf needs 320 samples, 5 for each of the 64 "):
        scoring.measure(program, state, few, distances="train", held_out_split=None)


def test_another_seed_draws_anew_against_the_same_real_images():
    experiment = tiny.vae()
    usual, program = measure(experiment), made(experiment)[0]
    compiled = program.generate._cache_size(), program.evaluate._cache_size()
    other = measure(experiment, seed=3)
    names = {name: name.replace("ema", "ema,seed=3") for name in usual}
    assert set(other) == set(names.values())
    for name in (f"fid[{DISTANCES}]", f"elbo[{HELD_OUT}]"):
        a, b = usual[name], other[names[name]]
        assert a != b
        assert a == pytest.approx(b, rel=0.2)
    assert (program.generate._cache_size(), program.evaluate._cache_size()) == compiled
    sides = [scoring.reference_for(experiment, "train", seed=seed) for seed in (0, 3)]
    assert sides[0].features is sides[1].features
    assert [side.protocol.seed for side in sides] == [0, 3]
    assert sides[0].protocol.digest != sides[1].protocol.digest


@pytest.mark.slow
def test_memorization_is_looked_for_among_the_images_that_are_held_out():
    experiment = tiny.vae(
        data=Data(validation=50), evaluation=Evaluation(samples=40, metrics=("memorization",))
    )
    program, state = made(experiment)

    def digest(held_out):
        found = scoring.measure(
            program, state, experiment, distances="validation", held_out_split=held_out
        )
        (name,) = (name for name in found.metrics if name.startswith("memorization["))
        assert name == "memorization[train1450,gen40,q8,ema]"
        return found.protocols[bracket(name)]["real_digest"]

    train, *others = (
        splits.in_memory(experiment.data, split)["image"]
        for split in ("train", "validation", "test")
    )
    assert [digest("validation"), digest("test")] == [pixels_digest([train, o]) for o in others]


def test_other_ways_to_draw_are_part_of_the_name():
    evaluation = Evaluation(
        samples=60, weights="raw", batch_norm="batch", batch_size=30, truncation=0.5,
        metrics=("fid", "prdc"),
    )  # fmt: skip
    found = measure(tiny.dcgan(evaluation=evaluation), held_out_split=None)
    how = "digits-cnn,train1500,gen60,q8,raw,bn=batch,batch=30,psi=0.5"
    assert set(found) == {
        f"{m}[{how}]" for m in ("fid", "precision", "recall", "density", "coverage")
    }
    usual = measure(
        tiny.dcgan(evaluation=dataclasses.replace(evaluation, weights="ema")), held_out_split=None
    )
    assert usual[f"fid[{how.replace('raw', 'ema')}]"] == found[f"fid[{how}]"]  # nothing is trained


def test_averaged_weights_are_measured():
    experiment = tiny.vae()
    program, state = made(experiment)
    other = state.replace(players=jax.tree.map(jnp.zeros_like, state.players))
    found = scoring.measure(
        program, other, experiment, distances="train", held_out_split="test"
    ).metrics
    assert found == measure(experiment)
    zeroed = state.replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    found = scoring.measure(
        program, zeroed, experiment, distances="train", held_out_split="test"
    ).metrics
    assert found[f"kl[{HELD_OUT}]"] == 0.0  # mean 0, log variance 0


def test_splits_and_counts_can_be_chosen():
    experiment = tiny.gan(
        data=Data(validation=200), evaluation=Evaluation(samples=50, split="test")
    )
    numbers = measure(experiment, distances="validation", held_out_split="validation")
    assert set(numbers) == {
        *(f"{m}[digits-cnn,validation200,gen50,q8,ema]" for m in ("fid", "kid", "kid_se")),
        *(f"discriminator_accuracy{part}[validation200,ema]" for part in ("", "_real", "_fake")),
    }
    numbers = measure(experiment, distances="test", held_out_split=None)
    metrics = ("fid", "kid", "kid_se")
    assert set(numbers) == {f"{m}[digits-cnn,test297,gen50,q8,ema]" for m in metrics}
    default = scoring.reference(Data(validation=200), "digits-cnn", "train").protocol
    assert (default.real_count, default.sample_count) == (1300, 1300)


@pytest.mark.slow
def test_points_are_scored_as_a_mixture():
    experiment = dataclasses.replace(
        tiny.gan(data=POINTS, evaluation=Evaluation(samples=200, metrics=("fid",))),
        model=dataclasses.replace(
            tiny.gan().model,
            generator=MlpGenerator(widths=(4,), bounded=False),
            discriminator=MlpDiscriminator(widths=(4,)),
        ),
    )
    program, state = made(experiment)

    def score(point):
        """Numbers of a generator that makes the same point every time."""
        ema = jax.tree_util.tree_map_with_path(
            lambda path, leaf: jnp.asarray(point) if leaf.shape == (2,) else jnp.zeros_like(leaf),
            state.ema,
        )
        return scoring.measure(
            program, state.replace(ema=ema), experiment, distances="train", held_out_split=None
        ).metrics

    at_a_mode = score([1.0, 0.0])  # the ring's first mode
    assert at_a_mode["modes[of8,gen200,ema]"] == 1.0
    assert at_a_mode["high_quality[3std,gen200,ema]"] == 1.0
    assert at_a_mode["reverse_kl[of8,gen200,ema]"] == pytest.approx(np.log(8))
    # Ten thousand real points count, of the hundred thousand that there are.
    assert "fid[identity,train10000,gen200,f32,ema,subset=real]" in at_a_mode
    nowhere = score([9.0, 9.0])
    assert nowhere["modes[of8,gen200,ema]"] == 0.0
    assert np.isnan(nowhere["reverse_kl[of8,gen200,ema]"])
    with pytest.raises(NonFiniteError) as raised:
        score([np.nan, 0.0])
    assert str(raised.value) == "samples are not finite at step 0: training has diverged"
    assert set(pictures.pictures(program, state, experiment)) == {"samples"}


def test_a_metric_that_is_not_finite_ends_the_run():
    experiment = tiny.vae()
    program, state = made(experiment)
    broken = state.replace(step=jnp.int32(7), ema=jax.tree.map(lambda x: x * jnp.nan, state.ema))
    with pytest.raises(
        NonFiniteError,
        match=r"^elbo\[test297,ema,likelihood=Bernoulli\] is nan at step 7: training has",
    ):
        scoring.measure(program, broken, experiment, distances="train", held_out_split="test")


def test_real_images_are_those_of_the_split_that_is_asked_for():
    data = Data(validation=100)
    counts = {"train": 1400, "validation": 100, "test": 297}
    for name, count in counts.items():
        protocol = scoring.reference(data, "pixels", name).protocol
        images = splits.in_memory(data, name)["image"]
        assert (protocol.split, protocol.real_count) == (name, count)
        assert protocol.real_digest == pixels_digest([images])
    digests = {scoring.reference(data, "pixels", name).protocol.real_digest for name in counts}
    assert len(digests) == 3


@dataclasses.dataclass(frozen=True)
class Ordered:
    """Ten classes of 130 points, in the order of their classes, as files of a folder are."""

    fields = IMAGE_AND_LABEL
    dtype = "float32"

    def info(self):
        return Info("ordered", (1, 1, 2), 2, "float32", 10, {"train": 1300, "test": 1300})

    def load(self, split):
        labels = np.repeat(np.arange(10), 130)
        points = np.random.RandomState(0).normal(size=(1300, 2)) + 3 * labels[:, None]
        return ArraySplit(points.astype(np.float32).reshape(1300, 1, 1, 2), labels)


@pytest.mark.parametrize("streaming", ["never", "always"])
def test_the_reference_is_drawn_from_all_of_a_larger_split(monkeypatch, streaming):
    monkeypatch.setattr(scoring, "LIMIT", 1000)
    data = Data(Ordered(), image_size=1, channels=2, streaming=streaming)
    reference = scoring.reference.__wrapped__(data, "identity", "train", labels=True)
    how = reference.protocol
    assert (how.real_count, how.sample_count, how.subset) == (1000, 1000, "real")
    assert how.name("fid") == "fid[identity,train1000,gen1000,f32,ema,subset=real]"
    rows = subset_rows(1300, 1000)
    whole = Ordered().load("train")
    np.testing.assert_array_equal(reference.images, whole.images[rows])
    np.testing.assert_array_equal(reference.labels, whole.labels[rows])
    # In the true proportions: of 1,000 drawn out of ten times 130, each count has deviation 4.6.
    assert (abs(np.bincount(reference.labels, minlength=10) - 100) < 4 * 4.6).all()


def test_a_perfect_generator_is_not_judged_by_the_first_classes(monkeypatch):
    monkeypatch.setattr(scoring, "LIMIT", 1000)
    data = Data(Ordered(), image_size=1, channels=2)
    reference = scoring.reference.__wrapped__(data, "identity", "train")
    points = Ordered().load("train").images.reshape(1300, 2).astype(np.float64)

    def fid(real):
        """Of all points against some of them."""
        sides = [(x.mean(axis=0), np.cov(x, rowvar=False)) for x in (real, points)]
        return frechet_distance(*sides[0], *sides[1])

    draws = np.random.default_rng(1)
    by_chance = [fid(points[draws.permutation(1300)[:1000]]) for _ in range(200)]
    found = frechet_between(reference.moments, points)
    assert found == pytest.approx(fid(reference.features.astype(np.float64)), rel=1e-3, abs=1e-5)
    assert found < max(by_chance)
    assert fid(points[:1000]) > 50 * max(by_chance)  # what the first thousand would have said


def test_a_split_within_the_limit_is_measured_as_it_is(monkeypatch):
    data = Data(Ordered(), image_size=1, channels=2)
    whole = scoring.reference.__wrapped__(data, "identity", "train", labels=True)
    monkeypatch.setattr(scoring, "LIMIT", 1300)
    same = scoring.reference.__wrapped__(data, "identity", "train", labels=True)
    assert whole.protocol == same.protocol
    assert whole.protocol.name("fid") == "fid[identity,train1300,gen1300,f32,ema]"
    assert "subset" not in whole.protocol.document()
    images = Ordered().load("train").images
    np.testing.assert_array_equal(whole.images, images)
    assert whole.protocol.real_digest == pixels_digest([images])


def test_a_state_without_an_average_is_measured_by_its_raw_weights():
    experiment = tiny.vae(evaluation=Evaluation(samples=30, backbone="pixels", metrics=("fid",)))
    program, state = made(experiment)
    # Averages of something else, so that it shows which weights are measured.
    state = state.replace(ema=jax.tree.map(lambda leaf: leaf + 0.1, state.ema))
    raw = dataclasses.replace(experiment.evaluation, weights="raw")

    def found(state, evaluation):
        return scoring.measure(
            program, state, dataclasses.replace(experiment, evaluation=evaluation),
            distances="train", held_out_split="test",
        ).metrics  # fmt: skip

    alone = state.replace(ema={})
    assert found(alone, experiment.evaluation) == found(state, raw) == found(alone, raw)
    assert set(found(alone, raw)) == {
        "fid[pixels8x8,train1500,gen30,q8,raw]",
        *(f"{m}[test297,raw,likelihood=Bernoulli]" for m in ("elbo", "kl", "reconstruction")),
    }
    assert set(found(alone, raw).values()).isdisjoint(found(state, experiment.evaluation).values())
