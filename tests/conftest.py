"""Settings that every test shares. They must be made before JAX starts."""

import os

# Eight virtual devices on one CPU; single-device tests simply use the first.
os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Compiled programs are kept between tests of one run (each xdist worker shares the folder).
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from jaxtyping import install_import_hook

# Every annotated shape in the package is checked at run time while tests run.
install_import_hook("jaxgan", "beartype.beartype")
