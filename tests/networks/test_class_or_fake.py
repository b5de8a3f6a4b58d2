"""Discriminators with an output for each class and one for what is made."""

import jax
import numpy as np
import pytest
from conditional_networks import CLASSES, IMAGES, LABELS, assert_close, evaluated, initialized

from jaxgan.networks.class_or_fake import (
    ClassOrFakeDcganDiscriminator,
    ClassOrFakeMlpDiscriminator,
)


@pytest.mark.parametrize(
    "module", [ClassOrFakeDcganDiscriminator(width=4), ClassOrFakeMlpDiscriminator((8,))]
)
def test_scores_are_a_layer_of_the_features_and_the_logit_a_difference(module):
    variables = initialized(module, IMAGES)
    logits, heads, (features,) = evaluated(module, variables, IMAGES, LABELS)
    last = variables["params"]["ClassHead_0"]["Dense_0"]
    by_hand = np.asarray(features, np.float64) @ np.asarray(last["kernel"]) + last["bias"]
    assert by_hand.shape == (len(IMAGES), CLASSES + 1)
    assert_close(heads, {"class_or_fake": by_hand})
    of_classes, of_fakes = by_hand[:, :CLASSES], by_hand[:, CLASSES]
    assert_close(logits, of_classes.max(axis=1) - of_fakes)
    # Labels are for losses.
    again = evaluated(module, variables, IMAGES, (LABELS + 1) % CLASSES)
    assert_close(again, (logits, heads, (features,)))


def test_classes_must_be_known():
    with pytest.raises(ValueError, match="classes"):
        ClassOrFakeMlpDiscriminator((8,)).init(
            jax.random.key(0), IMAGES, LABELS, classes=0, train=False
        )
