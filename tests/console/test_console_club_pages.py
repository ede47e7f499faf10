"""The club, surveys, settings and the audit trail at the console."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from bot.console.views.console_settings import shown_settings
from crm_store.base import utcnow
from crm_store.db import Database
from crm_store.loyalty.models import LedgerPosting, Raffle, Redemption
from crm_store.loyalty.raffles import join
from crm_store.settings import Settings
from crm_store.surveys.models import SurveyFollowUp
from tests.console.conftest import LogIn
from tests.console.desk import audited, done, hidden_fields, send, token_of
from tests.console.desk_store import DeskStore
from tests.factories import RULES

CLUB, SURVEYS = "/console/club", "/console/surveys"


def postings(database: Database) -> list[int]:
    with database.read() as session:
        adjusted = select(LedgerPosting).where(LedgerPosting.kind == "adjust").order_by(LedgerPosting.id)
        return [one.points for one in session.scalars(adjusted)]


async def test_points_are_given_once_and_within_the_limits_of_the_role(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent, page = await log_in("agent"), f"{CLUB}/accounts/{store.customer_id}"
    address = f"{page}/adjust"
    fields = {**await hidden_fields(agent, page, address), "way": "give", "points": "۱۰۰", "reason": "پوزش"}
    for _ in range(2):
        assert done(await agent.post(address, fields)) == f"{page}?done=points_changed"
    assert postings(sqlite_database) == [100]
    for wrong, text in (
        ({"points": "۱۰۱"}, "از سقف نقش شما بیشتر است"),
        ({"points": "۱٫۵"}, "مقدار را با عدد درست بنویسید"),
        ({"points": "-5"}, "مقدار را با عدد درست بنویسید"),
        ({"reason": ""}, "دلیل را بنویسید"),
    ):
        response = await send(agent, page, address, **{"way": "give", "points": "۱", "reason": "x", **wrong})
        assert response.status == 422
        assert text in await response.text()
    assert done(await send(agent, page, address, way="take", points="۵۰", reason="اشتباه")).endswith(
        "changed"
    )
    assert postings(sqlite_database) == [100, -50]
    html = await agent.page(page)
    assert "اصلاح به دست همکار" in html
    assert "نگار موسوی" in html


async def test_a_reward_code_is_looked_at_and_taken_once(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    agent = await log_in("agent")
    with sqlite_database.read() as session:
        code = session.get_one(Redemption, store.redemption_id).code
    page = f"{CLUB}/codes/{store.redemption_id}"
    assert done(await send(agent, f"{CLUB}/codes", f"{CLUB}/codes", code=code.lower())) == page
    unknown = await send(agent, f"{CLUB}/codes", f"{CLUB}/codes", code="AAAA")
    assert unknown.status == 422
    assert "چنین کدی به کسی داده نشده است" in await unknown.text()
    fields = {**await hidden_fields(agent, page, f"{page}/use"), "order": "۱۲۳"}
    assert done(await agent.post(f"{page}/use", fields)) == f"{page}?done=code_used"
    assert (await agent.post(f"{page}/use", fields)).status == 409
    assert f"{page}/use" not in await agent.page(page)
    assert len(audited(sqlite_database, "redemption.use")) == 1


async def test_an_unused_code_is_cancelled_by_who_leads(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("supervisor"), f"{CLUB}/codes/{store.redemption_id}"
    assert done(await send(lead, page, f"{page}/cancel")) == f"{page}?done=code_cancelled"
    with sqlite_database.read() as session:
        assert session.get_one(Redemption, store.redemption_id).state == "cancelled"


async def test_the_club_shows_rewards_with_what_is_left(log_in: LogIn, store: DeskStore) -> None:
    html = await (await log_in("agent")).page(CLUB)
    assert "لیوان سرامیکی" in html
    assert '<span class="cell figure">۱۱</span>' in html


async def test_a_raffle_is_opened_sealed_and_shows_its_hash(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("supervisor"), f"{CLUB}/raffles"
    raffle = {"title": "نوروزی", "key": "nowruz", "prize": "سکه"}
    raffle |= {"winners": "۲", "points": "۱۰", "chances": "۳"}
    evening = {"day": "۱۴۴۹/۱۲/۲۹", "time": "۲۰"}
    source = {"source": "drand", "day": "۱۴۵۰/۰۱/۰۱", "time": "۱۲"}
    wrong = await send(lead, page, page, **raffle, day="2071-03-20", time="۲۰:۰۰")
    assert wrong.status == 422
    assert "تاریخ را مثل" in await wrong.text()
    assert done(await send(lead, page, page, **raffle, **evening)) == f"{page}?done=raffle_opened"
    assert (await send(lead, page, page, **raffle, **evening)).status == 422
    one = f"{page}/{store.raffle}"
    early = {"token": await token_of(lead), "state": "open", **source}
    assert (await lead.post(f"{one}/seal", early)).status == 422
    with sqlite_database.write() as session:
        found = session.scalars(select(Raffle).where(Raffle.key == store.raffle)).one()
        join(session, customer_id=store.customer_id, raffle_id=found.id, key="x", rules=RULES)
        found.closes_at = utcnow() - timedelta(minutes=1)
    response = await send(lead, one, f"{one}/seal", **source)
    assert done(response) == f"{one}?done=raffle_sealed"
    with sqlite_database.read() as session:
        found = session.scalars(select(Raffle).where(Raffle.key == store.raffle)).one()
    assert found.entries_hash in await lead.page(one)
    published = await lead.get(f"{one}/file")
    assert published.content_type == "application/json"
    assert found.entries_hash in await published.text()
    assert done(await send(lead, one, f"{one}/call-off")) == f"{one}?done=raffle_called_off"


async def test_the_results_of_a_survey_are_drawn_and_told_in_figures(log_in: LogIn, store: DeskStore) -> None:
    lead, page = await log_in("supervisor"), f"{SURVEYS}/after_complaint"
    html = await lead.page(f"{page}?by=staff")
    for shown in ("۷ نفر پرسیده شده", "۷۱٪ راضی", "نگار موسوی", f"{page}/picture?by=staff&amp;segment=1"):
        assert shown in html
    picture = await lead.get(f"{page}/picture?by=staff&segment=0")
    assert picture.content_type == "image/png"
    assert (await picture.read())[:8] == b"\x89PNG\r\n\x1a\n"
    assert (await lead.get(f"{page}/picture?segment=9")).status == 404
    assert (await lead.get(f"{SURVEYS}/nothing")).status == 404
    assert "۰ نفر پرسیده شده" in await lead.page(f"{page}?to=1400-01-01")


async def test_a_low_grade_is_looked_after(
    log_in: LogIn, store: DeskStore, sqlite_database: Database
) -> None:
    lead, page = await log_in("supervisor"), f"{SURVEYS}/follow-ups"
    address = f"{page}/{store.follow_up_id}/done"
    assert "مهلت گذشته" in await lead.page(page)
    assert (await send(lead, page, address, text="")).status == 422
    fields = {**await hidden_fields(lead, page, address), "text": "زنگ زدم و عذر خواستم"}
    assert done(await lead.post(address, fields)) == f"{page}?done=followed_up"
    assert (await lead.post(address, fields)).status == 409
    with sqlite_database.read() as session:
        assert session.get_one(SurveyFollowUp, store.follow_up_id).note == "زنگ زدم و عذر خواستم"
    assert "زنگ زدم و عذر خواستم" in await lead.page(f"{page}?show=done")


async def test_settings_show_what_is_in_force_and_what_is_wrong_with_the_file(
    log_in: LogIn, store: DeskStore, tmp_path: Path
) -> None:
    admin = await log_in("admin")
    html = await admin.page("/console/settings")
    assert "درست و در کار" in html
    assert "لیوان سرامیکی با طرح آفتاب" in html
    file = tmp_path / "business.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[nmae]\n", encoding="utf-8")
    html = await admin.page("/console/settings")
    assert "nmae" in html
    assert "لیوان سرامیکی با طرح آفتاب" in html


def _strings(settings: object, path: str = "") -> Iterator[str]:
    assert isinstance(settings, msgspec.Struct)
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        if isinstance(value, msgspec.Struct):
            yield from _strings(value, f"{path}{name}.")
        elif isinstance(value, str):
            yield f"{path}{name}"


def test_no_secret_is_ever_shown() -> None:
    marker = "s3cret-marker"
    secret = Settings(database_url=f"postgresql://u:{marker}@h/d", internal_secret=marker, proxy_url=marker)
    bot = msgspec.structs.replace(secret.telegram, token=marker, webhook_secret=marker, webhook_url=marker)
    shop = msgspec.structs.replace(secret.woocommerce, webhook_secret=marker)
    secret = msgspec.structs.replace(secret, telegram=bot, bale=bot, woocommerce=shop)
    shown = shown_settings(secret)
    assert all(marker not in str(one.value) for one in shown)
    hidden = {one.name for one in shown if one.is_hidden}
    named = ("token", "secret", "url", "password", "key")
    assert {name for name in _strings(secret) if name.endswith(named)} <= hidden


async def test_the_trail_is_limited_by_who_what_and_when(log_in: LogIn, store: DeskStore) -> None:
    admin, agent = await log_in("admin"), await log_in("agent")
    await agent.page(f"/console/customers/{store.customer_id}")
    await agent.get("/console/audit")
    own = await admin.page(f"/console/audit?actor=staff:{store.members['agent']}")
    assert "دیدن مشتری" in own
    assert "کار بی‌اجازه، انجام نشد" in own
    denied = await admin.page("/console/audit?action=staff.denied")
    assert '<span class="cell">دیدن مشتری</span>' not in denied
    about = await admin.page(f"/console/audit?about=customer&number={store.customer_id}&area=customer")
    assert "صفحهٔ مشتری" in about
    assert "کاری با این ویژگی‌ها ثبت نشده است" in await admin.page("/console/audit?to=1400-01-01")
    assert "تاریخ را مثل" in await admin.page("/console/audit?from=yesterday&actor=%27;--&before=x")


@pytest.mark.parametrize("path", ["audit", "texts?show=responses", "complaints?show=all"])
async def test_long_lists_say_where_they_go_on(log_in: LogIn, store: DeskStore, path: str) -> None:
    assert (await (await log_in("admin")).get(f"/console/{path}")).status == 200
