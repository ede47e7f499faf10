"""tickets followed to their end

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from crm_store.base import BigId, Json, UtcDateTime  # noqa: F401

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('booking_windows',
    sa.Column('id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('starts_at', UtcDateTime(), nullable=False),
    sa.Column('ends_at', UtcDateTime(), nullable=False),
    sa.Column('booked', sa.Integer(), nullable=False),
    sa.CheckConstraint('booked >= 0', name=op.f('ck_booking_windows_booked_is_not_negative')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking_windows')),
    sa.UniqueConstraint('kind', 'starts_at', name=op.f('uq_booking_windows_kind_starts_at'))
    )
    op.create_table('problems',
    sa.Column('id', BigId, nullable=False),
    sa.Column('cause', sa.String(length=100), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('answered_by', sa.String(length=60), nullable=False),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('closed_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_problems'))
    )
    with op.batch_alter_table('problems', schema=None) as batch_op:
        batch_op.create_index('uq_problems_open_cause', ['cause'], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table('scheduled_jobs',
    sa.Column('id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('data', Json, nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('finished_at', UtcDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduled_jobs')),
    sa.UniqueConstraint('key', name=op.f('uq_scheduled_jobs_key'))
    )
    with op.batch_alter_table('scheduled_jobs', schema=None) as batch_op:
        batch_op.create_index('ix_scheduled_jobs_state_due_at', ['state', 'due_at'], unique=False)

    op.create_table('sla_clocks',
    sa.Column('id', BigId, nullable=False),
    sa.Column('subject_type', sa.String(length=20), nullable=False),
    sa.Column('subject_id', BigId, nullable=False),
    sa.Column('metric', sa.String(length=20), nullable=False),
    sa.Column('policy', sa.String(length=200), nullable=False),
    sa.Column('target_seconds', sa.Integer(), nullable=False),
    sa.Column('started_at', UtcDateTime(), nullable=False),
    sa.Column('due_at', UtcDateTime(), nullable=False),
    sa.Column('warn_at', UtcDateTime(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('paused_at', UtcDateTime(), nullable=True),
    sa.Column('paused_seconds', sa.Integer(), nullable=False),
    sa.Column('stopped_at', UtcDateTime(), nullable=True),
    sa.Column('warned_at', UtcDateTime(), nullable=True),
    sa.Column('breached_at', UtcDateTime(), nullable=True),
    sa.Column('escalated', sa.Integer(), nullable=False),
    sa.Column('check_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sla_clocks'))
    )
    with op.batch_alter_table('sla_clocks', schema=None) as batch_op:
        batch_op.create_index('ix_sla_clocks_check_at', ['check_at'], unique=False)
        batch_op.create_index('ix_sla_clocks_subject', ['subject_type', 'subject_id'], unique=False)

    op.create_table('ticket_notes',
    sa.Column('id', BigId, nullable=False),
    sa.Column('subject_type', sa.String(length=20), nullable=False),
    sa.Column('subject_id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('author', sa.String(length=60), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('idempotency_key', sa.String(length=120), nullable=True),
    sa.Column('answered_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_notes')),
    sa.UniqueConstraint('idempotency_key', name=op.f('uq_ticket_notes_idempotency_key'))
    )
    with op.batch_alter_table('ticket_notes', schema=None) as batch_op:
        batch_op.create_index('ix_ticket_notes_subject', ['subject_type', 'subject_id'], unique=False)

    op.create_table('staff_invitations',
    sa.Column('id', BigId, nullable=False),
    sa.Column('staff_id', BigId, nullable=False),
    sa.Column('lookup', sa.String(length=16), nullable=False),
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('tries_left', sa.Integer(), nullable=False),
    sa.Column('expires_at', UtcDateTime(), nullable=False),
    sa.Column('used_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_members.id'], name=op.f('fk_staff_invitations_staff_id_staff_members')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_staff_invitations')),
    sa.UniqueConstraint('lookup', name=op.f('uq_staff_invitations_lookup'))
    )
    with op.batch_alter_table('staff_invitations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_invitations_staff_id'), ['staff_id'], unique=False)

    op.create_table('staff_accounts',
    sa.Column('identity_id', BigId, nullable=False),
    sa.Column('staff_id', BigId, nullable=False),
    sa.Column('linked_at', UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['identity_id'], ['channel_identities.id'], name=op.f('fk_staff_accounts_identity_id_channel_identities')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff_members.id'], name=op.f('fk_staff_accounts_staff_id_staff_members')),
    sa.PrimaryKeyConstraint('identity_id', name=op.f('pk_staff_accounts'))
    )
    with op.batch_alter_table('staff_accounts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_staff_accounts_staff_id'), ['staff_id'], unique=False)

    op.create_table('service_requests',
    sa.Column('id', BigId, nullable=False),
    sa.Column('code', sa.String(length=8), nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('conversation_id', BigId, nullable=False),
    sa.Column('draft_id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('problem', sa.Text(), nullable=False),
    sa.Column('product', sa.String(length=200), nullable=False),
    sa.Column('city', sa.String(length=60), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('answers', Json, nullable=False),
    sa.Column('contact_point_id', BigId, nullable=True),
    sa.Column('state', sa.String(length=20), nullable=False),
    sa.Column('priority', sa.String(length=10), nullable=False),
    sa.Column('window_id', BigId, nullable=True),
    sa.Column('technician_id', BigId, nullable=True),
    sa.Column('reason', sa.String(length=20), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('confirmed_at', UtcDateTime(), nullable=True),
    sa.Column('rating', sa.Integer(), nullable=True),
    sa.Column('rating_scale', sa.Integer(), nullable=True),
    sa.Column('done_at', UtcDateTime(), nullable=True),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('updated_at', UtcDateTime(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['contact_point_id'], ['contact_points.id'], name=op.f('fk_service_requests_contact_point_id_contact_points')),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.id'], name=op.f('fk_service_requests_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_service_requests_customer_id_customers')),
    sa.ForeignKeyConstraint(['draft_id'], ['drafts.id'], name=op.f('fk_service_requests_draft_id_drafts')),
    sa.ForeignKeyConstraint(['technician_id'], ['staff_members.id'], name=op.f('fk_service_requests_technician_id_staff_members')),
    sa.ForeignKeyConstraint(['window_id'], ['booking_windows.id'], name=op.f('fk_service_requests_window_id_booking_windows')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_requests')),
    sa.UniqueConstraint('code', name=op.f('uq_service_requests_code')),
    sa.UniqueConstraint('draft_id', name=op.f('uq_service_requests_draft_id'))
    )
    with op.batch_alter_table('service_requests', schema=None) as batch_op:
        batch_op.create_index('ix_service_requests_customer_id_created_at', ['customer_id', 'created_at'], unique=False)
        batch_op.create_index('ix_service_requests_state_id', ['state', 'id'], unique=False)
        batch_op.create_index('ix_service_requests_technician_id_state', ['technician_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_service_requests_window_id'), ['window_id'], unique=False)

    op.create_table('complaint_resolutions',
    sa.Column('id', BigId, nullable=False),
    sa.Column('complaint_id', BigId, nullable=False),
    sa.Column('decision', sa.String(length=20), nullable=False),
    sa.Column('root_cause', sa.String(length=40), nullable=False),
    sa.Column('remedy', sa.String(length=20), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('told_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaints.id'], name=op.f('fk_complaint_resolutions_complaint_id_complaints')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_complaint_resolutions'))
    )
    with op.batch_alter_table('complaint_resolutions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_complaint_resolutions_complaint_id'), ['complaint_id'], unique=False)

    op.create_table('compensations',
    sa.Column('id', BigId, nullable=False),
    sa.Column('complaint_id', BigId, nullable=False),
    sa.Column('resolution_id', BigId, nullable=False),
    sa.Column('customer_id', BigId, nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('requested_by', sa.String(length=60), nullable=False),
    sa.Column('decided_by', sa.String(length=60), nullable=False),
    sa.Column('created_at', UtcDateTime(), nullable=False),
    sa.Column('decided_at', UtcDateTime(), nullable=True),
    sa.Column('settled_at', UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['complaint_id'], ['complaints.id'], name=op.f('fk_compensations_complaint_id_complaints')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.id'], name=op.f('fk_compensations_customer_id_customers')),
    sa.ForeignKeyConstraint(['resolution_id'], ['complaint_resolutions.id'], name=op.f('fk_compensations_resolution_id_complaint_resolutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_compensations')),
    sa.UniqueConstraint('resolution_id', name=op.f('uq_compensations_resolution_id'))
    )
    with op.batch_alter_table('compensations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_compensations_complaint_id'), ['complaint_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_compensations_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index('ix_compensations_state_kind', ['state', 'kind'], unique=False)

    with op.batch_alter_table('attachments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('service_request_id', BigId, nullable=True))
        batch_op.add_column(sa.Column('note_id', BigId, nullable=True))
        batch_op.create_index(batch_op.f('ix_attachments_service_request_id'), ['service_request_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_attachments_service_request_id_service_requests'), 'service_requests', ['service_request_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_attachments_note_id_ticket_notes'), 'ticket_notes', ['note_id'], ['id'])

    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.add_column(sa.Column('product', sa.String(length=40), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('priority', sa.String(length=10), nullable=False, server_default='normal'))
        batch_op.add_column(sa.Column('priority_reasons', Json, nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('assignee_id', BigId, nullable=True))
        batch_op.add_column(sa.Column('related_to_id', BigId, nullable=True))
        batch_op.add_column(sa.Column('problem_id', BigId, nullable=True))
        batch_op.add_column(sa.Column('root_cause', sa.String(length=40), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('resolved_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('closed_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('appealed_at', UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column('reopened_count', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('updated_at', UtcDateTime(), nullable=False, server_default='2000-01-01 00:00:00'))
        batch_op.add_column(sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
        batch_op.create_index('ix_complaints_assignee_id_state', ['assignee_id', 'state'], unique=False)
        batch_op.create_index('ix_complaints_category_created_at', ['category', 'created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_complaints_problem_id'), ['problem_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_complaints_related_to_id'), ['related_to_id'], unique=False)
        batch_op.create_index('ix_complaints_state_id', ['state', 'id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_complaints_problem_id_problems'), 'problems', ['problem_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_complaints_related_to_id_complaints'), 'complaints', ['related_to_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_complaints_assignee_id_staff_members'), 'staff_members', ['assignee_id'], ['id'])

    op.execute('UPDATE complaints SET updated_at = created_at')

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_conversations_identity_id'), ['identity_id'], unique=False)

    with op.batch_alter_table('customers', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tier', sa.String(length=40), nullable=False, server_default=''))

    with op.batch_alter_table('staff_members', schema=None) as batch_op:
        batch_op.add_column(sa.Column('skills', Json, nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('areas', Json, nullable=False, server_default='[]'))
        batch_op.alter_column('login',
               existing_type=sa.VARCHAR(length=60),
               nullable=True)



def downgrade() -> None:
    with op.batch_alter_table('staff_members', schema=None) as batch_op:
        batch_op.alter_column('login',
               existing_type=sa.VARCHAR(length=60),
               nullable=False)
        batch_op.drop_column('areas')
        batch_op.drop_column('skills')

    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_conversations_identity_id'))

    with op.batch_alter_table('customers', schema=None) as batch_op:
        batch_op.drop_column('tier')

    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_complaints_assignee_id_staff_members'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_complaints_related_to_id_complaints'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_complaints_problem_id_problems'), type_='foreignkey')
        batch_op.drop_index('ix_complaints_state_id')
        batch_op.drop_index(batch_op.f('ix_complaints_related_to_id'))
        batch_op.drop_index(batch_op.f('ix_complaints_problem_id'))
        batch_op.drop_index('ix_complaints_category_created_at')
        batch_op.drop_index('ix_complaints_assignee_id_state')
        batch_op.drop_column('version')
        batch_op.drop_column('updated_at')
        batch_op.drop_column('reopened_count')
        batch_op.drop_column('appealed_at')
        batch_op.drop_column('closed_at')
        batch_op.drop_column('resolved_at')
        batch_op.drop_column('root_cause')
        batch_op.drop_column('problem_id')
        batch_op.drop_column('related_to_id')
        batch_op.drop_column('assignee_id')
        batch_op.drop_column('priority_reasons')
        batch_op.drop_column('priority')
        batch_op.drop_column('product')

    with op.batch_alter_table('attachments', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_attachments_note_id_ticket_notes'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_attachments_service_request_id_service_requests'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_attachments_service_request_id'))
        batch_op.drop_column('note_id')
        batch_op.drop_column('service_request_id')

    with op.batch_alter_table('compensations', schema=None) as batch_op:
        batch_op.drop_index('ix_compensations_state_kind')
        batch_op.drop_index(batch_op.f('ix_compensations_customer_id'))
        batch_op.drop_index(batch_op.f('ix_compensations_complaint_id'))

    op.drop_table('compensations')
    with op.batch_alter_table('complaint_resolutions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_complaint_resolutions_complaint_id'))

    op.drop_table('complaint_resolutions')
    with op.batch_alter_table('service_requests', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_service_requests_window_id'))
        batch_op.drop_index('ix_service_requests_technician_id_state')
        batch_op.drop_index('ix_service_requests_state_id')
        batch_op.drop_index('ix_service_requests_customer_id_created_at')

    op.drop_table('service_requests')
    with op.batch_alter_table('staff_accounts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_accounts_staff_id'))

    op.drop_table('staff_accounts')
    with op.batch_alter_table('staff_invitations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_staff_invitations_staff_id'))

    op.drop_table('staff_invitations')
    with op.batch_alter_table('ticket_notes', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_notes_subject')

    op.drop_table('ticket_notes')
    with op.batch_alter_table('sla_clocks', schema=None) as batch_op:
        batch_op.drop_index('ix_sla_clocks_subject')
        batch_op.drop_index('ix_sla_clocks_check_at')

    op.drop_table('sla_clocks')
    with op.batch_alter_table('scheduled_jobs', schema=None) as batch_op:
        batch_op.drop_index('ix_scheduled_jobs_state_due_at')

    op.drop_table('scheduled_jobs')
    with op.batch_alter_table('problems', schema=None) as batch_op:
        batch_op.drop_index('uq_problems_open_cause', sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.drop_table('problems')
    op.drop_table('booking_windows')
