"""Files written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def store(files: Mapping[Path, bytes]) -> None:
    """Write files, in folders made if need be; a reader sees the old content of one or the new, never a part.

    None is replaced before all are written. ``OSError`` where that cannot be done.
    """
    written: dict[Path, Path] = {}
    try:
        for target, content in files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another process may be writing the same file.
            written[target] = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
            written[target].write_bytes(content)
        for target, beside in written.items():
            os.replace(beside, target)  # noqa: PTH105
    except OSError as error:
        # The system names the file beside, or none where a disk is full.
        raise OSError(error.errno, error.strerror or str(error), str(target)) from None
    finally:
        for beside in written.values():
            beside.unlink(missing_ok=True)
