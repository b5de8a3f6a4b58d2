"""Lucic et al., Are GANs Created Equal?, 2018, on digits: the narrow search.

jaxgan plan experiments/reproductions/lucic_2018/digits_narrow.py --out narrow.jsonl
"""

from lucic_study import study_of

study = study_of("digits", "narrow")
