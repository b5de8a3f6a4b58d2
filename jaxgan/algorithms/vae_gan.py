"""VAE-GANs (Larsen et al. 2016): images compared by what a discriminator sees in them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxgan import rng
from jaxgan.algorithms import apply, base
from jaxgan.algorithms.sheets import sheets_of
from jaxgan.algorithms.state import State, new_player, new_state
from jaxgan.algorithms.vae_gan_parts import Judged, Networks, moved
from jaxgan.config import ConfigError, Experiment, Model
from jaxgan.networks.claims import claims
from jaxgan.objectives.gan.losses import accuracy
from jaxgan.objectives.priors import Normal
from jaxgan.objectives.vae.bounds import reparameterize
from jaxgan.objectives.vae.divergences import kl_standard_normal
from jaxgan.objectives.vae.learned_similarity import (
    decoder_loss,
    discriminator_loss,
    feature_distance,
)
from jaxgan.optim import Adam, Ema, Optimizer
from jaxgan.typing import Batch, Codes, Latents, Metrics, Params, Pixels, PRNGKey, Sums

AVERAGED = ("encoder", "decoder")


@dataclasses.dataclass(frozen=True)
class VaeGan(Model):
    """Settings of a VAE-GAN."""

    family: ClassVar[str] = "VAE"

    encoder: nn.Module
    """Network from images to mean and log variance of their codes."""
    decoder: nn.Module
    """Network from codes to images: a generator."""
    discriminator: nn.Module
    """Network from images to logits that also returns features, of which the last are compared."""
    latent_size: int = 128
    """Length of a code; 128 in the paper."""
    gamma: float = 1e-2
    """What the distance of features counts for the decoder, beside the game."""
    saturating: bool = False
    """Whether the decoder plays the zero-sum game of the paper's algorithm 1, whose gradient
    vanishes where the discriminator is sure."""
    optimizer: Optimizer = Adam()
    """Optimizer of encoder and decoder, each with a state of its own."""
    discriminator_optimizer: Optimizer = Adam()
    """Optimizer of the discriminator."""
    ema: Ema = Ema()
    """Average of the encoder's and the decoder's weights that is evaluated."""

    def __post_init__(self) -> None:
        if self.latent_size < 1:
            raise ConfigError(f"latent_size = {self.latent_size}: must be at least 1")
        if not 0.0 <= self.gamma < math.inf:
            raise ConfigError(f"gamma = {self.gamma}: a weight is at least 0 and finite")
        if not claims(self.discriminator).perceives:
            raise ConfigError(
                f"the discriminator, {type(self.discriminator).__name__}, returns no features that"
                " images could be compared by: take FeatureDcganDiscriminator or"
                " FeatureMlpDiscriminator"
            )

    @property
    def optimizers(self) -> dict[str, tuple[Optimizer, int]]:
        """One update of each player a step."""
        own = {"discriminator": (self.discriminator_optimizer, 1)}
        return {"encoder": (self.optimizer, 1), "decoder": (self.optimizer, 1), **own}

    def objective(self) -> str:
        """``KL, features, GAN, gamma = 0.01``."""
        return f"KL, features, GAN, gamma = {self.gamma:g}" + ", saturating" * self.saturating

    def build(self, experiment: Experiment, *, axis_name: str | None = None) -> base.Algorithm:
        """See `vae_gan`."""
        return vae_gan(experiment, self, axis_name=axis_name)


def vae_gan(
    experiment: Experiment, model: VaeGan, *, axis_name: str | None = None
) -> base.Algorithm:
    """The algorithm of a VAE-GAN.

    With ``x~`` decoded from a code ``z`` drawn for ``x``, ``x_p`` decoded from the prior, and
    ``f`` the discriminator's last features, one step is one update of each player, all from the
    same networks:

    - the encoder minimizes ``KL(q(z|x) || p(z)) + |f(x) - f(x~)|^2 / 2``, and no game;
    - the decoder minimizes ``gamma |f(x) - f(x~)|^2 / 2`` and, by `decoder_loss`, that ``x~`` and
      ``x_p`` are told from real images;
    - the discriminator tells ``x`` from ``x~`` and ``x_p``, and is not moved by the distance of its
      features, which it could make 0 by seeing nothing.

    Sums are over features and code dimensions. ``evaluate`` gives the KL, the distance of features
    and the mean squared error of the pixels of reconstructions from mean codes, and how often real
    and generated images are told apart.

    Args:
        experiment: the images' shape in ``experiment.data``, the number of steps.
        model: networks, weights and optimizers.
        axis_name: mapped axis over which the batch is sharded; None on one device.

    References:
        Larsen, Sonderby, Larochelle and Winther, Autoencoding beyond pixels using a learned
        similarity metric, 2016, section 2.3 and algorithm 1 (whose ``L_GAN`` is what the
        discriminator makes large, and the decoder small).
    """
    data, size = experiment.data, model.latent_size
    is_image, shape, prior = data.dtype == "uint8", data.image_shape, Normal(model.latent_size)
    optimizers = {name: one.build(experiment.steps) for name, (one, _) in model.optimizers.items()}
    over = apply.reduce(axis_name)

    networks = Networks(model.encoder, model.decoder, model.discriminator, shape, size, axis_name)
    encode, decode, judge = networks.encode, networks.decode, networks.judge

    def draw(key: PRNGKey, count: int, axis: str | None = None) -> Codes:
        return rng.per_example(lambda k: prior.draw(k, 0), key, count, axis)

    def init(key: PRNGKey, batch: Batch) -> State:
        images = apply.to_symmetric(jnp.asarray(batch["image"])[:1])
        first = {
            "encoder": (model.encoder, images, {"latent_size": size}),
            "decoder": (model.decoder, jnp.zeros((1, size)), {"image_shape": shape}),
            "discriminator": (model.discriminator, images, {}),
        }
        players = {
            name: new_player(
                apply.initial(name, network, key, given, prefix=f"{name}-", **how),
                optimizers[name],
            )
            for name, (network, given, how) in first.items()
        }
        return new_state(players, averaged=AVERAGED)

    def train_step(state: State, batch: Batch, key: PRNGKey) -> tuple[State, Metrics]:
        real = apply.to_symmetric(jnp.asarray(batch["image"]))
        noise = draw(rng.role_key(key, "noise"), real.shape[0], axis_name)
        latents = draw(rng.role_key(key, "latent"), real.shape[0], axis_name)
        players = {name: moved(player) for name, player in state.players.items()}

        def dropout(role: str) -> PRNGKey:
            return rng.role_key(key, f"{role}-dropout")

        def after(name: str, params: Params | None, changed: Params) -> Any:
            """Variables of a player: given ones, or those that nobody here is to move."""
            player = players[name]
            own = jax.lax.stop_gradient(player.params) if params is None else params
            return {"params": own, **player.model_state, **changed}

        def code(params: Params | None = None) -> Any:
            mean, log_variance, changed = encode(
                after("encoder", params, {}), real, dropout("encoder")
            )
            codes = reparameterize(mean=mean, log_variance=log_variance, noise=noise)
            return codes, kl_standard_normal(mean=mean, log_variance=log_variance), changed

        def made(codes: Codes, params: Params | None = None) -> Any:
            # Each kind of images is normalized by itself.
            decoded, changed = decode(after("decoder", params, {}), codes, dropout("decoded"))
            variables = after("decoder", params, changed)
            return decoded, *decode(variables, latents, dropout("generated"))

        def told(decoded: Any, generated: Any, params: Params | None = None) -> Any:
            changed, found = {}, []
            kinds = {"real": real, "decoded": decoded, "generated": generated}
            for role, images in kinds.items():
                variables = after("discriminator", params, changed)
                judged, changed = judge(variables, images, dropout(f"judged-{role}"))
                found.append(judged)
            return Judged(*found), changed

        def distance(judged: Judged) -> Any:
            features = (one.features[-1] for one in (judged.real, judged.decoded))
            return feature_distance(**dict(zip(("real", "decoded"), features, strict=True)))

        def of_encoder(params: Params) -> Any:
            codes, kl, changed = code(params)
            decoded, generated, _ = made(codes)
            apart = distance(told(decoded, generated)[0])
            values = {"kl": kl, "feature_distance": apart}
            return jnp.mean(kl + apart), (changed, values)

        def of_decoder(params: Params) -> Any:
            decoded, generated, changed = made(code()[0], params)
            judged, _ = told(decoded, generated)
            game = decoder_loss(
                decoded=judged.decoded.logits, generated=judged.generated.logits,
                saturating=model.saturating,
            )  # fmt: skip
            return jnp.mean(model.gamma * distance(judged) + game), (changed, {"game": game})

        def of_discriminator(params: Params) -> Any:
            decoded, generated, _ = made(code()[0])
            judged, changed = told(decoded, generated, params)
            logits = {name: one.logits for name, one in judged._asdict().items()}
            values = {f"logits/{name}": one for name, one in logits.items()}
            return jnp.mean(discriminator_loss(**logits)), (changed, values)

        metrics: Metrics = {}
        updated = {}
        losses = {
            "encoder": of_encoder, "decoder": of_decoder, "discriminator": of_discriminator,
        }  # fmt: skip
        # What they compute alike is compiled once.
        for name, loss in losses.items():
            (value, (changed, values)), gradients = jax.value_and_grad(loss, has_aux=True)(
                players[name].params
            )
            gradients = over.mean(gradients)
            updated[name] = players[name].update(optimizers[name], gradients, changed)
            metrics[f"loss/{name}"] = value
            metrics |= {label: jnp.mean(each) for label, each in values.items()}
            metrics |= apply.gradient_norm(name, gradients)
        averages = {
            name: model.ema.update(state.ema[name], updated[name].variables, state.step)
            for name in AVERAGED
        }
        new = state.replace(step=state.step + 1, players=updated, ema=averages)
        return new, over.mean(metrics)

    def in_range(images: Any) -> Any:
        return apply.to_unit(images) if is_image else images

    def pixels(state: State, latents: Latents) -> Pixels:
        return in_range(decode(state.evaluated("decoder"), latents, train=False)[0])

    def normalized(
        state: State, latents: Latents, key: PRNGKey
    ) -> tuple[Pixels, dict[str, Params]]:
        images, found = apply.batch_statistics(
            lambda variables: decode(variables, latents, key), state.evaluated("decoder")
        )
        return in_range(images), {"decoder": found}

    def posterior(state: State, batch: Batch) -> tuple[Codes, Codes]:
        images = apply.to_symmetric(jnp.asarray(batch["image"]))
        return encode(state.evaluated("encoder"), images, train=False)[:2]

    def codes_of(state: State, batch: Batch) -> Codes:
        return posterior(state, batch)[0]

    def reconstruct(state: State, batch: Batch) -> Pixels:
        return pixels(state, codes_of(state, batch))

    def evaluate(state: State, batch: Batch, key: PRNGKey) -> Sums:
        real = apply.to_symmetric(jnp.asarray(batch["image"]))
        mean, log_variance = posterior(state, batch)
        decoded, generated = pixels(state, mean), pixels(state, draw(key, real.shape[0]))
        # What is judged passes through eight bits, as the real images did.
        judged = [
            judge(state.players["discriminator"].variables, images, train=False)[0]
            for images in (
                real,
                *(
                    apply.to_symmetric(apply.quantized(made)) if is_image else made
                    for made in (decoded, generated)
                ),
            )
        ]
        right = accuracy(real=judged[0].logits, fake=judged[2].logits)
        shares = {f"discriminator_{name}": value for name, value in right.items()}
        errors = {
            "kl": kl_standard_normal(mean=mean, log_variance=log_variance),
            "feature_distance": feature_distance(
                real=judged[0].features[-1], decoded=judged[1].features[-1]
            ),
            "reconstruction_mse": jnp.mean(jnp.square(decoded - in_range(real)), axis=(1, 2, 3)),
        }
        return {
            **apply.sums_of_shares(shares, batch, {"discriminator_accuracy": 2}),
            **apply.sums_with_squares(errors, batch),
        }

    generation = base.Generation(
        draw, pixels, normalized, project=prior.project, between=prior.between,
        truncate=prior.truncate if prior.truncates else None,
        sheets=lambda key: sheets_of(prior, 0, draw, key),
    )  # fmt: skip
    return base.Algorithm(
        init,
        (base.Phase(experiment.steps, train_step),),
        evaluate,
        generation,
        base.Encoding(reconstruct, codes_of, posterior),
    )
