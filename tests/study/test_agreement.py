"""Results that were measured differently are told apart, and the field is named."""

import dataclasses
import itertools

import numpy as np
import pytest
import tiny

from jaxgan.config import ConfigError
from jaxgan.evaluation.protocol import Protocol
from jaxgan.objectives.vae.binarized import DynamicBernoulli
from jaxgan.objectives.vae.categorical import Categorical
from jaxgan.objectives.vae.continuous_bernoulli import ContinuousBernoulli
from jaxgan.objectives.vae.gaussian_scales import LearnedGaussian, PixelGaussian
from jaxgan.objectives.vae.laplace import Laplace
from jaxgan.objectives.vae.likelihoods import Bernoulli, Gaussian
from jaxgan.objectives.vae.logistic import DiscretizedLogistic
from jaxgan.objectives.vae.logistic_mixture import LogisticMixture
from jaxgan.study.agreement import check_likelihoods, differing, full_names, likelihood_of

USUAL = Protocol(
    backbone="digits-cnn",
    backbone_digest="0123",
    split="train",
    real_count=1500,
    real_digest="abcd",
    sample_count=1500,
)
HELD_OUT = dataclasses.replace(USUAL, backbone="", split="test", real_count=297, sample_count=0)


def result(*protocols, documents=True):
    """What a run records, of the metrics fid, kid, ... in turn."""
    names = ("fid", "kid", "elbo")
    found = {one.name(name): 1.0 for name, one in zip(names, protocols, strict=False)}
    recorded = {one.short: one.document() for one in protocols}
    return {"metrics": found, **({"protocols": recorded} if documents else {})}


def refusal(a, b):
    with pytest.raises(ConfigError) as raised:
        full_names({"gan-seed0": a, "vae-seed1": b})
    return str(raised.value)


def test_runs_that_were_measured_alike_share_full_names():
    full = full_names({"gan": result(USUAL, USUAL), "vae": result(USUAL, USUAL, HELD_OUT)})
    assert full == {
        "fid": "fid[digits-cnn,train1500,gen1500,q8,ema]",
        "kid": "kid[digits-cnn,train1500,gen1500,q8,ema]",
        "elbo": "elbo[test297,ema]",
    }


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("sample_count", 100, "sample_count: 1500 and 100"),
        ("batch_norm", "standing", "batch_norm: running and standing"),
        ("truncation", 0.5, "truncation: 1.0 and 0.5"),
        # What a name leaves out.
        ("backbone_digest", "9999", "backbone_digest: 0123 and 9999"),
        ("real_digest", "ffff", "real_digest: abcd and ffff"),
    ],
)
def test_any_field_that_differs_is_named(field, value, told):
    other = dataclasses.replace(USUAL, **{field: value})
    assert refusal(result(USUAL), result(other)) == (
        "gan-seed0 and vae-seed1 cannot be compared by fid, because they were measured under"
        f" different protocols: {told}"
    )


def test_all_fields_that_differ_are_named():
    other = dataclasses.replace(USUAL, split="test", real_count=297)
    message = refusal(result(USUAL), result(other))
    assert message.endswith(": split: train and test; real_count: 1500 and 297")


def test_each_metric_is_compared_for_itself():
    other = dataclasses.replace(USUAL, real_digest="ffff", sample_count=7)
    assert "by kid," in refusal(result(USUAL, USUAL), result(USUAL, other))


def test_results_without_documents_are_compared_by_name():
    old = result(USUAL, documents=False)
    other = dataclasses.replace(USUAL, sample_count=100)
    assert full_names({"a": old, "b": old}) == {"fid": USUAL.name("fid")}
    assert refusal(old, result(other, documents=False)).endswith(": sample_count: 1500 and 100")
    assert refusal(old, result(other)).endswith(": sample_count: 1500 and 100")
    # The same name, but only one says what its images were.
    assert full_names({"a": old, "b": result(USUAL)}) == {"fid": USUAL.name("fid")}


def test_a_result_without_documents_does_not_hide_those_after_it():
    old, other = result(USUAL, documents=False), dataclasses.replace(USUAL, real_digest="ffff")
    with pytest.raises(ConfigError, match=r"b and c .* real_digest: abcd and ffff"):
        full_names({"a": old, "b": result(USUAL), "c": result(other)})


def test_documents_of_other_versions_are_compared_as_they_are():
    document = {**USUAL.document(), "novelty": 1}
    changed = {**document, "novelty": 2, "digest": "else"}
    assert differing("fid[x]", document, "fid[x]", dict(document)) == []
    assert differing("fid[x]", document, "fid[x]", changed) == ["novelty: 1 and 2"]
    less = {**USUAL.document(), "digest": "else"}
    assert differing("fid[x]", document, "fid[x]", less) == ["novelty: 1 and (none)"]
    forged = {**document, "digest": "else"}
    assert differing("fid[x]", document, "fid[x]", forged) == [
        f"digest: {document['digest']} and else"
    ]


def test_names_that_nobody_can_read_are_compared_whole():
    assert differing("fid[a b]", None, "fid[c]", None) == ["fid[a b] and fid[c]"]


def with_gaussian(scale, name="soft"):
    vae = tiny.vae(name=name)
    return dataclasses.replace(
        vae, model=dataclasses.replace(vae.model, likelihood=Gaussian(scale))
    )


def test_a_density_and_a_probability_are_not_ranked():
    experiments = [tiny.gan(name="gan"), tiny.vae(name="vae"), with_gaussian(0.1)]
    kinds = {one.name: likelihood_of(one) for one in experiments}
    assert kinds == {"gan": "", "vae": "Bernoulli", "soft": "Gaussian"}
    with pytest.raises(ConfigError) as raised:
        check_likelihoods("elbo", kinds)
    assert str(raised.value) == (
        "vae and soft cannot be ranked by elbo: likelihood: Bernoulli and Gaussian"
    )
    check_likelihoods("fid", kinds)
    check_likelihoods("elbo", {"gan": "", "vae": "Bernoulli"})
    # Densities over the same units can be compared, whatever their width.
    wide = likelihood_of(with_gaussian(1.0, "wide"))
    check_likelihoods("elbo", {"soft": kinds["soft"], "wide": wide})


def test_no_two_measures_are_ranked():
    """Of all likelihoods, those of one kind give one measure of any images."""
    likelihoods = [
        *(Bernoulli(), DynamicBernoulli(), ContinuousBernoulli(), Gaussian(), Gaussian(0.1)),
        *(LearnedGaussian(), PixelGaussian(), Laplace(), DiscretizedLogistic()),
        *(LogisticMixture(), LogisticMixture(2), Categorical(256), Categorical(17), Categorical(9)),
    ]
    models = [dataclasses.replace(tiny.vae().model, likelihood=one) for one in likelihoods]
    kinds = [likelihood_of(tiny.vae(model=model)) for model in models]
    for images in ([0, 255], [0, 16, 255], [0, 17, 128]):
        measures = [one.measure(np.array(images, np.uint8)) for one in likelihoods]
        for kind, measure in zip(kinds, measures, strict=True):
            assert {m for k, m in zip(kinds, measures, strict=True) if k == kind} == {measure}
    for (a, b), (of_a, of_b) in zip(
        itertools.combinations(kinds, 2), itertools.combinations(likelihoods, 2), strict=True
    ):
        if a != b:
            with pytest.raises(ConfigError, match=f"a and b cannot .* likelihood: {a} and {b}"):
                check_likelihoods("likelihood", {"a": a, "b": b})
        else:
            assert type(of_a) is type(of_b)
    # Images of 17 levels, and the same ones rounded to 9, have one class and two kinds.
    assert kinds[-2:] == ["Categorical-17", "Categorical-9"]
