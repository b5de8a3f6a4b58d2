"""`jaxgan.load`: what a trained run does with arrays, against its parts and a closed form."""

import dataclasses
import json
import math
import shutil
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import labelled
import numpy as np
import pytest
import tiny
from scipy import stats
from untrained import write_run

import jaxgan
from jaxgan import rng
from jaxgan.algorithms.vae import Vae
from jaxgan.config import ConfigError, Evaluation, Run
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.measurement import drawing
from jaxgan.measurement.finished import TrainedRun
from jaxgan.measurement.trained import Trained
from jaxgan.objectives.vae.likelihoods import Gaussian
from jaxgan.program import compile_program, example_batch
from jaxgan.run.experiment_file import load_experiment
from jaxgan.training import loop

EVALUATION = Evaluation(samples=60, batch_size=7, backbone="pixels", metrics=("kid",))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A VAE of six steps."""
    folder = tmp_path_factory.mktemp("finished") / "vae"
    run = Run(workdir=str(folder), parallel="none", quiet=True, tensorboard=False)
    return folder, loop.train(tiny.vae(evaluation=EVALUATION), run)


@pytest.fixture(scope="module")
def run(finished):
    return jaxgan.load(finished[0])


def untrained(experiment):
    """A run that was never started, with the state that it would start from."""
    program = compile_program(experiment, "none")
    state = program.init(0, example_batch(experiment))
    return TrainedRun(Path("nowhere"), Trained(experiment, program, state, 0, ()), {}, ())


@pytest.fixture(scope="module")
def gan():
    return untrained(tiny.gan(evaluation=EVALUATION))


@pytest.fixture(scope="module")
def classes():
    return untrained(labelled.gan(evaluation=EVALUATION))


def noise(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 1), np.uint8)


def tree(folder):
    """Every file with its content and time."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_it_is_the_run_as_it_was_reported(finished, run):
    folder, result = finished
    assert (run.folder, run.step, run.notes) == (folder, 6, ())
    assert run.experiment == tiny.vae(evaluation=EVALUATION)
    assert run.digest == result["digest"]
    assert run.config == json.loads((folder / "config.json").read_text())
    assert str(folder) in repr(run)
    assert len(repr(run)) < 300  # and not a whole state


def test_the_table_has_every_number_with_its_interval_and_protocol(finished, run):
    result = finished[1]
    assert [number.name for number in run.numbers] == list(result["metrics"])
    kid = next(number for number in run.numbers if number.metric == "kid")
    assert kid.protocol == "pixels8x8,train1500,gen60,q8,ema"
    assert kid.digest == result["protocols"][kid.protocol]["digest"]
    assert kid.value == result["metrics"][kid.name]
    assert [kid.low, kid.high] == result["intervals"][kid.name]
    error = next(number for number in run.numbers if number.metric == "kid_se")
    assert math.isnan(error.low)


def test_nothing_in_the_folder_changes(finished):
    before = tree(finished[0])
    again = jaxgan.load(str(finished[0]))
    again.sample(3)
    again.reconstruct(noise(3))
    assert tree(finished[0]) == before


def test_a_run_that_is_not_finished_has_no_numbers(finished, tmp_path):
    copy = shutil.copytree(finished[0], tmp_path / "copy")
    (copy / "result.json").unlink()
    assert jaxgan.load(copy).numbers == ()


FILE = """
import dataclasses
import tiny
from jaxgan.objectives.vae.bounds import Beta

@dataclasses.dataclass(frozen=True)
class Fixed(Beta):
    pass

model = dataclasses.replace(tiny.vae().model, beta=Fixed())
experiment = dataclasses.replace(tiny.vae(), model=model)
"""


def test_code_of_the_run_is_only_run_when_that_is_allowed(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(FILE)
    write_run(tmp_path / "run", load_experiment(file), file=str(file))
    with pytest.raises(ConfigError, match="if you trust it, say --trust"):
        jaxgan.load(tmp_path / "run")
    assert type(jaxgan.load(tmp_path / "run", trust=True).experiment.model.beta).__name__ == "Fixed"
    moved = file.rename(tmp_path / "moved.py")
    assert jaxgan.load(tmp_path / "run", file=moved).step == 1


def by_hand(run, part, *arguments, params=None, **how):
    """What one network of the VAE makes of arrays, without the program."""
    params = run.trained.state.ema["autoencoder"]["params"] if params is None else params
    return getattr(run.experiment.model, part).apply(
        {"params": params[part]}, *arguments, train=False, **how
    )


def decoded(run, codes, params=None):
    logits = by_hand(run, "decoder", jnp.asarray(codes), image_shape=(8, 8, 1), params=params)
    return 255.0 / (1.0 + np.exp(-np.asarray(logits, np.float64)))


def test_codes_and_reconstructions_are_those_of_the_networks(run):
    images = noise(16)  # more than two batches
    mean, _ = by_hand(run, "encoder", jnp.asarray(images) / 127.5 - 1.0, latent_size=4)
    codes = run.encode(images)
    assert codes.shape == (16, 4)
    np.testing.assert_allclose(codes, mean, atol=1e-5)
    made = run.reconstruct(images)
    assert (made.shape, made.dtype) == ((16, 8, 8, 1), np.uint8)
    assert np.abs(made - decoded(run, mean)).max() <= 0.5 + 1e-2
    # An image's code depends on the image alone, wherever it stands.
    np.testing.assert_array_equal(run.encode(images[9:10]), codes[9:10])


def test_paths_between_images_lead_from_code_to_code(run):
    first, last = noise(3), noise(3, seed=1)
    paths = run.interpolate_images(first, last, steps=5)
    assert (paths.shape, paths.dtype) == ((3, 5, 8, 8, 1), np.uint8)
    np.testing.assert_array_equal(paths[:, 0], run.reconstruct(first))
    np.testing.assert_array_equal(paths[:, -1], run.reconstruct(last))
    # White 2016: sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b; a quarter of the way.
    a, b = (np.float64(run.encode(images)) for images in (first, last))
    cosine = (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    angle = np.arccos(cosine)[:, None]
    quarter = np.sin(0.75 * angle) / np.sin(angle) * a + np.sin(0.25 * angle) / np.sin(angle) * b
    expected = decoded(run, np.float32(quarter))
    assert np.abs(paths[:, 1] - expected).max() <= 0.5 + 1e-2


def test_weights_and_truncation_are_those_asked_for(run):
    raw = run.trained.state.players["autoencoder"].params
    key = rng.role_key(rng.base_key(3), "samples")
    latents = np.stack(
        [np.asarray(jax.random.normal(jax.random.fold_in(key, i), (4,))) for i in range(5)]
    )
    images = run.sample(5, seed=3, weights="raw", truncation=0.5)
    assert np.abs(images - decoded(run, 0.5 * latents, params=raw)).max() <= 0.5 + 1e-2
    assert not np.array_equal(images, run.sample(5, seed=3, truncation=0.5))


def test_an_image_depends_on_its_place_and_not_on_how_many_there_are(gan):
    many = gan.sample(23, seed=2)
    np.testing.assert_array_equal(gan.sample(9, seed=2), many[:9])
    np.testing.assert_array_equal(gan.sample(7, seed=2), many[:7])
    assert len(np.unique(many.reshape(23, -1), axis=0)) == 23
    paths = gan.interpolate(5, 4, seed=2)
    assert paths.shape == (5, 4, 8, 8, 1)
    np.testing.assert_array_equal(gan.interpolate(2, 4, seed=2), paths[:2])
    np.testing.assert_array_equal(gan.interpolate(5, 2, seed=2), paths[:, [0, -1]])


def test_paths_end_at_images_of_the_prior_and_pass_between_them(gan):
    paths = gan.interpolate(4, 9, seed=5).astype(float)
    steps = np.abs(np.diff(paths, axis=1)).mean(axis=(2, 3, 4))
    whole = np.abs(paths[:, -1] - paths[:, 0]).mean(axis=(1, 2, 3))
    # Nine images in even steps: no step is as long as half of the way.
    assert (steps < 0.5 * whole[:, None]).all()
    assert (whole > 1).all()


def test_the_class_stays_along_a_path(classes):
    drawn = labelled.signs(classes.interpolate(6, 3, seed=1).reshape(-1, 8, 8, 1)).reshape(6, 3)
    assert (drawn == drawn[:, :1]).all()
    assert len({*drawn[:, 0]}) > 2
    fixed = classes.interpolate(2, 3, label=7)
    assert labelled.signs(fixed.reshape(-1, 8, 8, 1)).tolist() == [7] * 6


def test_nothing_is_compiled_for_another_number_of_images(run, gan):
    def compiled():
        of_run, of_gan = run.trained.program, gan.trained.program
        functions = (of_gan.prior, of_gan.generate, of_run.codes, of_run.reconstruct)
        return [f._cache_size() for f in (*functions, of_run.posterior, of_run.log_likelihood)]

    def use(count, draws):
        gan.sample(count)
        gan.interpolate(count, 3)
        for function in (run.encode, run.reconstruct):
            function(noise(count))
        run.log_likelihood(noise(count), draws=draws)

    use(3, 20)
    before = compiled()
    use(15, 40)
    assert compiled() == before


WEIGHTS = np.array([[1.0, 0.5], [-2.0, 0.25]])  # orthogonal columns: a diagonal posterior
BIAS, SCALE = np.array([0.3, -0.7]), 0.6
VARIANCE = 1.0 / (1.0 + (WEIGHTS**2).sum(0) / SCALE**2)
assert (WEIGHTS.T @ WEIGHTS)[0, 1] == 0


class Posterior(nn.Module):
    """The exact posterior of probabilistic PCA (Tipping and Bishop 1999), or a wider one."""

    widen: float = 1.0

    @nn.compact
    def __call__(self, images, *, latent_size, train, axis_name=None):
        self.param("unused", nn.initializers.zeros, ())
        rows = images.reshape(-1, 2) - jnp.asarray(BIAS, jnp.float32)
        mean = rows @ jnp.asarray(WEIGHTS * VARIANCE / SCALE**2, jnp.float32)
        log_variance = jnp.log(jnp.asarray(VARIANCE * self.widen**2, jnp.float32))
        return mean, jnp.broadcast_to(log_variance, mean.shape)


class Linear(nn.Module):
    """``W z + b``."""

    @nn.compact
    def __call__(self, latent, *, image_shape, train, axis_name=None):
        self.param("unused", nn.initializers.zeros, ())
        means = latent @ jnp.asarray(WEIGHTS.T, jnp.float32) + jnp.asarray(BIAS, jnp.float32)
        return means.reshape(-1, *image_shape)


def linear(widen=1.0):
    model = Vae(
        encoder=Posterior(widen), decoder=Linear(), likelihood=Gaussian(SCALE), latent_size=2
    )
    data = Data(source=Ring(), image_size=1, channels=2)
    return untrained(tiny.vae(name="linear", model=model, data=data, evaluation=EVALUATION))


def test_the_log_likelihood_is_that_of_the_closed_form():
    draws = np.random.default_rng(0)
    points = np.float32(draws.normal(size=(11, 2)) @ WEIGHTS.T + BIAS)
    evidence = stats.multivariate_normal(BIAS, WEIGHTS @ WEIGHTS.T + SCALE**2 * np.eye(2)).logpdf(
        points
    )
    # From the exact posterior a single draw suffices.
    exact = linear().log_likelihood(points, draws=1)
    assert (exact.shape, exact.dtype) == ((11,), np.float64)
    np.testing.assert_allclose(exact, evidence, atol=1e-4)
    # From another one it takes many, and few fall short of it.
    wide = linear(widen=1.5)
    np.testing.assert_allclose(wide.log_likelihood(points, draws=4000), evidence, atol=0.05)
    assert (
        wide.log_likelihood(np.repeat(points, 20, axis=0), draws=1).mean() < evidence.mean() - 0.1
    )
    one, same, other = (wide.log_likelihood(points[:3], draws=5, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_points_are_drawn_and_read_as_rows_or_as_images():
    run = linear()
    points = run.sample(9)
    assert (points.shape, points.dtype) == ((9, 1, 1, 2), np.float32)
    np.testing.assert_array_equal(run.encode(points), run.encode(points.reshape(9, 2)))
    # The posterior's mean by the normal equations of ridge regression.
    rows = np.float64(points.reshape(9, 2)) - BIAS
    inverse = np.linalg.inv(WEIGHTS.T @ WEIGHTS + SCALE**2 * np.eye(2))
    np.testing.assert_allclose(run.encode(points), rows @ WEIGHTS @ inverse.T, atol=1e-5)


def test_a_conditional_encoder_is_given_the_labels():
    class ByLabel(nn.Module):
        """Codes that tell the label."""

        @nn.compact
        def __call__(self, images, labels, *, latent_size, classes, train, axis_name=None):
            self.param("unused", nn.initializers.zeros, ())
            mean = jnp.repeat(labels[:, None].astype(jnp.float32), latent_size, axis=1)
            return mean, jnp.zeros_like(mean)

    class Blank(nn.Module):
        """Gray images."""

        @nn.compact
        def __call__(self, latents, *, image_shape, classes, train, axis_name=None):
            self.param("unused", nn.initializers.zeros, ())
            return jnp.zeros((len(latents["label"]), *image_shape))

    model = Vae(encoder=ByLabel(), decoder=Blank(), latent_size=2, conditional=True)
    run = untrained(tiny.vae(name="cvae", model=model, data=labelled.DATA, evaluation=EVALUATION))
    labels = np.arange(9) % 4
    assert run.encode(noise(9), labels=labels)[:, 0].tolist() == labels.tolist()
    with pytest.raises(ConfigError, match=r"^cvae is given the images' labels: say labels=\.\.\.$"):
        run.encode(noise(9))
    with pytest.raises(ConfigError, match=r"^labels are from 0 to 10: there are classes 0 to 9$"):
        run.encode(noise(2), labels=[0, 10])
    with pytest.raises(
        ConfigError, match=r"^labels are int64 of shape \(3,\): wanted is one whole"
    ):
        run.encode(noise(2), labels=[0, 1, 2])
    with pytest.raises(ConfigError, match=r"^interpolate_images needs an encoder of images alone"):
        run.interpolate_images(noise(2), noise(2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.encode(noise(2)), "encode needs an encoder, and this model has none"),
        (lambda r: r.reconstruct(noise(2)), "reconstruct needs an encoder, and this model has"),
        (
            lambda r: r.log_likelihood(noise(2)),
            "log_likelihood needs an encoder and a likelihood, and this model has none",
        ),
        (
            lambda r: r.interpolate_images(noise(2), noise(2)),
            "interpolate_images needs an encoder, and this model has none",
        ),
        (lambda r: r.sample(2, label=3), "label = 3: tiny takes no labels"),
        (
            lambda r: r.sample(2, batch_norm="standing"),
            "evaluation.batch_norm = 'standing': the model that samples has no batch normalization",
        ),
        (lambda r: r.sample(0), "count = 0: must be at least 1"),
        (lambda r: r.sample(2, seed=-1), "seed = -1: must be at least 0"),
        (lambda r: r.sample(2, seed=2**31), "seed = 2147483648: must be below 2,147,483,648"),
        (lambda r: r.sample(2, truncation=1.5), "truncation = 1.5: must be above 0, and at most 1"),
        (lambda r: r.interpolate(2, 1), "steps = 1: must be at least 2"),
        (lambda r: r.sample(10**14), "100,000,000,000,000 images need 6,400,000 GB of memory, and"),
    ],
)
def test_what_a_model_cannot_do_is_one_line(gan, call, message):
    with pytest.raises(ConfigError) as raised:
        call(gan)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            np.zeros((3, 8, 8, 1)),
            "images must be uint8 of shape (n, 8, 8, 1); these are float64 of shape (3, 8, 8, 1)",
        ),
        (
            noise(3)[..., 0],
            "images must be uint8 of shape (n, 8, 8, 1); these are uint8 of shape (3, 8, 8)",
        ),
        (
            np.zeros((3, 9, 8, 1), np.uint8),
            "images must be uint8 of shape (n, 8, 8, 1); these are uint8 of shape (3, 9, 8, 1)",
        ),
        (noise(0), "there are no images"),
    ],
)
def test_images_that_do_not_fit_are_one_line(run, images, message):
    for call in (run.encode, run.reconstruct, run.log_likelihood):
        with pytest.raises(ConfigError) as raised:
            call(images)
        assert str(raised.value) == message


def test_what_is_no_whole_number():
    assert drawing.whole("n", np.int64(3)) == 3
    for value in (2.5, "3", None, [1]):
        with pytest.raises(ConfigError, match=r"^n = .*: must be a whole number$"):
            drawing.whole("n", value)


def test_other_mistakes_with_images(run):
    with pytest.raises(ConfigError, match=r"^labels: tiny takes no labels$"):
        run.encode(noise(2), labels=[0, 1])
    with pytest.raises(ConfigError, match=r"^draws = 0: must be at least 1$"):
        run.log_likelihood(noise(2), draws=0)
    with pytest.raises(ConfigError, match=r"^draws = 1000001: must be below 1,000,001$"):
        run.log_likelihood(noise(2), draws=1_000_001)
    with pytest.raises(ConfigError, match=r"^paths lead from 2 images to 3: as many$"):
        run.interpolate_images(noise(2), noise(3))
    with pytest.raises(ConfigError, match=r"^a point is not finite$"):
        linear().encode(np.float32([[0.0, np.nan]]))
    with pytest.raises(ConfigError, match=r"^points must be float32 of shape \(n, 2\); these are"):
        linear().encode(np.zeros((3, 5), np.float32))


def test_averages_that_are_not_kept_are_not_taken_for_others(gan):
    state = gan.trained.state.replace(ema={})
    plain = dataclasses.replace(gan, trained=gan.trained._replace(state=state))
    with pytest.raises(ConfigError, match=r"^weights = 'ema': tiny keeps no averaged weights$"):
        plain.sample(2, weights="ema")
    np.testing.assert_array_equal(plain.sample(2), gan.sample(2, weights="raw"))
