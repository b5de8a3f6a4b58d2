"""The steps in PyTorch on a CPU, written to be fast: eager, channels_last, and torch.compile.

Fakes are made once and serve both players. The discriminator's weights ask for no gradient while
the generator is updated. Gradients are dropped rather than zeroed. Adam is the fused one.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]
from torch.nn import functional as F  # pyright: ignore[reportMissingImports]

from side_by_side import reference as ref
from side_by_side import torch_networks as networks
from side_by_side.bench import Bench, Outcome
from side_by_side.steps import (
    CHECKED_STEPS,
    EMA_DECAY,
    FITTED,
    GAN_ADAM,
    PENALTY_WEIGHT,
    VAE_ADAM,
    VAES,
    Size,
)
from side_by_side.torch_biggan import Generator as BigGanGenerator
from side_by_side.torch_counts import Counter, forward_layers
from side_by_side.torch_style import Synthesis

Update = Callable[[Any, Tensor, Tensor], dict[str, Tensor]]
"""uint8 images (a pair with fakes for the ResNet), latents and shares to the losses."""


class Run:
    """Networks in training, and what is done to them."""

    def __init__(self, step: str, size: Size, precision: str, kind: str, reference: Any) -> None:
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")
        self.networks = _networks(step, size, kind)
        for name, network in self.networks.items():
            networks.load(network, name, reference, size)
            if kind == "torch_channels_last":
                network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        settings = VAE_ADAM if step in VAES else GAN_ADAM
        # A VAE is one player, with one optimizer.
        self.optimizers = {
            name: torch.optim.Adam(
                network.parameters(),
                lr=settings.learning_rate,
                betas=(settings.b1, settings.b2),
                eps=settings.eps,
                fused=True,
            )
            for name, network in self.networks.items()
        }
        compile_ = torch.compile if kind == "torch_compile" else lambda network: network
        self.called: dict[str, Any] = {k: compile_(v) for k, v in self.networks.items()}
        averaged = [n for name, n in self.networks.items() if name != "discriminator"]
        averaged = [] if step in FITTED else averaged
        self.fresh = [
            value
            for network in averaged
            for value in (*network.parameters(), *network.buffers())
            if value.is_floating_point()
        ]
        self.ema = [value.detach().clone() for value in self.fresh]
        self.steps = 0

    def minimize(self, loss: Tensor, *names: str) -> None:
        """One update of some of the networks."""
        loss.backward()
        for name in names:
            self.optimizers[name].step()
            self.optimizers[name].zero_grad(set_to_none=True)

    def average(self) -> None:
        """One update of the running average of the weights that are evaluated."""
        share = max(1.0 - EMA_DECAY, 9.0 / (10.0 + self.steps))
        self.steps += 1
        with torch.no_grad():
            torch._foreach_lerp_(self.ema, self.fresh, share)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Meanwhile nobody asks for gradients of the network's weights."""
        self.networks[name].requires_grad_(False)
        try:
            yield
        finally:
            self.networks[name].requires_grad_(True)


def build(step: str, size: Size, precision: str, path: Path, kind: str) -> Bench:
    """A step whose weights are those of the reference at ``path``; see `in_jaxgan.build`.

    Args:
        step: one of `side_by_side.steps.STEPS`.
        size: of its networks and batch.
        precision: float32, or bfloat16 by autocast.
        path: the ``.npz`` that jaxgan's process has written.
        kind: torch_eager, torch_channels_last, torch_compile or torch_fused.
    """
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    reference = ref.read(path)
    update_of = {"resnet": _critic_update, "mlp_vae": _vae_update, "conv_vae": _vae_update}
    update_of |= dict.fromkeys(FITTED, _fit_update)

    def start() -> tuple[Run, Update]:
        run = Run(step, size, precision, kind, reference)
        if step in update_of:
            return run, update_of[step](run)
        update = _gan_update(run, wasserstein=step == "wgan_gp", together=bool(size.hidden))
        return run, update

    batches: list[Any] = [_to_torch(images, kind) for images in reference.images]
    if step == "resnet":
        fakes = [_to_torch(images, kind) for images in reference.fakes]
        batches = list(zip(batches, fakes, strict=True))

    def draws_of(number: int) -> tuple[Tensor, Tensor]:
        latents, shares = reference.latents[number], reference.shares[number]
        return torch.from_numpy(latents), torch.from_numpy(shares)

    def check() -> Outcome:
        run, update = start()
        losses, moments = [], {}
        for number in range(CHECKED_STEPS):
            found = update(batches[number], *draws_of(number))
            losses.append({name: float(value) for name, value in sorted(found.items())})
            moments = moments or _moments(run)
        return Outcome(losses, moments)

    def counted() -> int:
        _, update = start()
        with Counter() as counter:
            update(batches[0], *draws_of(0))
        return counter.total

    timed, update = start()
    turns = itertools.cycle(batches)

    def run(steps: int) -> None:
        for _ in range(steps):
            latents = torch.randn(size.batch, size.latent)
            update(next(turns), latents, torch.rand(size.batch))

    parameters = [p for network in timed.networks.values() for p in network.parameters()]
    return Bench(
        parameters=sum(value.numel() for value in parameters),
        layers=forward_layers(timed.networks, size),
        check=check,
        run=run,
        counted=counted if kind == "torch_eager" else None,
    )


def _to_torch(images: np.ndarray, kind: str) -> Tensor:
    """NHWC to NCHW, in the memory format of the networks."""
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    is_last = kind == "torch_channels_last"
    layout = torch.channels_last if is_last else torch.contiguous_format
    return tensor.contiguous(memory_format=layout)


def _networks(step: str, size: Size, kind: str) -> dict[str, nn.Module]:
    if step == "stylegan2":
        return {"generator": Synthesis(size, kind == "torch_fused")}
    if step == "biggan":
        return {"generator": BigGanGenerator(size, ref.labels_of(size.batch))}
    if step == "resnet":
        return {"discriminator": networks.Stack(size)}
    generator = networks.MlpGenerator if size.hidden else networks.Generator
    if step in VAES:
        return {"encoder": networks.Encoder(size), "decoder": generator(size, gan=False)}
    return {
        "generator": generator(size, gan=True),
        "discriminator": networks.Discriminator(size, norm=step == "dcgan"),
    }


def _symmetric(images: Tensor) -> Tensor:
    """uint8 to [-1, 1]."""
    return images.float().div_(127.5).sub_(1.0)


def _gan_update(run: Run, *, wasserstein: bool, together: bool) -> Update:
    """The step of a GAN.

    Args:
        run: its networks.
        wasserstein: WGAN-GP instead of the non-saturating loss.
        together: real and fake images pass the discriminator as one batch. Not for batch norm;
            elsewhere it is faster for perceptrons, and as fast or slower for convolutions.
    """
    generator, discriminator = run.called["generator"], run.called["discriminator"]
    # torch.compile differentiates once only.
    plain = run.networks["discriminator"]

    def penalty(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
        points = torch.lerp(fake, real, share.view(-1, 1, 1, 1)).requires_grad_()
        with run.autocast:
            total = plain(points).sum()
        (gradients,) = torch.autograd.grad(total, points, create_graph=True)
        lengths = gradients.flatten(1).norm(dim=1)
        return PENALTY_WEIGHT * (lengths - 1.0).square().mean()

    def update(images: Tensor, latents: Tensor, share: Tensor) -> dict[str, Tensor]:
        real = _symmetric(images)
        with run.autocast:
            fake = generator(latents)
            detached = fake.detach()
            if together:
                real_logits, fake_logits = discriminator(torch.cat([real, detached])).chunk(2)
            else:
                real_logits, fake_logits = discriminator(real), discriminator(detached)
        if wasserstein:
            d_loss = (fake_logits - real_logits).mean() + penalty(real, detached.float(), share)
        else:
            d_loss = (F.softplus(-real_logits) + F.softplus(fake_logits)).mean()
        run.minimize(d_loss, "discriminator")
        with run.frozen("discriminator"):
            with run.autocast:
                logits = discriminator(fake)
            g_loss = (-logits if wasserstein else F.softplus(-logits)).mean()
            run.minimize(g_loss, "generator")
        run.average()
        return {"discriminator": d_loss.detach(), "generator": g_loss.detach()}

    return update


def _vae_update(run: Run) -> Update:
    encoder, decoder = run.called["encoder"], run.called["decoder"]

    def update(images: Tensor, noise: Tensor, share: Tensor) -> dict[str, Tensor]:
        with run.autocast:
            mean, log_variance = encoder(_symmetric(images))
            logits = decoder(mean + torch.exp(0.5 * log_variance) * noise).float()
        targets = images.float().div_(255.0)
        cost = F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
        kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum()
        loss = (cost + kl) / len(images)
        run.minimize(loss, "encoder", "decoder")
        run.average()
        return {"autoencoder": loss.detach()}

    return update


def _critic_update(run: Run) -> Update:
    discriminator = run.called["discriminator"]

    def update(images: Any, latents: Tensor, share: Tensor) -> dict[str, Tensor]:
        with run.autocast:
            real, fake = discriminator(_symmetric(torch.cat(images))).chunk(2)
        loss = F.relu(1.0 - real).mean() + F.relu(1.0 + fake).mean()
        run.minimize(loss, "discriminator")
        return {"discriminator": loss.detach()}

    return update


def _fit_update(run: Run) -> Update:
    generator = run.called["generator"]

    def update(images: Tensor, latents: Tensor, share: Tensor) -> dict[str, Tensor]:
        with run.autocast:
            made = generator(latents)
        loss = F.mse_loss(made, _symmetric(images))
        run.minimize(loss, "generator")
        return {"generator": loss.detach()}

    return update


def _moments(run: Run) -> dict[str, float]:
    """Lengths of Adam's running means, by parameter."""
    found: dict[str, float] = {}
    for name, network in run.networks.items():
        states = run.optimizers[name].state
        parameters = networks.parameters_of(network, name)
        found |= {key: float(states[value]["exp_avg"].norm()) for key, value in parameters.items()}
    return found
