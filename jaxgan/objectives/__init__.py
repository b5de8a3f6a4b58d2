"""Pure maths on arrays: adversarial losses, likelihoods, KL, ELBO."""
