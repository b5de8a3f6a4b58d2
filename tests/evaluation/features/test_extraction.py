from itertools import pairwise

import numpy as np
import pytest

from jaxgan.evaluation.features.extraction import extract
from jaxgan.evaluation.features.load import Backbone, load_backbone


def noise(count, shape=(4, 6, 2)):
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


@pytest.mark.parametrize("sizes", [(23,), (1,) * 23, (10, 13), (5, 0, 17, 1), (20, 3)])
def test_how_images_arrive_does_not_matter(sizes):
    images = noise(23)
    backbone = load_backbone("pixels", (4, 6, 2))
    edges = np.cumsum((0, *sizes))
    batches = [images[a:b] for a, b in pairwise(edges)]
    found = extract(backbone, batches, size=5)
    assert found.features.dtype == np.float32
    assert found.quantized
    np.testing.assert_allclose(found.features, images.reshape(23, -1) / 255.0, rtol=1e-6)


def test_the_backbone_sees_one_shape_only():
    seen = []

    def features(images):
        seen.append((images.shape, images.dtype))
        return np.ones((len(images), 3), np.float32)

    backbone = Backbone("ones", "0", features, None, None, 3)
    # Eight devices share a call, so that five images become eight.
    assert extract(backbone, [noise(9), noise(12)], size=5).features.shape == (21, 3)
    assert seen == [((8, 4, 6, 2), np.uint8)] * 3


def test_points_are_not_quantized():
    points = np.ones((3, 1, 1, 2), np.float32)
    assert not extract(load_backbone("identity", (1, 1, 2)), [points]).quantized


def test_wrong_images_are_refused():
    backbone = load_backbone("pixels", (4, 6, 2))
    with pytest.raises(ValueError, match=r"shape \(4, 6, 2\), the generated ones are \(6, 4, 2\)"):
        extract(backbone, [noise(3, (6, 4, 2))], which="generated")
    with pytest.raises(ValueError, match="there are no real images"):
        extract(backbone, [], which="real")
    with pytest.raises(ValueError, match="all float32 for points; got int32"):
        extract(backbone, [noise(3).astype(np.int32)])
    with pytest.raises(ValueError, match="got float32 after uint8"):
        extract(backbone, [noise(3), noise(3).astype(np.float32)])
