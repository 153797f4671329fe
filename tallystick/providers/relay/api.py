"""RelayApi: what the answers of a go-between mean.

* 2xx: accepted
* 401, 403: `Unauthorized`, and whether it may be the clocks' doing: what is signed is good for
  minutes; 403 with a page of HTML: something on the way, `Unavailable`
* 404, 405, 410: `Unavailable`; it is not switched on, or the address is wrong
* 429: `RateLimited`
* other 4xx: `Refused`, with its words
* everything else, or no answer: `Unavailable`, never `Uncertain`, because a repeat is harmless
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import ValidationError

from tallystick.kit import clock
from tallystick.kit.standard_webhooks import TOLERANCE
from tallystick.ports.errors import ProviderError, Unauthorized, Unavailable
from tallystick.ports.exchange import Answer
from tallystick.ports.http import Api
from tallystick.ports.waiting import stated_time
from tallystick.providers.relay.schema import Problem

_CLOSED = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE}
_SHUT_OUT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


class RelayApi(Api):
    def refusal(self, answer: Answer) -> ProviderError:
        if answer.status in _CLOSED:
            return Unavailable(
                f"Nothing takes webhooks at the relay's address (HTTP {answer.status}): the "
                "workflow is not published, or the address is wrong."
            )
        if answer.status in _SHUT_OUT and not answer.is_page:
            return Unauthorized(_shut_out(answer))
        return super().refusal(answer)

    def words(self, answer: Answer) -> str:
        try:
            problem = Problem.model_validate_json(answer.content)
        except ValidationError:
            return ""
        return problem.message or problem.detail


def _shut_out(answer: Answer) -> str:
    stated = stated_time(answer.headers)
    apart = abs((clock.now() - stated).total_seconds()) if stated else 0.0
    if apart > TOLERANCE:
        return (
            f"The relay's clock and ours are {apart / 60:.0f} minutes apart, so that it takes what we "
            "sign for out of date; set the clock that is wrong, then reconnect."
        )
    return "The relay does not accept the secret; enter its own and reconnect."
