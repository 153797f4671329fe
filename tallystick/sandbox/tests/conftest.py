from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tallystick.sandbox.running import Running, running


@pytest.fixture(scope="session")
def process() -> Iterator[Running]:
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(process: Running) -> Running:
    process.reset()
    return process


@pytest.fixture
def browser(sandbox: Running) -> Iterator[httpx2.Client]:
    """A client of the pages, which follows redirects as a browser does."""
    with httpx2.Client(base_url=sandbox.url, follow_redirects=True, trust_env=False) as client:
        yield client


@pytest.fixture
def xero(sandbox: Running) -> Iterator[httpx2.Client]:
    """A client of the API with a token."""
    stand = sandbox.xero
    organisation = stand.act("organisations")[0]
    auth = (organisation["client_id"], organisation["client_secret"])
    answer = httpx2.post(
        f"{stand.url}/identity/connect/token",
        data={"grant_type": "client_credentials"},
        auth=auth,
        trust_env=False,
    )
    headers = {
        "authorization": f"Bearer {answer.json()['access_token']}",
        "xero-tenant-id": organisation["tenant_id"],
        "accept": "application/json",
    }
    with httpx2.Client(
        base_url=f"{stand.url}/api.xro/2.0", headers=headers, timeout=10, trust_env=False
    ) as client:
        yield client
