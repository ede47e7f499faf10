"""people and their say

Revision: 0002, after 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_store.base import BigId, Json, UtcDateTime  # noqa: F401

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('staff_members',
    sa.Column('id', BigId, nullable=False),
    sa.Column('login', sa.String(length=60), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('disabled_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_members')),
    sa.UniqueConstraint('login', name=op.f('uq_staff_members_login'))
    )
    op.create_table('consents',
    sa.Column('id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('purpose', sa.String(length=20), nullable=False),
    sa.Column('granted', sa.Boolean(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('version', sa.String(length=20), nullable=False),
    sa.Column('channel', sa.String(length=20), nullable=False),
    sa.Column('inbox_id', BigId, nullable=True),
    sa.Column('at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_consents_customer_id_customers')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_consents_inbox_id_inbox')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consents')),
    sa.UniqueConstraint('inbox_id', 'purpose', name=op.f('uq_consents_inbox_id_purpose'))
    )
    with op.batch_alter_table('consents', schema=None) as batch_op:
        batch_op.create_index('ix_consents_customer_id_purpose', ['customer_id', 'purpose'], unique=False)

    op.create_table('console_sessions',
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('staff_id', BigId, nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_members.id'], name=op.f('fk_console_sessions_staff_id_staff_members')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_console_sessions'))
    )
    with op.batch_alter_table('console_sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_console_sessions_staff_id'), ['staff_id'], unique=False)

    op.create_table('link_conflicts',
    sa.Column('id', BigId, nullable=False),
    sa.Column('identity_id', BigId, nullable=False),
    sa.Column('holder_id', BigId, nullable=False),
    sa.Column('phone', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('settled_by', sa.String(length=60), nullable=False),
    sa.Column('settled_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['holder_id'], ['customers.id'], name=op.f('fk_link_conflicts_holder_id_customers')),
    sa.ForeignKeyConstraint(['identity_id'], ['channel_identities.id'], name=op.f('fk_link_conflicts_identity_id_channel_identities')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link_conflicts')),
    sa.UniqueConstraint('identity_id', 'holder_id', 'phone', name=op.f('uq_link_conflicts_identity_id_holder_id_phone'))
    )
    op.create_table('erasures',
    sa.Column('id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('conversation_id', BigId, nullable=True),
    sa.Column('inbox_id', BigId, nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=False),
    sa.Column('requested_at', UtcDateTime(), nullable=False),
    sa.Column('done_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_erasures_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_erasures_customer_id_customers')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_erasures')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_erasures_inbox_id'))
    )
    with op.batch_alter_table('erasures', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_erasures_customer_id'), ['customer_id'], unique=False)

    with op.batch_alter_table('callback_requests', schema=None) as batch_op:
        batch_op.add_column(sa.Column('due_at', UtcDateTime(), nullable=True))

    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.add_column(sa.Column('order_number', sa.String(length=40), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('remedy', sa.String(length=20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('contact_point_id', BigId, nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_complaints_contact_point_id_contact_points'), 'contact_points', ['contact_point_id'], ['id'])

    with op.batch_alter_table('contact_points', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proven_by_id', BigId, nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_contact_points_proven_by_id_channel_identities'), 'channel_identities', ['proven_by_id'], ['id'])

    with op.batch_alter_table('customers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('full_name', sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('birthday', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('address', sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('preferred_channel', sa.String(length=20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('preferred_time', sa.String(length=200), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('source', sa.String(length=20), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('external_ref', sa.String(length=100), nullable=False, server_default=""))
        batch_op.add_column(sa.Column('merged_into_id', BigId, nullable=True))
        batch_op.add_column(sa.Column('erased_at', UtcDateTime(), nullable=True))
        batch_op.create_index(batch_op.f('ix_customers_external_ref'), ['external_ref'], unique=False)
        batch_op.create_index(batch_op.f('ix_customers_merged_into_id'), ['merged_into_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_customers_merged_into_id_customers'), 'customers', ['merged_into_id'], ['id'])

    with op.batch_alter_table('drafts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reminded_at', UtcDateTime(), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table('drafts', schema=None) as batch_op:
        batch_op.drop_column('reminded_at')

    with op.batch_alter_table('customers', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_customers_merged_into_id_customers'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_customers_merged_into_id'))
        batch_op.drop_index(batch_op.f('ix_customers_external_ref'))
        batch_op.drop_column('erased_at')
        batch_op.drop_column('merged_into_id')
        batch_op.drop_column('external_ref')
        batch_op.drop_column('source')
        batch_op.drop_column('preferred_time')
        batch_op.drop_column('preferred_channel')
        batch_op.drop_column('address')
        batch_op.drop_column('birthday')
        batch_op.drop_column('full_name')

    with op.batch_alter_table('contact_points', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_contact_points_proven_by_id_channel_identities'), type_='foreignkey')
        batch_op.drop_column('proven_by_id')

    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_complaints_contact_point_id_contact_points'), type_='foreignkey')
        batch_op.drop_column('contact_point_id')
        batch_op.drop_column('remedy')
        batch_op.drop_column('order_number')

    with op.batch_alter_table('callback_requests', schema=None) as batch_op:
        batch_op.drop_column('due_at')

    with op.batch_alter_table('erasures', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_erasures_customer_id'))

    op.drop_table('erasures')
    op.drop_table('link_conflicts')
    with op.batch_alter_table('console_sessions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_console_sessions_staff_id'))

    op.drop_table('console_sessions')
    with op.batch_alter_table('consents', schema=None) as batch_op:
        batch_op.drop_index('ix_consents_customer_id_purpose')

    op.drop_table('consents')
    op.drop_table('staff_members')
