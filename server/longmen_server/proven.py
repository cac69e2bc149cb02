"""What a verification proves beyond the ledger: the checks of every area, in one list."""

from __future__ import annotations

from typing import Final

from longmen_server.accounts import queries_verification as accounts
from longmen_server.transfers import queries_verification as transfers

CHECKS: Final = (*accounts.CHECKS, *transfers.CHECKS)
