"""What cannot be measured is found out before training."""

import pytest
import tiny

from jaxgan.config import ConfigError, EarlyStopping, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.data.source import DataError
from jaxgan.measurement import rehearsal
from jaxgan.program import compile_program


def check(experiment):
    rehearsal.check(experiment, compile_program(experiment, "none"))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"evaluation": Evaluation(metrics=("fid", "kidd"))},
            ValueError,
            "there is no metric 'kidd': did you mean kid",
        ),
        (
            {"evaluation": Evaluation(metrics=("likelihood",))},
            ConfigError,
            "likelihood needs an encoder and a likelihood, and this model has none",
        ),
        (
            {"evaluation": Evaluation(metrics=("cas",))},
            ConfigError,
            "cas needs samples of given classes, and this model draws none",
        ),
        (
            {"evaluation": Evaluation(metrics=("is",), backbone="pixels")},
            ConfigError,
            "is needs class scores, and backbone pixels8x8 gives none",
        ),
        (
            {"evaluation": Evaluation(batch_norm="standing")},
            ConfigError,
            "evaluation.batch_norm = 'standing': the model that samples has no",
        ),
        (
            {
                "data": Data(validation=9),
                "evaluation": Evaluation(every=1),
                "early_stopping": EarlyStopping(metric="elbo"),
            },
            ConfigError,
            "early_stopping.metric = 'elbo' is not measured; there are discriminator_accuracy,"
            " discriminator_accuracy_fake, discriminator_accuracy_real, fid, kid, kid_se",
        ),
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
        check(tiny.gan(**changes))
    assert str(raised.value).startswith(message)
    check(tiny.gan())
