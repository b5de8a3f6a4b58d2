"""Lucic et al., Are GANs Created Equal?, 2018, on digits: the wide search.

jaxgan plan experiments/reproductions/lucic_2018/digits.py --out plan.jsonl
seq 0 95 | xargs -P 2 -I{} jaxgan run --plan plan.jsonl --index {}
jaxgan report runs/lucic_2018_digits_wide
"""

from lucic_study import study_of

study = study_of("digits", "wide")
