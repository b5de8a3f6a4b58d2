"""What names of data sets on the command line stand for."""

from __future__ import annotations

from jaxgan.data.pipeline import Data
from jaxgan.data.sources.binarized import Binarized
from jaxgan.data.sources.folder import Folder
from jaxgan.data.sources.gaussians import Grid, Ring
from jaxgan.data.sources.idx import Idx, fashion_mnist
from jaxgan.data.sources.lucic_triangles import LucicTriangles
from jaxgan.data.sources.sprites import Sprites
from jaxgan.data.sources.stacked import Stacked
from jaxgan.data.sources.swiss_roll import SwissRoll
from jaxgan.data.sources.tfds import Tfds
from jaxgan.data.sources.triangles import Triangles

DATASETS: dict[str, Data] = {
    "digits": Data(classes=10),
    "fashion-mnist": Data(source=fashion_mnist(), image_size=28, classes=10),
    "ring": Data(source=Ring(), image_size=1, channels=2, classes=8),
    "grid": Data(source=Grid(), image_size=1, channels=2, classes=25),
    "swiss-roll": Data(source=SwissRoll(), image_size=1, channels=2),
    "binarized-digits": Data(source=Binarized(), classes=10),
    "binarized-fashion-mnist": Data(source=Binarized(fashion_mnist()), image_size=28, classes=10),
    "stacked": Data(source=Stacked(), channels=3, classes=1000),
    "stacked-fashion-mnist": Data(
        source=Stacked(fashion_mnist()), image_size=28, channels=3, classes=1000
    ),
    "stacked-idx": Data(source=Stacked(Idx("idx")), image_size=28, channels=3, classes=1000),
    "sprites": Data(source=Sprites(), image_size=64, classes=3),
    "triangles": Data(source=Triangles(), image_size=28),
    "lucic-triangles": Data(source=LucicTriangles(), image_size=28),
    "idx": Data(source=Idx("idx"), image_size=28, classes=10),
    "folder": Data(source=Folder("images"), image_size=32, channels=3, resize="crop"),
    "tfds": Data(source=Tfds("cifar10"), image_size=32, channels=3),
}
"""What ``--dataset NAME`` stands for; each field can be changed further by ``--data.*``."""
NAMED_BY = {
    "idx": ("--data.source.folder", "FOLDER"),
    "stacked-idx": ("--data.source.source.folder", "FOLDER"),
    "folder": ("--data.source.path", "FOLDER"),
    "tfds": ("--data.source.name", "cifar10"),
}
"""Flags without which a data set of a person's own is none, and examples of them."""
