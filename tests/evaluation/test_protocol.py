import dataclasses
import json
import re

import pytest

from jaxgan.evaluation.protocol import Protocol, differences, from_document, parse

PROTOCOL = Protocol(
    backbone="digits-cnn",
    backbone_digest="abc",
    split="train",
    real_count=1500,
    real_digest="def",
    sample_count=1000,
)

# Fields that every name tells, and those that it tells where they are unusual.
NAMES = {
    "digits-cnn,train1500,gen1000,q8,ema": {},
    "digits-cnn,train1500,gen1000,f32,raw,bn=batch,batch=250": {
        "quantized": False,
        "weights": "raw",
        "batch_norm": "batch",
        "batch_size": 250,
    },
    "pixels8x8,real10,gen1000,q8": {
        "backbone": "pixels8x8",
        "split": "real",
        "real_count": 10,
        "weights": "none",
    },
    "train1500,ema,draws=5000": {"backbone": "", "sample_count": 0, "draws": 5000},
    "inception,validation9,gen1000,q8,ema,psi=0.7,resize=bilinear299x299,"
    "channels=gray-to-rgb,seed=3": {
        "backbone": "inception",
        "split": "validation",
        "real_count": 9,
        "truncation": 0.7,
        "resize": "bilinear299x299",
        "channels": "gray-to-rgb",
        "seed": 3,
    },
    "digits-cnn,train1500,gen1000,q8,raw,via=photo-map": {"weights": "raw", "via": "photo-map"},
    "train1500,ema,draws=5000,likelihood=Bernoulli": {
        "backbone": "",
        "sample_count": 0,
        "draws": 5000,
        "likelihood": "Bernoulli",
    },
    "digits-cnn,train1500,gen1000,q8,ema,subset=real": {"subset": "real"},
    "digits-cnn,train1500,gen1000,q8,ema,bn=standing_random,batch=64,threshold=0.25": {
        "batch_norm": "standing_random",
        "batch_size": 64,
        "threshold": 0.25,
    },
    "digits-cnn,train1500,gen1000,q8,ema,sampler=ddim,nfe=50,labels=3": {
        "sampler": "ddim",
        "nfe": 50,
        "labels": "3",
    },
}

# Digests that protocols had, under the same names, before some fields existed.
EARLIER = {
    "d3a5c82d29ed": PROTOCOL,
    "c6f93c8cfc56": Protocol(
        backbone="inception",
        backbone_digest="0123456789ab",
        split="validation",
        real_count=9,
        real_digest="ba9876543210",
        sample_count=50,
        quantized=False,
        weights="raw",
        batch_norm="batch",
        seed=3,
        truncation=0.7,
        batch_size=25,
        image="8x8x1",
        resize="bilinear299x299",
        channels="gray-to-rgb",
    ),
    "3e196306f3e7": Protocol(
        backbone="",
        backbone_digest="",
        split="test",
        real_count=297,
        real_digest="fedcba987654",
        sample_count=0,
        image="8x8x1",
        draws=5000,
    ),
}
LATER = {"via": "a-b", "likelihood": "Gaussian", "sampler": "ddim", "nfe": 50, "labels": "real"}
LATER |= {"subset": "generated", "threshold": 0.5}


def test_the_name_says_what_was_measured():
    assert PROTOCOL.name("fid") == "fid[digits-cnn,train1500,gen1000,q8,ema]"
    other = dataclasses.replace(
        PROTOCOL, split="test", real_count=297, quantized=False, weights="raw", batch_norm="batch"
    )
    assert other.name("kid") == "kid[digits-cnn,test297,gen1000,f32,raw,bn=batch]"


def test_the_digest_sees_every_field():
    changed = {
        "backbone": "pixels8x8",
        "backbone_digest": "xyz",
        "split": "test",
        "real_count": 1501,
        "real_digest": "xyz",
        "sample_count": 1001,
        "quantized": False,
        "weights": "raw",
        "batch_norm": "batch",
        "seed": 1,
        "truncation": 0.5,
        "batch_size": 100,
        "image": "8x8x1",
        "resize": "bilinear299x299",
        "channels": "gray-to-rgb",
        "draws": 100,
        **LATER,
    }
    assert changed.keys() == {field.name for field in dataclasses.fields(Protocol)}
    digests = {
        dataclasses.replace(PROTOCOL, **{name: value}).digest for name, value in changed.items()
    }
    assert len(digests | {PROTOCOL.digest}) == len(changed) + 1
    assert dataclasses.replace(PROTOCOL).digest == PROTOCOL.digest


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_back(name):
    protocol = dataclasses.replace(PROTOCOL, **NAMES[name])
    assert protocol.name("fid") == f"fid[{name}]"
    metric, fields = parse(f"fid[{name}]")
    assert metric == "fid"
    untold = {"backbone_digest", "real_digest", "image"}
    untold |= set() if protocol.sample_count else {"quantized"}
    expected = {k: v for k, v in dataclasses.asdict(protocol).items() if k not in untold}
    assert fields == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fid", "'fid' is not of the form metric[protocol]"),
        ("fid[a", "'fid[a' is not of the form metric[protocol]"),
        ("[train5]", "'[train5]' is not of the form metric[protocol]"),
        ("fid[x,gen5]", "'fid[x,gen5]' does not say which real images it is about"),
        ("fid[x,train5,q9]", "'fid[x,train5,q9]': 'q9' is no part of a protocol's name"),
        ("fid[x,train5,psi=a]", "'fid[x,train5,psi=a]': 'psi=a' is not a number"),
        ("fid[x,train5,nfe=a]", "'fid[x,train5,nfe=a]': 'nfe=a' is not a number"),
        (
            "fid[x,train5,size=4]",
            "'fid[x,train5,size=4]': 'size=4' is no part of a protocol's name",
        ),
    ],
)
def test_what_is_no_name(name, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse(name)


@pytest.mark.parametrize("digest", EARLIER)
def test_earlier_digests_hold(digest):
    protocol = EARLIER[digest]
    assert protocol.digest == digest
    document = protocol.document()
    assert document.keys() == {
        "backbone", "backbone_digest", "split", "real_count", "real_digest", "sample_count",
        "quantized", "weights", "batch_norm", "seed", "truncation", "batch_size", "image", "resize",
        "channels", "draws", "digest",
    }  # fmt: skip
    assert from_document(document) == protocol
    # Said or not, what is empty is the same.
    assert from_document({**document, "via": "", "nfe": 0}) == protocol


@pytest.mark.parametrize("name", LATER)
def test_later_fields_are_told_where_they_are_set(name):
    protocol = dataclasses.replace(PROTOCOL, **{name: LATER[name]})
    assert protocol.short == f"{PROTOCOL.short},{name}={LATER[name]}"
    document = json.loads(json.dumps(protocol.document()))
    assert document.keys() - PROTOCOL.document().keys() == {name}
    assert from_document(document) == protocol
    with pytest.raises(ValueError, match="but is recorded with"):
        from_document({key: value for key, value in document.items() if key != name})
    empty = {"nfe": "0", "threshold": "0.0"}.get(name, "(none)")
    assert differences(PROTOCOL, protocol) == [f"{name}: {empty} and {LATER[name]}"]


@pytest.mark.parametrize("value", ["a,b", "Normal[2]", "2]"])
def test_what_would_end_a_field_in_a_name_is_refused(value):
    with pytest.raises(ValueError, match=rf"^sampler = {re.escape(repr(value))}: a comma or"):
        dataclasses.replace(PROTOCOL, sampler=value)


def test_differences_name_the_fields():
    assert differences(PROTOCOL, PROTOCOL) == []
    other = dataclasses.replace(PROTOCOL, sample_count=5, weights="raw", real_digest="xyz")
    assert differences(PROTOCOL, other) == [
        "real_digest: def and xyz",
        "sample_count: 1000 and 5",
        "weights: ema and raw",
    ]


def test_documents_are_read_back():
    document = json.loads(json.dumps(PROTOCOL.document()))
    assert document["digest"] == PROTOCOL.digest
    assert from_document(document) == PROTOCOL
    with pytest.raises(ValueError, match=r"gen999,q8,ema has digest .{12}, but is recorded with"):
        from_document({**document, "sample_count": 999})
    with pytest.raises(ValueError, match=r"no protocol of this version: .* argument 'width'"):
        from_document({**document, "width": 3})
