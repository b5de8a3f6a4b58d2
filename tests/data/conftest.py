"""What several tests of the data need: error lines, and a prepared data set."""

import pytest

# Making the classes is what tells tensorflow-datasets of them.
from pictures import PICTURES

from jaxgan.data.source import DataError
from jaxgan.data.sources.tfds import Tfds


@pytest.fixture
def message():
    """Calls something that must raise a `DataError` of one line, and returns the line."""

    def call(function, *arguments, **keywords) -> str:
        with pytest.raises(DataError) as error:
            function(*arguments, **keywords)
        assert "\n" not in str(error.value)
        return str(error.value)

    return call


@pytest.fixture(scope="module")
def noise():
    """The pictures, in the order of their keys: uint8 ``(26, 8, 8, 3)``, 20 of them to train on."""
    return PICTURES


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """A folder of prepared data sets; `Tfds` itself prepared this one."""
    folder = tmp_path_factory.mktemp("tfds")
    assert Tfds("jaxgan_pictures", str(folder)).info().counts == {"train": 20, "test": 6}
    return str(folder)
