"""Lucic et al., Are GANs Created Equal?, 2018, on digits: the wide search.

    jaxgan plan experiments/reproductions/lucic_2018/digits.py --out plan.jsonl
    seq 0 95 | xargs -P 2 -I{} jaxgan run --plan plan.jsonl --index {}
    jaxgan report runs/lucic_2018_digits_wide

The best setting of each method, with seeds that the search has not had, is planned by the first
command with ``--best-of plan.jsonl --seeds 1 2 3 --out final.jsonl``: 24 lines more.

It has not been run as a whole. An estimate for two idle cores is 70 minutes: 96 runs and 24 of
about 70 s of processor time. 35 s of those are start, compilation and measuring (gan.py, 100 steps,
on cores that had much else to do), the others 3,000 updates of 10 to 13 ms (7 ms where the critic
makes five a step, which take 12 s more to compile).
"""

from lucic_study import study_of

study = study_of("digits", "wide")
