"""Colors of the style sheet: enough contrast, and series that color-blind readers tell apart."""

import itertools
import re
from importlib import resources

import numpy as np
import pytest

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", 2009: severity 1.0, linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def _schemes():
    sheet = resources.files("jaxgan.visualization.report").joinpath("style.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    colors = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in (light, dark)]
    return {"light": colors[0], "dark": colors[1]}


def _linear(color):
    """Linear RGB of sRGB, IEC 61966-2-1."""
    encoded = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _contrast(a, b):
    """Contrast ratio of the Web Content Accessibility Guidelines 2."""
    weights = [0.2126, 0.7152, 0.0722]
    dark, light = sorted((_linear(a) @ weights, _linear(b) @ weights))
    return (light + 0.05) / (dark + 0.05)


def _oklab(linear):
    """Ottosson, "A perceptual color space for image processing", 2020."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    axes = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return axes @ np.cbrt(cones @ np.clip(linear, 0, 1))


def test_contrast_formula_on_known_pairs():
    assert _contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme):
    colors = _schemes()[scheme]
    for text, grounds in {
        "text": ("page", "surface", "raised", "accent-soft"),
        "muted": ("page", "surface", "raised"),
        "accent": ("page", "surface"),
        "surface": ("accent",),
        "warn": ("warn-soft",),
        "bad": ("bad-soft", "surface"),
    }.items():
        for ground in grounds:
            assert _contrast(colors[text], colors[ground]) >= 4.5, (text, ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lines_stand_out(scheme):
    colors = _schemes()[scheme]
    for index in range(8):
        assert _contrast(colors[f"s{index}"], colors["surface"]) >= 3.0


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_series_can_be_told_apart(scheme, deficiency):
    # 0.02 is about a just noticeable difference in this space; thin lines need several of them.
    colors = _schemes()[scheme]
    seen = [_oklab(np.array(DEFICIENCIES[deficiency]) @ _linear(colors[f"s{i}"])) for i in range(8)]
    least = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert least >= 0.08
