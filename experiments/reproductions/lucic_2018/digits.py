"""Lucic et al., Are GANs Created Equal?, 2018, on digits: the wide search.

    jaxgan plan experiments/reproductions/lucic_2018/digits.py --out plan.jsonl
    seq 0 95 | xargs -P 2 -I{} jaxgan run --plan plan.jsonl --index {}
    jaxgan report runs/lucic_2018_digits_wide

The best setting of each method, with seeds that the search has not had, is planned by the first
command with ``--best-of plan.jsonl --seeds 1 2 3 --out final.jsonl``: 24 lines more.

Results are in ``experiments/results/reproductions/lucic_2018_digits.md``. It took 83 minutes on two
cores that had much other work; 25 to 45 s a run beside another one.
"""

from lucic_study import study_of

study = study_of("digits", "wide")
