"""What a person may get wrong on the command line: what is typed, what is printed, exit code.

`CANNOT_WORK` are requests that are refused before anything is written (exit code 2); `FAILED` are
runs that fail (exit code 1). Keys follow ``jaxgan``, values follow ``error: `` on standard error.
"""

_NO_FILE = "name an experiment's Python file first: jaxgan train FILE [OPTIONS]"
_TRAIN = "train tiny_vae.py"
_ADVICE = "Try a smaller learning rate, or gradient clipping (clip_norm of the optimizers)."

CANNOT_WORK = {
    # The command.
    "trian x.py": (
        "there is no command 'trian'; there are train, resume, list, show, fit, sample,"
        " project, snapshot, evaluate, compare, plan, run, report"
    ),
    "train": _NO_FILE,
    "train --steps 3": _NO_FILE,
    "resume": "name a run's folder first: jaxgan resume RUN [OPTIONS]",
    "compare": "jaxgan compare needs experiments' files: jaxgan compare FILES...",
    # Plans.
    "plan": "name a study's Python file: jaxgan plan STUDY.py",
    "plan nothing.py": "nothing.py is no Python file: name a study such as compare_digits.py",
    "plan tiny_vae.py": "tiny_vae.py defines no `study = Study(...)`",
    "plan study.py --images 3": ("a budget of 3 images is less than one step of tiny (16 images)"),
    "plan study.py --seeds": "--seeds names none: give at least one, such as --seeds 0 1 2",
    "plan study.py --images 160 --workdir notes": (
        "notes exists and is neither empty nor the folder of a plan's runs: choose another"
        " --workdir"
    ),
    "plan study.py --images 160 --out notes": "notes is a folder: name a file",
    "plan study.py --images 160 --out empty.py": (
        "empty.py exists and is another plan: --overwrite replaces it"
    ),
    "plan study.py --images 160 --workdir empty.py": "cannot read empty.py: Not a directory",
    "run": "name the plan: jaxgan run --plan FILE --index N",
    "run plan.jsonl": "'plan.jsonl' belongs to no option; jaxgan run --help lists all",
    "run --plan nothing.jsonl --index 0": (
        "cannot read the plan nothing.jsonl: No such file or directory"
    ),
    "run --plan empty.py --all": "empty.py, index 0: this is no line of a plan",
    "run --plan empty.py --index x": (
        "--index: 'x' is no whole number, nor None; see jaxgan run --help"
    ),
    "run --plan empty.py --index -1": "empty.py has no index -1; there are 0 to 0",
    "run --plan empty.py --index 0 --all": "--index and --all do not go together",
    "run --plan empty.py": (
        "which line? Say --index N, --all or --missing; or start it where SLURM_ARRAY_TASK_ID"
        " (SLURM arrays) or JOB_COMPLETION_INDEX (Kubernetes' indexed jobs) is set"
    ),
    # The experiment's file.
    "train dcgan2.py": "dcgan2.py is no Python file: name an experiment such as dcgan.py",
    "train empty.py": "empty.py defines no `experiment = Experiment(...)`",
    "train quits.py": (
        "quits.py fails in line 3: it ends the process by sys.exit(0) before there is an experiment"
    ),
    "train notes": "notes is no Python file: name an experiment such as dcgan.py",
    "train done": "done is no Python file: it is a run's folder: `jaxgan resume done`",
    "train syntax.py": ("syntax.py fails: SyntaxError: '(' was never closed (syntax.py, line 1)"),
    "compare dcgan2.py": "dcgan2.py is no Python file: name an experiment such as dcgan.py",
    "compare tiny_vae.py ./tiny_vae.py": (
        "tiny_vae.py is there twice: name it once, every seed is a run of its own"
    ),
    "compare tiny_vae.py again.py": (
        "two experiments are called tiny (tiny_vae.py, again.py), and rows are told apart by their"
        " names: give one another name in its file, or by --name in the arguments of a study's"
        " entry"
    ),
    "compare tiny_vae.py --images -5": "--images -5: must be at least 1",
    "compare tiny_vae.py --seeds 0 -1": "seed = -1: must be at least 0",
    "compare tiny_vae.py --seeds 2147483648": "seed = 2147483648: must be below 2**31",
    "compare tiny_vae.py --images 160 --seeds": (
        "--seeds names none: give at least one, such as --seeds 0 1 2"
    ),
    "compare tiny_vae.py --dataset folder": (
        "--dataset folder needs --data.source.path as well, which a comparison does not take: give"
        " the experiments' files their data"
    ),
    "compare tiny_vae.py --images 160 --workdir notes": (
        "notes exists and is neither empty nor the folder of a comparison: choose another --workdir"
    ),
    "compare tiny_vae.py --images 160 --workdir done": (
        "done exists and is neither empty nor the folder of a comparison: choose another --workdir"
    ),
    "compare tiny_vae.py --images 160 --workdir empty.py": (
        "cannot read empty.py: Not a directory"
    ),
    "compare tiny_vae.py --images 160 --workdir empty.py/study": (
        "cannot read empty.py/study: Not a directory"
    ),
    # Settings.
    f"{_TRAIN} --batch-size 12": (
        "batch_size 12 cannot be shared evenly by 8 devices: use --batch-size 8 or 16, or"
        " --parallel none for one device"
    ),
    f"{_TRAIN} --name ../../escape": (
        "name = '../../escape': it names a folder in runs/, so it must be without slashes and"
        " characters that cannot be printed, and must not start with a dot (--workdir puts the run"
        " elsewhere)"
    ),
    f"{_TRAIN} --name=": "name = '': must be a short text, such as dcgan",
    f"{_TRAIN} --dataset folder": (
        "--dataset folder does not say which one: add --data.source.path FOLDER"
    ),
    f"{_TRAIN} --dataset=tfds": (
        "--dataset tfds does not say which one: add --data.source.name cifar10"
    ),
    f"{_TRAIN} --steps 0": "steps = 0: must be at least 1",
    f"{_TRAIN} --steps x": "--steps: 'x' is no whole number",
    f"{_TRAIN} --stps 3": "there is no option --stps, did you mean --steps? --help-all lists all",
    f"{_TRAIN} --optimizer adm": (
        "there is no optimizer 'adm', did you mean adam? There are adam, adamw, rmsprop and sgd"
    ),
    f"{_TRAIN} --penalty r1": "--penalty: the model, Vae, has no penalty",
    "sample done --cuont 3": (
        "there is no option --cuont, did you mean --count? jaxgan sample --help lists all"
    ),
    f"{_TRAIN} --steps 300000000": (
        "300000000 steps of 16 examples are more than 4294967296, the most that one run can"
        " number: 268435456 steps would fit."
    ),
    f"{_TRAIN} --model.optimizer.schedule.warmup-steps 50": (
        "warmup_steps = 50 with 20 updates in all: the warm-up must end before the training does"
    ),
    f"{_TRAIN} --evaluation.backbone vgg": (
        "there is no backbone 'vgg'; choose one of digits-cnn, fashion-cnn, pixels, identity,"
        " inception, inception-pytorch-fid, efficientnet-lite1"
    ),
    f"{_TRAIN} --early-stopping.metric fid": (
        "early_stopping.metric is set, but nothing is measured on a validation split during"
        " training: set --evaluation.every N and --data.validation N as well"
    ),
    "compare tiny_vae.py --images 9": (
        "a budget of 9 images is less than one step of tiny (16 images)"
    ),
    "train uniform.py --evaluation.truncation 0.5": (
        "evaluation.truncation = 0.5: the model has no Gaussian latents that could be truncated;"
        " leave it at 1"
    ),
    # Networks of a person's own.
    "train flat.py --parallel none": (
        "the generator, Flat, returns an array of shape (16, 64) for a batch of 16; wanted is (16,"
        " 8, 8, 1)"
    ),
    # Data.
    f"{_TRAIN} --dataset fashion-mnist --data.source.folder /nope": (
        "/nope: there is no such folder; it should hold four IDX files."
    ),
    f"{_TRAIN} --dataset fashion-mnist --data.source.folder cut": (
        "cut/train-images-idx3-ubyte: its header promises 15680 bytes of data, there are only"
        " 15580."
    ),
    f"{_TRAIN} --data.image-size 16": (
        "digits has images of 8x8, but --data.image-size is 16: set --data.resize to crop,"
        " lanczos, bilinear or pad, or change the size."
    ),
    f"{_TRAIN} --data.validation 1500": (
        "--data.validation sets 1500 images aside, but digits has only 1500 for training."
    ),
    # The run's folder.
    f"{_TRAIN} --workdir done": (
        "done already holds a run: go on with it by `jaxgan resume done`, or choose another"
        " --workdir"
    ),
    f"{_TRAIN} --workdir notes": (
        "notes exists and is not an empty folder: choose another --workdir"
    ),
    f"{_TRAIN} --workdir caf\udce9": (
        "PLACE/caf\\udce9: checkpoints cannot be written to a folder whose name is not UTF-8:"
        " choose another --workdir"
    ),
    f"{_TRAIN} --workdir empty.py/run": "cannot write to empty.py/run: Not a directory",
    "resume notes": "notes holds no run: there is no notes/config.json",
    "resume done --batch-size 32 --model.latent-size 7": (
        "done was started with another configuration, and a run that changes midway cannot be"
        " compared with anything. Different (old -> new):\n"
        "  model.latent_size: 4 -> 7\n"
        "  batch_size: 16 -> 32\n"
        "Leave these as they were, or start a new run in another --workdir."
    ),
    "sample nowhere": "nowhere holds no run: there is no nowhere/config.json",
    "sample fresh": "fresh has no checkpoint yet: `jaxgan resume fresh`",
    "sample done --count 0": "count = 0: must be at least 1",
    "sample done --label 3": "label = 3: tiny takes no labels",
    "sample done --seed -1": "seed = -1: must be at least 0",
    "sample done --interpolate 1": "interpolate = 1: must be at least 2",
    "sample done --out x.jpg": (
        "--out x.jpg: the name must end in .png, .npz or .gif, or in / for a folder of single"
        " images"
    ),
    "sample done --out x.gif": "--out x.gif: a .gif shows paths; give --interpolate STEPS",
    "sample done --out none/x.npz": "--out none/x.npz: there is no folder none",
    "sample done --out notes/": "--out notes: this folder is not empty; name another",
    "sample done --out empty.py/x.png": "--out empty.py/x.png: there is no folder empty.py",
    "sample done --out done/x.png": (
        "--out done/x.png: done is the folder of a run, which only training changes; name a place"
        " outside of it"
    ),
    "sample done --truncation 1.5": "truncation = 1.5: must be above 0, and at most 1",
    "sample done --batch-norm standing": (
        "evaluation.batch_norm = 'standing': the model that samples has no batch normalization"
    ),
    "sample done -n 100000": (
        "a picture of 100,000 images would have 241 million pixels, which hardly any program opens:"
        " take fewer, or --out x.npz or FOLDER/"
    ),
    "list nowhere": "nowhere: there is no such folder",
    "show notes": "notes holds no run: there is no notes/config.json",
    "evaluate notes": "notes holds no run: there is no notes/config.json",
    "evaluate fresh": "fresh has no checkpoint yet: `jaxgan resume fresh`",
    "evaluate": (
        "name a run, or real images and generated ones: jaxgan evaluate RUN, or jaxgan evaluate"
        " REAL GENERATED"
    ),
    "evaluate notes cut": "notes: there are no .png, .jpg or .jpeg images in this folder",
    "evaluate notes fresh": (
        "fresh is a run and notes is not: to measure its samples against those images, write them"
        " to a file, jaxgan sample fresh -n 10000 --out samples.npz, and then jaxgan evaluate notes"
        " samples.npz"
    ),
    "evaluate done fresh": (
        "done and fresh are two runs: measure them one by one; numbers of the same protocol can be"
        " compared"
    ),
    "evaluate done x.json": "x.json: --json prints JSON; --out x.json writes it to a file",
    "evaluate done --json x.json": "x.json: --json prints JSON; --out x.json writes it to a file",
    "evaluate done --out done": "--out done: the name must end in .json",
    "evaluate done --samples 1": "--samples 1: distances need at least 2",
    "evaluate done --metrics fid kdi": (
        "there is no metric 'kdi': did you mean kid? There are fid, fid_inf, kid, is, prdc, cfid,"
        " cas, memorization, swd, ms_ssim, modes, likelihood, ais, surgery,"
        " disentanglement, manifold, sigma"
    ),
    "evaluate done --metrics manifold": (
        "manifold needs a data set whose manifold is known: triangles or lucic-triangles"
    ),
    "evaluate done --metrics disentanglement": (
        "disentanglement needs a data set whose factors of variation are known, such as sprites"
    ),
    "evaluate done --batch-norm standing": (
        "evaluation.batch_norm = 'standing': the model that samples has no batch normalization"
    ),
    f"{_TRAIN} --early-stopping.metric fit --evaluation.every 5 --data.validation 50": (
        "early_stopping.metric = 'fit' is not measured; there are elbo, fid, kid, kid_se, kl,"
        " reconstruction"
    ),
}

FAILED = {
    f"{_TRAIN} --workdir diverged --parallel none --model.optimizer.learning-rate 1e30"
    " --checkpoint-every 1": (
        "elbo is nan at step 2: training has diverged; the last good checkpoint is step 1."
        f" {_ADVICE}"
    ),
}

MISTAKES = [
    *((line, message, 2) for line, message in CANNOT_WORK.items()),
    *((line, message, 1) for line, message in FAILED.items()),
]
