#!/usr/bin/env bash
# Everything outside bot/nlu and actions also runs on the newest Python: set one up and test there.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(scripts/uv.sh)
for version in 3.14 3.13 3.12 3.11; do
    # pyenv hides its Pythons from the search path
    python=$("$uv" python find --no-project "$version" 2>/dev/null \
        || ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python 2>/dev/null | tail -n 1) || true
    [ -n "$python" ] && break
done
if [ -z "${python:-}" ]; then
    "$uv" python install --quiet 3.13 && python=$("$uv" python find --no-project 3.13) \
        || { echo "peyvand: no Python newer than 3.10 is here and none could be fetched; install one to run these tests" >&2; exit 1; }
fi
stamp=.venv-newest/installed-from
wanted="$("$python" --version) $(sha256sum < requirements-dev.lock)"
if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
    rm -rf .venv-newest
    scripts/setup.sh requirements-dev.lock .venv-newest "$python"
    echo "$wanted" > $stamp
fi
echo "tests on $(.venv-newest/bin/python --version)" >&2
# Races, weeks, models, browsers and what PostgreSQL does are the same on every Python; the queues and the ledger
# show that its driver works here, too.
lengthy=(
    tests/console/test_api_document.py
    tests/crm_store/handoff/test_handoff_model.py
    tests/crm_store/test_complaint_states.py
    tests/crm_store/test_jobs_of_a_week.py
    tests/crm_store/test_ledger_model.py
    tests/crm_store/test_ledger_soak.py
    tests/crm_store/test_redemption_races.py
    tests/crm_store/test_service_model.py
    tests/crm_store/test_service_races.py
    tests/crm_store/test_survey_races.py
    tests/crm_store/test_survey_year.py
    tests/crm_store/test_tiers.py
    tests/e2e
    tests/fakes
    tests/gateway/test_a_week_by_itself.py
    tests/gateway/test_crash.py
    tests/gateway/test_work_meets_people.py
)
.venv-newest/bin/python -m pytest -n 3 --dist loadfile -m "not rasa" \
    -k "not postgres or test_inbox or test_ledger" "${lengthy[@]/#/--ignore=}" "$@"
