"""`jaxgan snapshot`: a generator in a file, what is drawn from it, and files that are none."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
import safetensors.numpy
import tiny
from untrained import write_run

import jaxgan
from jaxgan.algorithms.gan import Gan
from jaxgan.cli.evaluate import evaluate
from jaxgan.cli.sample import sample
from jaxgan.cli.snapshot import snapshot
from jaxgan.config import ConfigError, Evaluation
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.digits import Digits
from jaxgan.networks.conditional import LabelledDiscriminator, LabelledGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.objectives.priors import Labelled, Normal
from jaxgan.program import compile_program, example_batch
from jaxgan.run import generator_file, weights
from jaxgan.run.checkpoint import Checkpoints
from jaxgan.run.workdir import RunError

FEW = Evaluation(samples=20, batch_size=10, metrics=("kid",), backbone="pixels")
LATER = 7
DENSE = "ema/generator/params/UpPyramid_0/Dense_0/kernel"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Runs of batch-normalized convolutions and of a VAE, and their generators in files."""
    folder = tmp_path_factory.mktemp("snapshot")
    write_run(folder / "gan", tiny.dcgan(name="gan", evaluation=FEW))
    write_run(folder / "vae", tiny.vae(name="vae", evaluation=FEW))
    for name in ("gan", "vae"):
        snapshot([str(folder / name), "--out", str(folder / f"{name}.safetensors")])
    return folder


@pytest.fixture
def here(place, tmp_path, monkeypatch):
    """A folder with copies of them, in which commands are called."""
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["gan", "vae"])
def test_a_file_draws_the_images_of_its_run(here, name):
    for words in ("-n 13 --seed 3", "-n 2 --interpolate 3 --seed 1", "-n 5 --batch-norm standing"):
        if name == "vae" and "batch" in words:
            continue
        for run, out in ((name, "run.npz"), (f"{name}.safetensors", "file.npz")):
            sample([run, "--out", out, "--overwrite", *words.split()])
        of_run, of_file = (np.load(out)["images"] for out in ("run.npz", "file.npz"))
        np.testing.assert_array_equal(of_file, of_run)
        assert of_run.std() > 1


def test_classes_are_drawn_as_from_the_run(tmp_path):
    model = Gan(
        LabelledGenerator(MlpGenerator((8,))),
        LabelledDiscriminator(body=MlpDiscriminator((8,)), planes=False),
        prior=Labelled(Normal(4)),
    )
    write_run(tmp_path / "run", tiny.gan(model=model, data=Data(classes=10), evaluation=FEW))
    snapshot([str(tmp_path / "run"), "--out", str(tmp_path / "x.safetensors")])
    run, file = jaxgan.load(tmp_path / "run"), jaxgan.load(tmp_path / "x.safetensors")
    for label in (None, 3):
        np.testing.assert_array_equal(file.sample(5, label=label), run.sample(5, label=label))


def test_the_file_holds_the_averages_of_the_generator_and_no_more(here):
    """Averages are eight times the weights here, and other libraries read the file."""
    content = safetensors.numpy.load_file("gan.safetensors")
    average = weights.read_weights(Path("gan")).averages["generator"]
    wanted = {
        f"ema/generator/{jax.tree_util.keystr(path, simple=True, separator='/')}": leaf
        for path, leaf in jax.tree_util.tree_leaves_with_path(average)
    }
    assert content.keys() == wanted.keys()
    for name, array in content.items():
        np.testing.assert_array_equal(array, wanted[name])
    assert {name.split("/")[3] for name in safetensors.numpy.load_file("vae.safetensors")} == {
        "decoder"
    }
    with safetensors.safe_open("gan.safetensors", "np") as file:
        document = json.loads(file.metadata()["jaxgan"])
    assert document["attribution"] == Digits.attribution
    assert document["experiment"]["model"]["generator"]["width"] == 4
    assert (document["step"], document["jaxgan"]) == (1, jaxgan.__version__)


def test_equal_runs_give_equal_bytes_and_files_are_only_replaced_when_asked(here, capsys):
    snapshot(["gan"])
    said = capsys.readouterr().out
    size = Path("gan-step1.safetensors").stat().st_size / 1e6
    assert said == f"generator of step 1 is in gan-step1.safetensors: 7 arrays, {size:.3g} MB\n"
    assert Path("gan-step1.safetensors").read_bytes() == Path("gan.safetensors").read_bytes()
    with pytest.raises(ConfigError, match="this file exists; --overwrite replaces it"):
        snapshot(["gan"])
    snapshot(["gan", "--overwrite", "--attribution", "Mine."])
    assert jaxgan.load("gan-step1.safetensors").notes == ("trained on: Mine.",)


def test_another_checkpoint_and_weights_in_training(here):
    experiment = tiny.dcgan(name="gan", evaluation=FEW)
    state = compile_program(experiment, "none").init(5, example_batch(experiment))
    with Checkpoints("gan/checkpoints") as checkpoints:
        checkpoints.save(LATER, jax.device_get(state), {"position": {"step": LATER}})
    snapshot(["gan", "--out", "new.safetensors"])
    snapshot(["gan", "--out", "old.safetensors", "--step", "1", "--weights", "raw"])
    new, old, run = (jaxgan.load(name) for name in ("new.safetensors", "old.safetensors", "gan"))
    assert (new.step, old.step) == (LATER, 1)
    np.testing.assert_array_equal(new.sample(3), run.sample(3))
    shutil.rmtree(f"gan/checkpoints/{LATER}")
    first = jaxgan.load("gan")
    np.testing.assert_array_equal(old.sample(3), first.sample(3, weights="raw"))
    assert not np.array_equal(old.sample(3), first.sample(3))
    assert {name.split("/")[0] for name in generator_file.read(Path("old.safetensors")).arrays} == {
        "players"
    }
    for file, asked in ((new, "raw"), (old, "ema")):
        with pytest.raises(ConfigError, match=f"weights = '{asked}': the file holds the other"):
            file.sample(3, weights=asked)
    with pytest.raises(RunError, match=r"^gan has no checkpoint of step 3: there is 1$"):
        snapshot(["gan", "--step", "3"])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_says_what_it_costs(here, capsys, dtype):
    snapshot(["gan", "--out", "half.safetensors", "--dtype", dtype])
    said = capsys.readouterr().out.splitlines()[1]
    whole, half = (
        generator_file.read(Path(name)).arrays for name in ("gan.safetensors", "half.safetensors")
    )
    for name, array in whole.items():
        assert half[name].dtype == dtype
        # Half a unit in the last place: 11 bits of float16, 8 of bfloat16.
        bound = np.abs(array) * 2.0 ** (-11 if dtype == "float16" else -8) + 2**-25
        assert np.all(np.abs(half[name].astype(np.float32) - array) <= bound)
    saved = sum(array.nbytes for array in whole.values()) / 2
    sizes = [Path(name).stat().st_size for name in ("gan.safetensors", "half.safetensors")]
    assert abs(sizes[0] - sizes[1] - saved) < 200  # of headers, whose lengths differ
    off = np.abs(
        jaxgan.load("half.safetensors").sample(64).astype(float) - jaxgan.load("gan").sample(64)
    )
    assert off.max() > 0
    assert said == (
        f"{dtype}: 64 samples are off by {off.mean():.2g} levels of 255 on average, by"
        f" {off.max():.3g} at most"
    )


def test_what_float16_cannot_hold_is_refused(here):
    experiment = tiny.vae(name="vae", evaluation=FEW)
    state = jax.device_get(compile_program(experiment, "none").init(0, example_batch(experiment)))
    state = state.replace(ema=jax.tree.map(lambda leaf: leaf * 0 + 1e6, state.ema))
    with Checkpoints("vae/checkpoints") as checkpoints:
        checkpoints.save(LATER, state, {"position": {"step": LATER}})
    with pytest.raises(ConfigError, match=r"^--dtype float16: ema/autoencoder/.* of size 1e\+06"):
        snapshot(["vae", "--out", "x.safetensors", "--dtype", "float16"])
    assert not Path("x.safetensors").exists()


def test_numbers_of_a_file_are_those_of_its_run(here):
    for name in ("gan", "gan.safetensors"):
        evaluate([name, "--out", f"{name}.json"])
    run, file = (json.loads(Path(f"{n}.json").read_text()) for n in ("gan", "gan.safetensors"))
    kid = {name for name in run["metrics"] if name.startswith("kid")}
    assert kid == set(file["metrics"])
    for name in kid:
        assert file["metrics"][name] == run["metrics"][name]
    # What a discriminator or an encoder is needed for is not there.
    assert any(name.startswith("discriminator_accuracy") for name in run["metrics"])
    with pytest.raises(ConfigError, match="likelihood needs an encoder and a likelihood, and"):
        evaluate(["vae.safetensors", "--metrics", "likelihood"])
    with pytest.raises(ConfigError, match="encode needs an encoder"):
        jaxgan.load("vae.safetensors").encode(np.zeros((1, 8, 8, 1), np.uint8))


def regression(folder):
    write_run(folder, tiny.gan(name="regression", model=tiny.Regression()))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nowhere", "nowhere holds no run: there is no nowhere/config.json"),
        (
            "study",
            "study holds no run: there is no study/config.json; there are runs below it: `jaxgan"
            " list study`",
        ),
        ("started", "started has no checkpoint yet: `jaxgan resume started`"),
        ("gan.safetensors", "gan.safetensors is a file: name the folder of a run"),
        ("gan --out x.npz", "--out x.npz: the name must end in .safetensors"),
        ("gan --out gan.safetensors", "--out gan.safetensors: this file exists; --overwrite"
         " replaces it"),
        ("gan --out no/x.safetensors", "--out no/x.safetensors: there is no folder no"),
        ("gan --out gan/x.safetensors", "--out gan/x.safetensors: gan is the folder of a run, which"
         " only training changes; name a place outside of it"),
    ],
)  # fmt: skip
def test_mistakes_say_what_would_be_right(here, words, message):
    (here / "study" / "runs").mkdir(parents=True)
    (here / "gan").rename(here / "study" / "runs" / "gan-seed0")
    shutil.copytree(here / "study" / "runs" / "gan-seed0", here / "gan")
    shutil.copytree(here / "gan", here / "started", ignore=lambda *_: ["checkpoints"])
    with pytest.raises((ConfigError, RunError)) as raised:
        snapshot(words.split())
    assert str(raised.value) == message
    assert sorted(path.name for path in here.glob("*.safetensors")) == [
        "gan.safetensors", "vae.safetensors",
    ]  # fmt: skip


def rewritten(change):
    """The file with another document, or other arrays."""
    content = generator_file.read(Path("gan.safetensors"))
    arrays, document = dict(content.arrays), dict(content.document)
    change(arrays, document)
    generator_file.write(Path("gan.safetensors"), arrays, document)


def renamed(arrays, document):
    arrays["ema/generator/params/other"] = arrays.pop(DENSE)


def reshaped(arrays, document):
    arrays[DENSE] = arrays[DENSE][:, :5]


def integers(arrays, document):
    name = "ema/generator/params/UpPyramid_0/BatchNorm_0/scale"
    arrays[name] = arrays[name].astype(np.int32)


def wider(arrays, document):
    experiment = json.loads(json.dumps(document["experiment"]))
    experiment["model"]["generator"]["width"] = 6
    document["experiment"] = experiment


def of_the_future(arrays, document):
    wider(arrays, document)
    document["experiment"]["model"]["generator"]["novelty"] = 1
    document["jaxgan"] = "9.1"


def no_experiment(arrays, document):
    document["experiment"] = {"type": "jaxgan.optim:Sgd", "learning_rate": 1.0}


def without_step(arrays, document):
    del document["step"]


def evil(arrays, document):
    wider(arrays, document)
    document["experiment"]["model"]["loss"]["type"] = "evil:X"


CHANGES = {
    renamed: r"is of another model than it says, which lacks ema/generator/params/UpPyramid_0",
    reshaped: r"UpPyramid_0/Dense_0/kernel is float32\(8, 5\) and should be float32\(8, 64\)",
    integers: r"BatchNorm_0/scale is int32\(4,\) and should be float32\(4,\)",
    wider: r"BatchNorm_0/mean is float32\(4,\) and should be float32\(6,\)",
    of_the_future: r"another version of jaxgan \(9\.1\) than this one .*has no field novelty",
    no_experiment: r"is damaged: it does not describe an experiment",
    without_step: r"is damaged: it does not say its step",
    evil: r"needs code that is not jaxgan's: module evil",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_file_that_somebody_has_changed_is_refused(here, monkeypatch, change):
    Path("evil.py").write_text("from pathlib import Path\nPath('it-has-run').touch()\n")
    monkeypatch.syspath_prepend(str(here))
    rewritten(change)
    with pytest.raises((ConfigError, RunError), match=rf"^gan\.safetensors .*{CHANGES[change]}"):
        sample(["gan.safetensors"])
    assert not Path("it-has-run").exists()


def header(**tensors):
    """A file of sixteen bytes of data behind such a header."""
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text + bytes(16)


def tensor(begin, end, *shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


BROKEN = {
    "empty": b"",
    "no safetensors": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a huge header": (1 << 40).to_bytes(8, "little") + b"{}",
    "overlaps": header(a=tensor(0, 8, 2), b=tensor(4, 16, 3)),
    "a gap": header(a=tensor(0, 4, 1), b=tensor(8, 16, 2)),
    "data beyond the end": header(a=tensor(0, 32, 8)),
    "a shape that does not fit": header(a=tensor(0, 16, 5)),
    "a shape beyond all": header(a=tensor(0, 16, 2**62, 4)),
    "an unknown type": header(a=tensor(0, 16, 4, dtype="F31")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_whole_safetensors_file_is_refused_in_one_line(tmp_path, name):
    (tmp_path / "x.safetensors").write_bytes(BROKEN[name])
    with pytest.raises(RunError, match="is neither a run's folder nor a whole safeten") as raised:
        sample([str(tmp_path / "x.safetensors")])
    assert len(str(raised.value).splitlines()) == 1


def test_other_files_are_refused(here):
    whole = Path("gan.safetensors").read_bytes()
    Path("cut.safetensors").write_bytes(whole[:-1])
    Path("others.safetensors").write_bytes(header(a=tensor(0, 16, 4)))
    Path("tiny.safetensors").write_bytes(header(a=tensor(0, 16, 16, dtype="F8_E4M3")))
    for name, message in (
        ("cut", "neither a run's folder nor a whole safetensors file"),
        ("others", "is a safetensors file, but none that `jaxgan snapshot` has written"),
        ("tiny", r"holds numbers of type F8_E4M3, at 'a'"),
        ("nothing", r"cannot read nothing\.safetensors: No such file"),
    ):
        with pytest.raises(RunError, match=message):
            sample([f"{name}.safetensors"])
    with pytest.raises(RunError, match="regression holds no run"):
        snapshot(["regression"])
    regression(here / "regression")
    with pytest.raises(ConfigError, match=r"^regression draws no samples, so there is no gen"):
        snapshot(["regression", "--trust"])
