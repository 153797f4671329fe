"""
What can happen when we speak to a provider. The class alone decides what is done next.

* ProviderError
  * Unavailable        not carried out; try again later
    * RateLimited      ... and not before `retry_after` seconds
  * Uncertain          sent, but no usable answer: it may have been carried out; look before a repeat
    * Garbled          the answer is not what the provider documents
  * Refused            understood and rejected; repeating it unchanged will not help
    * Unauthorized     the credentials are dead; the owner must reconnect
    * Missing          the object is not there (any more)
    * Taken            another object has this unique name, number or code
  * Forged             a webhook whose signature does not match
"""

from __future__ import annotations


class ProviderError(Exception):
    """The message is for the person who must act on it: no secret, no markup, one sentence."""


class Unavailable(ProviderError):
    """Not carried out; try again later."""


class RateLimited(Unavailable):
    """Over a limit; not before `retry_after` seconds. `limit` names it: minute, day, appminute..."""

    def __init__(self, message: str, *, retry_after: float, limit: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.limit = limit


class Uncertain(ProviderError):
    """Sent, but no usable answer: it may have been carried out."""


class Garbled(Uncertain):
    """The answer is not what the provider documents."""


class Refused(ProviderError):
    """Understood and rejected; repeating it unchanged will not help."""


class Unauthorized(Refused):
    """The credentials are not accepted (any more); reconnect."""


class Missing(Refused):
    """The object is not there (any more)."""


class Taken(Refused):
    """Another object has this unique name, number or code."""


class Forged(ProviderError):
    """A webhook whose signature does not match."""
