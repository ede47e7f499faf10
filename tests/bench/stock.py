"""The baseline: the pipeline and policies of `rasa init` with the REST channel, on our phrases.

Measured once and kept in ``stock.json`` with its conditions; `make bench-stock` measures again (half
an hour).
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import aiohttp
import psutil
import yaml

from crm_store.settings import PROJECT_ROOT
from tests.bench.figures import STOCK_FILE, percentile, stock_figures
from tests.ports import free_port

CONFIG = """\
recipe: default.v1
assistant_id: stock
language: fa
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- {name: CountVectorsFeaturizer, analyzer: char_wb, min_ngram: 1, max_ngram: 4}
- {name: DIETClassifier, epochs: 100, constrain_similarities: true}
- name: EntitySynonymMapper
- {name: ResponseSelector, epochs: 100, constrain_similarities: true}
- {name: FallbackClassifier, threshold: 0.3, ambiguity_threshold: 0.1}
policies:
- name: MemoizationPolicy
- name: RulePolicy
- {name: UnexpecTEDIntentPolicy, max_history: 5, epochs: 100}
- {name: TEDPolicy, max_history: 5, epochs: 100, constrain_similarities: true}
"""
ACTION = """\
from rasa_sdk import Action


class ActionAnswer(Action):
    def name(self):
        return "action_answer"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="پاسخ")
        return []
"""
FOLDER = PROJECT_ROOT / "models" / "stock"
WITHOUT_ACTION, WITH_ACTION = "سلام وقت بخیر", "شکایت من به کجا رسید؟"


def write_project(folder: Path) -> None:
    """A stock project over our phrases: one rule an intent, one story, one custom action."""
    intents: set[str] = set()
    (folder / "data").mkdir()
    for file in (PROJECT_ROOT / "data").glob("*/*.yml"):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if "nlu" in content:
            intents |= {item["intent"] for item in content["nlu"] if "intent" in item}
            shutil.copy(file, folder / "data" / f"{file.parent.name}-{file.name}")
    answers = {
        intent: "action_answer" if intent == "complaint_status" else f"utter_{intent}" for intent in intents
    }
    rules = [
        {"rule": intent, "steps": [{"intent": intent}, {"action": answer}]}
        for intent, answer in answers.items()
    ]
    story = {"story": "a visit", "steps": [{"intent": "greet"}, {"action": "utter_greet"}]}
    domain = {
        "version": "3.1",
        "intents": sorted(intents),
        "actions": ["action_answer"],
        "responses": {a: [{"text": "پاسخ"}] for a in answers.values() if a.startswith("utter_")},
        "session_config": {"session_expiration_time": 60, "carry_over_slots_to_new_session": True},
    }
    (folder / "config.yml").write_text(CONFIG, encoding="utf-8")
    (folder / "domain.yml").write_text(yaml.safe_dump(domain, allow_unicode=True), encoding="utf-8")
    dialogue = {"version": "3.1", "rules": rules, "stories": [story]}
    (folder / "data/rules.yml").write_text(yaml.safe_dump(dialogue, allow_unicode=True), encoding="utf-8")
    (folder / "credentials.yml").write_text("rest:\n", encoding="utf-8")
    (folder / "actions.py").write_text(ACTION, encoding="utf-8")


async def talk(url: str, sender: str, text: str, turns: int) -> list[float]:
    """Milliseconds of so many turns of one sender."""
    waits = []
    async with aiohttp.ClientSession() as client:
        for _ in range(turns):
            started = time.monotonic()
            async with client.post(url, json={"sender": sender, "message": text}) as response:
                answer = await response.json()
            if not answer:
                raise RuntimeError("the stock bot answered nothing")
            waits.append(1000 * (time.monotonic() - started))
    return waits


async def latencies(url: str) -> dict[str, float]:
    """The same turns that the product is measured with."""
    figures = {}
    for chats in (1, 8):
        for label, text in (("no action", WITHOUT_ACTION), ("action", WITH_ACTION)):
            turns = 60 // (2 if chats > 1 else 1)
            senders = [f"{label}-{chats}-{n}" for n in range(chats)]
            waits = [
                w
                for chat in await asyncio.gather(*(talk(url, s, text, turns) for s in senders))
                for w in chat[3:]
            ]
            for share in (0.5, 0.95):
                name = f"reply, {chats} chat{'s' * (chats > 1)}, {label}, p{share * 100:.0f}"
                figures[name] = percentile(waits, share)
    started = time.monotonic()
    await asyncio.gather(*(talk(url, "burst", WITHOUT_ACTION, 1) for _ in range(10)))
    figures["ten messages in one chat"] = time.monotonic() - started
    long = await talk(url, "long", WITH_ACTION, 205)
    figures["turn 10 of a chat"] = percentile(long[5:15], 0.5)
    figures["turn 200 of a chat"] = percentile(long[195:205], 0.5)
    return figures


async def wait_until_ready(url: str) -> None:
    """Wait until the server's own page says that it has a model."""
    async with aiohttp.ClientSession() as client:
        while True:
            try:
                async with client.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)


def environment() -> dict[str, str]:
    """Ours, with bytecode and without telemetry."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"RASA_TELEMETRY_ENABLED": "false"}


def train(folder: Path) -> float:
    """Train in a fresh folder; returns seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_project(folder)
    started = time.monotonic()
    command = [sys.executable, "-m", "rasa", "train", "--quiet"]
    subprocess.run(command, cwd=folder, env=environment(), check=True, stdout=sys.stderr)
    return time.monotonic() - started


async def serve(folder: Path) -> dict[str, float]:
    """Start the trained bot and talk to it."""
    port, actions_port = free_port(), free_port()
    (folder / "endpoints.yml").write_text(
        f"action_endpoint: {{url: 'http://127.0.0.1:{actions_port}/webhook'}}\n"
        "tracker_store: {type: sql, url: 'sqlite:///tracker.db'}\n"
    )
    (folder / "tracker.db").unlink(missing_ok=True)
    python = [sys.executable, "-m"]
    actions = subprocess.Popen(
        [*python, "rasa_sdk", "--actions", "actions", "--port", str(actions_port)],
        cwd=folder,
        env=environment(),
    )
    started = time.monotonic()
    server = subprocess.Popen(
        [*python, "rasa", "run", "--quiet", "--interface", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        env=environment(),
    )
    try:
        # `rasa run` listens only once the model is loaded.
        await wait_until_ready(f"http://127.0.0.1:{port}/webhooks/rest/")
        figures = {"start, warm": time.monotonic() - started}
        figures |= await latencies(f"http://127.0.0.1:{port}/webhooks/rest/webhook")
        figures["memory of rasa"] = psutil.Process(server.pid).memory_info().rss / 1e6
    finally:
        for process in (server, actions):
            process.terminate()
            process.wait()
    return figures


def main() -> None:
    """Measure and keep; ``--serve-only`` uses the bot that was trained last and keeps its training figure."""
    if "--serve-only" in sys.argv:
        figures = {"training": stock_figures()["training"]}
    else:
        figures = {"training": train(FOLDER)}
    figures |= asyncio.run(serve(FOLDER))
    kept = {
        "conditions": {
            "date": date.today().isoformat(),  # noqa: DTZ011
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, no GPU",
            "what": "rasa 3.6.21, pipeline and policies of `rasa init`, REST channel, SQLite tracker store",
        },
        "figures": {key: round(value, 2) for key, value in figures.items()},
    }
    STOCK_FILE.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(kept["figures"]) + "\n")


if __name__ == "__main__":
    main()
