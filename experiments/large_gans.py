"""Large GANs in miniature: five designs with equal parameters and images, three seeds.

    python experiments/large_gans.py
    python experiments/large_gans.py --seeds 0 1 2 3 4 --workdir runs/five_seeds

Digits of 16 pixels. Widths are chosen so that both networks together have 112,000 to 116,000
parameters; every run sees 48,000 real images, in batches of its experiment's size. All else is each
experiment's own: BigGAN and SAGAN see labels, the others do not; progressive growing spends the
first third of its images on coarser levels; R3GAN reaches the ends of its cosines after 40,000
images. Distances are of the shipped classifier's features, of images averaged down to 8 pixels.

Writes runs/large_gans/index.html, results.csv, results.json, table.tex and table.md.
"""

from pathlib import Path

from jaxgan.cli import run_study
from jaxgan.study.comparison import Entry, Study

HERE = Path(__file__).parent


def row(name: str, generator: str, discriminator: str, *more: str) -> Entry:
    """An experiment at 16 pixels.

    Args:
        name: of its file.
        generator: a flag of the generator, and its value.
        discriminator: such a one of the discriminator.
        more: words of its command line.
    """
    words = (
        "--data.image-size 16 --data.resize bilinear --data.classes 10 --evaluation.backbone auto"
    )
    words += f" --model.generator.{generator} --model.discriminator.{discriminator}"
    return Entry(str(HERE / f"{name}.py"), (*words.split(), *more))


study = Study(
    name="large_gans",
    title="Large GANs in miniature",
    entries=(
        row("progan", "width 28", "width 29"),
        row("sagan", "width 18", "width 14"),
        row("biggan", "width 20", "width 14"),
        row("stylegan2", "width 31", "width 31"),
        row("r3gan", "widths 40", "widths 40", "--model.decay-images", "40000"),
    ),
    images=48_000,
    curve_points=4,
    metrics=("fid", "kid", "prdc"),
    tuning="not equal. Rates, steps and regularizers of each experiment were chosen when it was"
    " written, on seed 0, some at 8 pixels and some at 16; widths were set by their parameters"
    " alone. The order says what these settings do, not what the designs can do.",
)

if __name__ == "__main__":
    run_study(study)
