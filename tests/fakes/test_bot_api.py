"""The fake Bot API, seen through python-telegram-bot."""

import asyncio

import httpx
import pytest
import telegram
from telegram import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken

from tests.fakes.bot_api import FakeBotApi
from tests.fakes.bot_api_model import User

CHAT = 501
KEYBOARD = InlineKeyboardMarkup([[InlineKeyboardButton("تأیید", callback_data="t1")]])


async def known_user(api: FakeBotApi) -> User:
    """A user whose first message the bot has not read yet."""
    user = api.user(CHAT, "سارا")
    await api.send_text(user, "سلام")
    return user


async def test_a_message_of_a_user_reaches_the_bot_whole(api: FakeBotApi, bot: telegram.Bot) -> None:
    update_id = await api.send_text(api.user(CHAT, "سارا", username="sara"), "/start می‌خواهم شکایت کنم")
    (update,) = await bot.get_updates()
    assert update.update_id == update_id
    assert update.message is not None
    assert update.message.text == "/start می‌خواهم شکایت کنم"
    assert update.message.entities[0].type == "bot_command"
    assert update.effective_user is not None
    assert (update.effective_user.id, update.effective_user.username) == (CHAT, "sara")


async def test_an_update_comes_again_until_a_higher_offset_confirms_it(
    api: FakeBotApi, bot: telegram.Bot
) -> None:
    user = api.user(CHAT, "سارا")
    first = await api.send_text(user, "یک")
    second = await api.send_text(user, "دو")
    for _ in range(2):
        assert [update.update_id for update in await bot.get_updates(offset=first)] == [first, second]
    assert [update.update_id for update in await bot.get_updates(offset=second)] == [second]
    assert await bot.get_updates(offset=second + 1) == ()
    assert api.pending_updates() == []


async def test_the_limit_cuts_a_batch_and_a_negative_offset_counts_from_the_end(
    api: FakeBotApi, bot: telegram.Bot
) -> None:
    user = api.user(CHAT, "سارا")
    ids = [await api.send_text(user, str(number)) for number in range(5)]
    assert [update.update_id for update in await bot.get_updates(limit=2)] == ids[:2]
    assert [update.update_id for update in await bot.get_updates(offset=-2)] == ids[3:]
    assert api.pending_updates() == ids[3:]


async def test_a_long_poll_ends_when_an_update_arrives(api: FakeBotApi, bot: telegram.Bot) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await api.wait_until(lambda: bool(api.calls("getUpdates")), 5)
    await known_user(api)
    assert len(await asyncio.wait_for(poll, 5)) == 1


async def test_a_second_poller_ends_the_first_with_a_conflict(api: FakeBotApi, bot: telegram.Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await api.wait_until(lambda: len(api.calls("getUpdates")) == 1, 5)
    async with telegram.Bot(api.token, base_url=f"{api.base_url}/bot") as rival:
        second = asyncio.create_task(rival.get_updates(timeout=20))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await asyncio.wait_for(first, 5)
        await known_user(api)
        assert len(await asyncio.wait_for(second, 5)) == 1


async def test_updates_older_than_a_day_are_gone(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    api.state.skip(24 * 60 * 60 + 1)
    assert await bot.get_updates() == ()


async def test_only_the_kinds_that_were_asked_for_are_delivered(api: FakeBotApi, bot: telegram.Bot) -> None:
    await bot.get_updates(allowed_updates=["message"])
    user = await known_user(api)
    await api.block(user)
    await api.unblock(user)
    assert [update.my_chat_member for update in await bot.get_updates()] == [None]
    assert api.state.queue.left_out == ["my_chat_member", "my_chat_member"]


async def test_confirmed_updates_come_again_a_bounded_number_of_times() -> None:
    api = FakeBotApi(redeliver=3, seed=7)
    await api.start()
    seen: dict[int, int] = {}
    user = api.user(CHAT, "سارا")
    ids = [await api.send_text(user, str(number)) for number in range(20)]
    async with telegram.Bot(api.token, base_url=f"{api.base_url}/bot") as bot:
        offset = 0
        while api.pending_updates():
            for update in await bot.get_updates(offset=offset, limit=4):
                seen[update.update_id] = seen.get(update.update_id, 0) + 1
                offset = max(offset, update.update_id + 1)
    await api.stop()
    assert list(seen) == ids
    assert set(seen.values()) == {1, 2, 3}


async def test_a_sent_message_is_kept_with_its_text_and_buttons(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    sent = await bot.send_message(CHAT, "<b>کد</b> &lt;۱۲&gt;", parse_mode="HTML", reply_markup=KEYBOARD)
    (kept,) = await api.wait_for_messages(CHAT, 1)
    assert sent.text == kept.plain == "کد <۱۲>"
    assert kept.text == "<b>کد</b> &lt;۱۲&gt;"
    assert [(button.title, button.data) for button in kept.buttons] == [("تأیید", "t1")]
    assert sent.reply_markup == KEYBOARD
    assert api.violations == []


async def test_texts_are_limited_after_their_tags_are_read(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    await bot.send_message(CHAT, "<b>" + "س" * 4096 + "</b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(CHAT, "😀" * 2049)
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(CHAT, "<b> </b>", parse_mode="HTML")
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await bot.send_message(CHAT, "<b>x", parse_mode="HTML")
    assert len(api.messages(CHAT)) == 1


async def test_buttons_are_limited(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    await bot.send_message(CHAT, "x", reply_markup=InlineKeyboardMarkup.from_button(button("ب" * 32)))
    with pytest.raises(BadRequest, match=r"(?i)BUTTON_DATA_INVALID"):
        await bot.send_message(CHAT, "x", reply_markup=InlineKeyboardMarkup.from_button(button("ب" * 33)))
    idle = InlineKeyboardButton("x", api_kwargs={"unknown": 1})
    with pytest.raises(BadRequest, match=r"(?i)Text buttons are unallowed"):
        await bot.send_message(CHAT, "x", reply_markup=InlineKeyboardMarkup.from_button(idle))


def button(data: str) -> InlineKeyboardButton:
    """A button with this callback data."""
    return InlineKeyboardButton("x", callback_data=data)


async def test_a_contact_can_be_asked_for_in_a_private_chat_only(api: FakeBotApi, bot: telegram.Bot) -> None:
    user = await known_user(api)
    ask = ReplyKeyboardMarkup([[KeyboardButton("شماره‌ام", request_contact=True)]], one_time_keyboard=True)
    await bot.send_message(CHAT, "شماره؟", reply_markup=ask)
    await bot.send_message(CHAT, "سپاس", reply_markup=ReplyKeyboardRemove())
    assert [sorted(message.keyboard or {}) for message in api.messages(CHAT)] == [
        ["keyboard", "one_time_keyboard"],
        ["remove_keyboard"],
    ]
    await api.group_message(-1001234567890, user, "سلام")
    with pytest.raises(BadRequest, match="private chats only"):
        await bot.send_message(-1001234567890, "شماره؟", reply_markup=ask)


async def test_strangers_and_blockers_cannot_be_written_to(api: FakeBotApi, bot: telegram.Bot) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(CHAT, "سلام")
    user = await known_user(api)
    await api.block(user)
    for attempt in (bot.send_message(CHAT, "سلام"), bot.send_chat_action(CHAT, "typing")):
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await attempt
    await api.unblock(user)
    await bot.send_message(CHAT, "سلام")
    statuses = [update.my_chat_member for update in await bot.get_updates() if update.my_chat_member]
    assert [change.new_chat_member.status for change in statuses] == ["kicked", "member"]


async def test_a_press_reaches_the_bot_and_is_open_until_answered(api: FakeBotApi, bot: telegram.Bot) -> None:
    user = await known_user(api)
    await bot.send_message(CHAT, "درست است؟", reply_markup=KEYBOARD)
    await api.press(user, api.messages(CHAT)[0], "تأیید")
    query = (await bot.get_updates(offset=-1))[0].callback_query
    assert query is not None
    assert query.message is not None
    assert (query.data, query.from_user.id) == ("t1", CHAT)
    assert query.message.message_id == api.messages(CHAT)[0].message_id
    assert [callback.id for callback in api.unanswered_callbacks()] == [query.id]
    await bot.answer_callback_query(query.id)
    await bot.answer_callback_query(query.id, text="ثبت شد")
    assert api.unanswered_callbacks() == []


async def test_an_unknown_or_old_press_cannot_be_answered(api: FakeBotApi, bot: telegram.Bot) -> None:
    user = await known_user(api)
    await bot.send_message(CHAT, "؟", reply_markup=KEYBOARD)
    await api.press(user, api.messages(CHAT)[0], "تأیید")
    api.state.skip(61)
    for query_id in ("1", api.unanswered_callbacks()[0].id):
        with pytest.raises(BadRequest, match="Query is too old"):
            await bot.answer_callback_query(query_id)


async def test_a_title_that_is_not_shown_cannot_be_pressed(api: FakeBotApi, bot: telegram.Bot) -> None:
    user = await known_user(api)
    await bot.send_message(CHAT, "؟", reply_markup=KEYBOARD)
    with pytest.raises(LookupError):
        await api.press(user, api.messages(CHAT)[0], "لغو")


async def test_edits_change_the_kept_message(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    sent = await bot.send_message(CHAT, "یک", reply_markup=KEYBOARD)
    await bot.edit_message_reply_markup(CHAT, sent.message_id)
    assert api.messages(CHAT)[0].buttons == []
    await bot.edit_message_text("دو", CHAT, sent.message_id)
    assert (api.messages(CHAT)[0].plain, api.messages(CHAT)[0].edits) == ("دو", 2)
    with pytest.raises(BadRequest, match="not modified"):
        await bot.edit_message_text("دو", CHAT, sent.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("سه", CHAT, sent.message_id + 1000)


async def test_a_users_message_cannot_be_edited_by_the_bot(api: FakeBotApi, bot: telegram.Bot) -> None:
    message_id = api.message_id_of(await api.send_text(api.user(CHAT, "سارا"), "سلام"))
    with pytest.raises(BadRequest, match="can't be edited"):
        await bot.edit_message_text("خداحافظ", CHAT, message_id)


async def test_a_reply_needs_its_target(api: FakeBotApi, bot: telegram.Bot) -> None:
    target = api.message_id_of(await api.send_text(api.user(CHAT, "سارا"), "سلام"))
    await bot.send_message(CHAT, "سلام", reply_parameters=ReplyParameters(target))
    with pytest.raises(BadRequest, match="to be replied not found"):
        await bot.send_message(CHAT, "سلام", reply_parameters=ReplyParameters(target + 500))
    assert api.messages(CHAT)[0].reply_to == target


async def test_a_users_edit_arrives_as_an_edited_message(api: FakeBotApi, bot: telegram.Bot) -> None:
    user = api.user(CHAT, "سارا")
    message_id = api.message_id_of(await api.send_text(user, "بسته نرسیده"))
    await api.edit_text(user, message_id, "بسته شکسته رسید")
    edited = (await bot.get_updates())[-1].edited_message
    assert edited is not None
    assert (edited.message_id, edited.text) == (message_id, "بسته شکسته رسید")


async def test_every_kind_of_attachment_is_understood_by_the_client(
    api: FakeBotApi, bot: telegram.Bot
) -> None:
    user = api.user(CHAT, "سارا")
    await api.send_photo(user, caption="فاکتور")
    await api.send_voice(user)
    await api.send_document(user)
    await api.send_video(user)
    await api.send_location(user)
    await api.send_contact(user)
    await api.send_contact(user, own=False)
    await api.send_sticker(user)
    await api.send_album(user, [("photo", b"1"), ("video", b"2")], caption="آلبوم")
    messages = [update.message for update in await bot.get_updates() if update.message]
    photo, voice, document, video, location, own, foreign, sticker, first, second = messages
    assert (len(photo.photo), photo.caption) == (2, "فاکتور")
    assert voice.voice is not None
    assert document.document is not None
    assert document.document.file_name == "رسید.pdf"
    assert video.video is not None
    assert location.location is not None
    assert own.contact is not None
    assert own.contact.user_id == CHAT
    assert foreign.contact is not None
    assert foreign.contact.user_id != CHAT
    assert sticker.sticker is not None
    assert first.media_group_id == second.media_group_id is not None
    assert (first.caption, second.caption) == ("آلبوم", None)


async def test_a_file_downloads_unless_it_is_too_big(api: FakeBotApi, bot: telegram.Bot) -> None:
    user = api.user(CHAT, "سارا")
    await api.send_document(user, b"content")
    await api.send_document(user, size=20 * 1024 * 1024 + 1)
    small, big = [update.message.document for update in await bot.get_updates() if update.message]
    assert small is not None
    assert big is not None
    assert bytes(await (await bot.get_file(small.file_id)).download_as_bytearray()) == b"content"
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(big.file_id)
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("nothing")


async def test_the_bot_can_upload_and_reuse_files(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    sent = await bot.send_photo(CHAT, b"jpeg", caption="<i>نمودار</i>", parse_mode="HTML")
    await bot.send_photo(CHAT, sent.photo[0].file_id)
    await bot.send_document(CHAT, b"pdf", filename="گزارش.pdf")
    kept = [
        (message.kind, message.plain, message.file and message.file.content) for message in api.messages()
    ]
    assert kept == [("photo", "نمودار", b"jpeg"), ("photo", "", b"jpeg"), ("document", "", b"pdf")]
    with pytest.raises(BadRequest, match="caption is too long"):
        await bot.send_photo(CHAT, b"jpeg", caption="س" * 1025)
    for width, height in ((5000, 5001), (21, 1)):
        png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
        with pytest.raises(BadRequest, match=r"(?i)photo_invalid_dimensions"):
            await bot.send_photo(CHAT, png)
    assert api.violations == []


async def test_a_wrong_token_and_an_unknown_method_are_refused(api: FakeBotApi) -> None:
    stranger = telegram.Bot("1:wrong", base_url=f"{api.base_url}/bot")
    with pytest.raises(InvalidToken):
        await stranger.initialize()
    await stranger.shutdown()
    async with httpx.AsyncClient(base_url=api.base_url) as client:
        wrong = await client.get("/bot1:wrong/getMe")
        assert (wrong.status_code, wrong.json()) == (
            401,
            {"ok": False, "error_code": 401, "description": "Unauthorized"},
        )
        assert (await client.get(f"/bot{api.token}/getNothing")).status_code == 404


async def test_parameters_may_come_in_the_address_or_as_json(api: FakeBotApi) -> None:
    await known_user(api)
    async with httpx.AsyncClient(base_url=f"{api.base_url}/bot{api.token}") as client:
        await client.get("/sendMessage", params={"chat_id": CHAT, "text": "یک"})
        await client.post("/sendMessage", json={"chat_id": CHAT, "text": "دو", "reply_markup": None})
    assert [message.plain for message in api.messages(CHAT)] == ["یک", "دو"]


async def test_an_unknown_parameter_is_a_violation(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    await bot.send_message(CHAT, "x", api_kwargs={"disable_web_page_preview": True})
    assert api.violations == ["sendMessage: unknown parameter disable_web_page_preview"]


async def test_commands_are_checked_and_kept(api: FakeBotApi, bot: telegram.Bot) -> None:
    await bot.set_my_commands([("start", "شروع")])
    assert [command.command for command in await bot.get_my_commands()] == ["start"]
    with pytest.raises(BadRequest, match=r"(?i)BOT_COMMAND_INVALID"):
        await bot.set_my_commands([("شروع", "شروع")])
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()


async def test_an_injected_update_is_delivered_as_it_is(api: FakeBotApi) -> None:
    update_id = await api.inject_update({"message": {"text": "without an author"}})
    async with httpx.AsyncClient(base_url=api.base_url) as client:
        answer = (await client.post(f"/bot{api.token}/getUpdates", data={"timeout": "0"})).json()
    assert answer["result"] == [{"update_id": update_id, "message": {"text": "without an author"}}]


async def test_missing_messages_are_named(api: FakeBotApi, bot: telegram.Bot) -> None:
    await known_user(api)
    await bot.send_message(CHAT, "تنها")
    with pytest.raises(TimeoutError, match="تنها"):
        await api.wait_for_messages(CHAT, 2, timeout=0.1)


def test_a_synchronous_test_can_drive_the_fake() -> None:
    with FakeBotApi.start_in_thread() as runner:
        user = runner.fake.user(CHAT, "سارا")
        runner.run(runner.fake.send_text(user, "سلام"))
        url = f"{runner.fake.base_url}/bot{runner.fake.token}/sendMessage"
        assert httpx.post(url, data={"chat_id": CHAT, "text": "سلام"}).status_code == 200
        assert len(runner.run(runner.fake.wait_for_messages(CHAT, 1))) == 1
