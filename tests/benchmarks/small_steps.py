"""Sizes at which every step compiles and runs in seconds.

Hidden layers are wide enough not to be dead as a whole: from an image of zeros a discriminator
comes to lie on the kink of its ReLUs, where the frameworks choose different slopes.
"""

from side_by_side.steps import Size

PYRAMID = Size(batch=4, image=16, channels=2, latent=5, width=4)
SIZES = {
    "dcgan": PYRAMID,
    "wgan_gp": PYRAMID,
    "resnet": Size(batch=2, image=8, channels=3, width=4),
    "mlp_gan": Size(batch=4, image=6, channels=1, latent=5, hidden=(20, 16)),
    "mlp_vae": Size(batch=4, image=6, channels=1, latent=5, hidden=(20, 16)),
    "conv_vae": PYRAMID,
    "stylegan2": Size(batch=3, image=16, channels=2, latent=5, width=4),
    # Two channels of attention's queries.
    "biggan": Size(batch=3, image=16, channels=2, latent=6, width=16),
}
