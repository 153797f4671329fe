from __future__ import annotations
from starlette.applications import Starlette
from starlette.routing import Mount
from tallystick.sandbox.control import Control
def console(sandbox, rest):
    return Starlette(routes=[Mount("/sandbox/api", routes=Control(sandbox, rest).routes())])
