"""The least that gets products to a sandbox: threads with a bare `http.client` each, for a baseline."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tallystick.sandbox.running import StandClient
    from tests.reliability.venues import Company

Ask = tuple[str, str, Any]
"""Method, path, document."""
_PRODUCTS = 4000


def calls_per_second(
    provider: str, client: StandClient, company: Company, *, threads: int, batch: int
) -> float:
    """What the sandbox gives them. The first half warms it up."""
    headers, ask = _WAYS[provider](client, company, batch)
    products = max(100, _PRODUCTS // (1 + batch // 10)) // threads
    began, done = 0.0, 0
    with ThreadPoolExecutor(threads) as pool:
        for name in ("warm", "measured"):
            began = time.perf_counter()
            jobs = [
                pool.submit(_sent, client.url, headers, ask, f"{name}-{n}", products)
                for n in range(threads)
            ]
            done = sum(job.result() for job in jobs)
    return done / (time.perf_counter() - began)


def _sent(
    url: str,
    headers: Mapping[str, str],
    ask: Callable[[str], Iterator[Ask]],
    name: str,
    products: int,
) -> int:
    parts = urlsplit(url)
    wire = http.client.HTTPConnection(parts.netloc)
    done = 0
    for number in range(products):
        for method, path, document in ask(f"b-{name}-{number}"):
            body = None if document is None else json.dumps(document)
            wire.request(method, f"{parts.path}{path}", body, dict(headers))
            answer = wire.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            done += 1
    wire.close()
    return done


Way = tuple[Mapping[str, str], Callable[[str], Iterator[Ask]]]
_JSON = {"content-type": "application/json", "accept": "application/json"}


def _xero(client: StandClient, company: Company, batch: int) -> Way:
    data = company.custom_data
    token = _token(client, data["client_id"], company.credentials["client_secret"])
    headers = {"authorization": f"Bearer {token}", "xero-tenant-id": data["tenant_id"], **_JSON}

    def ask(name: str) -> Iterator[Ask]:
        items = [
            {
                "Code": f"{name}-{n}",
                "Name": f"Product {n}",
                "Description": f"Product {n}",
                "IsSold": True,
                "SalesDetails": {"AccountCode": "200", "UnitPrice": 9.9},
            }
            for n in range(batch)
        ]
        path = "/api.xro/2.0/Items?summarizeErrors=false&unitdp=4"
        yield "POST", path, {"Items": items}

    return headers, ask


def _token(client: StandClient, client_id: str, secret: str) -> str:
    parts = urlsplit(client.url)
    wire = http.client.HTTPConnection(parts.netloc)
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {
        "authorization": f"Basic {basic}",
        "content-type": "application/x-www-form-urlencoded",
    }
    path = f"{parts.path}/identity/connect/token"
    wire.request("POST", path, "grant_type=client_credentials", headers)
    found: str = json.loads(wire.getresponse().read())["access_token"]
    wire.close()
    return found


def _invoice_ninja(client: StandClient, company: Company, batch: int) -> Way:
    del client, batch
    token = company.credentials["api_token"]
    headers = {"x-api-token": token, "x-requested-with": "XMLHttpRequest", **_JSON}

    def ask(name: str) -> Iterator[Ask]:
        """It keeps no key unique, so a look comes before each."""
        yield "GET", f"/api/v1/products?product_key={name}", None
        product = {"product_key": name, "notes": "", "price": 9.9, "cost": 9.9}
        yield "POST", "/api/v1/products", {**product, "custom_value4": f"Django_ID_{name}"}

    return headers, ask


def _relay(client: StandClient, company: Company, batch: int) -> Way:
    from tallystick.providers.relay.sandbox.books import PRODUCT
    from tallystick.providers.relay.sandbox.said import _KEYS

    del client, batch
    headers = {"x-webhook-secret": company.credentials["webhook_secret"], **_JSON}
    data = dict.fromkeys(_KEYS[PRODUCT])

    def ask(name: str) -> Iterator[Ask]:
        said = {"event": "product.updated", "timestamp": "2026-11-21T12:00:00Z", "key": name}
        told = {**data, "django_product_id": name, "name": name, "price": "9.9000"}
        path = "/webhook/invoice-ninja-sync"
        yield "POST", path, {**said, "delivery_id": name, PRODUCT.remote_id: None, "data": told}

    return headers, ask


_WAYS: Mapping[str, Callable[[StandClient, Company, int], Way]] = {
    "XERO": _xero,
    "INVOICE_NINJA": _invoice_ninja,
    "INVOICE_NINJA_RELAY": _relay,
}
