"""Samplers as parts of a run: what they are fitted to, what draws by them, what is refused."""

import dataclasses
import json
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
from untrained import write_run

from jaxgan.config import ConfigError, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.data.splits import images_of
from jaxgan.measurement import available, drawing, runs, sampling
from jaxgan.measurement.samplers import files, kinds, use
from jaxgan.measurement.samplers.sampler import check_settings
from jaxgan.networks.conditional import LabelledDecoder, LabelledEncoder
from jaxgan.networks.mlp import MlpDecoder, MlpEncoder
from jaxgan.run.restore import digest
from jaxgan.run.workdir import RunError


@dataclasses.dataclass(frozen=True)
class Resampling:
    """Draws one of the codes it was fitted to, for the test."""

    name: ClassVar[str] = "resampling"
    draws: int = 2
    temperature: float = 1.0
    seed: int = 0

    def fit(self, codes, log):
        return {"codes": codes}

    def draw(self, arrays, key):
        return jnp.asarray(arrays["codes"])[jax.random.randint(key, (), 0, len(arrays["codes"]))]


SETTINGS = Evaluation(samples=100, batch_size=400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("samplers") / "run", tiny.vae(evaluation=SETTINGS))


@pytest.fixture(scope="module")
def trained(folder):
    return runs.load(folder)


@pytest.fixture(scope="module")
def fitted(trained):
    return use.fit(trained, Resampling())


@pytest.fixture
def known(monkeypatch):
    monkeypatch.setattr(files, "SAMPLERS", {**kinds.SAMPLERS, "resampling": Resampling})


def test_codes_are_drawn_from_the_posteriors_of_all_training_images(trained, fitted):
    """Not their means; and other ones for each draw."""
    codes = fitted.arrays["codes"]
    images = np.concatenate(list(images_of(trained.experiment.data, "train")))
    assert codes.shape == (2 * len(images), 4)
    mean, log_variance = (
        np.float64(part)
        for part in trained.program.posterior(trained.state, {"image": images[:400]})
    )
    noise = (codes.reshape(2, len(images), 4)[:, :400] - mean) / np.exp(log_variance / 2)
    np.testing.assert_allclose(noise.mean((0, 1)), 0.0, atol=5 / np.sqrt(800))
    np.testing.assert_allclose(noise.std((0, 1)), 1.0, atol=5 / np.sqrt(1600))
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 5 / np.sqrt(1600)
    # Nor do two batches of images share their draws.
    later = codes[400:800] - codes[:400]
    assert (later != 0).mean() > 0.99
    assert (fitted.step, fitted.weights) == (1, "ema")
    assert fitted.digest == digest(trained.state)
    other = use.fit(trained, Resampling(seed=1)).arrays["codes"]
    assert (other != codes).mean() > 0.99


def test_samples_are_decoded_from_the_samplers_codes(trained, fitted):
    one = np.float32([[0.5, -1.0, 2.0, 0.1]])
    by = use.using(trained, fitted._replace(arrays={"codes": one}))
    images = drawing.sample(by, 3)
    likelihood, variables = trained.experiment.model.likelihood, trained.state.ema["autoencoder"]
    made = trained.experiment.model.decoder.apply(
        {"params": variables["params"]["decoder"]}, jnp.asarray(one), image_shape=(8, 8, 1),
        train=False,
    )  # fmt: skip
    expected = np.round(255 * np.asarray(likelihood.mean(made)))
    assert np.abs(np.float64(images) - expected).max() <= 1
    assert "samples" in available.has(by.program.algorithm)
    assert "generator" not in available.has(by.program.algorithm)
    # The run itself draws as before.
    assert trained.program.algorithm.generation.sampler == ""
    # An image depends on its place alone.
    several = use.using(trained, fitted)
    np.testing.assert_array_equal(drawing.sample(several, 5)[:3], drawing.sample(several, 3))
    assert len(np.unique(drawing.sample(several, 5).reshape(5, -1), axis=0)) > 2


def test_metrics_of_samples_name_the_sampler(trained, fitted):
    found = runs.evaluate(use.using(trained, fitted._replace(sampler=Resampling(draws=3))), ["kid"])
    brackets = "[digits-cnn,train1500,gen100,q8,ema,sampler=resampling:draws=3]"
    assert "kid" + brackets in found["metrics"]
    protocol = found["protocols"][brackets[1:-1]]
    assert protocol["sampler"] == "resampling:draws=3"
    # Held-out numbers are the model's, whoever draws.
    assert "elbo[test297,ema,likelihood=Bernoulli]" in found["metrics"]


def test_a_sampler_lies_in_the_runs_folder(folder, trained, fitted, known):
    path = files.write(folder, fitted)
    document = json.loads(path.read_text())
    assert document["sampler"] == "resampling"
    assert document["settings"] == {"draws": 2, "temperature": 1.0, "seed": 0}
    assert not (folder / "lock").exists()
    own = digest(trained.state)
    again = files.read(folder, "resampling", digest=own, step=1)
    assert again._replace(arrays={}) == fitted._replace(arrays={})
    np.testing.assert_array_equal(again.arrays["codes"], fitted.arrays["codes"])
    assert files.fitted_in(folder) == ["resampling"]
    # Runs are loaded with it there as without.
    assert runs.load(folder).step == 1
    with pytest.raises(RunError, match="was fitted to step 1, and the state at step 7 is another"):
        files.read(folder, "resampling", digest="0" * 64, step=7)
    with pytest.raises(RunError, match=r"no sampler two_stage \(there is resampling\)"):
        files.read(folder, "two_stage", digest=own, step=1)
    arrays = path.with_suffix(".npz")
    content = arrays.read_bytes()
    # A fit that was interrupted between its two files, and damage of either.
    arrays.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(RunError, match=r"damaged .the arrays are not those that were fitted"):
        files.read(folder, "resampling", digest=own, step=1)
    arrays.write_bytes(content)
    for text, message in (
        ("{", "cannot be read"),
        ("{}", "damaged"),
        (json.dumps({**document, "sampler": "os.system"}), "damaged"),
        (json.dumps({**document, "settings": {"draws": 0, "x": 1}}), "damaged"),
    ):
        path.write_text(text)
        with pytest.raises(RunError, match=message) as raised:
            files.read(folder, "resampling", digest=own, step=1)
        assert "\n" not in str(raised.value)


def test_what_cannot_draw_by_a_sampler_is_refused(trained, fitted):
    conditional = dataclasses.replace(
        tiny.vae().model, conditional=True, encoder=LabelledEncoder(MlpEncoder((8,))),
        decoder=LabelledDecoder(MlpDecoder((8,))),
    )  # fmt: skip
    for experiment in (tiny.gan(), tiny.vae(data=Data(classes=10), model=conditional)):
        program = runs.compile_program(experiment, "none")
        other = trained._replace(experiment=experiment, program=program)
        with pytest.raises(ConfigError, match="cannot draw by a sampler of codes"):
            use.using(other, fitted)
    for changes, message in (
        ({"weights": "raw"}, "weights = 'raw': .* fitted to codes of the 'ema' weights"),
        ({"truncation": 0.5}, "leave truncation at 1"),
    ):
        evaluation = dataclasses.replace(SETTINGS, **changes)
        experiment = dataclasses.replace(trained.experiment, evaluation=evaluation)
        with pytest.raises(ConfigError, match=message):
            use.using(trained._replace(experiment=experiment), fitted)
    with pytest.raises(ConfigError, match="draws no codes of tiny"):
        use.using(trained, fitted._replace(arrays={"codes": np.zeros((2, 5), np.float32)}))
    nan = trained._replace(state=jax.tree.map(lambda leaf: leaf * jnp.nan, trained.state))
    with pytest.raises(ConfigError, match="codes of tiny are not finite"):
        use.fit(nan, Resampling())
    assert sampling.weights_of(trained.state, SETTINGS) == "ema"
    with pytest.raises(ValueError, match="draws = 0"):
        check_settings(Resampling(draws=0), "draws")
