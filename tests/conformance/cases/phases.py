"""An algorithm of two phases: what holds for one holds in each of them, and across their border."""

from discovery import BATCH, Case
from two_phases import TwoPhases, two_phases

from jaxgan.optim import Sgd

MODEL = TwoPhases(ends=(3, 10), optimizer=Sgd(learning_rate=0.02, momentum=0.5))

CASES = {"Phases": Case(two_phases(MODEL, steps=10, batch_size=BATCH), steps=5)}
