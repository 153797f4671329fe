"""`python -m tallystick.bridge`: the service, until SIGTERM."""

from __future__ import annotations

import argparse
import logging
import os
import sqlite3
import sys
from pathlib import Path

import environ
import uvicorn

from tallystick.bridge import settings
from tallystick.bridge.app import app
from tallystick.bridge.book import InUse
from tallystick.bridge.bridge import Bridge
from tallystick.bridge.settings import BridgeSettings
from tallystick.kit.env import BadSetting

_GRACE = 3
"""Seconds that requests in flight get at the end."""
_MOST_AT_ONCE = 200


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level, format="%(levelname)s %(name)s %(message)s")
    # Each call is logged with its full address, which names whom it looks for.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    # Next to the site's settings a file of its own: what makes the bridge speak to Invoice Ninja
    # would make the site do so as well.
    environ.Env.read_env(os.environ.get("ENV_FILE", ".env"))
    try:
        found = settings.read({**os.environ, **_given(options)})
        bridge = Bridge(found)
    except (BadSetting, InUse) as error:
        return _complain(str(error))
    except (sqlite3.Error, OSError) as error:
        return _complain(f"BRIDGE_DATABASE: cannot be written: {error}")
    _serve(bridge, found)
    return 0


def _serve(bridge: Bridge, found: BridgeSettings) -> None:
    uvicorn.run(
        app(bridge, found.secrets),
        host=found.host,
        port=found.port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=_GRACE,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tallystick.bridge", description=__doc__)
    parser.add_argument("--host", help="address to listen on; else BRIDGE_HOST, else 127.0.0.1")
    parser.add_argument("--port", help="port to listen on; else BRIDGE_PORT, else 8200")
    parser.add_argument("--database", type=Path, help="file for what it owes; else BRIDGE_DATABASE")
    parser.add_argument("--log-level", default="INFO", help="DEBUG, INFO, ... (%(default)s)")
    return parser


def _given(options: argparse.Namespace) -> dict[str, str]:
    given = {
        "BRIDGE_HOST": options.host,
        "BRIDGE_PORT": options.port,
        "BRIDGE_DATABASE": options.database,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def _complain(line: str) -> int:
    sys.stderr.write(f"tallystick bridge: {line}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
