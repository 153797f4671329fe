"""Where the peers live: an environment of their own, so that they stay out of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def python() -> Path:
    """The Python that has them, made on first use from the locked requirements."""
    made = _ROOT / ".venv-bench" / "bin" / "python"
    if not made.exists():
        subprocess.run([sys.executable, "-m", "venv", str(made.parents[1])], check=True)
        locked = str(_ROOT / "requirements" / "bench.txt")
        install = [str(made), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", locked]
        subprocess.run(install, check=True)
    return made


def run_again(module: str) -> None:
    """Go on as `module` in that environment."""
    os.execv(python(), [str(python()), "-m", module, *sys.argv[1:]])  # noqa: S606
