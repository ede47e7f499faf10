"""Persian text, digits, dates, money and codes: read as people write them, shown as people read them."""

from crm_store.persian.amounts import find_amounts
from crm_store.persian.codes import (
    CodeMatch,
    find_tracking_codes,
    is_tracking_code,
    new_tracking_code,
    parse_tracking_code,
)
from crm_store.persian.dates import (
    deadline_text,
    jalali_numeric,
    opening_text,
    span_text,
    to_jalali_datetime_text,
    to_jalali_text,
)
from crm_store.persian.digits import group_thousands, to_ascii_digits, to_persian_digits
from crm_store.persian.folding import fold, fold_with_offsets, source_span
from crm_store.persian.money import toman_text
from crm_store.persian.numbers import NumberMatch, find_numbers
from crm_store.persian.orders import OrderMatch, find_order_numbers
from crm_store.persian.phones import (
    PhoneMatch,
    find_phones,
    hide_phones,
    mask_phone,
    masked_phone,
    normalize_phone,
    phone_text,
)
from crm_store.persian.points import find_points
from crm_store.persian.ratings import find_ratings
from crm_store.persian.readings import Reading
from crm_store.persian.rich import segments, split, to_plain, utf16_length, value

__all__ = [
    "CodeMatch",
    "NumberMatch",
    "OrderMatch",
    "PhoneMatch",
    "Reading",
    "deadline_text",
    "find_amounts",
    "find_numbers",
    "find_order_numbers",
    "find_phones",
    "find_points",
    "find_ratings",
    "find_tracking_codes",
    "fold",
    "fold_with_offsets",
    "group_thousands",
    "hide_phones",
    "is_tracking_code",
    "jalali_numeric",
    "mask_phone",
    "masked_phone",
    "new_tracking_code",
    "normalize_phone",
    "opening_text",
    "parse_tracking_code",
    "phone_text",
    "segments",
    "source_span",
    "span_text",
    "split",
    "to_ascii_digits",
    "to_jalali_datetime_text",
    "to_jalali_text",
    "to_persian_digits",
    "to_plain",
    "toman_text",
    "utf16_length",
    "value",
]
