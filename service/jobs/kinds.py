"""The table of kinds: what can be asked for, by name; and what workers see to without being asked."""

from collections.abc import Callable

from service.jobs.batch import BATCH
from service.jobs.export import EXPORT
from service.jobs.feeds import FEEDING, order_due
from service.jobs.reclassify import RECLASSIFICATION
from service.jobs.retention import RETENTION, WIPING, order_daily
from service.jobs.seam import Context, Kind
from service.jobs.traits import TRAITS
from service.jobs.upload import UPLOAD
from service.jobs.waiting import READING, order_forgotten
from service.jobs.watch import WATCH, order_watch
from service.jobs.webhooks import DELIVERY, order_retries

KINDS: dict[str, Kind] = {
    "batch": BATCH,
    "export": EXPORT,
    "feed": FEEDING,
    "reading": READING,
    "reclassification": RECLASSIFICATION,
    "retention": RETENTION,
    "traits": TRAITS,
    "upload": UPLOAD,
    "watch": WATCH,
    "webhook": DELIVERY,
    "wiping": WIPING,
}

# called by every worker every half minute or so; each makes sure that it happens once
CHORES: tuple[Callable[[Context], None], ...] = (
    order_forgotten,
    order_daily,
    order_retries,
    order_due,
    order_watch,
)
