"""Lucic et al., Are GANs Created Equal?, 2018, on Fashion-MNIST: the wide search, for GPUs.

    jaxgan plan experiments/reproductions/lucic_2018/fashion_mnist.py --out plan.jsonl

800 runs of 15,625 batches in the paper's networks. Not measured on a GPU yet.
"""

from lucic_study import study_of

study = study_of("fashion-mnist", "wide")
