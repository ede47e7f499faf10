"""The API's own document, OpenAPI 3.1: made of the operations and of the structs that check requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec

from bot.console.views import api_woocommerce
from bot.console.views.api_base import HOME, Operation
from bot.console.views.api_bodies import Id, Problem
from crm_store.purchases.woocommerce import Order, Taken

_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")
#: What a path's parameters look like.
_PARAMETERS: dict[str, tuple[Any, str]] = {
    "order_id": (Id, "The shop's number of the order."),
    "code": (str, "The code, as the customer has it."),
    "key": (str, "The survey's key."),
}
_ALWAYS = (401, 403, 429, 503)
_WITH_BODY = (400, 413, 415, 422)
_INTRO = (
    "For the programs of a business: orders and returns in, codes of rewards checked and used, surveys set, "
    "sent and evaluated. Money is in rials. What is told twice counts once."
)


def document_of(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document as JSON takes it."""
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    paths[api_woocommerce.PATH] = {"post": _webhook()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Peyvand", "version": version("peyvand"), "description": _INTRO},
        "servers": [{"url": HOME}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": _components(operations),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "peyvand api-keys create"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": api_woocommerce.SIGNATURE,
                    "description": "Base64 of the HMAC-SHA256 of the body, with the webhook's secret.",
                },
            },
        },
    }


def _components(operations: Sequence[Operation]) -> dict[str, Any]:
    kinds = {kind for one in operations for kind, _ in one.answers.values()}
    kinds |= {one.body for one in operations if one.body is not None}
    _, components = msgspec.json.schema_components(
        [*_sorted(kinds), Problem, Order, Taken], ref_template=_REF
    )
    return dict(sorted(components.items()))


def _sorted(kinds: set[type]) -> list[type]:
    return sorted(kinds, key=lambda kind: kind.__name__)


def _described(operation: Operation) -> dict[str, Any]:
    statuses = {*_ALWAYS, *operation.problems, *(_WITH_BODY if operation.body else ())}
    if operation.query is not None:
        statuses.add(422)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs a key with the scope {operation.scope}.",
        "tags": [operation.scope],
        "parameters": [*map(_in_path, _PARAMETER.findall(operation.path)), *_in_query(operation)],
        "responses": {
            str(status): _answer(kind, meaning)
            for status, (kind, meaning) in sorted(operation.answers.items())
        }
        | _problems(statuses),
    }
    if operation.body is not None:
        content = {"application/json": {"schema": _schema(operation.body)}}
        described["requestBody"] = {"required": operation.needs_body, "content": content}
    return described


def _webhook() -> dict[str, Any]:
    return {
        "operationId": "woocommerceWebhook",
        "summary": "For WooCommerce: an order was made or changed",
        "description": "An order that cannot be taken is answered with the reason; others are not affected.",
        "tags": ["webhooks"],
        "security": [{"signature": []}],
        "parameters": [
            {"name": api_woocommerce.TOPIC, "in": "header", "required": False, "schema": {"type": "string"}}
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _schema(Order)},
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "properties": {"webhook_id": {"type": "integer", "minimum": 0}},
                        "required": ["webhook_id"],
                        "additionalProperties": False,
                    }
                },
            },
        },
        "responses": {"200": _answer(Taken, "What became of it")} | _problems({401, 403, 413, 422, 429, 503}),
    }


def _in_path(name: str) -> dict[str, Any]:
    kind, description = _PARAMETERS[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"minLength": 1} | _schema(kind),
    }


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    parameters = []
    for field in msgspec.structs.fields(operation.query):
        schema = _schema(field.type)
        # An address has no null: what is not wanted is left out.
        choices = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
        schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
        schema = {key: value for key, value in schema.items() if key != "default"}
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
        parameters.append({"name": field.encode_name, "in": "query", "required": False, "schema": schema})
    return parameters


def _answer(kind: type, meaning: str) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": _schema(kind)}}}


def _problems(statuses: set[int]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _schema(Problem)}}
    found: dict[str, Any] = {}
    for status in sorted(statuses):
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
        if status in (429, 503):
            seconds = {"schema": {"type": "string"}, "description": "Seconds after which to try again."}
            found[str(status)]["headers"] = {"Retry-After": seconds}
    return found


def _schema(kind: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=_REF)
    return schema
