"""The bridge on the web: one address that takes webhooks, one that says how it is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from http import HTTPStatus

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from tallystick.bridge import orders
from tallystick.bridge.bridge import Bridge
from tallystick.bridge.callbacks import SECRET_HEADER
from tallystick.kit import clock, signing, standard_webhooks

MOST_BYTES = 256 * 1024
_PATIENCE = 30
"""Seconds for a body to come in."""


def app(bridge: Bridge, secrets: Sequence[str]) -> FastAPI:
    """`bridge` starts and stops with it. Every answer is JSON; one that refuses has a `detail`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        bridge.start()
        yield
        await run_in_threadpool(bridge.stop)

    found = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @found.post("/webhook/invoice-ninja-sync")
    async def take(request: Request) -> JSONResponse:
        body = await _body(request)
        if not _is_tallystick(secrets, request, body):
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "The secret is missing or wrong.")
        try:
            order = orders.parse(body)
        except orders.Malformed as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, str(error)) from None
        if order is None:
            return JSONResponse({"status": "ok"})
        await run_in_threadpool(bridge.take, order)
        return JSONResponse(
            {"status": "accepted", "delivery_id": order.delivery_id}, HTTPStatus.ACCEPTED
        )

    @found.get("/healthz")
    def health() -> JSONResponse:
        bridge.book.prove()
        return JSONResponse({"status": "ok", **asdict(bridge.book.counts())})

    @found.exception_handler(sqlite3.Error)
    async def cannot_write(request: Request, error: Exception) -> JSONResponse:
        del request, error
        return JSONResponse(
            {"status": "unavailable", "detail": "The bridge cannot write its file."},
            HTTPStatus.SERVICE_UNAVAILABLE,
        )

    return found


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MOST_BYTES:
                    raise HTTPException(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"More than {MOST_BYTES} bytes."
                    )
                chunks.append(chunk)
    except TimeoutError:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The body came too slowly.") from None
    return b"".join(chunks)


def _is_tallystick(secrets: Sequence[str], request: Request, body: bytes) -> bool:
    """By the secret itself, or by a signature made with it."""
    given = request.headers.get(SECRET_HEADER, "")
    # All are compared, so that the time taken does not tell which of them matches.
    matches = [signing.same(given, secret) for secret in secrets]
    matches.append(standard_webhooks.is_genuine(secrets, request.headers, body, now=clock.now()))
    return any(matches)
