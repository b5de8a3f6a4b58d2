"""Whether results were measured alike, so that they can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jaxgan.algorithms.base import build
from jaxgan.config import ConfigError, Experiment
from jaxgan.evaluation import protocol
from jaxgan.evaluation.protocol import bracket, short_name

Document = Mapping[str, Any]

NATS = ("elbo", "reconstruction", "likelihood")
"""Metrics that can be compared only under one kind of likelihood."""


def check_likelihoods(rank_by: str, likelihoods: Mapping[str, str]) -> None:
    """Refuses to rank a density and a probability by their logarithms.

    Args:
        rank_by: short name of the metric that ranks.
        likelihoods: kinds by the names of the rows; empty for models without.

    Raises:
        ConfigError: names two rows and their likelihoods.
    """
    known = [(name, kind) for name, kind in likelihoods.items() if kind]
    for name, kind in known[1:] if rank_by in NATS else ():
        if kind != known[0][1]:
            raise ConfigError(
                f"{known[0][0]} and {name} cannot be ranked by {rank_by}:"
                f" likelihood: {known[0][1]} and {kind}"
            )


def likelihood_of(experiment: Experiment) -> str:
    """The kind of a model's likelihood, such as ``Bernoulli``; empty for models without."""
    density = build(experiment).density
    return "" if density is None else density.kind


def full_names(results: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Short metric names to the names with their protocol, which all runs must share.

    Args:
        results: result documents by the name of their run. Those that record protocols must agree
            in every field of them; of others, the names must agree.

    Raises:
        ConfigError: two runs measured a metric under different protocols; says in which fields they
            differ.
    """
    first: dict[str, tuple[str, str, Document | None]] = {}
    for run, result in results.items():
        for name in result["metrics"]:
            document = document_of(result, name)
            known_run, known_name, known = first.setdefault(short_name(name), (run, name, document))
            fields = [
                field
                for field in differing(known_name, known, name, document)
                if not _of_the_model(field)
            ]
            if fields:
                raise ConfigError(
                    f"{known_run} and {run} cannot be compared by {short_name(name)}, because they"
                    f" were measured under different protocols: {'; '.join(fields)}"
                )
            if known is None and document is not None:
                first[short_name(name)] = (run, name, document)
    return {short: name for short, (_, name, _) in first.items()}


def _of_the_model(field: str) -> bool:
    """Whether a difference is between the models, and not between how they were measured.

    Kinds of likelihood are looked at by `check_likelihoods`, where they matter; a model without
    labels cannot be asked for samples of given classes, nor one without averages for averaged
    weights (what is asked for is the same, or the study is refused before it starts).
    """
    if field.startswith("labels: "):
        return "(none)" in field
    return field.startswith(("likelihood: ", "weights: "))


def document_of(result: Mapping[str, Any], name: str) -> Document | None:
    """The protocol that a result records for a metric; None if it records none."""
    return result.get("protocols", {}).get(bracket(name))


def differing(
    name: str, document: Document | None, other_name: str, other_document: Document | None
) -> list[str]:
    """Every field in which two protocols differ, as ``field: value and value``."""
    if document is not None and other_document is not None:
        if document.get("digest") == other_document.get("digest"):
            return []
        try:
            known, other = map(protocol.from_document, (document, other_document))
        except ValueError:  # of another version, or damaged
            return _unequal(document, other_document)
        return protocol.differences(known, other)
    if name == other_name:
        return []
    try:
        return _unequal(protocol.parse(name).fields, protocol.parse(other_name).fields)
    except ValueError:
        return [f"{name} and {other_name}"]


def _unequal(a: Document, b: Document) -> list[str]:
    fields = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    # The digest differs because something else does; alone, it says that one has been changed.
    told = [name for name in fields if name != "digest"] or fields
    return [f"{name}: {a.get(name, '(none)')} and {b.get(name, '(none)')}" for name in told]
