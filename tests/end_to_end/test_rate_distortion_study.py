"""The study of beta on digits, in short: what it writes, and that it goes on with what is there."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jaxgan.config import ConfigError
from jaxgan.run import experiment_file

FILE = Path(__file__).parents[2] / "experiments" / "rate_distortion.py"


@pytest.mark.slow
def test_two_betas(tmp_path, capsys):
    study = experiment_file.load_file(FILE).study
    command = ["--steps", "200", "--samples", "16", "--workdir", str(tmp_path)]
    # Whatever the devices, the numbers are the same; many virtual ones on few cores take long.
    command += ["--parallel", "none"]
    study([*command, "--betas", "0.25", "4"])
    curve = json.loads((tmp_path / "curve.json").read_text())
    # A larger beta spends less and loses more.
    assert [point["beta"] for point in curve["points"]] == [4, 0.25]
    for name, sign in (("rate", 1), ("distortion", -1)):
        values = [point[name]["value"] for point in curve["points"]]
        assert sign * (values[1] - values[0]) > 0
    for point in curve["points"]:
        (run,) = point["runs"]
        assert run["elbo"] == pytest.approx(-run["rate"] - run["distortion"])
        assert run["log_likelihood"] > run["elbo"]
        assert point["rate"]["low"] < run["rate"] < point["rate"]["high"]
    area = curve["area"]
    assert area["low"] < area["value"] < area["high"]
    drawing = ElementTree.parse(tmp_path / "curve.svg").getroot()
    texts = ["".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"β 0.25", "β 4"} <= set(texts)

    # A second seed of a model: the first seed is there already.
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/result.json")}
    assert len(files) == 2
    study([*command, "--betas", "4", "--seeds", "0", "1"])
    assert {path: path.stat().st_mtime_ns for path in files} == files
    (point,) = json.loads((tmp_path / "curve.json").read_text())["points"]
    assert len(point["runs"]) == 2
    elbos = [run["elbo"] for run in point["runs"]]
    # Two seeds are two points: an interval takes three.
    assert point["seeds"]["elbo"] == {"mean": pytest.approx(sum(elbos) / 2), "interval": None}
    assert "beta" in capsys.readouterr().out


def test_mistakes_are_found_before_training(tmp_path):
    study = experiment_file.load_file(FILE).study
    for arguments in (["--samples", "0"], ["--betas", "1", "1"], ["--seeds", "3", "3"]):
        with pytest.raises(ConfigError, match=arguments[0]):
            study([*arguments, "--workdir", str(tmp_path)])
    assert not list(tmp_path.iterdir())
