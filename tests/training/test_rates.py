"""Learning rates as they are logged: those of the schedules, at the updates done."""

import dataclasses
import math

import pytest
import tiny

from jaxgan.optim import Adam, Schedule, Sgd
from jaxgan.training.rates import learning_rates


def test_each_player_follows_its_own_schedule():
    model = dataclasses.replace(
        tiny.gan().model,
        generator_optimizer=Adam(0.25),
        discriminator_optimizer=Sgd(0.5, schedule=Schedule("linear", warmup_steps=4)),
        n_critic=2,
    )
    rates = learning_rates(tiny.gan(model=model, steps=10))
    # Twenty updates of the discriminator: four up, and then down to 0 at the last, number 19.
    for step, expected in ((0, 0.0), (1, 0.25), (2, 0.5), (6, 0.5 * 7 / 15), (10, 0.0)):
        assert rates(step) == {
            "generator_learning_rate": 0.25,
            "discriminator_learning_rate": pytest.approx(expected),
        }


def test_half_a_cosine():
    optimizer = Sgd(1e-3, schedule=Schedule("cosine"))
    model = dataclasses.replace(tiny.vae().model, optimizer=optimizer)
    rates = learning_rates(tiny.vae(model=model, steps=8))
    for step in (0, 3, 8):
        expected = 1e-3 * (1 + math.cos(math.pi * min(step / 7, 1))) / 2
        assert rates(step)["autoencoder_learning_rate"] == pytest.approx(expected, abs=1e-9)


def test_a_model_that_names_no_optimizer_has_no_rates():
    assert learning_rates(tiny.gan(model=tiny.Regression()))(3) == {}
