"""`jaxgan evaluate`: runs and images, and what it says of mistakes."""

import json

import numpy as np
import pytest
import tiny
from PIL import Image

from jaxgan.cli.evaluate import evaluate
from jaxgan.config import ConfigError, Run
from jaxgan.data.order import subset_rows
from jaxgan.data.source import DataError
from jaxgan.data.sources.digits import Digits
from jaxgan.evaluation.distances.fid import frechet_distance
from jaxgan.evaluation.distances.kid import kernel_distance
from jaxgan.training import loop


def noise(count, seed, shape=(8, 8)):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), np.uint8)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folders and files of images, and a finished run."""
    folder = tmp_path_factory.mktemp("evaluate")
    for name, images in (("a", noise(40, 0)), ("b", noise(30, 1) // 2), ("one", noise(1, 2))):
        (folder / name).mkdir()
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / name / f"{number:02}.png")
    (folder / "empty").mkdir()
    np.savez(folder / "b.npz", images=noise(30, 1) // 2)
    np.savez(folder / "wide.npz", arr_0=noise(30, 1, (8, 9)))
    np.savez(folder / "other.npz", pictures=noise(30, 1))
    np.savez(folder / "color.npz", images=np.repeat(noise(40, 0)[..., None], 3, axis=-1))
    classes = np.arange(40) % 2
    np.savez(folder / "classes.npz", images=noise(40, 0), labels=classes)
    np.savez(folder / "shifted.npz", images=noise(40, 0) // 2, labels=classes)
    points = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    np.savez(folder / "points.npz", images=points)
    np.savez(folder / "moved.npz", images=points + np.float32([3.0, 0.0]))
    run = Run(workdir=str(folder / "run"), parallel="none", quiet=True, tensorboard=False)
    loop.train(tiny.vae(), run)
    return folder


@pytest.fixture
def jaxgan(place, monkeypatch, capsys):
    """Runs ``jaxgan evaluate`` and returns its JSON."""
    monkeypatch.chdir(place)

    def run(line):
        evaluate([*line.split(), "--json"])
        return json.loads(capsys.readouterr().out)

    return run


def pixels(images):
    return images.reshape(len(images), -1) / 255.0


@pytest.mark.slow
def test_two_folders(jaxgan):
    found = jaxgan("a b")
    assert (found["real"], found["generated"]) == ("a", "b")
    protocol = "pixels8x8,real40,gen30,q8"
    assert list(found["metrics"]) == [f"{m}[{protocol}]" for m in ("fid", "kid", "kid_se")]
    x, y = pixels(noise(40, 0)), pixels(noise(30, 1) // 2)
    expected = frechet_distance(
        x.mean(axis=0), np.cov(x, rowvar=False), y.mean(axis=0), np.cov(y, rowvar=False)
    )
    assert found["metrics"][f"fid[{protocol}]"] == pytest.approx(expected, rel=1e-5)
    kernel = kernel_distance(x, y)
    estimate = found["estimates"][f"kid[{protocol}]"]
    assert estimate["value"] == pytest.approx(kernel.value, rel=1e-5)
    assert estimate["high"] == pytest.approx(kernel.value + 1.959964 * kernel.standard_error, 1e-5)
    assert [estimate["low"], estimate["high"]] == found["intervals"][f"kid[{protocol}]"]
    document = found["protocols"][protocol]
    assert estimate["protocol"] == protocol
    assert estimate["digest"] == document["digest"]
    assert (document["weights"], document["image"], document["real_count"]) == ("none", "8x8x1", 40)
    assert found["estimates"][f"kid_se[{protocol}]"]["low"] is None


def test_arrays_are_as_good_as_folders(jaxgan):
    assert jaxgan("a b.npz")["estimates"] == jaxgan("a b")["estimates"]
    # Gray images that are stored in color are gray ones.
    color = jaxgan("color.npz b")["estimates"]
    assert list(color) == [f"{m}[pixels8x8,real40,gen30,q8]" for m in ("fid", "kid", "kid_se")]


def test_the_first_are_the_real_ones(jaxgan, place):
    # Eight of forty, five times each: whatever is generated is real, most of what is real is not
    # generated.
    np.savez(place / "few.npz", images=np.tile(noise(40, 0)[:8], (5, 1, 1)))
    found = jaxgan("a few.npz --metrics prdc")["metrics"]
    how = "[pixels8x8,real40,gen40,q8]"
    assert found[f"precision{how}"] == 1.0
    assert found[f"recall{how}"] <= 0.2 + 1e-9
    assert jaxgan("few.npz a --metrics prdc")["metrics"][f"recall{how}"] == 1.0


def test_points(jaxgan):
    found = jaxgan("points.npz moved.npz --metrics fid fid_inf")["metrics"]
    # Equal but for a shift of 3.
    assert found["fid[identity,real300,gen300,f32]"] == pytest.approx(9.0, rel=1e-5)


def test_metrics_of_classes_and_pixels(jaxgan):
    found = jaxgan("classes.npz shifted.npz --metrics cfid swd ms_ssim --samples 39")["metrics"]
    assert set(found) == {
        "cfid[pixels8x8,real40,gen39,q8,subset=generated]",
        "swd[real40,gen39,q8,subset=generated]",
        "ms_ssim[real40,gen39,q8,subset=generated]",
    }


def test_fewer_samples_are_drawn_from_all_classes(jaxgan, place):
    """Of classes in order, as in a folder, the first 100 would be one class alone."""
    classes = np.repeat(np.arange(4), 100)
    images = (60 * classes[:, None, None] + noise(400, 5) // 8).astype(np.uint8)
    np.savez(place / "ordered.npz", images=images, labels=classes)
    rows = subset_rows(400, 100)
    np.savez(place / "drawn.npz", images=images[rows], labels=classes[rows])
    metrics = "--metrics fid cfid"
    found = jaxgan(f"ordered.npz ordered.npz {metrics} --samples 100")
    by_hand = jaxgan(f"ordered.npz drawn.npz {metrics}")
    name = "pixels8x8,real400,gen100,q8"
    for metric in ("fid", "cfid"):
        value = found["metrics"][f"{metric}[{name},subset=generated]"]
        assert value == pytest.approx(by_hand["metrics"][f"{metric}[{name}]"], rel=1e-6)
    assert found["protocols"][f"{name},subset=generated"]["subset"] == "generated"
    assert "subset" not in by_hand["protocols"][name]
    # All there are: as they are.
    whole = jaxgan(f"ordered.npz ordered.npz {metrics} --samples 400")
    assert whole == jaxgan(f"ordered.npz ordered.npz {metrics}")
    first = images[:100].reshape(100, -1) / 255.0, images.reshape(400, -1) / 255.0
    apart = np.square(first[0].mean(axis=0) - first[1].mean(axis=0)).sum()
    assert found["metrics"][f"fid[{name},subset=generated]"] < 0.1 * apart


def test_class_scores_by_a_classifier(jaxgan, place):
    examples = Digits().load("train")
    images = np.stack([examples[i]["image"] for i in range(400)])
    np.savez(place / "digits.npz", images=images)
    found = jaxgan("a digits.npz --metrics is --backbone digits-cnn")["metrics"]
    # Ten classes, told apart: nearly ten.
    assert 7 < found["is[digits-cnn,real40,gen400,q8]"] < 10


def test_the_json_goes_to_a_file_as_well(jaxgan, place):
    found = jaxgan("a b --out numbers.json")
    assert json.loads((place / "numbers.json").read_text()) == found
    with pytest.raises(ConfigError, match=r"numbers\.json: this file exists; --overwrite replaces"):
        jaxgan("a b --out numbers.json")
    assert jaxgan("a b --metrics swd --out numbers.json --overwrite") != found
    assert json.loads((place / "numbers.json").read_text())["metrics"].keys() == {
        "swd[real40,gen30,q8]"
    }


def test_people_get_a_table_with_the_protocols_below(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    evaluate(["a", "b", "--metrics", "kid", "swd"])
    lines = capsys.readouterr().out.splitlines()
    evaluate(["a", "b", "--metrics", "kid", "swd", "--json"])
    found = json.loads(capsys.readouterr().out)
    how = "pixels8x8,real40,gen30,q8"
    kid, (low, high) = found["metrics"][f"kid[{how}]"], found["intervals"][f"kid[{how}]"]
    assert lines[0].split("  ")[0] == "metric"
    cells = [cell.strip() for cell in lines[1].split("  ") if cell]
    assert cells == ["kid ↓", f"{kid:.4f}", f"{low:.4f} to {high:.4f}"]
    assert lines[2].startswith("swd ↓")
    # The standard error is what the interval says too.
    assert lines[3:] == ["", f"kid: {how}", "swd: real40,gen30,q8"]


@pytest.mark.slow
def test_a_run_in_another_way(jaxgan):
    found = jaxgan(
        "run --metrics kid prdc swd likelihood surgery --samples 60 --split test --weights raw"
        " --truncation 0.5 --draws 5"
    )
    how = "test297,gen60,q8,raw,psi=0.5"
    held_out, kind = "test297,raw", "likelihood=Bernoulli"
    assert set(found["metrics"]) == {
        *(f"{m}[digits-cnn,{how}]" for m in ("kid", "kid_se", "precision", "recall")),
        *(f"{m}[digits-cnn,{how}]" for m in ("density", "coverage")),
        f"swd[{how}]",
        *(f"{m}[{held_out},{kind}]" for m in ("elbo", "reconstruction", "kl")),
        f"active_units[{held_out},{kind}]",
        *(f"{m}[{held_out},{kind}]" for m in ("mutual_information", "total_correlation")),
        *(f"{m}[{held_out},{kind}]" for m in ("dimension_wise_kl", "marginal_kl")),
        f"likelihood[{held_out},draws=5,{kind}]",
    }
    values = {name.partition("[")[0]: value for name, value in found["metrics"].items()}
    # Burda et al. 2016, theorem 1: more draws raise the bound.
    assert values["likelihood"] > values["elbo"]
    # The parts of the KL (Chen et al. 2018, equation 2).
    parts = ("mutual_information", "total_correlation", "dimension_wise_kl")
    assert sum(values[part] for part in parts) == pytest.approx(values["kl"], abs=1e-3)
    assert found["step"] == 6


def test_what_takes_long_is_announced_beside_the_json(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    asked = "run --json --metrics kid likelihood --samples 60 --draws 5"
    evaluate(asked.split(" "))
    out, err = capsys.readouterr()
    assert err == "kid: 60 samples\nlikelihood: 297 images, 5 codes each (--draws)\n"
    json.loads(out)


def test_memorization_looks_at_training_and_test_images(jaxgan):
    found = jaxgan("run --metrics memorization")["metrics"]
    assert {"memorization[train1500,gen100,q8,ema]"} < set(found)


MISTAKES = {
    "": (
        ConfigError,
        "name a run, or real images and generated ones: jaxgan evaluate RUN, or jaxgan evaluate"
        " REAL GENERATED",
    ),
    "a b a": (
        ConfigError,
        "name a run, or real images and generated ones: jaxgan evaluate RUN, or jaxgan evaluate"
        " REAL GENERATED",
    ),
    "a b --metrics fdi": (
        ConfigError,
        "there is no metric 'fdi': did you mean fid? There are fid, fid_inf, kid, is, prdc,"
        " cfid, cas, memorization, swd, ms_ssim, modes",
    ),
    "run --metrics xxxx": (
        ConfigError,
        "there is no metric 'xxxx'; there are fid, fid_inf, kid, is, prdc, cfid, cas, memorization,"
        " swd, ms_ssim, modes, likelihood, ais, surgery",
    ),
    "a b --metrics likelihood": (
        ConfigError,
        "metric likelihood is taken of a model; image files have none",
    ),
    "a b --metrics cfid": (
        ConfigError,
        "cfid needs images of known classes, and the real ones have none",
    ),
    "classes.npz b --metrics cas": (
        ConfigError,
        "cas needs images of known classes, and the generated ones have none",
    ),
    "run --metrics cfid": (
        ConfigError,
        "cfid needs samples of given classes, and this model draws none",
    ),
    "a b --metrics is": (ConfigError, "is needs class scores, and backbone pixels8x8 gives none"),
    "a b --metrics memorization": (
        ConfigError,
        "memorization needs the images of training, and others that were held out",
    ),
    "points.npz moved.npz --metrics ms_ssim": (
        ConfigError,
        "ms_ssim needs images of 8 bits, and these are points",
    ),
    "a b --truncation 0.5": (ConfigError, "--truncation is for runs, and these are images"),
    "a b --batch-norm batch": (ConfigError, "--batch-norm is for runs, and these are images"),
    "a b --backbone vgg": (
        ConfigError,
        "there is no backbone 'vgg'; choose",
    ),
    "a b --backbone fashion-cnn": (
        ConfigError,
        "backbone fashion-cnn reads images of 28x28x1, these are 8x8x1",
    ),
    "run --backbone vgg": (ConfigError, "there is no backbone 'vgg'; choose"),
    "run --backbone fashion-cnn": (
        ConfigError,
        "backbone fashion-cnn reads images of 28x28x1, these are 8x8x1",
    ),
    "run --backbone inception:nowhere.pth": (
        ConfigError,
        "there is no file nowhere.pth; get pt_inception-2015-12-05-6726825d.pth from",
    ),
    "a b --draws 5": (ConfigError, "--draws is for runs, and these are images"),
    "a b --batch-size 5": (ConfigError, "--batch-size is for runs, and these are images"),
    "run --draws 0": (ConfigError, "draws = 0: must be at least 1"),
    "run --draws 1000001": (ConfigError, "draws = 1000001: must be below 1,000,001"),
    "run --batch-size 0": (ConfigError, "batch_size = 0: must be at least 1"),
    "run --batch-size 1000000": (ConfigError, "batch_size = 1000000: must be below 10,001"),
    "a b --out none/x.json": (ConfigError, "--out none/x.json: there is no folder none"),
    "a b --out empty": (ConfigError, "--out empty: the name must end in .json"),
    "run --out run/x.json": (ConfigError, "--out run/x.json: run is the folder of a run, which"),
    "run x.json": (ConfigError, "x.json: --json prints JSON; --out x.json writes it to a file"),
    "b.npz": (ConfigError, "b.npz is one set of images: name the real ones and those to be"),
    "a": (ConfigError, "a is one set of images: name the real ones and those to be measured"),
    "run run": (ConfigError, "run and run are two runs: measure them one by one; numbers of"),
    "a run": (
        ConfigError,
        "run is a run and a is not: to measure its samples against those images, write them to a"
        " file, jaxgan sample run -n 10000 --out samples.npz, and then jaxgan evaluate a"
        " samples.npz",
    ),
    "run a": (ConfigError, "run is a run and a is not: to measure its samples against those"),
    "run --truncation 1.5": (ConfigError, "truncation = 1.5: must be above 0, and at most 1"),
    "run --samples 1": (ConfigError, "--samples 1: distances need at least 2"),
    "run --samples 0": (ConfigError, "--samples 0: distances need at least 2"),
    "a b --samples -1": (ConfigError, "--samples -1: distances need at least 2"),
    "run --batch-norm batch": (
        ConfigError,
        "evaluation.batch_norm = 'batch': the model that samples has no batch normalization",
    ),
    "a nothing": (DataError, "nothing: there is no such folder or .npz file"),
    "a empty": (DataError, "empty: there are no .png, .jpg or .jpeg images in this folder"),
    "a one": (DataError, "one: 1 image is too few, a distance needs at least 2"),
    "one a": (DataError, "one: 1 image is too few, a distance needs at least 2"),
    "a b --samples 1": (ConfigError, "--samples 1: distances need at least 2"),
    "a b --metrics kid fid_inf": (
        ConfigError,
        "fid_inf needs 320 samples, 5 for each of the 64 features of pixels8x8, and there are 30",
    ),
    "a b --samples 31": (DataError, "--samples 31: b has 30 images only"),
    "a wide.npz": (
        DataError,
        "a has images of 8x8x1 (uint8), wide.npz of 8x9x1 (uint8): they can only be compared at one"
        " size",
    ),
    "a points.npz": (
        DataError,
        "a has images of 8x8x1 (uint8), points.npz of 1x1x2 (float32): they can only be compared at"
        " one size",
    ),
    "a other.npz": (
        DataError,
        "other.npz has no array 'images' or 'arr_0'; it has pictures",
    ),
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_gets_one_clear_line(jaxgan, line):
    kind, message = MISTAKES[line]
    with pytest.raises(kind) as raised:
        jaxgan(line)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)
