"""Seven GANs and a VAE under equal searches. Lucic, Kurach, Michalski, Gelly and Bousquet, Are GANs
Created Equal? A Large-Scale Study, 2018.

`study_of` makes the studies of the files beside this one. Every method is given as many settings,
drawn from one seed before the first run, and every run the same number of discriminator updates
(batches of real images), whatever it does with them. A setting is selected by its FID on validation
images, and reported, with fresh seeds, on test images.

The spaces are those of the paper's code (``params.py``): `WIDE`, of 100 settings a method, and
`NARROW`, of 50, where wide ones are searched with one seed and the best is trained with 50.

=====================  ===================  =======================
field                  wide                 narrow
=====================  ===================  =======================
learning rate          10^U[-5, -2]         10^U[-4, -3]
beta1                  U[0, 1]              0.5
critic updates         1 or 5               1
batch norm             yes or no            yes or no
penalty (WGAN-GP, ..)  10^U[-1, 2]          10^U[-1, 1]
clipping (WGAN)        10^U[-3, 0]          10^U[-2, 0]
BEGAN's rate of k      10^U[-4, -2]         10^-3
BEGAN's gamma          U[0, 1]              U[0.6, 0.9]
=====================  ===================  =======================

What is not as there:

- WGAN-GP and DRAGAN are searched without batch norm, which their penalties do not go with and
  jaxgan refuses; the paper's wide space has it for them as well, its narrow one does not.
- The code's first setting of each method is its authors' own; here all are drawn. It measures
  checkpoints of four moments of a run and takes the best; here the last step is measured.
- The VAE has no critic, whose updates are drawn for it in the code and not used.
- LSGAN squares logits, the code probabilities. DRAGAN penalizes the slope of the logit, the code
  that of the probability. Images are in [-1, 1] instead of [0, 1], so that slopes are half as steep
  and BEGAN's energies twice as large (k moves twice as fast under one rate). Batch norm keeps 0.9
  of its averages and not 0.999. The VAE's encoder gives logarithms of variances.

On digits, networks are half as wide and their dense layer has a quarter of the units; FID is of the
features ``digits-cnn``, on 297 validation and 297 test images. On Fashion-MNIST networks and budget
are the paper's; FID is of ``fashion-cnn`` on 10,000 images, so that the paper's numbers, which are
of Inception, say what to expect of the order and not of the values. On triangles FID selects as
well, where the paper selects by the F1 that it shows: precision and recall are taken of test images
alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from jaxgan.study.comparison import Entry, Study
from jaxgan.study.spaces import Choice, Distribution, LogUniform, Uniform

HERE = Path(__file__).parent
Width: TypeAlias = Literal["wide", "narrow"]
DataName: TypeAlias = Literal["digits", "fashion-mnist", "lucic-triangles"]


class Space(NamedTuple):
    """What is searched."""

    shared: Mapping[str, Distribution]
    """By all methods."""
    critic_updates: Distribution
    batch_norm: Distribution
    penalty: Distribution
    clipping: Distribution
    began_rate: Distribution
    began_gamma: Distribution


SPACES: dict[Width, Space] = {
    "wide": Space(
        shared={"optimizer.learning-rate": LogUniform(1e-5, 1e-2), "optimizer.b1": Uniform(0, 1)},
        critic_updates=Choice((1, 5)),
        batch_norm=Choice((True, False)),
        penalty=LogUniform(1e-1, 1e2),
        clipping=LogUniform(1e-3, 1),
        began_rate=LogUniform(1e-4, 1e-2),
        began_gamma=Uniform(0, 1),
    ),
    "narrow": Space(
        shared={
            "optimizer.learning-rate": LogUniform(1e-4, 1e-3),
            "optimizer.b1": Choice((0.5,)),
        },
        critic_updates=Choice((1,)),
        batch_norm=Choice((True, False)),
        penalty=LogUniform(1e-1, 1e1),
        clipping=LogUniform(1e-2, 1),
        began_rate=Choice((1e-3,)),
        began_gamma=Uniform(0.6, 0.9),
    ),
}


class Budget(NamedTuple):
    """What every method gets on a data set."""

    images: int
    """Real images a run sees; 64 a discriminator update."""
    trials: dict[Width, int]
    """Settings a method."""
    validation: int
    """Images that select."""
    small: bool = False
    """Whether networks are smaller than the paper's."""
    metrics: tuple[str, ...] = ("fid",)
    """What is measured; the first selects and ranks."""


BUDGETS: dict[DataName, Budget] = {
    "digits": Budget(3000 * 64, {"wide": 12, "narrow": 12}, validation=297, small=True),
    # 20 epochs of 50,000 images, 15,625 discriminator updates.
    "fashion-mnist": Budget(1_000_000, {"wide": 100, "narrow": 50}, validation=10_000),
    "lucic-triangles": Budget(
        1_000_000, {"wide": 100, "narrow": 50}, validation=10_000, metrics=("fid", "manifold")
    ),
}


def study_of(data: DataName, width: Width) -> Study:
    """The study on a data set."""
    budget = BUDGETS[data]
    return Study(
        name=f"lucic_2018_{data.replace('-', '_')}_{width}",
        title=f"Seven GANs and a VAE on {data}, {width} search (Lucic et al. 2018)",
        entries=entries_of(data, width),
        seeds=(0,),
        images=budget.images,
        curve_points=0,
        metrics=budget.metrics,
        space=SPACES[width].shared,
        trials=budget.trials[width],
    )


def entries_of(data: DataName, width: Width) -> tuple[Entry, ...]:
    """The eight methods, each with what it alone is searched by."""
    space = SPACES[width]
    norm, critic = {"model.discriminator.batch-norm": space.batch_norm}, space.critic_updates

    def gan(name: str, words: str, own: Mapping[str, Distribution], file: str = "gan") -> Entry:
        networks = "generator discriminator"
        return _entry(file, name, words, data, networks, {"model.n-critic": critic, **own})

    penalized = "--model.discriminator.no-batch-norm --penalty"
    weight = {"penalty.weight": space.penalty}
    return (
        gan("mm_gan", "--loss minimax", norm),
        gan("ns_gan", "--loss non_saturating", norm),
        gan("lsgan", "--loss least_squares", norm),
        gan(
            "wgan",
            "--loss wasserstein --constraint clip",
            {**norm, "constraint.bound": space.clipping},
        ),
        gan("wgan_gp", f"--loss wasserstein {penalized} gradient_penalty", weight),
        gan("dragan", f"--loss non_saturating {penalized} dragan", weight),
        gan(
            "began",
            "",
            {**norm, "loss.rate": space.began_rate, "loss.gamma": space.began_gamma},
            file="began",
        ),
        _entry(
            "vae",
            "vae",
            "",
            data,
            "encoder decoder",
            {"model.encoder.batch-norm": space.batch_norm},
        ),
    )


def _entry(
    file: str,
    name: str,
    words: str,
    data: DataName,
    networks: str,
    space: Mapping[str, Distribution],
) -> Entry:
    """A method; its two networks are made smaller where the budget wants that."""
    budget = BUDGETS[data]
    arguments = f"--name {name} --dataset {data} --data.validation {budget.validation} {words}"
    for network in networks.split() if budget.small else ():
        arguments += f" --model.{network}.width 32"
        # BEGAN's discriminator has no wide dense layer.
        if (file, network) != ("began", "discriminator"):
            arguments += f" --model.{network}.units 256"
    return Entry(str(HERE / f"{file}.py"), tuple(arguments.split()), space)
