"""`python -m tallystick.sandbox`: all providers in one process, and a mailbox."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys

from tallystick.sandbox.server import PortTaken, bound, run


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level, format="%(levelname)s %(name)s %(message)s")
    try:
        http = bound(options.host, options.port)
    except PortTaken as error:
        return _complain(f"The sandbox cannot listen on {error}. Choose another with --port.")
    try:
        smtp = bound(options.host, options.smtp_port)
    except PortTaken as error:
        http.close()
        return _complain(f"The mailbox cannot listen on {error}. Choose another with --smtp-port.")
    port, smtp_port = http.getsockname()[1], smtp.getsockname()[1]
    url = options.public_url.rstrip("/") or f"http://{options.host}:{port}"
    _announce(options, url, port, smtp_port)
    asyncio.run(run(http, smtp, url=url, attached=options.attached))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tallystick.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        default=8100,
        help="port of the providers and the console (%(default)s)",
    )
    parser.add_argument(
        "--smtp-port", type=_port, default=8125, help="port of the mailbox (%(default)s)"
    )
    parser.add_argument(
        "--public-url", default="", help="where others reach it, when not at host and port"
    )
    parser.add_argument("--log-level", default="WARNING", help="DEBUG, INFO, ... (%(default)s)")
    parser.add_argument(
        "--attached", action="store_true", help="end when standard input ends; greet in JSON"
    )
    return parser


def _port(text: str) -> int:
    """0 takes a free one."""
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the highest port there is
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _announce(options: argparse.Namespace, url: str, port: int, smtp_port: int) -> None:
    if options.attached:
        greeting = json.dumps({"url": url, "port": port, "smtp_port": smtp_port})
    else:
        greeting = (
            f"Console       {url}/\n"
            f"Xero API      {url}/xero/api.xro/2.0\n"
            f"Xero tokens   {url}/xero/identity/connect/token\n"
            f"Mailbox       {url}/mail/  (smtp://{options.host}:{smtp_port})"
        )
    sys.stdout.write(greeting + "\n")
    sys.stdout.flush()


def _complain(line: str) -> int:
    sys.stderr.write(line + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
