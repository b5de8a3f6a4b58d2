"""What is said of each metric in a report's table."""

from __future__ import annotations

from jaxgan.visualization.report.data import MetricColumn

LOWER, HIGHER, NEITHER = True, False, None

COLUMNS: tuple[MetricColumn, ...] = (
    # Of samples.
    MetricColumn(
        "fid", "Fréchet distance", LOWER, "", 2,
        "Distance between Gaussians fitted to the features of real and generated images.",
    ),
    MetricColumn(
        "fid_inf", "Fréchet distance, extrapolated", LOWER, "", 2,
        "The Fréchet distance for infinitely many samples, from a line over one by the count.",
    ),
    MetricColumn(
        "kid", "Kernel distance", LOWER, "", 4,
        "Unbiased squared maximum mean discrepancy of the features, cubic polynomial kernel.",
    ),
    MetricColumn(
        "is", "Inception score", HIGHER, "", 2,
        "How sure the backbone's classifier is of each sample, and how varied its verdicts are: 1"
        " at worst, the number of classes at best. It never sees real images.",
    ),
    MetricColumn(
        "precision", "Precision", HIGHER, "", 3,
        "Share of samples within the manifold of the real images, balls to nearest neighbors.",
    ),
    MetricColumn(
        "recall", "Recall", HIGHER, "", 3,
        "Share of real images within the manifold of the samples.",
    ),
    MetricColumn(
        "density", "Density", HIGHER, "", 3,
        "Precision that counts in how many balls of real images a sample lies, and so is not fooled"
        " by single outliers; about 1 for real images, and not bounded by it.",
    ),
    MetricColumn(
        "coverage", "Coverage", HIGHER, "", 3,
        "Share of real images with a sample in their ball: recall that outlying samples do not"
        " raise.",
    ),
    MetricColumn(
        "cfid", "Class-conditional Fréchet distance", LOWER, "", 2,
        "Mean over classes of the Fréchet distance within each; few samples a class raise it.",
    ),
    MetricColumn(
        "cas", "Classification accuracy score", HIGHER, "", 3,
        "Accuracy on real images of a classifier that was trained on samples and their classes.",
    ),
    MetricColumn(
        "memorization", "Memorization", NEITHER, "", 3,
        "Chance that a sample is nearer to the training images than a held-out image is: 0.5 for"
        " new images, 1 for copies; below 0.5 samples lie farther off than real images do.",
    ),
    MetricColumn(
        "memorization_close", "Close to training images", NEITHER, "", 3,
        "Share of samples as near to a training image as only 0.05 of the held-out images are."
        " Above that share there are copies.",
    ),
    MetricColumn(
        "swd", "Sliced Wasserstein distance", LOWER, "", 4,
        "Mean over random directions of the exact transport distance between real and generated"
        " pixels, in units of black to white.",
    ),
    MetricColumn(
        "ms_ssim", "MS-SSIM", NEITHER, "", 3,
        "Structural similarity of pairs of samples at several scales: high means little variety."
        " To be compared with that of real images.",
    ),
    # Of models, on held-out images.
    MetricColumn(
        "likelihood", "Log-likelihood", HIGHER, "nats/image", 2,
        "Of held-out images, by importance sampling; a lower bound in expectation, closer than"
        " the ELBO.",
    ),
    MetricColumn(
        "ais", "Log-likelihood by AIS", HIGHER, "nats/image", 2,
        "Of the first held-out images, by annealed importance sampling of the decoder alone; a"
        " lower bound in expectation.",
    ),
    MetricColumn(
        "ais_gap", "Gap of AIS", NEITHER, "nats/image", 2,
        "Between stochastic bounds from below and from above, of images drawn from the model: how"
        " far estimates of held-out images may be off.",
    ),
    MetricColumn(
        "bits_per_dim", "Bits per dimension", LOWER, "bits/dim", 3,
        "The negative log-likelihood by pixel and channel, in bits.",
    ),
    MetricColumn(
        "elbo", "ELBO", HIGHER, "nats/image", 2,
        "Evidence lower bound of held-out images with beta = 1; only autoencoders have one.",
    ),
    MetricColumn(
        "reconstruction", "Reconstruction", HIGHER, "nats/image", 2,
        "The ELBO's expected log-likelihood of an image given its code.",
    ),
    MetricColumn(
        "kl", "KL", NEITHER, "nats/image", 2,
        "The ELBO's divergence of an image's code from the prior.",
    ),
    MetricColumn(
        "kl_lower", "KL of the lower level", NEITHER, "nats/image", 2,
        "The part of the KL by which lower codes differ from what upper codes say of them.",
    ),
    MetricColumn(
        "kl_upper", "KL of the upper level", NEITHER, "nats/image", 2,
        "The part of the KL by which upper codes differ from the prior.",
    ),
    MetricColumn(
        "mutual_information", "Mutual information", NEITHER, "nats/image", 2,
        "The part of the KL that codes tell of which image they come from; at most the logarithm of"
        " the number of images.",
    ),
    MetricColumn(
        "total_correlation", "Total correlation", NEITHER, "nats/image", 3,
        "The part of the KL that is dependence between the units of the code.",
    ),
    MetricColumn(
        "dimension_wise_kl", "Dimension-wise KL", NEITHER, "nats/image", 3,
        "The part of the KL by which the code's units, one by one, differ from the prior.",
    ),
    MetricColumn(
        "marginal_kl", "Marginal KL", LOWER, "nats/image", 3,
        "Divergence of the codes of all images together from the prior that samples are drawn from:"
        " total correlation and dimension-wise KL.",
    ),
    MetricColumn(
        "active_units", "Active units", NEITHER, "units", 1,
        "Units of the code whose posterior mean varies over images, by more than 0.01.",
    ),
    MetricColumn(
        "manifold_precision", "Precision on the manifold", HIGHER, "", 3,
        "Share of samples within 1 of a triangle, the manifold being known.",
    ),
    MetricColumn(
        "manifold_recall", "Recall on the manifold", HIGHER, "", 3,
        "Share of test triangles that the generator makes to within 1, found by inverting it.",
    ),
    MetricColumn(
        "manifold_f1", "F1 on the manifold", HIGHER, "", 3,
        "Harmonic mean of precision and recall on the manifold.",
    ),
    MetricColumn(
        "beta_vae_metric", "beta-VAE metric", HIGHER, "", 3,
        "How often a linear classifier tells from differences of codes which factor was held.",
    ),
    MetricColumn(
        "factor_vae_metric", "FactorVAE metric", HIGHER, "", 3,
        "How often the steadiest unit of the code tells which factor was held.",
    ),
    MetricColumn(
        "mig", "Mutual information gap", HIGHER, "", 3,
        "By how much the unit that tells most of a factor is ahead of the next, in shares of the"
        " factor's entropy.",
    ),
    MetricColumn(
        "dci_disentanglement", "Disentanglement (DCI)", HIGHER, "", 3,
        "To what degree each unit of the code matters to one factor only.",
    ),
    MetricColumn(
        "dci_completeness", "Completeness (DCI)", HIGHER, "", 3,
        "To what degree each factor is told by one unit only.",
    ),
    MetricColumn(
        "dci_informativeness", "Informativeness (DCI)", HIGHER, "", 3,
        "Accuracy of predicting the factors from the code.",
    ),
    MetricColumn(
        "sap", "Separated attribute predictability", HIGHER, "", 3,
        "Gap between the two units whose squared correlation with a factor is largest.",
    ),
    MetricColumn(
        "sap_svm", "Separated attribute predictability, classified", HIGHER, "", 3,
        "The same with the accuracy of a linear support vector machine on each unit.",
    ),
    MetricColumn(
        "modularity", "Modularity", HIGHER, "", 3,
        "To what degree each unit's information is about one factor.",
    ),
    MetricColumn(
        "explicitness", "Explicitness", HIGHER, "", 3,
        "How well a linear classifier tells each factor's values from the code.",
    ),
    MetricColumn(
        "reconstruction_mse", "Reconstruction error", LOWER, "", 4,
        "Mean squared error of held-out images decoded from their codes, with pixels from 0 to 1;"
        " of bidirectional GANs.",
    ),
    MetricColumn(
        "information_category", "Information of categories", HIGHER, "nats/image", 3,
        "Lower bound on what generated images tell of their categorical codes; at most the"
        " logarithm of the number of categories (InfoGAN).",
    ),
    MetricColumn(
        "information_continuous", "Information of continuous codes", HIGHER, "nats/image", 3,
        "The same of continuous codes, read with a standard deviation of 1, which is too wide for"
        " the bound to rise above 0 (InfoGAN).",
    ),
    MetricColumn(
        "discriminator_accuracy", "Discriminator accuracy", NEITHER, "", 3,
        "Share of held-out real and of generated images that the discriminator gets right; 0.5 is"
        " guessing. Critics of Wasserstein losses have no threshold, so none.",
    ),
    MetricColumn(
        "sigma_discriminator", "Largest singular value, discriminator", NEITHER, "", 2,
        "Of the weights of all its layers, the largest; of those with spectral normalization after"
        " it, where it should be 1.",
    ),
    MetricColumn(
        "sigma_generator", "Largest singular value, generator", NEITHER, "", 2,
        "The same of the generator, whose averaged weights are taken.",
    ),
    # Of points drawn from a mixture, and of stacked images.
    MetricColumn(
        "modes", "Modes covered", HIGHER, "", 1,
        "Modes of the mixture that good samples lie at; of stacked images, combinations of classes"
        " that a classifier finds among the samples.",
    ),
    MetricColumn(
        "high_quality", "High quality", HIGHER, "", 3,
        "Share of samples within 3 standard deviations of a mode.",
    ),
    MetricColumn(
        "reverse_kl", "Reverse KL", LOWER, "nats", 3,
        "Divergence of the samples' modes from the mixture's.",
    ),
    MetricColumn(
        "mode_kl", "KL of the modes", LOWER, "nats", 3,
        "Divergence of the shares of the combinations of classes, as a classifier tells them, from"
        " equal ones; 0 for none but infinitely many samples.",
    ),
    MetricColumn(
        "mode_kl_floor", "KL of real modes", NEITHER, "nats", 3,
        "The same of as many real images, under the same classifier: what a perfect model scores.",
    ),
)  # fmt: skip
"""Metrics that a table can show, in its order."""

NAMES = tuple(column.name for column in COLUMNS)
"""Their short names."""
