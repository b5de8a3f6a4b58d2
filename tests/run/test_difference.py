"""What has changed between two configurations, in words."""

import pytest

from jaxgan.run.difference import difference


def penalty(kind, **fields):
    return {"type": f"jaxgan.objectives.gan.penalties:{kind}", **fields}


GRADIENT = penalty("GradientPenalty", weight=10.0, target=1.0)
R1 = penalty("R1", weight=10.0)


def changed(old, new):
    return difference({"model": {"penalties": old}}, {"model": {"penalties": new}})


def test_lists_of_objects_are_compared_one_by_one():
    assert changed([GRADIENT], [{**GRADIENT, "weight": 5.0}]) == [
        "model.penalties.0.weight: 10.0 -> 5.0"
    ]
    assert changed([GRADIENT, R1], [GRADIENT, {**R1, "weight": 1.0}]) == [
        "model.penalties.1.weight: 10.0 -> 1.0"
    ]
    assert changed([GRADIENT, R1], [GRADIENT, R1]) == []


def test_elements_that_come_or_go_are_absent_on_the_other_side():
    whole = "GradientPenalty(weight=10.0, target=1.0)"
    assert changed([], [GRADIENT]) == [f"model.penalties.0: (absent) -> {whole}"]
    assert changed([GRADIENT], []) == [f"model.penalties.0: {whole} -> (absent)"]
    assert changed([R1], [{**R1, "weight": 2.5}, GRADIENT]) == [
        "model.penalties.0.weight: 10.0 -> 2.5",
        f"model.penalties.1: (absent) -> {whole}",
    ]


def test_an_object_of_another_class_is_told_field_by_field():
    assert changed([GRADIENT], [R1]) == [
        "model.penalties.0.type: jaxgan.objectives.gan.penalties:GradientPenalty"
        " -> jaxgan.objectives.gan.penalties:R1",
        "model.penalties.0.target: 1.0 -> (absent)",
    ]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ([16, 16], [32], "[16, 16] -> [32]"),
        (["fid", "kid"], ["fid"], "['fid', 'kid'] -> ['fid']"),
        ([], [3], "[] -> [3]"),
        ([[1, 2], [3]], [[1, 2], [4]], "[[1, 2], [3]] -> [[1, 2], [4]]"),
        (None, 0.5, "None -> 0.5"),
        ("a, b", "", "a, b -> "),
        (True, False, "True -> False"),
        (None, R1, "None -> R1(weight=10.0)"),
        (
            None,
            {"type": "m:Outer", "name": "x", "inner": [R1, 2], "none": None},
            "None -> Outer(name='x', inner=[R1(weight=10.0), 2], none=None)",
        ),
    ],
)
def test_values_without_objects_on_both_sides_are_shown_whole(old, new, shown):
    assert difference({"a": {"b": old}}, {"a": {"b": new}}) == [f"a.b: {shown}"]


def test_objects_within_lists_within_lists():
    assert difference({"a": [[R1], 1]}, {"a": [[{**R1, "weight": 2.0}], 1]}) == [
        "a.0.0.weight: 10.0 -> 2.0"
    ]


def test_fields_come_in_the_order_of_the_old_ones_and_new_ones_last():
    assert difference({"b": 1, "a": 1, "c": 1}, {"d": 2, "a": 2, "b": 2, "c": 1}) == [
        "b: 1 -> 2",
        "a: 1 -> 2",
        "d: (absent) -> 2",
    ]
