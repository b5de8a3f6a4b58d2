"""What metrics need, and what is said where it is not there.

What is there is one set: what the model can do (said by whoever knows the model), what is known of
the data (`of_data`), and what the feature extractor gives (`of_backbone`).

    there = frozenset({"codes"}) | of_data(info, (64, 64, 1)) | of_backbone(backbone)
    lacking("disentanglement", metric.needs, there, shape=info.shape)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Literal, Protocol, get_args, runtime_checkable

from jaxgan.evaluation.features.backbone import Backbone
from jaxgan.typing import ImageShape

Need = Literal[
    "likelihood",
    "code densities",
    "codes",
    "encoder",
    "images alone",
    "factors",
    "manifold",
    "mixture",
    "stacked",
    "native images",
    "samples",
    "generator",
    "annealing",
    "classes",
    "labels",
    "class scores",
    "8 bits",
]
"""Something that not every model, data set or feature extractor has.

- ``likelihood``: ``log p(x|z)`` of images under given codes, and an encoder.
- ``code densities``: densities of codes under the posterior and the prior.
- ``codes``: one vector an image, whatever it is.
- ``encoder``: means and log variances of images' codes, where the prior is the standard normal.
- ``images alone``: an encoder that is given no labels.
- ``factors``: images drawn for given values of their factors of variation.
- ``manifold``: the distance from any image to the nearest one that could be in the data set.
- ``mixture``: the modes of a mixture that the points were drawn from.
- ``stacked``: images whose channels are gray images, each of a class of its own.
- ``native images``: models that see the images as the data set draws them.
- ``samples``: a model that draws images from a prior.
- ``generator``: images of latents, with gradients that lead to the latents of a given image.
- ``annealing``: images of codes from a density on all vectors, with slopes.
- ``classes``: classes of the real images.
- ``labels``: samples of given classes.
- ``class scores``: a feature extractor that is a classifier.
- ``8 bits``: images, not points.
"""

NEEDS: tuple[Need, ...] = get_args(Need)
"""All of them; of several that are missing, the first is told."""

LACKING: Mapping[Need, str] = {
    "likelihood": "an encoder and a likelihood, and this model has none",
    "code densities": "codes that have a density, and this model's are points",
    "codes": "an encoder, and this model has none",
    "encoder": "an encoder whose codes are Gaussian, and this model's are not",
    "images alone": "an encoder of images alone, and this model's is given their labels",
    "factors": "a data set whose factors of variation are known, such as sprites",
    "manifold": "a data set whose manifold is known: triangles or lucic-triangles",
    "mixture": "a data set whose modes are known, such as ring",
    "stacked": "a data set of stacked gray images, such as stacked",
    "native images": "images as they are drawn{shape}: leave out --data.resize",
    "samples": "samples, and this model draws none",
    "generator": "a generator that has gradients, and this model has none",
    "annealing": "a decoder of codes from a density on all vectors, and this model has none",
    "classes": "images of known classes, and the real ones have none",
    "labels": "samples of given classes, and this model draws none",
    "class scores": "class scores, and {backbone} gives none",
    "8 bits": "images of 8 bits, and these are points",
}
"""What follows "needs" where something is missing."""


@runtime_checkable
class Described(Protocol):
    """What has to be known of a data set: `jaxgan.data.source.Info`."""

    @property
    def shape(self) -> ImageShape | None:
        """Native height, width and channels; None where images differ in size."""
        ...

    @property
    def dtype(self) -> str:
        """``uint8`` for images, ``float32`` for points."""
        ...

    @property
    def classes(self) -> int:
        """Number of classes; 1 where there are no labels."""
        ...

    @property
    def knows(self) -> frozenset[str]:
        """Those of ``factors``, ``manifold``, ``mixture`` and ``stacked`` that are known."""
        ...


def of_data(info: Described, image_shape: tuple[int, ...]) -> frozenset[Need]:
    """What a data set offers.

    Args:
        info: what its source says of itself.
        image_shape: of the images that the model sees.
    """
    known: tuple[Need, ...] = ("factors", "manifold", "mixture", "stacked")
    found: set[Need] = {need for need in known if need in info.knows}
    if info.shape is not None and tuple(info.shape) == tuple(image_shape):
        found.add("native images")
    if info.classes > 1:
        found.add("classes")
    if info.dtype == "uint8":
        found.add("8 bits")
    return frozenset(found)


def of_backbone(backbone: Backbone) -> frozenset[Need]:
    """What a feature extractor offers."""
    return frozenset() if backbone.logits is None else frozenset({"class scores"})


def lacking(
    metric: str,
    needs: Iterable[Need],
    there: Set[Need],
    *,
    shape: ImageShape | None = None,
    backbone: str = "",
) -> str | None:
    """Why a metric cannot be taken, in one line; None: it can.

    >>> lacking("mig", {"codes"}, frozenset())
    'mig needs an encoder, and this model has none'

    Args:
        metric: its name.
        needs: what it needs.
        there: what is there.
        shape: native height, width and channels of the data set, for the message.
        backbone: name of the feature extractor, for the message.
    """
    missing: set[Need] = {need for need in needs if need not in there}
    if not missing:
        return None
    text = LACKING[min(missing, key=NEEDS.index)].format(
        shape="" if shape is None else f", {'x'.join(map(str, shape))}",
        backbone=f"backbone {backbone}" if backbone else "the backbone",
    )
    return f"{metric} needs {text}"
