"""The shop of a scripted conversation: it tells of purchases through the API, and takes codes at the till."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_store.base import utcnow
from tests.e2e.product import Product

_RIALS = 10
_KEY = re.compile(r"^\s*(pk_\S+)\s*$", re.MULTILINE)


class Shop:
    """A program of the business's with a key of its own.

    Args:
        product: the running product.
        name: whatever no other shop is called; order numbers of scripts begin with it.
    """

    def __init__(self, product: Product, name: str) -> None:
        self._product = product
        self._name = name
        self._key = ""

    def do(self, deed: Mapping[str, Any], *, phone: str, code: str) -> None:
        """Do what a script tells.

        Args:
            deed: ``{buys: {order, tomans | lines: [{category, tomans}], days_ago, phone}}``,
                ``{returns: {order, lines: [{number, tomans}]}}`` (no lines: all of it), ``{uses: yes}`` or
                ``{refuses: yes}`` (the code that the chat was given last, taken or found to be of no use).
            phone: of the chat's customer.
            code: that was given last; empty for none.

        Raises:
            AssertionError: the API answered something else than it should.
        """
        (name,) = deed
        told = deed[name]
        match name:
            case "buys":
                self._post("purchases", self._purchase(told, phone), expect=(200, 201))
            case "returns":
                address = f"purchases/{self._order(told['order'])}/returns"
                self._post(address, self._return(told), expect=(200, 201))
            case "uses":
                self._post(f"rewards/codes/{code}/use", {}, expect=(200,))
            case "refuses":
                self._post(f"rewards/codes/{code}/use", {}, expect=(404, 409, 410))
            case _:
                raise AssertionError(f"a shop does not do {name!r}")

    def _order(self, number: str) -> str:
        return f"{self._name}-{number}"

    def _purchase(self, told: Mapping[str, Any], phone: str) -> dict[str, Any]:
        paid_at: datetime = utcnow() - timedelta(days=told.get("days_ago", 0))
        lines = told.get("lines") or [{"tomans": told["tomans"]}]
        return {
            "order_id": self._order(told["order"]),
            "phone": told.get("phone", phone),
            "paid_at": paid_at.isoformat(),
            "lines": [
                {
                    "title": line.get("title", "کالا"),
                    "category": line.get("category", ""),
                    "amount_rials": line["tomans"] * _RIALS,
                }
                for line in lines
            ],
        }

    def _return(self, told: Mapping[str, Any]) -> dict[str, Any]:
        lines = [
            {"number": line["number"], "amount_rials": line["tomans"] * _RIALS}
            for line in told.get("lines", [])
        ]
        body: dict[str, Any] = {
            "return_id": told.get("id", "R1"),
            "returned_at": utcnow().isoformat(),
        }
        return body | ({"lines": lines} if lines else {})

    def _post(self, address: str, body: Mapping[str, Any], *, expect: tuple[int, ...]) -> None:
        request = urllib.request.Request(
            f"{self._product.url}/api/v1/{address}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._own_key()}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, answer = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
            error.close()
        assert status in expect, f"{address}: {status} {answer.decode()}"

    def _own_key(self) -> str:
        if not self._key:
            options = [option for scope in ("purchases", "rewards") for option in ("--scope", scope)]
            done = self._product.command("api-keys", "create", "--name", self._name, *options)
            assert done.returncode == 0, done.stdout + done.stderr
            found = _KEY.search(done.stdout)
            assert found is not None, done.stdout
            self._key = found[1]
        return self._key
