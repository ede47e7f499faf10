"""Makes the file of everything held about a customer, with the names that the business gives to things."""

from __future__ import annotations

from sqlalchemy.orm import Session

from crm_store.business import BusinessFile
from crm_store.privacy.export import ExportFile, Names, make_export
from crm_store.settings import Settings
from crm_store.terms import terms


class Exports:
    """Makes files.

    Args:
        settings: the attachments folder and the time zone.
        business: its name and the titles of its categories, as they are now.
    """

    def __init__(self, settings: Settings, business: BusinessFile) -> None:
        self._settings = settings
        self._business = business

    def make(self, session: Session, *, customer_id: int) -> ExportFile:
        """Everything held about a customer at this moment.

        Raises:
            NotFound: there is no such customer.
        """
        business = self._business.current()
        words, services = terms("complaints"), terms("service_requests")
        names = Names(
            business=business.name,
            categories={category.key: category.title for category in business.complaints.categories},
            remedies=dict(words["remedies"]),
            remedies_done=dict(words["remedies_done"]),
            states=dict(words["states"]),
            decisions=dict(words["decisions"]),
            causes={cause.key: cause.title for cause in business.complaints.root_causes},
            products={product.key: product.title for product in business.products},
            services={kind.key: kind.title for kind in business.service.kinds},
            service_states=dict(services["states"]),
            service_reasons={**services["cancel_reasons"], **services["not_done_reasons"]},
        )
        return make_export(
            session,
            customer_id=customer_id,
            names=names,
            folder=self._settings.attachments_path,
            timezone=self._settings.business.timezone,
        )
