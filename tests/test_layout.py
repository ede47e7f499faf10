"""The areas line up: folders, domain, rules, responses and actions say the same."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from crm_store.business import EXAMPLE, Faq, read_business
from crm_store.complaints.models import DECISIONS, REMEDIES
from crm_store.complaints.models import STATES as COMPLAINT_STATES
from crm_store.settings import PROJECT_ROOT
from crm_store.tickets.models import PRIORITIES
from crm_store.wordings import BUSINESS

DATA = PROJECT_ROOT / "data"
#: Folders of data/ that belong to no area of the store.
NO_AREA = {"shared", "gateway"}
#: Persian-reading code may hold Persian; everything that speaks takes its words from data/.
READS_PERSIAN = (PROJECT_ROOT / "bot" / "nlu", PROJECT_ROOT / "crm_store" / "persian")
#: A default that the business changes, and the screen that tells the operator what to write to the bot.
FOR_THE_OPERATOR = {PROJECT_ROOT / "crm_store" / "settings.py", PROJECT_ROOT / "bot" / "status.py"}

PERSIAN = re.compile(r"[\u0621-\u064a\u067e\u0686\u0698\u06a9\u06af\u06cc\u06f0-\u06f9]")
PLACEHOLDER = re.compile(r"(?<!\{)\{([a-z_]+)\}(?!\})")
PAYLOAD_INTENT = re.compile(r"/([a-z_]+)")


def documents(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(DATA.glob(f"*/{name}.yml")):
        yield path.parent.name, yaml.safe_load(path.read_text(encoding="utf-8"))


def python_files(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((PROJECT_ROOT / package).rglob("*.py"))


def strings_of(path: Path) -> Iterator[str]:
    """String constants of a module that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    expressions = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in expressions:
            yield node.value


def said_in(*packages: str) -> set[str]:
    """Names of responses in code; ``utter_action`` is Rasa's key for such a name."""
    texts = {text for path in python_files(*packages) for text in strings_of(path)}
    return {text for text in texts if text.startswith("utter_")} - {"utter_action"}


@pytest.fixture(scope="module")
def domain() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "domain.yml").read_text(encoding="utf-8"))
    return document


@pytest.fixture(scope="module")
def responses() -> dict[str, list[dict[str, Any]]]:
    return {
        name: wordings
        for _, document in documents("responses")
        for name, wordings in document["responses"].items()
    }


@pytest.fixture(scope="module")
def rule_steps() -> list[dict[str, Any]]:
    return [
        step for _, document in documents("rules") for rule in document["rules"] for step in rule["steps"]
    ]


@pytest.fixture(scope="module")
def ruled_intents(rule_steps: list[dict[str, Any]]) -> set[str]:
    alternatives = [option for step in rule_steps for option in step.get("or", [step])]
    return {step["intent"] for step in alternatives if "intent" in step}


@pytest.fixture(scope="module")
def ruled_actions(rule_steps: list[dict[str, Any]]) -> set[str]:
    return {step["action"] for step in rule_steps if "action" in step}


@pytest.fixture(scope="module")
def registered() -> list[str]:
    """Names of the actions that rasa_sdk finds below actions/, however often it finds them."""
    from rasa_sdk import executor as executor_module

    found: list[str] = []

    class Register(executor_module.ActionExecutor):  # type: ignore[misc,name-defined]  # rasa_sdk ships no types
        def register_action(self, action: Any) -> None:
            if action.__module__.startswith("actions."):
                found.append(action().name())

    Register().register_package("actions")
    return found


def test_every_area_of_the_dialogue_has_its_store_and_its_actions() -> None:
    for folder in DATA.iterdir():
        # An area that is only understood so far has phrases and nothing else, one that is only read by the
        # staff has names of things.
        is_no_dialogue = [path.name for path in folder.iterdir()] in (["nlu.yml"], ["terms.yml"])
        if folder.is_dir() and folder.name not in NO_AREA and not is_no_dialogue:
            assert (PROJECT_ROOT / "crm_store" / folder.name / "service.py").exists(), folder.name
            assert (PROJECT_ROOT / "actions" / f"{folder.name}.py").exists(), folder.name
            assert (folder / "rules.yml").exists(), folder.name
            assert (folder / "responses.yml").exists(), folder.name


def test_no_response_is_defined_twice() -> None:
    counts = Counter(name for _, document in documents("responses") for name in document["responses"])
    assert [name for name, count in counts.items() if count > 1] == []


def test_the_domain_leaves_responses_to_the_areas(domain: dict[str, Any]) -> None:
    assert "responses" not in domain


@pytest.mark.rasa
def test_the_domains_actions_are_exactly_those_registered(
    domain: dict[str, Any], registered: list[str]
) -> None:
    assert sorted(registered) == sorted(domain["actions"])


def test_every_action_is_called_by_a_rule_or_a_form(domain: dict[str, Any], ruled_actions: set[str]) -> None:
    by_forms = {f"validate_{form}" for form in domain["forms"]}
    slots = {slot for form in domain["forms"].values() for slot in form["required_slots"]}
    by_forms |= {f"action_ask_{slot}" for slot in slots}
    by_forms |= {f"action_ask_{form}_{slot}" for form in domain["forms"] for slot in slots}
    assert set(domain["actions"]) - by_forms - ruled_actions == {"action_session_start"}


def test_every_step_of_a_rule_is_known(
    domain: dict[str, Any], responses: dict[str, Any], ruled_actions: set[str], ruled_intents: set[str]
) -> None:
    assert ruled_actions <= {*domain["actions"], *domain["forms"], *responses}
    assert ruled_intents <= {*domain["intents"], "nlu_fallback"}


def test_every_intent_is_answered(domain: dict[str, Any], ruled_intents: set[str]) -> None:
    assert set(domain["intents"]) - ruled_intents == set()


def test_every_intent_with_phrases_is_in_the_domain_and_the_other_way_round(domain: dict[str, Any]) -> None:
    taught = {
        entry["intent"].split("/")[0]
        for _, document in documents("nlu")
        for entry in document["nlu"]
        if "intent" in entry
    }
    made_by_us = {
        "start",
        "media",
        "choose_topic",
        "choose_category",
        "choose_remedy",
        "correct_field",
        "skip_field",
        "drop_attachments",
        "request_callback",
        "change_callback_phone",
        "handoff_leave",
        "handoff_resume",
        "confirm_erasure",
        "keep_data",
        "choose_kind",
        "choose_window",
        "more_windows",
        "correct_service_field",
        "skip_service_field",
        "choose_ticket",
        "choose_reason",
        "confirm_solved",
        "deny_solved",
        "answer_staff",
        "confirm_visit",
        "rate_visit",
        "visit_on_the_way",
        "visit_done",
        "visit_not_done",
        "history_more",
        "choose_reward",
        "confirm_redeem",
        "drop_redeem",
        "cancel_code",
        "enter_friend_code",
        "join_raffle",
        "survey_choose",
        "survey_pass",
        "survey_later",
        "staff_open",
        "staff_pin_note",
        "staff_ticket",
        "staff_move",
        "staff_answer",
    }
    assert taught == set(domain["intents"]) - made_by_us


def test_every_response_is_said_and_everything_said_is_a_response(
    domain: dict[str, Any], responses: dict[str, Any], ruled_actions: set[str]
) -> None:
    slots = {slot for form in domain["forms"].values() for slot in form["required_slots"]}
    asked = {f"utter_ask_{slot}" for slot in slots} & set(responses)
    said = (
        said_in("actions", "bot", "crm_store") | asked | {name for name in ruled_actions if name in responses}
    )
    assert set(responses) == said


def test_every_placeholder_is_filled_by_whoever_says_the_response(responses: dict[str, Any]) -> None:
    # Whoever renders a response fills in the business's name.
    given: set[str | None] = {BUSINESS}
    given |= {
        keyword.arg
        for path in python_files("actions", "bot", "crm_store")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
    }
    given |= {text for path in python_files("actions", "bot", "crm_store") for text in strings_of(path)}
    for name, wordings in responses.items():
        wanted = {place for wording in wordings for place in PLACEHOLDER.findall(wording.get("text", ""))}
        assert wanted <= given, name
        texts = [set(PLACEHOLDER.findall(wording.get("text", ""))) - {BUSINESS} for wording in wordings]
        assert all(places == texts[0] for places in texts), f"{name}: its wordings need different values"


def test_rules_say_only_what_needs_no_value(responses: dict[str, Any], ruled_actions: set[str]) -> None:
    for name in ruled_actions & set(responses):
        assert all(set(PLACEHOLDER.findall(wording["text"])) <= {BUSINESS} for wording in responses[name]), (
            name
        )


def test_every_button_leads_to_an_intent(domain: dict[str, Any], responses: dict[str, Any]) -> None:
    for name, wordings in responses.items():
        for button in (button for wording in wordings for button in wording.get("buttons", [])):
            intent = PAYLOAD_INTENT.match(button["payload"])
            assert intent is not None, name
            assert intent[1] in domain["intents"], name
            entities = button["payload"][intent.end() :].replace("{{", "{").replace("}}", "}")
            assert set(json.loads(entities or "{}")) <= set(domain["entities"]), name


def test_the_categories_of_a_new_business_have_words_by_which_customers_name_them() -> None:
    words = yaml.safe_load((DATA / "complaints" / "categories.yml").read_text(encoding="utf-8"))
    assert tuple(words) == read_business(EXAMPLE).category_keys
    assert all(words.values())


def test_every_remedy_has_words_by_which_customers_wish_for_it() -> None:
    words = yaml.safe_load((DATA / "complaints" / "remedies.yml").read_text(encoding="utf-8"))
    assert tuple(words) == (*REMEDIES, "none")
    assert all(words.values())


def test_every_topic_of_the_owners_answers_is_taught_and_has_a_name_for_a_button() -> None:
    shared = yaml.safe_load((DATA / "shared" / "nlu.yml").read_text(encoding="utf-8"))["nlu"]
    named = yaml.safe_load((DATA / "shared" / "terms.yml").read_text(encoding="utf-8"))["topics"]
    phrases = {
        entry["intent"].removeprefix("faq/"): entry["examples"].count("\n")
        for entry in shared
        if entry["intent"].startswith("faq/")
    }
    assert set(named) == set(Faq.__struct_fields__) == set(phrases) - {"other"}
    assert min(phrases.values()) >= 60


def test_every_intent_is_taught_with_enough_phrases_and_measured_with_enough_others() -> None:
    taught: Counter[str] = Counter()
    for _, document in documents("nlu"):
        for entry in document["nlu"]:
            taught[entry["intent"].split("/")[0]] += entry["examples"].count("\n")
    evaluation = PROJECT_ROOT / "tests" / "nlu" / "evaluation.yml"
    measured: Counter[str] = Counter()
    for label, phrases in yaml.safe_load(evaluation.read_text(encoding="utf-8")).items():
        measured[label.split("/")[0]] += len(phrases)
    few = {name for name, count in taught.items() if count < (40 if name.startswith("staff_") else 60)}
    assert few == set()
    assert {name for name in taught if measured[name] < 30} == set()


def test_every_state_decision_and_priority_of_a_complaint_has_a_name() -> None:
    terms = yaml.safe_load((DATA / "complaints" / "terms.yml").read_text(encoding="utf-8"))
    assert tuple(terms["states"]) == COMPLAINT_STATES
    assert tuple(terms["decisions"]) == DECISIONS
    assert tuple(terms["priorities"]) == PRIORITIES
    assert tuple(terms["remedies"]) == tuple(terms["remedies_done"]) == REMEDIES


@pytest.mark.parametrize(
    "name", ["utter_greet", "utter_help", "utter_thanks", "utter_goodbye", "utter_out_of_scope"]
)
def test_everyday_responses_are_varied(responses: dict[str, Any], name: str) -> None:
    assert len({wording["text"] for wording in responses[name]}) >= 3


def test_responses_are_written_with_persian_letters_and_known_tags(responses: dict[str, Any]) -> None:
    for name, wordings in responses.items():
        for wording in wordings:
            text = wording.get("text", "")
            assert not re.search(r"[يكىة٠-٩]", text), f"{name}: Arabic letters or digits"
            assert not re.search(r"[?,;](?=\s|$)", text), f"{name}: Latin punctuation"
            assert set(re.findall(r"</?([^<>]+)>", text)) <= {"b", "i", "code"}, name


def test_no_persian_stands_in_code_that_speaks() -> None:
    speaking = [
        path
        for path in python_files("bot", "actions", "crm_store")
        if not any(folder in path.parents for folder in READS_PERSIAN) and path not in FOR_THE_OPERATOR
    ]
    persian = {
        f"{path.relative_to(PROJECT_ROOT)}: {text}"
        for path in speaking
        for text in strings_of(path)
        if PERSIAN.search(text)
    }
    assert persian == set()
