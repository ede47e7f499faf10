"""people take over

Revision: 0006, after 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_store.base import BigId, Json, UtcDateTime  # noqa: F401
from crm_store.customers.names import words_of
from crm_store.transcripts.folding import searchable
from crm_store.transcripts.models import FULL_TEXT_DROPPED, FULL_TEXT_MADE

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('canned_replies',
    sa.Column('id', BigId, nullable=False),
    sa.Column('shortcut', sa.String(length=40), nullable=False),
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('created_by', sa.String(length=60), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.Column('deleted_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_canned_replies')),
    sa.UniqueConstraint('shortcut', name=op.f('uq_canned_replies_shortcut'))
    )
    op.create_table('name_words',
    sa.Column('id', BigId, nullable=False),
    sa.Column('word', sa.String(length=60), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_name_words')),
    sa.UniqueConstraint('word', name=op.f('uq_name_words_word'))
    )
    op.create_table('text_versions',
    sa.Column('id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('actor', sa.String(length=60), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_text_versions'))
    )
    with op.batch_alter_table('text_versions', schema=None) as batch_op:
        batch_op.create_index('ix_text_versions_kind_key', ['kind', 'key', 'id'], unique=False)

    op.create_table('customer_names',
    sa.Column('id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('word_id', BigId, nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_customer_names_customer_id_customers'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['word_id'], ['name_words.id'], name=op.f('fk_customer_names_word_id_name_words')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_customer_names'))
    )
    with op.batch_alter_table('customer_names', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_customer_names_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index('ix_customer_names_word_id_customer_id', ['word_id', 'customer_id'], unique=False)

    op.create_table('staff_notes',
    sa.Column('id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('staff_id', BigId, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('is_pinned', sa.Boolean(), nullable=False),
    sa.Column('inbox_id', BigId, nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('deleted_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_staff_notes_customer_id_customers')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_staff_notes_inbox_id_inbox')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_members.id'], name=op.f('fk_staff_notes_staff_id_staff_members')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_notes')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_staff_notes_inbox_id'))
    )
    with op.batch_alter_table('staff_notes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_notes_customer_id'), ['customer_id'], unique=False)

    op.create_table('handoffs',
    sa.Column('id', BigId, nullable=False),
    sa.Column('conversation_id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('urgency', sa.Integer(), nullable=False),
    sa.Column('team', sa.String(length=60), nullable=False),
    sa.Column('skill', sa.String(length=60), nullable=False),
    sa.Column('offered_to_id', BigId, nullable=True),
    sa.Column('offered_at', UtcDateTime(), nullable=True),
    sa.Column('owner_id', BigId, nullable=True),
    sa.Column('requested_at', UtcDateTime(), nullable=False),
    sa.Column('waiting_since', UtcDateTime(), nullable=False),
    sa.Column('claimed_at', UtcDateTime(), nullable=True),
    sa.Column('first_reply_at', UtcDateTime(), nullable=True),
    sa.Column('ended_at', UtcDateTime(), nullable=True),
    sa.Column('outcome', sa.String(length=20), nullable=False),
    sa.Column('agreed', sa.Text(), nullable=False),
    sa.Column('escalated', sa.Integer(), nullable=False),
    sa.Column('escalate_at', UtcDateTime(), nullable=True),
    sa.Column('inbox_id', BigId, nullable=True),
    sa.Column('interrupted', Json, nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_handoffs_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_handoffs_customer_id_customers')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_handoffs_inbox_id_inbox')),
    sa.ForeignKeyConstraint(['offered_to_id'], ['staff_members.id'], name=op.f('fk_handoffs_offered_to_id_staff_members')),
    sa.ForeignKeyConstraint(['owner_id'], ['staff_members.id'], name=op.f('fk_handoffs_owner_id_staff_members')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_handoffs')),
    sa.UniqueConstraint('id', 'conversation_id', name=op.f('uq_handoffs_id_conversation_id')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_handoffs_inbox_id'))
    )
    with op.batch_alter_table('handoffs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_handoffs_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_handoffs_offered_to_id'), ['offered_to_id'], unique=False)
        batch_op.create_index('ix_handoffs_owner_id_state', ['owner_id', 'state'], unique=False)
        batch_op.create_index('ix_handoffs_state_requested_at', ['state', 'requested_at'], unique=False)
        batch_op.create_index('uq_handoffs_open_conversation_id', ['conversation_id'], unique=True, sqlite_where=sa.text("state <> 'ended'"), postgresql_where=sa.text("state <> 'ended'"))

    op.create_table('staff_focus',
    sa.Column('conversation_id', BigId, nullable=False),
    sa.Column('staff_id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=True),
    sa.Column('data', Json, nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_staff_focus_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_staff_focus_customer_id_customers')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_members.id'], name=op.f('fk_staff_focus_staff_id_staff_members')),
    sa.PrimaryKeyConstraint('conversation_id', name=op.f('pk_staff_focus'))
    )
    with op.batch_alter_table('staff_focus', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_focus_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_staff_focus_staff_id'), ['staff_id'], unique=False)

    op.create_table('staff_topics',
    sa.Column('id', BigId, nullable=False),
    sa.Column('conversation_id', BigId, nullable=False),
    sa.Column('group_id', BigId, nullable=False),
    sa.Column('thread_id', BigId, nullable=True),
    sa.Column('relayed_seq', sa.Integer(), nullable=False),
    sa.Column('handoff_id', BigId, nullable=True),
    sa.Column('shown', sa.String(length=40), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_staff_topics_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['handoff_id'], ['handoffs.id'], name=op.f('fk_staff_topics_handoff_id_handoffs')),
    sa.ForeignKeyConstraint(['group_id'], ['conversations.id'], name=op.f('fk_staff_topics_group_id_conversations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_topics')),
    sa.UniqueConstraint('conversation_id', 'group_id', name=op.f('uq_staff_topics_conversation_id_group_id')),
    sa.UniqueConstraint('group_id', 'thread_id', name=op.f('uq_staff_topics_group_id_thread_id'))
    )
    with op.batch_alter_table('staff_topics', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_topics_handoff_id'), ['handoff_id'], unique=False)

    op.create_table('message_texts',
    sa.Column('message_id', BigId, nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_message_texts_message_id_messages'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_message_texts'))
    )
    op.create_table('relayed_lines',
    sa.Column('id', BigId, nullable=False),
    sa.Column('topic_id', BigId, nullable=False),
    sa.Column('message_id', BigId, nullable=True),
    sa.Column('platform_message_id', sa.String(length=60), nullable=False),
    sa.Column('form', sa.String(length=10), nullable=False),
    sa.Column('is_stale', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_relayed_lines_message_id_messages'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['topic_id'], ['staff_topics.id'], name=op.f('fk_relayed_lines_topic_id_staff_topics')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_relayed_lines')),
    sa.UniqueConstraint('topic_id', 'platform_message_id', 'message_id', name=op.f('uq_relayed_lines_topic_id_platform_message_id_message_id'))
    )
    with op.batch_alter_table('relayed_lines', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_relayed_lines_message_id'), ['message_id'], unique=False)
        batch_op.create_index('ix_relayed_lines_platform_message_id', ['platform_message_id'], unique=False)

    with op.batch_alter_table('callback_requests', schema=None) as batch_op:
        batch_op.add_column(sa.Column('done_by_id', BigId, nullable=True))
        batch_op.add_column(sa.Column('done_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('outcome', sa.Text(), nullable=False, server_default=""))
        batch_op.create_foreign_key(batch_op.f('fk_callback_requests_done_by_id_staff_members'), 'staff_members', ['done_by_id'], ['id'])

    with op.batch_alter_table('console_sessions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('awaits_code', sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('owner_id', BigId, nullable=True))
        batch_op.add_column(sa.Column('ownership', sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_foreign_key(batch_op.f('fk_conversations_owner_id_staff_members'), 'staff_members', ['owner_id'], ['id'])

    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('audience', sa.String(length=10), nullable=False, server_default="all"))

    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.add_column(sa.Column('speaker', sa.String(length=10), nullable=False, server_default="bot"))
        batch_op.add_column(sa.Column('ownership', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('handoff_id', BigId, nullable=True))
        batch_op.create_check_constraint('staff_reply_has_handoff', "speaker <> 'staff' OR handoff_id IS NOT NULL")
        batch_op.create_foreign_key(batch_op.f('fk_outbox_handoff_id_conversation_id_handoffs'), 'handoffs', ['handoff_id', 'conversation_id'], ['id', 'conversation_id'])

    with op.batch_alter_table('staff_accounts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('active_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('pin_failures', sa.Integer(), nullable=False, server_default="0"))

    with op.batch_alter_table('staff_members', schema=None) as batch_op:
        batch_op.add_column(sa.Column('team', sa.String(length=60), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('presence', sa.String(length=10), nullable=False, server_default="offline"))
        batch_op.add_column(sa.Column('presence_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('max_chats', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('offered_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('totp_secret', sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('totp_confirmed_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('totp_last_step', BigId, nullable=True))
        batch_op.add_column(sa.Column('pin_hash', sa.String(length=200), nullable=False, server_default=""))

    with op.batch_alter_table('contact_points', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ending', sa.String(length=4), nullable=False, server_default=""))
        batch_op.create_index(batch_op.f('ix_contact_points_ending'), ['ending'], unique=False)

    with op.batch_alter_table('purchases', schema=None) as batch_op:
        batch_op.create_index('ix_purchases_order_id', ['order_id'], unique=False)

    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.create_index('ix_complaints_order_number', ['order_number'], unique=False)

    connection = op.get_bind()
    for statement in FULL_TEXT_MADE[connection.dialect.name]:
        op.execute(statement)
    op.execute(
        "UPDATE contact_points SET ending = CASE WHEN length(value) > 4 "
        "THEN substr(value, length(value) - 3) ELSE value END WHERE kind <> 'erased'"
    )
    _fill_names(connection)
    _fill_texts(connection)


def _fill_names(connection: sa.Connection) -> None:
    """Take up the words of names that are there already; a joined record lends its own to the other one."""
    customers = sa.table('customers', *map(sa.column, ('id', 'full_name', 'display_name', 'merged_into_id', 'erased_at')))
    name_words = sa.table('name_words', sa.column('id'), sa.column('word'))
    customer_names = sa.table('customer_names', sa.column('customer_id'), sa.column('word_id'))
    rows = connection.execute(sa.select(customers).where(customers.c.erased_at.is_(None))).all()
    into = {row.id: row.merged_into_id for row in rows}
    known: dict[str, int] = {}
    wanted: set[tuple[int, int]] = set()
    for row in rows:
        head = row.id
        while into.get(head) is not None:
            head = into[head]
        for word in words_of(row.full_name, row.display_name) if head in into else ():
            wanted.add((head, known.setdefault(word, len(known) + 1)))
    for batch in _batches([{'word': word} for word in known]):
        connection.execute(sa.insert(name_words), batch)
    ids = dict(connection.execute(sa.select(name_words.c.word, name_words.c.id)).tuples().all())
    real = {number: ids[word] for word, number in known.items()}
    for batch in _batches([{'customer_id': one, 'word_id': real[number]} for one, number in sorted(wanted)]):
        connection.execute(sa.insert(customer_names), batch)


def _fill_texts(connection: sa.Connection) -> None:
    """Take up what was said so far, so that it is found."""
    messages = sa.table('messages', *map(sa.column, ('id', 'author', 'text')))
    message_texts = sa.table('message_texts', sa.column('message_id'), sa.column('folded'))
    last = 0
    while rows := connection.execute(
        sa.select(messages).where(messages.c.id > last).order_by(messages.c.id).limit(_BATCH)
    ).all():
        last = rows[-1].id
        folded = [(row.id, searchable(row.author, row.text)) for row in rows]
        if batch := [{'message_id': one, 'folded': text} for one, text in folded if text]:
            connection.execute(sa.insert(message_texts), batch)


_BATCH = 2000


def _batches(rows: list[dict]) -> list[list[dict]]:
    return [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]


def downgrade() -> None:
    for statement in FULL_TEXT_DROPPED[op.get_bind().dialect.name]:
        op.execute(statement)
    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.drop_index('ix_complaints_order_number')

    with op.batch_alter_table('purchases', schema=None) as batch_op:
        batch_op.drop_index('ix_purchases_order_id')

    with op.batch_alter_table('contact_points', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contact_points_ending'))
        batch_op.drop_column('ending')

    with op.batch_alter_table('staff_members', schema=None) as batch_op:
        batch_op.drop_column('pin_hash')
        batch_op.drop_column('totp_last_step')
        batch_op.drop_column('totp_confirmed_at')
        batch_op.drop_column('totp_secret')
        batch_op.drop_column('offered_at')
        batch_op.drop_column('max_chats')
        batch_op.drop_column('presence_at')
        batch_op.drop_column('presence')
        batch_op.drop_column('team')

    with op.batch_alter_table('staff_accounts', schema=None) as batch_op:
        batch_op.drop_column('pin_failures')
        batch_op.drop_column('active_at')

    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_constraint('staff_reply_has_handoff', type_='check')
        batch_op.drop_constraint(batch_op.f('fk_outbox_handoff_id_conversation_id_handoffs'), type_='foreignkey')
        batch_op.drop_column('handoff_id')
        batch_op.drop_column('ownership')
        batch_op.drop_column('speaker')

    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_column('audience')

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_conversations_owner_id_staff_members'), type_='foreignkey')
        batch_op.drop_column('ownership')
        batch_op.drop_column('owner_id')

    with op.batch_alter_table('console_sessions', schema=None) as batch_op:
        batch_op.drop_column('awaits_code')

    with op.batch_alter_table('callback_requests', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_callback_requests_done_by_id_staff_members'), type_='foreignkey')
        batch_op.drop_column('outcome')
        batch_op.drop_column('done_at')
        batch_op.drop_column('done_by_id')

    with op.batch_alter_table('relayed_lines', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_relayed_lines_message_id'))

    op.drop_table('relayed_lines')
    op.drop_table('message_texts')
    op.drop_table('staff_topics')
    with op.batch_alter_table('staff_focus', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_focus_staff_id'))
        batch_op.drop_index(batch_op.f('ix_staff_focus_customer_id'))

    op.drop_table('staff_focus')
    with op.batch_alter_table('handoffs', schema=None) as batch_op:
        batch_op.drop_index('uq_handoffs_open_conversation_id', sqlite_where=sa.text("state <> 'ended'"), postgresql_where=sa.text("state <> 'ended'"))
        batch_op.drop_index('ix_handoffs_state_requested_at')
        batch_op.drop_index('ix_handoffs_owner_id_state')
        batch_op.drop_index(batch_op.f('ix_handoffs_offered_to_id'))
        batch_op.drop_index(batch_op.f('ix_handoffs_customer_id'))

    op.drop_table('handoffs')
    with op.batch_alter_table('staff_notes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_notes_customer_id'))

    op.drop_table('staff_notes')
    with op.batch_alter_table('customer_names', schema=None) as batch_op:
        batch_op.drop_index('ix_customer_names_word_id_customer_id')
        batch_op.drop_index(batch_op.f('ix_customer_names_customer_id'))

    op.drop_table('customer_names')
    with op.batch_alter_table('text_versions', schema=None) as batch_op:
        batch_op.drop_index('ix_text_versions_kind_key')

    op.drop_table('text_versions')
    op.drop_table('name_words')
    op.drop_table('canned_replies')
