"""Files with what not everybody on the machine may read."""

from __future__ import annotations

from pathlib import Path


def make_private(path: Path, *, anew: bool = False) -> None:
    """A file at `path`, readable by nobody else from the first moment. With `anew`, `FileExistsError`
    where there is one; one that is there is closed to others, and keeps what it holds."""
    path.touch(mode=0o600, exist_ok=not anew)
    if path.is_file():
        path.chmod(0o600)
