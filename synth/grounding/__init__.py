"""Every claim checked against the evidence it cites."""

from .single import check_claim as check_claim
from .single import history_of as history_of
