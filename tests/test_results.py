"""What is measured and shown of a trained state."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from jaxgan import results
from jaxgan.config import Evaluation
from jaxgan.data.gaussians import Ring
from jaxgan.data.pipeline import Data
from jaxgan.data.source import DataError
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.vae import Gaussian
from jaxgan.program import compile_program, example_batch
from jaxgan.recorder import NonFiniteError
from jaxgan.visualization.grid import pairs_grid

DISTANCES = "digits-cnn,train1500,gen100,q8,ema"
POINTS = Data(source=Ring(), image_size=1, channels=2)


@functools.cache
def made(experiment):
    """A program and the state that training would start from."""
    program = compile_program(experiment, "none")
    return program, program.init(0, example_batch(experiment))


def measure(experiment, distances="train", held_out="test"):
    program, state = made(experiment)
    return results.measure(program, state, experiment, distances=distances, held_out=held_out)


@functools.cache
def kl_by_hand():
    """KL(N(m, diag(v)) || N(0, 1)) of each test image: (m^2 + v - log v - 1) / 2, summed."""
    experiment = tiny.vae()
    _, state = made(experiment)
    images = results.in_memory(experiment.data, "test")["image"]
    mean, log_variance = experiment.model.encoder.apply(
        {"params": state.ema["params"]["encoder"]},
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
        *(f"{metric}[test297,ema]" for metric in ("elbo", "kl", "reconstruction")),
    }
    assert numbers == measure(tiny.vae())  # the same latents every time
    assert results.short_name(f"fid[{DISTANCES}]") == "fid"
    assert results.short_name("step") == "step"


@pytest.mark.parametrize("size", [64, 400])
def test_every_held_out_image_counts_once_whatever_the_batch(size):
    experiment = tiny.vae(evaluation=Evaluation(samples=100, batch_size=size))
    numbers = measure(experiment)
    assert len(kl_by_hand()) == 297
    assert numbers["kl[test297,ema]"] == pytest.approx(kl_by_hand().mean(), rel=1e-5)
    # elbo = reconstruction - kl, by definition.
    assert numbers["elbo[test297,ema]"] == pytest.approx(
        numbers["reconstruction[test297,ema]"] - numbers["kl[test297,ema]"], rel=1e-5
    )


def test_averaged_weights_are_measured():
    experiment = tiny.vae()
    program, state = made(experiment)
    other = state.replace(autoencoder=jax.tree.map(jnp.zeros_like, state.autoencoder))
    found = results.measure(program, other, experiment, distances="train", held_out="test")
    assert found == measure(experiment)
    zeroed = state.replace(ema=jax.tree.map(jnp.zeros_like, state.ema))
    found = results.measure(program, zeroed, experiment, distances="train", held_out="test")
    assert found["kl[test297,ema]"] == 0.0  # mean 0, log variance 0


def test_splits_and_counts_can_be_chosen():
    experiment = tiny.gan(
        data=Data(validation=200), evaluation=Evaluation(samples=50, split="test")
    )
    numbers = measure(experiment, distances="validation", held_out="validation")
    assert set(numbers) == {
        *(f"{m}[digits-cnn,validation200,gen50,q8,ema]" for m in ("fid", "kid", "kid_se")),
        *(f"discriminator_accuracy{part}[validation200,ema]" for part in ("", "_real", "_fake")),
    }
    numbers = measure(experiment, distances="test", held_out=None)
    metrics = ("fid", "kid", "kid_se")
    assert set(numbers) == {f"{m}[digits-cnn,test297,gen50,q8,ema]" for m in metrics}
    default = results.reference(Data(validation=200), Evaluation(), "train").protocol
    assert (default.real_count, default.sample_count) == (1300, 1300)


def test_a_split_that_nobody_set_aside():
    with pytest.raises(DataError) as raised:
        results.split_of(Data(), "validation")
    assert str(raised.value) == (
        "there is no validation split: set images aside by --data.validation N"
    )


def test_points_are_scored_as_a_mixture():
    experiment = dataclasses.replace(
        tiny.gan(data=POINTS, evaluation=Evaluation(samples=200)),
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
        return results.measure(
            program, state.replace(ema=ema), experiment, distances="train", held_out=None
        )

    at_a_mode = score([1.0, 0.0])  # the ring's first mode
    assert at_a_mode["modes[of8,gen200,ema]"] == 1.0
    assert at_a_mode["high_quality[3std,gen200,ema]"] == 1.0
    assert at_a_mode["reverse_kl[of8,gen200,ema]"] == pytest.approx(np.log(8))
    # All real points count up to the limit of 10,000: E |x - (1, 0)|^2 = 2, plus covariances.
    assert "fid[identity,train10000,gen200,f32,ema]" in at_a_mode
    nowhere = score([9.0, 9.0])
    assert nowhere["modes[of8,gen200,ema]"] == 0.0
    assert np.isnan(nowhere["reverse_kl[of8,gen200,ema]"])
    with pytest.raises(NonFiniteError) as raised:
        score([np.nan, 0.0])
    assert str(raised.value) == "samples are not finite at step 0: training has diverged"
    assert set(results.pictures(program, state, experiment)) == {"samples"}


def test_a_metric_that_is_not_finite_ends_the_run():
    experiment = tiny.vae()
    program, state = made(experiment)
    broken = state.replace(step=jnp.int32(7), ema=jax.tree.map(lambda x: x * jnp.nan, state.ema))
    with pytest.raises(
        NonFiniteError, match=r"^elbo\[test297,ema\] is nan at step 7: training has"
    ):
        results.measure(program, broken, experiment, distances="train", held_out="test")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"evaluation": Evaluation(backbone="vgg")},
            ValueError,
            "there is no backbone 'vgg'; choose",
        ),
        (
            {"evaluation": Evaluation(backbone="fashion-cnn")},
            ValueError,
            "backbone fashion-cnn reads images of 28x28x1, these are 8x8x1",
        ),
        (
            {"data": Data(validation=1), "evaluation": Evaluation(every=1)},
            DataError,
            "the validation split has 1 image: distances need at least 2",
        ),
        (
            {"data": Data(validation=1499), "evaluation": Evaluation(every=1)},
            DataError,
            "the train split has 1 image: distances need at least 2",
        ),
    ],
)
def test_what_cannot_be_measured_is_found_before_training(changes, error, message):
    with pytest.raises(error) as raised:
        results.check(tiny.gan(**changes))
    assert str(raised.value).startswith(message)
    results.check(tiny.gan())


def test_streamed_images_are_those_in_memory():
    resident = np.concatenate(list(results.images_of(Data(), "test")))
    streamed = list(results.images_of(Data(streaming="always"), "test", size=100))
    assert [len(batch) for batch in streamed] == [100, 100, 97]
    np.testing.assert_array_equal(np.concatenate(streamed), resident)
    assert resident.dtype == np.uint8


def test_parameters_are_counted_by_network():
    program, state = made(tiny.vae())
    # Dense layers: inputs x units weights and as many biases as units.
    encoder = (64 * 16 + 16) + (16 * 8 + 8)
    decoder = (4 * 16 + 16) + (16 * 64 + 64)
    assert results.parameter_counts(program, state) == {"encoder": encoder, "decoder": decoder}


class TestPictures:
    def test_of_an_autoencoder(self):
        experiment = tiny.vae()
        program, state = made(experiment)
        shown = results.pictures(program, state, experiment)
        assert set(shown) == {"samples", "interpolation", "neighbors", "reconstructions"}
        for picture in shown.values():
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
        again = results.pictures(program, state, experiment)
        for name, picture in shown.items():
            np.testing.assert_array_equal(picture, again[name])

        test = results.in_memory(experiment.data, "test")["image"][:16]
        decoded = np.asarray(program.reconstruct(state, {"image": test}))
        expected = pairs_grid(test, decoded, columns=8, scale=6)
        np.testing.assert_array_equal(shown["reconstructions"], expected)

    def test_neighbors_are_the_nearest_training_images(self):
        experiment = tiny.gan()
        program, state = made(experiment)
        shown = results.pictures(program, state, experiment)
        assert set(shown) == {"samples", "interpolation", "neighbors"}
        latents = program.algorithm.prior(results._picture_key("samples"), 64)
        samples = np.asarray(program.generate(state, latents))[:16]
        train = results.in_memory(experiment.data, "train")["image"]
        apart = samples.reshape(16, 1, -1).astype(int) - train.reshape(1, 1500, -1)
        nearest = np.square(apart).sum(axis=2).argmin(axis=1)
        expected = pairs_grid(samples, train[nearest], columns=8, scale=6)
        np.testing.assert_array_equal(shown["neighbors"], expected)

    def test_of_points_is_a_scatter(self):
        program, state = made(
            tiny.vae(
                model=dataclasses.replace(tiny.vae().model, likelihood=Gaussian()), data=POINTS
            )
        )
        picture = results.sample_picture(program, state, tiny.vae(data=POINTS))
        assert picture.ndim == 3
        assert picture.shape[2] == 3
