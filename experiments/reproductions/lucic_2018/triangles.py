"""Lucic et al., Are GANs Created Equal?, 2018, on triangles: the wide search, for GPUs.

    jaxgan plan experiments/reproductions/lucic_2018/triangles.py --out plan.jsonl

800 runs of 15,625 batches in the paper's networks, on the published triangles. What the report
shows of k trials is FID and precision, recall and F1 on the manifold. Not measured on a GPU yet.
"""

from lucic_study import study_of

study = study_of("lucic-triangles", "wide")
