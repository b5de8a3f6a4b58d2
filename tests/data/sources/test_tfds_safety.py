"""Folders of prepared data that would have modules imported."""

import json
import sys

import pytest

from jaxgan.data.source import DataError
from jaxgan.data.sources.tfds import Tfds
from jaxgan.data.sources.tfds_safety import check_no_code

IMAGE = "tensorflow_datasets.core.features.image_feature.Image"
EVIL = "evil_module_of_a_stranger.Image"


def features(kind, key="pythonClassName"):
    return {
        key: "tensorflow_datasets.core.features.features_dict.FeaturesDict",
        "featuresDict": {"features": {"image": {key: kind, "image": {"shape": {}}}}},
    }


def nested(kind):
    """A feature that holds another one as JSON in a string, as old data sets do."""
    inner = json.dumps({"type": kind, "content": {}})
    return {"pythonClassName": IMAGE, "jsonFeature": {"json": inner}}


def put(folder, document):
    where = folder / "things" / "1.0.0"
    where.mkdir(parents=True)
    (where / "features.json").write_text(json.dumps(document))
    (where / "dataset_info.json").write_text(json.dumps({"name": "things", "version": "1.0.0"}))
    return where / "features.json"


@pytest.mark.parametrize(
    "document",
    [features(EVIL), features(EVIL, "python_class_name"), features(EVIL, "type"), nested(EVIL)],
)
def test_other_modules_are_not_imported(tmp_path, monkeypatch, document):
    (tmp_path / "evil_module_of_a_stranger.py").write_text("raise SystemExit('it has run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    path = put(tmp_path / "data", document)
    with pytest.raises(DataError) as raised:
        Tfds("things", str(tmp_path / "data")).info()
    assert str(raised.value) == (
        f"{path} names {EVIL!r}, whose module would be imported; only features of"
        " tensorflow-datasets are read."
    )
    assert "evil_module_of_a_stranger" not in sys.modules


@pytest.mark.parametrize("document", [features(IMAGE), nested(IMAGE), {}, [], 3])
def test_its_own_are_let_through(tmp_path, document):
    put(tmp_path, document)
    check_no_code("things", tmp_path)
    check_no_code("things/config:1.0.0", tmp_path)


@pytest.mark.parametrize("text", ["{", "\xff", "[" * 100_000])
def test_a_damaged_file(tmp_path, text):
    put(tmp_path, {}).write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"features.json cannot be read \(\w+\)\.$"):
        check_no_code("things", tmp_path)


@pytest.mark.parametrize("name", ["huggingface:mnist", "kaggle:things/config:1.0.0"])
def test_communities(name):
    with pytest.raises(DataError, match="data sets of communities run code of theirs"):
        Tfds(name).info()


@pytest.mark.parametrize("name", ["mnist", "mnist:3.0.1", "mnist:3.*.*", "things/config:1.0.0"])
def test_versions(name):
    check_no_code(name, None)
