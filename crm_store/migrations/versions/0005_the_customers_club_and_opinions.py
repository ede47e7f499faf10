"""the customers club and opinions

Revision: 0005, after 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_store.base import BigId, Json, UtcDateTime  # noqa: F401

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


#: What happened stays as it happened: the database itself refuses to change it, whoever asks.
#: With what makes a row of each table the same row.
APPEND_ONLY = {
    "ledger_postings": "id = NEW.id OR idempotency_key = NEW.idempotency_key OR reverses_id = NEW.reverses_id",
    "point_lots": "id = NEW.id OR posting_id = NEW.posting_id",
    "lot_movements": "id = NEW.id OR (posting_id = NEW.posting_id AND lot_id = NEW.lot_id)",
}
_REFUSAL = "the points ledger is append-only; correct it with a reversal"


def _make_append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table, is_same in APPEND_ONLY.items():
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuse_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
                )
            # INSERT OR REPLACE deletes without asking the trigger of deletion.
            op.execute(
                f"CREATE TRIGGER {table}_refuse_replace BEFORE INSERT ON {table} "
                f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {is_same}) "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_to_change_the_ledger()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_refuse_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger()"
        )


#: What a raffle says once its list is sealed; only the value and that it is drawn come to it.
_SEALED_FOR_GOOD = (
    "id", "key", "title", "prize", "winners", "points", "chances", "by_right", "opens_at", "closes_at",
    "sealed_text", "entries_hash", "sealed_at", "random_source", "random_at", "created_at",
)
_SEALED = "the list of this raffle is sealed"
_IS_DIFFERENT = {"sqlite": "NEW.{0} IS NOT OLD.{0}", "postgresql": "NEW.{0} IS DISTINCT FROM OLD.{0}"}


def _raffle_conditions(dialect: str) -> dict[str, str]:
    """What is refused of raffles and their entries, by what is done."""
    differs = _IS_DIFFERENT[dialect].format
    fixed = " OR ".join(differs(name) for name in _SEALED_FOR_GOOD)
    entry_fixed = ("id", "raffle_id", "ticket", "posting_id", "idempotency_key", "created_at")
    changed = " OR ".join(differs(name) for name in entry_fixed)
    state_of = "(SELECT state FROM raffles WHERE id = {0}.raffle_id)".format
    return {
        "raffles UPDATE": f"OLD.state IN ('drawn', 'called_off') "
        f"OR (OLD.state = 'sealed' AND (NEW.state = 'open' OR {fixed} "
        f"OR (NEW.state = 'sealed' AND NEW.random_value <> '') OR (NEW.state = 'drawn' AND NEW.random_value = '') "
        "OR (NEW.state = 'drawn' AND (NEW.drawn_at IS NULL OR NEW.drawn_at < NEW.random_at)))) "
        "OR (OLD.state = 'open' AND (NEW.state = 'drawn' OR (NEW.state = 'sealed' AND (NEW.sealed_at IS NULL "
        "OR NEW.random_at IS NULL OR NEW.random_at <= NEW.sealed_at OR NEW.random_value <> ''))))",
        "raffles DELETE": "OLD.state <> 'open'",
        # The customer may change: two records that turn out to be the same person are joined.
        "raffle_entries UPDATE": f"{state_of('OLD')} <> 'open' AND ({changed} OR ({differs('place')} "
        f"AND (OLD.place IS NOT NULL OR {state_of('OLD')} <> 'sealed')))",
        "raffle_entries DELETE": f"{state_of('OLD')} <> 'open'",
        "raffle_entries INSERT": f"{state_of('NEW')} <> 'open'",
    }


def _seal_raffles() -> None:
    dialect = op.get_bind().dialect.name
    conditions = _raffle_conditions(dialect)
    if dialect == "sqlite":
        # INSERT OR REPLACE deletes without asking the trigger of deletion.
        conditions["raffles INSERT"] = (
            "EXISTS (SELECT 1 FROM raffles WHERE (id = NEW.id OR key = NEW.key) AND state <> 'open')"
        )
        conditions["raffle_entries INSERT"] += (
            " OR EXISTS (SELECT 1 FROM raffle_entries AS old JOIN raffles ON raffles.id = old.raffle_id WHERE state <> 'open' "
            "AND (old.id = NEW.id OR old.ticket = NEW.ticket OR old.idempotency_key = NEW.idempotency_key))"
        )
        for place, condition in conditions.items():
            table, act = place.split()
            op.execute(
                f"CREATE TRIGGER {table}_sealed_{act.lower()} BEFORE {act} ON {table} WHEN {condition} "
                f"BEGIN SELECT RAISE(ABORT, '{_SEALED}'); END"
            )
        return
    for place, condition in conditions.items():
        table, act = place.split()
        name = f"{table}_sealed_{act.lower()}"
        # Who enters at the moment of sealing waits for it, or is waited for.
        lock = "PERFORM 1 FROM raffles WHERE id = NEW.raffle_id FOR SHARE; " if place == "raffle_entries INSERT" else ""
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {lock}"
            f"IF {condition} THEN RAISE EXCEPTION '{_SEALED}'; END IF; "
            f"RETURN {'OLD' if act == 'DELETE' else 'NEW'}; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    op.execute(
        f"CREATE FUNCTION raffles_sealed_truncate() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_SEALED}'; END $$"
    )
    for table in ("raffles", "raffle_entries"):
        op.execute(
            f"CREATE TRIGGER {table}_sealed_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION raffles_sealed_truncate()"
        )


def upgrade() -> None:
    op.create_table('api_keys',
    sa.Column('id', BigId, nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('shop', sa.String(length=40), nullable=False),
    sa.Column('key_hash', sa.String(length=64), nullable=False),
    sa.Column('scopes', Json, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('revoked_at', UtcDateTime(), nullable=True),
    sa.Column('last_used_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_keys')),
    sa.UniqueConstraint('key_hash', name=op.f('uq_api_keys_key_hash')),
    sa.UniqueConstraint('name', name=op.f('uq_api_keys_name'))
    )
    op.create_table('ledger_proofs',
    sa.Column('id', BigId, nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.Column('last_posting_id', sa.BigInteger(), nullable=False),
    sa.Column('postings', sa.BigInteger(), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('debt', sa.BigInteger(), nullable=False),
    sa.Column('fingerprint', sa.String(length=64), nullable=False),
    sa.Column('faults', Json, nullable=False),
    sa.Column('seconds', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_proofs'))
    )
    op.create_table('loyalty_rule_versions',
    sa.Column('id', BigId, nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('content', Json, nullable=False),
    sa.Column('first_used_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_loyalty_rule_versions')),
    sa.UniqueConstraint('digest', name=op.f('uq_loyalty_rule_versions_digest'))
    )
    op.create_table('raffles',
    sa.Column('id', BigId, nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('prize', sa.Text(), nullable=False),
    sa.Column('winners', sa.Integer(), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('chances', sa.Integer(), nullable=False),
    sa.Column('by_right', Json, nullable=False),
    sa.Column('opens_at', UtcDateTime(), nullable=False),
    sa.Column('closes_at', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('sealed_text', sa.Text(), nullable=False),
    sa.Column('entries_hash', sa.String(length=64), nullable=False),
    sa.Column('sealed_at', UtcDateTime(), nullable=True),
    sa.Column('random_source', sa.Text(), nullable=False),
    sa.Column('random_at', UtcDateTime(), nullable=True),
    sa.Column('random_value', sa.String(length=200), nullable=False),
    sa.Column('drawn_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raffles')),
    sa.UniqueConstraint('key', name=op.f('uq_raffles_key'))
    )
    op.create_table('reward_stocks',
    sa.Column('id', BigId, nullable=False),
    sa.Column('reward', sa.String(length=40), nullable=False),
    sa.Column('taken', sa.Integer(), nullable=False),
    sa.CheckConstraint('taken >= 0', name=op.f('ck_reward_stocks_taken_is_not_negative')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reward_stocks')),
    sa.UniqueConstraint('reward', name=op.f('uq_reward_stocks_reward'))
    )
    op.create_table('survey_versions',
    sa.Column('id', BigId, nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('content', Json, nullable=False),
    sa.Column('origin', sa.String(length=10), nullable=False),
    sa.Column('set_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_survey_versions')),
    sa.UniqueConstraint('key', 'digest', name=op.f('uq_survey_versions_key_digest')),
    sa.UniqueConstraint('key', 'version', name=op.f('uq_survey_versions_key_version'))
    )
    op.create_table('loyalty_accounts',
    sa.Column('id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_loyalty_accounts_customer_id_customers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_loyalty_accounts'))
    )
    with op.batch_alter_table('loyalty_accounts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_loyalty_accounts_customer_id'), ['customer_id'], unique=False)

    op.create_table('purchases',
    sa.Column('id', BigId, nullable=False),
    sa.Column('shop', sa.String(length=40), nullable=False),
    sa.Column('order_id', sa.String(length=100), nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('total', sa.BigInteger(), nullable=False),
    sa.Column('paid_at', UtcDateTime(), nullable=False),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint('total >= 0', name=op.f('ck_purchases_total_is_not_negative')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_purchases_customer_id_customers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchases')),
    sa.UniqueConstraint('shop', 'order_id', name=op.f('uq_purchases_shop_order_id'))
    )
    with op.batch_alter_table('purchases', schema=None) as batch_op:
        batch_op.create_index('ix_purchases_customer_id_paid_at', ['customer_id', 'paid_at'], unique=False)
        batch_op.create_index('ix_purchases_paid_at', ['paid_at'], unique=False)

    op.create_table('referral_codes',
    sa.Column('id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('code', sa.String(length=12), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_referral_codes_customer_id_customers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_referral_codes')),
    sa.UniqueConstraint('code', name=op.f('uq_referral_codes_code'))
    )
    with op.batch_alter_table('referral_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_referral_codes_customer_id'), ['customer_id'], unique=False)

    op.create_table('ledger_postings',
    sa.Column('id', BigId, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('debt', sa.BigInteger(), nullable=False),
    sa.Column('base', sa.BigInteger(), nullable=False),
    sa.Column('base_at', UtcDateTime(), nullable=True),
    sa.Column('cause', sa.String(length=80), nullable=False),
    sa.Column('actor', sa.String(length=60), nullable=False),
    sa.Column('idempotency_key', sa.String(length=120), nullable=False),
    sa.Column('reverses_id', BigId, nullable=True),
    sa.Column('rules_id', BigId, nullable=True),
    sa.Column('data', Json, nullable=False),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['loyalty_accounts.id'], name=op.f('fk_ledger_postings_account_id_loyalty_accounts')),
    sa.ForeignKeyConstraint(['reverses_id'], ['ledger_postings.id'], name=op.f('fk_ledger_postings_reverses_id_ledger_postings')),
    sa.ForeignKeyConstraint(['rules_id'], ['loyalty_rule_versions.id'], name=op.f('fk_ledger_postings_rules_id_loyalty_rule_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_postings')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_ledger_postings_idempotency_key')),
    sa.UniqueConstraint('reverses_id', name=op.f('uq_ledger_postings_reverses_id'))
    )
    with op.batch_alter_table('ledger_postings', schema=None) as batch_op:
        batch_op.create_index('ix_ledger_postings_account_id_base_at', ['account_id', 'base_at'], unique=False)
        batch_op.create_index('ix_ledger_postings_account_id_id', ['account_id', 'id'], unique=False)
        batch_op.create_index('ix_ledger_postings_at', ['at'], unique=False)
        batch_op.create_index('ix_ledger_postings_cause', ['cause'], unique=False)

    op.create_table('purchase_lines',
    sa.Column('id', BigId, nullable=False),
    sa.Column('purchase_id', BigId, nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('category', sa.String(length=60), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount >= 0', name=op.f('ck_purchase_lines_amount_is_not_negative')),
    sa.ForeignKeyConstraint(['purchase_id'], ['purchases.id'], name=op.f('fk_purchase_lines_purchase_id_purchases')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchase_lines')),
    sa.UniqueConstraint('purchase_id', 'number', name=op.f('uq_purchase_lines_purchase_id_number'))
    )
    op.create_table('purchase_returns',
    sa.Column('id', BigId, nullable=False),
    sa.Column('purchase_id', BigId, nullable=False),
    sa.Column('return_id', sa.String(length=100), nullable=False),
    sa.Column('line_number', sa.Integer(), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('returned_at', UtcDateTime(), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.CheckConstraint('amount > 0', name=op.f('ck_purchase_returns_amount_is_positive')),
    sa.ForeignKeyConstraint(['purchase_id'], ['purchases.id'], name=op.f('fk_purchase_returns_purchase_id_purchases')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_purchase_returns')),
    sa.UniqueConstraint('purchase_id', 'return_id', 'line_number', name=op.f('uq_purchase_returns_purchase_id_return_id_line_number'))
    )
    op.create_table('referrals',
    sa.Column('id', BigId, nullable=False),
    sa.Column('referrer_id', BigId, nullable=False),
    sa.Column('friend_id', BigId, nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=40), nullable=False),
    sa.Column('purchase_id', BigId, nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('rewarded_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['friend_id'], ['customers.id'], name=op.f('fk_referrals_friend_id_customers')),
    sa.ForeignKeyConstraint(['purchase_id'], ['purchases.id'], name=op.f('fk_referrals_purchase_id_purchases')),
    sa.ForeignKeyConstraint(['referrer_id'], ['customers.id'], name=op.f('fk_referrals_referrer_id_customers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_referrals'))
    )
    with op.batch_alter_table('referrals', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_referrals_friend_id'), ['friend_id'], unique=False)
        batch_op.create_index('ix_referrals_referrer_id_state', ['referrer_id', 'state'], unique=False)

    op.create_table('point_lots',
    sa.Column('id', BigId, nullable=False),
    sa.Column('account_id', BigId, nullable=False),
    sa.Column('posting_id', BigId, nullable=False),
    sa.Column('earned_at', UtcDateTime(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['loyalty_accounts.id'], name=op.f('fk_point_lots_account_id_loyalty_accounts')),
    sa.ForeignKeyConstraint(['posting_id'], ['ledger_postings.id'], name=op.f('fk_point_lots_posting_id_ledger_postings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_point_lots')),
    sa.UniqueConstraint('posting_id', name=op.f('uq_point_lots_posting_id'))
    )
    with op.batch_alter_table('point_lots', schema=None) as batch_op:
        batch_op.create_index('ix_point_lots_account_id_expires_at', ['account_id', 'expires_at'], unique=False)
        batch_op.create_index('ix_point_lots_expires_at', ['expires_at'], unique=False)

    op.create_table('raffle_entries',
    sa.Column('id', BigId, nullable=False),
    sa.Column('raffle_id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('ticket', sa.String(length=16), nullable=False),
    sa.Column('posting_id', BigId, nullable=True),
    sa.Column('idempotency_key', sa.String(length=120), nullable=False),
    sa.Column('place', sa.Integer(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_raffle_entries_customer_id_customers')),
    sa.ForeignKeyConstraint(['posting_id'], ['ledger_postings.id'], name=op.f('fk_raffle_entries_posting_id_ledger_postings')),
    sa.ForeignKeyConstraint(['raffle_id'], ['raffles.id'], name=op.f('fk_raffle_entries_raffle_id_raffles')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_raffle_entries')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_raffle_entries_idempotency_key')),
    sa.UniqueConstraint('ticket', name=op.f('uq_raffle_entries_ticket'))
    )
    with op.batch_alter_table('raffle_entries', schema=None) as batch_op:
        batch_op.create_index('ix_raffle_entries_raffle_id_customer_id', ['raffle_id', 'customer_id'], unique=False)

    op.create_table('redemptions',
    sa.Column('id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('reward', sa.String(length=40), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('worth', sa.BigInteger(), nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.Column('code', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('posting_id', BigId, nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=True),
    sa.Column('used_by', sa.String(length=60), nullable=False),
    sa.Column('used_for', sa.String(length=100), nullable=False),
    sa.Column('used_at', UtcDateTime(), nullable=True),
    sa.Column('idempotency_key', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_redemptions_customer_id_customers')),
    sa.ForeignKeyConstraint(['posting_id'], ['ledger_postings.id'], name=op.f('fk_redemptions_posting_id_ledger_postings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_redemptions')),
    sa.UniqueConstraint('code', name=op.f('uq_redemptions_code')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_redemptions_idempotency_key')),
    sa.UniqueConstraint('posting_id', name=op.f('uq_redemptions_posting_id'))
    )
    with op.batch_alter_table('redemptions', schema=None) as batch_op:
        batch_op.create_index('ix_redemptions_customer_id_reward', ['customer_id', 'reward'], unique=False)
        batch_op.create_index('ix_redemptions_state_expires_at', ['state', 'expires_at'], unique=False)

    op.create_table('survey_invitations',
    sa.Column('id', BigId, nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('version_id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('conversation_id', BigId, nullable=True),
    sa.Column('trigger', sa.String(length=20), nullable=False),
    sa.Column('subject_id', sa.BigInteger(), nullable=True),
    sa.Column('staff_id', BigId, nullable=True),
    sa.Column('tier', sa.String(length=40), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('question', sa.String(length=60), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('asked_at', UtcDateTime(), nullable=True),
    sa.Column('reminded_at', UtcDateTime(), nullable=True),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.Column('idempotency_key', sa.String(length=120), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_survey_invitations_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_survey_invitations_customer_id_customers')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_members.id'], name=op.f('fk_survey_invitations_staff_id_staff_members')),
    sa.ForeignKeyConstraint(['version_id'], ['survey_versions.id'], name=op.f('fk_survey_invitations_version_id_survey_versions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_survey_invitations')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_survey_invitations_idempotency_key'))
    )
    with op.batch_alter_table('survey_invitations', schema=None) as batch_op:
        batch_op.create_index('ix_survey_invitations_customer_id_state', ['customer_id', 'state'], unique=False)
        batch_op.create_index('ix_survey_invitations_key_asked_at', ['key', 'asked_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_survey_invitations_staff_id'), ['staff_id'], unique=False)
        batch_op.create_index('ix_survey_invitations_state_due_at', ['state', 'due_at'], unique=False)

    op.create_table('lot_movements',
    sa.Column('id', BigId, nullable=False),
    sa.Column('posting_id', BigId, nullable=False),
    sa.Column('lot_id', BigId, nullable=False),
    sa.Column('points', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['lot_id'], ['point_lots.id'], name=op.f('fk_lot_movements_lot_id_point_lots')),
    sa.ForeignKeyConstraint(['posting_id'], ['ledger_postings.id'], name=op.f('fk_lot_movements_posting_id_ledger_postings')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lot_movements')),
    sa.UniqueConstraint('posting_id', 'lot_id', name=op.f('uq_lot_movements_posting_id_lot_id'))
    )
    with op.batch_alter_table('lot_movements', schema=None) as batch_op:
        batch_op.create_index('ix_lot_movements_lot_id', ['lot_id'], unique=False)

    op.create_table('survey_answers',
    sa.Column('id', BigId, nullable=False),
    sa.Column('invitation_id', BigId, nullable=False),
    sa.Column('question', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('value', sa.Integer(), nullable=True),
    sa.Column('choice', sa.String(length=40), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('files', Json, nullable=False),
    sa.Column('inbox_id', sa.BigInteger(), nullable=True),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['invitation_id'], ['survey_invitations.id'], name=op.f('fk_survey_answers_invitation_id_survey_invitations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_survey_answers')),
    sa.UniqueConstraint('invitation_id', 'question', name=op.f('uq_survey_answers_invitation_id_question'))
    )
    op.create_table('survey_follow_ups',
    sa.Column('id', BigId, nullable=False),
    sa.Column('invitation_id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('escalated_at', UtcDateTime(), nullable=True),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('done_by', sa.String(length=60), nullable=False),
    sa.Column('done_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_survey_follow_ups_customer_id_customers')),
    sa.ForeignKeyConstraint(['invitation_id'], ['survey_invitations.id'], name=op.f('fk_survey_follow_ups_invitation_id_survey_invitations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_survey_follow_ups')),
    sa.UniqueConstraint('invitation_id', name=op.f('uq_survey_follow_ups_invitation_id'))
    )
    with op.batch_alter_table('survey_follow_ups', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_survey_follow_ups_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index('ix_survey_follow_ups_state_due_at', ['state', 'due_at'], unique=False)

    with op.batch_alter_table('customers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tier_since', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('tier_grace_until', UtcDateTime(), nullable=True))

    _make_append_only()
    _seal_raffles()


def downgrade() -> None:
    with op.batch_alter_table('customers', schema=None) as batch_op:
        batch_op.drop_column('tier_grace_until')
        batch_op.drop_column('tier_since')

    with op.batch_alter_table('survey_follow_ups', schema=None) as batch_op:
        batch_op.drop_index('ix_survey_follow_ups_state_due_at')
        batch_op.drop_index(batch_op.f('ix_survey_follow_ups_customer_id'))

    op.drop_table('survey_follow_ups')
    op.drop_table('survey_answers')
    with op.batch_alter_table('lot_movements', schema=None) as batch_op:
        batch_op.drop_index('ix_lot_movements_lot_id')

    op.drop_table('lot_movements')
    with op.batch_alter_table('survey_invitations', schema=None) as batch_op:
        batch_op.drop_index('ix_survey_invitations_state_due_at')
        batch_op.drop_index(batch_op.f('ix_survey_invitations_staff_id'))
        batch_op.drop_index('ix_survey_invitations_key_asked_at')
        batch_op.drop_index('ix_survey_invitations_customer_id_state')

    op.drop_table('survey_invitations')
    with op.batch_alter_table('redemptions', schema=None) as batch_op:
        batch_op.drop_index('ix_redemptions_state_expires_at')
        batch_op.drop_index('ix_redemptions_customer_id_reward')

    op.drop_table('redemptions')
    with op.batch_alter_table('raffle_entries', schema=None) as batch_op:
        batch_op.drop_index('ix_raffle_entries_raffle_id_customer_id')

    op.drop_table('raffle_entries')
    with op.batch_alter_table('point_lots', schema=None) as batch_op:
        batch_op.drop_index('ix_point_lots_expires_at')
        batch_op.drop_index('ix_point_lots_account_id_expires_at')

    op.drop_table('point_lots')
    with op.batch_alter_table('referrals', schema=None) as batch_op:
        batch_op.drop_index('ix_referrals_referrer_id_state')
        batch_op.drop_index(batch_op.f('ix_referrals_friend_id'))

    op.drop_table('referrals')
    op.drop_table('purchase_returns')
    op.drop_table('purchase_lines')
    with op.batch_alter_table('ledger_postings', schema=None) as batch_op:
        batch_op.drop_index('ix_ledger_postings_cause')
        batch_op.drop_index('ix_ledger_postings_at')
        batch_op.drop_index('ix_ledger_postings_account_id_id')
        batch_op.drop_index('ix_ledger_postings_account_id_base_at')

    op.drop_table('ledger_postings')
    with op.batch_alter_table('referral_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_referral_codes_customer_id'))

    op.drop_table('referral_codes')
    with op.batch_alter_table('purchases', schema=None) as batch_op:
        batch_op.drop_index('ix_purchases_paid_at')
        batch_op.drop_index('ix_purchases_customer_id_paid_at')

    op.drop_table('purchases')
    with op.batch_alter_table('loyalty_accounts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_loyalty_accounts_customer_id'))

    op.drop_table('loyalty_accounts')
    op.drop_table('survey_versions')
    op.drop_table('reward_stocks')
    op.drop_table('raffles')
    op.drop_table('loyalty_rule_versions')
    op.drop_table('ledger_proofs')
    op.drop_table('api_keys')
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_to_change_the_ledger()")
        for place in (*_raffle_conditions("postgresql"), "raffles TRUNCATE"):
            op.execute(f"DROP FUNCTION {place.lower().replace(' ', '_sealed_')}()")
