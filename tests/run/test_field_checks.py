"""Types of a configuration that was made in Python, where nobody checks them."""

import dataclasses
import math

import pytest
import tiny

from jaxgan.config import ConfigError
from jaxgan.run import experiment_file, field_types
from jaxgan.training.preparation import prepared


@dataclasses.dataclass(frozen=True)
class Rate:
    value: float = 0.1
    steps: tuple[int, ...] = ()

    def __post_init__(self):
        if self.value < 0:
            raise ValueError("negative")


@dataclasses.dataclass(frozen=True)
class Several:
    rates: tuple[Rate, ...] = ()
    name: str = "x"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Several((Rate(), Rate(math.nan, (1, 2)))), None),
        (Several(name=3), "settings.name = 3: must be text"),
        (Several((Rate(), Rate(True))), "settings.rates.value = True: must be a number"),
        (Several((Rate(steps=[1, 2]),)), "settings.rates.steps = [1, 2]: must be a tuple, (1, 2)"),
        (Several((Rate(steps=(1, 2.0)),)),
         "settings.rates.steps = (1, 2.0): must be a list of a whole number"),
    ],
)  # fmt: skip
def test_a_configuration_made_in_python_is_looked_through(value, message):
    if message is None:
        field_types.check(value, "settings.")
        return
    with pytest.raises(ConfigError) as raised:
        field_types.check(value, "settings.")
    assert str(raised.value) == message


def test_a_check_that_a_wrong_type_breaks_names_the_field(tmp_path):
    path = tmp_path / "own.py"
    path.write_text("from test_field_checks import Rate\n\nrate = Rate('fast')\n")
    with pytest.raises(ConfigError) as raised:
        experiment_file.load_experiment(path)
    assert str(raised.value) == f"{path} fails in line 3: Rate: value = 'fast': must be a number"
    path.write_text("from test_field_checks import Rate\n\nrate = Rate(-1.0)\n")
    with pytest.raises(ConfigError, match=r"fails in line 3: ValueError: negative$"):
        experiment_file.load_experiment(path)


def test_nothing_is_trained_with_a_wrong_type(tmp_path):
    experiment = tiny.vae()
    # While tests run, a type checker guards the constructor, so the value comes in behind it.
    object.__setattr__(experiment, "data", None)
    with pytest.raises(ConfigError, match=r"^data = NoneType: must be a Data$"):
        prepared(experiment, "none")
    object.__setattr__(experiment, "steps", 1e5)
    with pytest.raises(ConfigError, match=r"^steps = 100000\.0: must be a whole number$"):
        prepared(experiment, "none")
