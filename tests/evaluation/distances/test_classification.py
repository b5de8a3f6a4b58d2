import numpy as np
import pytest

from jaxgan.data.sources.digits import Digits
from jaxgan.evaluation.distances import classification
from jaxgan.evaluation.distances.classification import (
    Recipe,
    classification_accuracy,
    classifier_for,
)
from jaxgan.evaluation.statistics.proportions import share

QUICK = Recipe(steps=120, batch=32)


@pytest.fixture(scope="module")
def digits():
    def arrays(split):
        examples = Digits().load(split)
        rows = [examples[i] for i in range(len(examples))]
        return np.stack([r["image"] for r in rows]), np.array([r["label"] for r in rows])

    return arrays("train") + arrays("test")


@pytest.fixture(scope="module")
def trained_on_real(digits):
    train, train_labels, test, test_labels = digits
    return classification_accuracy(test, test_labels, train, train_labels, recipe=QUICK)


def test_real_images_teach_well(trained_on_real):
    # A linear classifier reaches 95 % of these; no image was seen in training.
    assert trained_on_real.accuracy.value > 0.93
    assert trained_on_real.accuracy == share(trained_on_real.correct)


@pytest.mark.slow
def test_the_same_images_and_recipe_give_the_same_result(digits, trained_on_real):
    train, train_labels, test, test_labels = digits
    compiled = classification._step._cache_size()
    again = classification_accuracy(test, test_labels, train, train_labels, recipe=QUICK)
    np.testing.assert_array_equal(again.correct, trained_on_real.correct)
    # Nothing is compiled anew for as many images, nor for more or fewer.
    fewer = classification_accuracy(
        test, test_labels, train[:400], train_labels[:400], recipe=QUICK
    )
    assert fewer.accuracy.value <= trained_on_real.accuracy.value
    assert classification._step._cache_size() == compiled


@pytest.mark.slow
def test_wrong_labels_missing_classes_and_noise_cost_accuracy(digits, trained_on_real):
    train, labels, test, test_labels = digits
    generator = np.random.default_rng(0)

    def score(images, given):
        found = classification_accuracy(test, test_labels, images, given, classes=10, recipe=QUICK)
        return found.accuracy.value

    real = trained_on_real.accuracy.value
    assert score(train, (labels + 1) % 10) < 0.05
    assert score(train, generator.permutation(labels)) < 0.35
    kept = labels < 5
    assert score(train[kept], labels[kept]) == pytest.approx((test_labels < 5).mean(), abs=0.03)
    noise = train + generator.normal(scale=150, size=train.shape)
    assert score(np.clip(noise, 0, 255).astype(np.uint8), labels) < real - 0.03


def test_networks_fit_their_images():
    assert classifier_for((8, 8, 1), 10).strides == (1, 1, 2)
    assert classifier_for((28, 28, 3), 7).strides == (2, 2, 2)
    assert classifier_for((28, 28, 3), 7).classes == 7


def test_what_cannot_be_classified_is_refused():
    x, y = np.zeros((4, 8, 8, 1), np.uint8), np.arange(4)
    with pytest.raises(ValueError, match="generated set is empty"):
        classification_accuracy(x, y, x[:0], y[:0])
    with pytest.raises(ValueError, match="real set has 3 labels for 4 images"):
        classification_accuracy(x, y[:3], x, y)
    with pytest.raises(ValueError, match="labels of the real set must lie in 0 to 2, found 0 to 3"):
        classification_accuracy(x, y, x, y % 3, classes=3)
    with pytest.raises(ValueError, match="generated set must lie in 0 to 3, found -1 to 2"):
        classification_accuracy(x, y, x, y - 1)
    with pytest.raises(ValueError, match="at least 1 step"):
        classification_accuracy(x, y, x, y, recipe=Recipe(steps=0))
