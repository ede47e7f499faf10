"""learning from use

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_store.base import BigId, Json, UtcDateTime  # noqa: F401

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('learning_samples',
    sa.Column('id', BigId, nullable=False),
    sa.Column('conversation_id', BigId, nullable=False),
    sa.Column('inbox_id', BigId, nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('understood_as', sa.String(length=60), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('ranking', Json, nullable=False),
    sa.Column('reason', sa.String(length=10), nullable=False),
    sa.Column('chosen', sa.String(length=60), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('assigned', sa.String(length=60), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=False),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_learning_samples_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_learning_samples_inbox_id_inbox')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_learning_samples')),
    sa.UniqueConstraint('inbox_id', name=op.f('uq_learning_samples_inbox_id'))
    )
    with op.batch_alter_table('learning_samples', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_learning_samples_conversation_id'), ['conversation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_learning_samples_state'), ['state'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('learning_samples', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_learning_samples_state'))
        batch_op.drop_index(batch_op.f('ix_learning_samples_conversation_id'))

    op.drop_table('learning_samples')
