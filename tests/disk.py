"""What a full disk does to files, for tests of everything that writes."""

import resource
from contextlib import contextmanager


@contextmanager
def largest_file(size):
    """Files cannot grow beyond ``size``: a write is cut short there and the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
