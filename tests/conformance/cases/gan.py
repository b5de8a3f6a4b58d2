"""What GANs are held to the laws with: every part there is, alone or with others of its kind."""

import dataclasses

import suited
from discovery import (
    BATCH,
    LATENT_SIZE,
    Case,
    augmentations,
    constraints,
    experiment,
    losses,
    penalties,
)

from jaxgan.algorithms.gan import Gan
from jaxgan.data.pipeline import Data
from jaxgan.data.sources.gaussians import Ring
from jaxgan.networks.autoencoder import MlpAutoencoder
from jaxgan.networks.auxiliary import AuxiliaryMlpDiscriminator
from jaxgan.networks.biggan import BigGanDiscriminator, BigGanGenerator
from jaxgan.networks.conditional import ConditionalDcganGenerator, LabelledGenerator
from jaxgan.networks.dcgan import DcganDiscriminator, DcganGenerator
from jaxgan.networks.mlp import MlpDiscriminator, MlpGenerator
from jaxgan.networks.projection import ProjectionDcganDiscriminator
from jaxgan.objectives.gan.ada import Ada, ScheduledAda
from jaxgan.objectives.gan.ada_pipe import AdaPipe
from jaxgan.objectives.gan.apa import Apa
from jaxgan.objectives.gan.auxiliaries import AuxiliaryClassifier
from jaxgan.objectives.gan.began import Began
from jaxgan.objectives.gan.consistency import LatentConsistency
from jaxgan.objectives.gan.ebgan import PullAway
from jaxgan.objectives.gan.game_gradients import Consensus, GradientRegularization
from jaxgan.objectives.gan.lecam import LeCam
from jaxgan.objectives.gan.losses import Hinge, Wasserstein
from jaxgan.objectives.gan.penalties import GradientPenalty
from jaxgan.objectives.priors import Labelled, Normal, Uniform
from jaxgan.optim import Ema

PLAIN = Gan(MlpGenerator((8,)), MlpDiscriminator((8,)), prior=Normal(LATENT_SIZE))
CLASSIFIED = Gan(
    LabelledGenerator(MlpGenerator((8,))),
    AuxiliaryMlpDiscriminator((8,)),
    prior=Labelled(Normal(LATENT_SIZE)),
    auxiliaries=(AuxiliaryClassifier(),),
)
# A loss that changes, and a term that compares codes of the whole batch.
ENERGIES = dataclasses.replace(
    PLAIN,
    loss=Began(gamma=4.0, rate=0.05),
    discriminator=MlpAutoencoder((8,)),
    auxiliaries=(PullAway(),),
)
# Batch statistics, several critic updates, constraints, diagnostics.
CRITIC = Gan(
    DcganGenerator(width=4),
    DcganDiscriminator(width=4),
    loss=Wasserstein(),
    prior=Normal(LATENT_SIZE),
    n_critic=2,
    diagnostics=True,
    constraints=tuple(constraints().values()),
)
# Second derivatives of convolutions, and a reference batch.
PENALIZED = Gan(
    DcganGenerator(width=4, batch_norm=False, norm="virtual_batch"),
    DcganDiscriminator(width=4, batch_norm=False),
    loss=Wasserstein(),
    prior=Normal(LATENT_SIZE),
    n_critic=2,
    penalties=(GradientPenalty(),),
)
# Packs, looked-ahead updates, penalties on the players' gradients.
GAME = dataclasses.replace(
    PLAIN,
    pack=2,
    unrolled_steps=2,
    generator_penalties=(Consensus(0.1), GradientRegularization(every=2)),
)
CONDITIONAL = Gan(
    ConditionalDcganGenerator(width=4),
    ProjectionDcganDiscriminator(width=4),
    prior=Labelled(Uniform(LATENT_SIZE)),
)
# Attention, an embedding that all layers share, latents in parts, singular vectors in both players,
# statistics of the whole batch, and an average that starts after the first step.
LARGE = Gan(
    BigGanGenerator(width=4, max_multiple=2, embedding_size=3),
    BigGanDiscriminator(width=4, max_multiple=2),
    loss=Hinge(),
    prior=Labelled(Normal(LATENT_SIZE)),
    ema=Ema(decay=0.9, warmup=False, start=1),
)
# Normalizations that keep something, and layers that see the whole batch.
POINTS = Gan(
    MlpGenerator((8,), bounded=False, norm="layer", weight_norm="spectral"),
    MlpDiscriminator((8,), pieces=2, dropout=0.2, weight_norm="spectral", minibatch="stddev"),
    prior=Normal(LATENT_SIZE),
)
# Penalties that are not due at every update: one that draws places, one that draws latents, and one
# with a state. (Of all at once, which compile long, rounding grows from step to step.)
LAZY = dataclasses.replace(
    PLAIN,
    discriminator=MlpDiscriminator((8,), dropout=0.2),
    n_critic=2,
    penalties=(GradientPenalty(every=3), LatentConsistency(every=3), LeCam(start=0, every=3)),
)
# Strengths that move within three steps, of parts that are quickly compiled.
STRONG = {
    "Apa": Apa(kimg=0.02, interval=1),
    "Ada": Ada(AdaPipe(blit=0.0, geom=0.0), kimg=0.02, interval=1),
    "ScheduledAda": ScheduledAda(AdaPipe(blit=0.0, geom=0.0, color=0.0, cutout=1.0), kimg=0.02),
}
AUGMENTED = dataclasses.replace(PLAIN, augmentations=tuple((augmentations() | STRONG).values()))
SCHEDULES = ("ada/p", "ada/sign", "apa/p", "apa/sign", "instance_noise/std", "scheduled_ada/p")


def one_of_each_family():
    """Losses that have a base class in common are alike in all that the laws are about.

    The first stands for all in the tests that every run of the suite has: it compares examples of
    the whole batch.
    """
    found = {}
    for name, loss in sorted(losses().items(), key=lambda item: "Average" not in item[0]):
        base = type(loss).__bases__[-1]
        found.setdefault(type(loss) if base is object else base, (name, loss))
    return dict(found.values())


CASES = {
    **{
        f"Gan-{name}": Case(
            experiment(
                dataclasses.replace(PLAIN, loss=loss, discriminator=suited.discriminator(loss))
            ),
            # A schedule is the same for every seed; k stays 0 as long as nothing is balanced.
            quiet=("top_k/share", "began/k"),
        )
        for name, loss in one_of_each_family().items()
    },
    **{
        f"Gan-{name}": Case(
            experiment(dataclasses.replace(PLAIN, penalties=(penalty,))),
            # It starts later.
            quiet=("penalty/lecam",) if isinstance(penalty, LeCam) else (),
        )
        for name, penalty in penalties().items()
    },
    # The last of six updates is not one of those with penalties.
    "Gan-lazy": Case(experiment(LAZY), quiet=tuple(f"penalty/{p.name}" for p in LAZY.penalties)),
    "Gan-augmented": Case(experiment(AUGMENTED), quiet=SCHEDULES, slow=True),
    "Gan-classified": Case(experiment(CLASSIFIED)),
    "Gan-energies": Case(experiment(ENERGIES), slow=True),
    "Gan-conditional": Case(experiment(CONDITIONAL)),
    # On 8 pixels a side the discriminator would have no layer to normalize.
    "Gan-critic": Case(
        experiment(CRITIC, Data(image_size=16, resize="bilinear")),
        quiet=("diagnostics/real_sign",),
    ),
    "Gan-large": Case(experiment(LARGE), slow=True),
    # Eight devices get a pack each.
    "Gan-game": Case(dataclasses.replace(experiment(GAME), batch_size=2 * BATCH)),
    "Gan-parts": Case(
        dataclasses.replace(experiment(LAZY), batch_size=2 * BATCH, micro_batches=2),
        quiet=tuple(f"penalty/{p.name}" for p in LAZY.penalties),
        slow=True,
    ),
    "Gan-penalized": Case(experiment(PENALIZED), slow=True),
    "Gan-points": Case(
        experiment(POINTS, Data(source=Ring(), image_size=1, channels=2)), slow=True
    ),
}
