"""Small data sets of tensorflow-datasets, in a module of their own so that they can be pickled."""

import io
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

PICTURES = np.random.RandomState(0).randint(0, 256, (26, 8, 8, 3)).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "png")
    return file.getvalue()


class JaxganPictures(tfds.core.GeneratorBasedBuilder):
    """Noise, handed out as encoded images, so that TensorFlow is not needed to prepare it."""

    VERSION = tfds.core.Version("1.0.0")
    FEATURES: ClassVar = {
        "image": tfds.features.Image(shape=(8, 8, 3)),
        "label": tfds.features.ClassLabel(num_classes=4),
        "thumbnail": tfds.features.Image(shape=(None, None, 1)),
        "caption": tfds.features.Text(),
        "depth": tfds.features.Image(shape=(8, 8, 1), dtype=np.uint16),
    }

    def _info(self):
        features = tfds.features.FeaturesDict(self.FEATURES)
        return tfds.core.DatasetInfo(builder=self, features=features)

    def _split_generators(self, dl_manager):
        examples = self._generate_examples
        return {"train": examples(range(20)), "test": examples(range(20, 26))}

    def _generate_examples(self, rows):
        for row in rows:
            size = 3 + row % 2
            example = {
                "image": png(PICTURES[row]),
                "label": row % 4,
                "thumbnail": png(PICTURES[row, :size, :size, 0]),
                "caption": f"picture {row}",
                "depth": b"never decoded",
            }
            yield row, example


class JaxganDrawn(JaxganPictures):
    """The same as arrays, which only TensorFlow can encode."""

    def _generate_examples(self, rows):
        for row, example in super()._generate_examples(rows):
            yield row, {**example, "image": PICTURES[row]}


class JaxganDown(JaxganPictures):
    """A data set whose download fails halfway."""

    def _split_generators(self, dl_manager):
        raise ConnectionError("HTTP code: 503.\nTry again later.")


class JaxganTruncated(JaxganPictures):
    """A data set with a damaged image."""

    def _generate_examples(self, rows):
        for row, example in super()._generate_examples(rows):
            yield row, {**example, "image": example["image"][:-60]}
