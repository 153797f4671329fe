"""`make demo`: the main job on SQLite, with the sandbox for the outside. `--once`: play and end."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable

from tallystick.demo.stage import HOST, Ports, Stage, StageError, stage
from tallystick.kit.env import BadSetting


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tallystick.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="play, check every station, and end")
    once = parser.parse_args().once
    _end_on_signals()
    try:
        ports = Ports.read(os.environ)
        ports.require_free()
        with stage(ports) as built:
            return _play(built, once=once)
    except (BadSetting, StageError) as error:
        sys.stderr.write(f"tallystick demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        _say("\nStopped.")
        return 130 if once else 0


def _end_on_signals() -> None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup: to outlive its terminal
        signal.signal(signal.SIGHUP, _interrupt)


def _play(built: Stage, *, once: bool) -> int:
    _say("Tallystick demo\n")
    _step(built, "tables", _migrate)
    _step(built, "sandbox and mailbox", _start_sandbox)
    from tallystick.demo.scene import dress, subscribe  # Django is set up only now
    from tallystick.sandbox.running import Running

    sandbox = Running(built.sandbox, built.ports.mail)
    cast = dress(built, sandbox)
    _step(built, "web and worker", _start_site)
    subscribe(built, sandbox, cast)
    from tallystick.demo.play import Play

    _say("\nThe main job:")
    play = Play(cast, built.web, sandbox, _say)
    right = play.run()
    done = play.stations - len(play.failures)
    _say(f"\n{done} of {play.stations} stations came out right.")
    if once:
        return 0 if right else 1
    _guide(built, play.pay_link, play.paid_link)
    return _stay(built)


def _migrate(built: Stage) -> None:
    built.run("manage.py", "migrate", "--verbosity", "0")
    built.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0")


def _start_sandbox(built: Stage) -> None:
    port, mail = str(built.ports.sandbox), str(built.ports.mail)
    built.start("sandbox", "-m", "tallystick.sandbox", "--port", port, "--smtp-port", mail)
    built.wait_for("sandbox", f"{built.sandbox}/sandbox/api/")


def _start_site(built: Stage) -> None:
    built.start(
        "web", "-m", "granian", "--interface", "wsgi", "--host", HOST, "--workers", "2",
        "--blocking-threads", "2", "--port", str(built.ports.web), "tallystick.wsgi:application",
    )  # fmt: skip
    built.start("worker", "manage.py", "worker")
    built.wait_for("web", f"{built.web}/accounts/login/")


def _step(built: Stage, title: str, deed: Callable[[Stage], None]) -> None:
    began = time.monotonic()
    deed(built)
    _say(f"  · {title}  ({time.monotonic() - began:.1f} s)")


def _guide(built: Stage, pay_link: str, paid_link: str) -> None:
    from tallystick.demo.data import PASSWORD

    _say(
        f"""
Where to look
  an invoice to pay   {pay_link}
  the one just paid   {paid_link}
  admin               {built.web}/admin/
  the sandbox         {built.sandbox}/  (Xero, Invoice Ninja, the relay)
  the mailbox         {built.sandbox}/mail/

Log-ins, all with the password {PASSWORD}
  admin               everything
  berlin, bristol     staff of one website each
  jonas, elif, harry  clients with an open invoice and money in their wallet

Ctrl-C ends it. Logs and data are in {built.folder}."""
    )


def _stay(built: Stage) -> int:
    while True:
        time.sleep(0.5)
        if fallen := built.fallen():
            raise StageError(f"{fallen} ended by itself; see {built.folder / fallen}.log")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
