"""The API's document is true: fuzzing by it meets nothing that it does not tell."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from requests.auth import AuthBase
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from bot.console.views import api
from bot.console.views.api_base import HOME
from bot.console.views.api_document import document_of
from bot.console.views.api_operations import OPERATIONS
from bot.console.views.api_woocommerce import PATH as WEBHOOK
from bot.console.views.api_woocommerce import SIGNATURE
from crm_store.db import Database
from crm_store.migrate import upgrade
from tests.console.api_shop import RunningConsole, a_key, an_order, club_settings, signature
from tests.fakes.thread_runner import ThreadRunner

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
]
EXAMPLES = 10
#: Parameters of addresses at which there is something.
KNOWN = {"order_id": "A-1", "key": "after_complaint"}
FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
#: What only a person could tell from the document: a moment in the future, a phone that is none.
_accepted = ["2xx", "401", "403", "404", "409", "410", "422"]
_rejected = ["400", "401", "403", "404", "405", "406", "413", "415", "422"]
_both = SchemathesisConfig.from_dict(
    {
        "generation": {"mode": "all", "deterministic": True, "with-security-parameters": False},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": _accepted},
            "negative_data_rejection": {"expected-statuses": _rejected},
        },
    }
)
DOCUMENT = schemathesis.openapi.from_dict(document_of(OPERATIONS), config=_both)


class ShopsAuth(AuthBase):
    """Shows the key, and signs what goes to the webhook."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add what lets a request in."""
        body = request.body or b""
        request.headers["Authorization"] = f"Bearer {self._key}"
        request.headers[SIGNATURE] = signature(body.encode() if isinstance(body, str) else bytes(body))  # type: ignore[arg-type]
        return request


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[tuple[str, ShopsAuth]]:
    """Address of a console with an order, and a key for all of it; nobody waits for asking too often.

    On PostgreSQL, which is stricter about what it keeps.
    """
    folder = tmp_path_factory.mktemp("fuzzed")
    database = Database(_new_database(postgres_url))
    upgrade(database)
    auth = ShopsAuth(a_key(database))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "KEY_BURST", 100_000)
        patch.setattr(api, "REFUSED_BURST", 100_000)
        runner = ThreadRunner(RunningConsole(club_settings(folder), database))
    with runner:
        url = runner.fake.url + HOME
        requests.post(f"{url}/purchases", json=an_order(), auth=auth, timeout=30).raise_for_status()
        yield url, auth
    database.dispose()


def _new_database(postgres_url: str) -> str:
    name = f"fuzzed_{uuid.uuid4().hex}"
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@DOCUMENT.parametrize()
@FUZZ
def test_every_answer_is_as_the_document_says(case: Any, console: tuple[str, ShopsAuth]) -> None:
    url, auth = console
    # What a shop tells of other things than orders is passed over unread.
    is_webhook = case.path == WEBHOOK
    checks = [check for check in CHECKS if not (is_webhook and check is negative_data_rejection)]
    case.call_and_validate(base_url=url, auth=auth, checks=checks)


@DOCUMENT.include(path_regex=r"\{(order_id|key)\}").parametrize()
@FUZZ
def test_answers_about_what_there_is_are_as_the_document_says(
    case: Any, console: tuple[str, ShopsAuth]
) -> None:
    url, auth = console
    case.path_parameters = {name: KNOWN[name] for name in case.path_parameters}
    case.call_and_validate(base_url=url, auth=auth, checks=CHECKS)


@DOCUMENT.exclude(path=WEBHOOK).parametrize()
@settings(FUZZ, max_examples=3)
def test_without_a_key_every_operation_is_refused(case: Any, console: tuple[str, ShopsAuth]) -> None:
    response = case.call(base_url=console[0], headers={"Authorization": "Bearer pk_guessed"})
    assert response.status_code in (401, 405)  # it also tries other methods


def test_the_document_is_served_as_it_is(console: tuple[str, ShopsAuth]) -> None:
    answer = requests.get(f"{console[0]}/openapi.json", timeout=30)
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(document_of(OPERATIONS)))
    assert answer.json()["openapi"] == "3.1.0"


def test_every_route_is_in_the_document() -> None:
    routes = {
        (route.method, route.resource.canonical)
        for route in api.build_api().router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    paths = document_of(OPERATIONS)["paths"]
    told = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert routes == told | {("GET", api.DOCUMENT)}
