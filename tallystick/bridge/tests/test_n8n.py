"""The n8n workflow that ships: a whole file, and code that says the right thing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tallystick.bridge.tests import samples

FILE = Path(__file__).resolve().parents[3] / "integrations" / "n8n" / "invoice-ninja-sync.json"
TEXT = FILE.read_text()
WORKFLOW: dict[str, Any] = json.loads(TEXT)
NODES: dict[str, dict[str, Any]] = {node["name"]: node for node in WORKFLOW["nodes"]}

VERSIONS = {
    "n8n-nodes-base.webhook": 2.1,
    "n8n-nodes-base.set": 3.4,
    "n8n-nodes-base.code": 2,
    "n8n-nodes-base.switch": 3.2,
    "n8n-nodes-base.httpRequest": 4.3,
}
"""Those that exist from n8n 2.8 on."""
TO_INVOICE_NINJA = ["Find client", "Find product", "Create", "Update"]
RUNNER = """
const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const items = (json) => ({ first: () => ({ json }), all: () => [{ json }] });
const $ = (name) => {
  if (!(name in given.nodes)) throw new Error('not run: ' + name);
  return items(given.nodes[name]);
};
const code = new Function('$', '$input', '$runIndex', given.code);
console.log(JSON.stringify(code($, items(given.input), given.runIndex)));
"""


def of_type(name: str) -> list[dict[str, Any]]:
    return [node for node in NODES.values() if node["type"] == f"n8n-nodes-base.{name}"]


def targets(name: str) -> list[list[str]]:
    outputs = WORKFLOW["connections"].get(name, {"main": []})["main"]
    return [[one["node"] for one in output] for output in outputs]


# -- the file


def test_it_can_be_imported() -> None:
    assert {"name", "nodes", "connections", "settings"} <= WORKFLOW.keys()
    assert re.fullmatch(r"[A-Za-z0-9]{16}", WORKFLOW["id"])
    assert WORKFLOW["active"] is False
    assert WORKFLOW["pinData"] == {}


def test_every_node_is_whole_and_of_a_known_version() -> None:
    assert len(NODES) == len(WORKFLOW["nodes"])
    assert len({node["id"] for node in NODES.values()}) == len(NODES)
    for node in NODES.values():
        assert {"id", "name", "type", "typeVersion", "position", "parameters"} <= node.keys()
        assert VERSIONS[node["type"]] == node["typeVersion"]


def test_connections_lead_from_node_to_node_and_reach_all() -> None:
    reached, edge = set(), ["Tallystick webhook"]
    while edge:
        name = edge.pop()
        reached.add(name)
        edge += [one for output in targets(name) for one in output if one not in reached]
    assert reached == NODES.keys()
    assert WORKFLOW["connections"].keys() <= NODES.keys()


def test_code_names_nodes_that_are_there() -> None:
    named = set(re.findall(r"\$\('([^']+)'\)", TEXT))
    assert named <= NODES.keys()
    assert "Tallystick webhook" in named


def test_the_webhook_asks_for_the_secret_and_answers_at_once() -> None:
    (webhook,) = of_type("webhook")
    assert webhook["parameters"] == {
        "httpMethod": "POST",
        "path": "invoice-ninja-sync",
        "authentication": "headerAuth",
        "responseMode": "onReceived",
        "options": {},
    }
    assert webhook["webhookId"]
    # The webhook node wraps what came; an address without `body` reads nothing.
    reading = [node for node in of_type("code") if "Tallystick webhook" in str(node["parameters"])]
    assert reading
    assert all("first().json.body" in node["parameters"]["jsCode"] for node in reading)


def test_secrets_are_credentials_and_addresses_are_examples() -> None:
    for node in [*of_type("httpRequest"), *of_type("webhook")]:
        assert node["credentials"].keys() == {"httpHeaderAuth"}
    for node in of_type("httpRequest"):
        assert node["parameters"]["genericAuthType"] == "httpHeaderAuth"
        headers = node["parameters"].get("headerParameters", {"parameters": []})["parameters"]
        assert [header["name"] for header in headers] in ([], ["X-Requested-With"])
    hosts = re.findall(r"https?://([^/\"'\s]+)", TEXT)
    assert set(hosts) == {"invoiceninja.example.com", "billing.example.com"}


def test_what_fails_is_told() -> None:
    for name in TO_INVOICE_NINJA:
        node = NODES[name]
        assert node["onError"] == "continueRegularOutput"
        options = node["parameters"]["options"]["response"]["response"]
        assert options["neverError"]
        assert options["fullResponse"]
        ((after,),) = targets(name)
        assert "tell" in NODES[after]["parameters"]["jsCode"]
    # A create is not tried again: the first may have been carried out, and the next look finds it.
    assert "retryOnFail" not in NODES["Create"]
    for name in ("Find client", "Find product", "Update"):
        assert NODES[name]["retryOnFail"]
    for name in ("Callback", "Archive"):
        assert (NODES[name]["retryOnFail"], NODES[name]["maxTries"]) == (True, 5)


def test_nothing_personal_is_kept() -> None:
    settings = WORKFLOW["settings"]
    assert settings["saveDataSuccessExecution"] == "none"
    assert settings["saveDataErrorExecution"] == "none"
    assert settings["saveManualExecutions"] is False
    assert not [name for name in samples.HEALTH if name in TEXT]


def test_switches_have_an_output_for_each_rule() -> None:
    for node in of_type("switch"):
        rules = node["parameters"]["rules"]["values"]
        assert len(targets(node["name"])) == len(rules)


# -- the code


@pytest.fixture(scope="module")
def node_js() -> str:
    found = shutil.which("node")
    if not found:
        pytest.skip("needs Node.js to run the workflow's code: apt-get install nodejs")
    return found


class Run:
    """One execution: what the nodes before have said, as n8n would hand it on."""

    def __init__(self, node_js: str, sent: dict[str, Any]) -> None:
        self._node_js = node_js
        self._said: dict[str, Any] = {"Tallystick webhook": {"headers": {}, "body": sent}}
        self.read = self.code("Read delivery", {})

    def code(self, name: str, given: dict[str, Any], *, run_index: int = 0) -> list[dict[str, Any]]:
        document = {
            "code": NODES[name]["parameters"]["jsCode"],
            "nodes": self._said,
            "input": given,
            "runIndex": run_index,
        }
        done = subprocess.run(  # noqa: S603 - our own file
            [self._node_js, "-e", RUNNER],
            input=json.dumps(document),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = [item["json"] for item in json.loads(done.stdout)]
        if found:
            self._said[name] = found[0]
        return found

    def one(self, name: str, given: dict[str, Any], *, run_index: int = 0) -> dict[str, Any]:
        (found,) = self.code(name, given, run_index=run_index)
        return found

    def callback(self, outcome: dict[str, Any]) -> dict[str, Any]:
        assert outcome["step"] == "tell"
        return self.one("Write callback", outcome)


def answer(status: int, body: Any = None) -> dict[str, Any]:  # noqa: ANN401 - it is JSON
    return {"statusCode": status, "headers": {}, "body": body}


UNREACHABLE = {"error": {"message": "connect ECONNREFUSED"}}
CONTACT = {"id": "K1", "email": "ADA17@example.org", "first_name": "A", "is_primary": False}
OTHER = {"id": "K2", "email": "desk@example.org", "first_name": "Desk", "is_primary": True}


@pytest.mark.parametrize("event", ["ping", "user.renamed", "order.created", None])
def test_what_is_no_change_ends_at_once(node_js: str, event: str | None) -> None:
    assert Run(node_js, {"event": event, "timestamp": "x"}).read == []


def test_a_new_client(node_js: str) -> None:
    run = Run(node_js, samples.user())
    (order,) = run.read
    assert "canary" not in json.dumps(order)
    assert order["route"] == "client"
    assert order["find"] == f"/api/v1/clients?per_page=5&id_number={samples.user()['key']}"
    step = run.one("Plan client", answer(200, {"data": []}))
    assert (step["step"], step["path"]) == ("create", "/api/v1/clients")
    assert step["body"] == {
        "name": "Ada Muster 17",
        "id_number": samples.user()["key"],
        "custom_value1": "SUN",
        "custom_value2": "Grace",
        "custom_value3": "DE",
        "custom_value4": "17",
        "private_notes": "Django user: 17\nSigned up: 2026-01-02",
        "contacts": [
            {
                "first_name": "Ada",
                "last_name": "Muster 17",
                "email": "ada17@example.org",
                "phone": "+49 221 000000",
                "send_email": True,
            }
        ],
    }
    told = run.callback(run.one("Read answer", answer(200, {"data": {"id": "VolejRejNm"}})))
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "django_user_id": 17,
        "invoice_ninja_client_id": "VolejRejNm",
        "success": True,
        "message": "In step with Invoice Ninja.",
        "retry": False,
        "delivery_id": "delivery-u17",
        "key": samples.user()["key"],
    }


def test_without_a_key_our_number_of_it_is_the_key(node_js: str) -> None:
    user, product = samples.user(), samples.product()
    del user["key"], product["key"]
    run = Run(node_js, user)
    assert run.read[0]["find"] == "/api/v1/clients?per_page=5&id_number=user-17"
    step = run.one("Plan client", answer(200, {"data": []}))
    assert step["body"]["id_number"] == "user-17"
    told = run.callback(run.one("Read answer", answer(200, {"data": {"id": "VolejRejNm"}})))
    assert "key" not in told
    assert Run(node_js, product).read[0]["fields"]["custom_value4"] == "Django_ID_5"


def test_a_client_that_is_there_keeps_contacts_and_currency(node_js: str) -> None:
    run = Run(node_js, samples.user(event="user.updated", invoice_ninja_client_id="C1"))
    assert run.read[0]["find"] == "/api/v1/clients/C1"
    there = {"id": "C1", "contacts": [OTHER, CONTACT], "settings": {"currency_id": "3"}}
    step = run.one("Plan client", answer(200, {"data": there}))
    assert (step["step"], step["path"]) == ("update", "/api/v1/clients/C1")
    assert step["body"]["settings"] == {"currency_id": "3"}
    ours, other = step["body"]["contacts"]
    assert (ours["id"], ours["first_name"]) == ("K1", "Ada")
    assert other == OTHER
    assert "private_notes" not in step["body"]


def test_a_key_that_is_taken_is_looked_up_once_more(node_js: str) -> None:
    run = Run(node_js, samples.user())
    run.one("Plan client", answer(200, {"data": []}))
    taken = answer(422, {"message": "Invalid", "errors": {"id_number": ["already taken"]}})
    assert run.one("Read answer", taken) == {"step": "look again"}
    assert targets("Taken")[0] == ["Find client"]
    found = run.one("Plan client", answer(200, {"data": [{"id": "C9"}]}), run_index=1)
    assert (found["step"], found["path"]) == ("update", "/api/v1/clients/C9")
    lost = run.one("Plan client", answer(200, {"data": []}), run_index=1)
    told = run.callback(lost)
    assert (told["success"], told["retry"]) == (False, False)
    assert run.one("Read answer", taken, run_index=1)["outcome"]["retry"] is False


@pytest.mark.parametrize("said", [UNREACHABLE, {}, answer(500), answer(503), answer(429)])
@pytest.mark.parametrize("name", ["Plan client", "Plan product", "Read answer"])
def test_what_passes_is_to_be_tried_again(node_js: str, name: str, said: dict[str, Any]) -> None:
    run = Run(node_js, samples.user() if name == "Plan client" else samples.product())
    told = run.callback(run.one(name, said))
    assert (told["success"], told["retry"]) == (False, True)
    assert told["delivery_id"]
    assert "Invoice Ninja cannot" in told["message"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_dead_token_is_no_fault_of_the_user(node_js: str, status: int) -> None:
    run = Run(node_js, samples.user())
    assert run.callback(run.one("Plan client", answer(status)))["retry"] is True


def test_what_is_refused_is_told_with_its_reason(node_js: str) -> None:
    run = Run(node_js, samples.user())
    refused = answer(422, {"message": "Invalid", "errors": {"name": ["The name is too long."]}})
    told = run.callback(run.one("Read answer", refused))
    assert (told["success"], told["retry"]) == (False, False)
    assert told["message"] == "Invoice Ninja refused: The name is too long."
    assert told["invoice_ninja_client_id"] is None


@pytest.mark.parametrize(("sample", "plan"), [("user", "Plan client"), ("product", "Plan product")])
def test_what_is_gone_there_is_refused(node_js: str, sample: str, plan: str) -> None:
    id_name = {"user": "invoice_ninja_client_id", "product": "invoice_ninja_product_id"}[sample]
    run = Run(node_js, getattr(samples, sample)(**{id_name: "X1"}))
    missing = run.callback(run.one(plan, answer(400, {"message": "not found"})))
    assert (missing["retry"], missing[id_name]) == (False, "X1")
    deleted = run.callback(run.one(plan, answer(200, {"data": {"id": "X1", "is_deleted": True}})))
    assert deleted["retry"] is False


def test_a_product(node_js: str) -> None:
    run = Run(node_js, samples.product())
    assert run.read[0]["find"] == "/api/v1/products?per_page=100&product_key=lesson-5"
    step = run.one("Plan product", answer(200, {"data": [{"id": "P0", "custom_value4": "else"}]}))
    assert (step["step"], step["path"]) == ("create", "/api/v1/products")
    assert step["body"] == {
        "product_key": "lesson-5",
        "notes": "One hour\nLessons\nDE",
        "price": 40,
        "cost": 40,
        "custom_value1": "Lessons",
        "custom_value2": "DE",
        "custom_value3": "15.00",
        "custom_value4": "Django_ID_5",
    }
    ours = {"id": "P1", "custom_value4": "Django_ID_5"}
    step = run.one("Plan product", answer(200, {"data": [{"id": "P0"}, ours]}))
    assert (step["step"], step["path"]) == ("update", "/api/v1/products/P1")
    told = run.callback(run.one("Read answer", answer(200, {"data": {"id": "P1"}})))
    assert (told["django_product_id"], told["invoice_ninja_product_id"]) == (5, "P1")
    assert run.read[0]["callback"] == "/api/invoice-ninja/product-created/"


def test_long_product_keys_stay_apart(node_js: str) -> None:
    found = []
    for number in (1, 2):
        sent = samples.product(number)
        sent["data"]["slug"] = "\N{GRINNING FACE}" * 60
        sent["data"]["tax_rate"], sent["data"]["tax_name"] = "19", "standard"
        found.append(Run(node_js, sent).read[0]["fields"])
    assert all(len(fields["product_key"]) == 50 for fields in found)
    assert found[0]["product_key"] != found[1]["product_key"]
    assert (found[0]["tax_name1"], found[0]["tax_rate1"]) == ("standard", 19)


def test_what_was_deleted_here_is_archived_there(node_js: str) -> None:
    gone = samples.user(event="user.deleted", invoice_ninja_client_id="C1")
    gone["data"] = dict.fromkeys(gone["data"])
    (order,) = Run(node_js, gone).read
    assert (order["route"], order["folder"], order["remote_id"]) == (
        "removal",
        "/api/v1/clients",
        "C1",
    )
    assert targets("Kind")[2] == ["Archive"]
    assert targets("Archive") == []
