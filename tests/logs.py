"""Logs as tests write them and read them back."""

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jaxgan.run.logs import JsonLines


def filled(path, steps):
    """A file with one record a step."""
    log = JsonLines(path)
    for step in steps:
        log.write(step, 64 * step, 100.0 + step, {"loss": 1 / (step + 1)})
    log.close()
    return path


def events(folder):
    """What TensorBoard itself reads in a folder."""
    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0, "scalars": 0})
    accumulator.Reload()
    return accumulator


def points(found, tag):
    """Steps and values of one curve."""
    return [(event.step, event.value) for event in found.Scalars(tag)]
