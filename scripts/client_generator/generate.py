"""Write what the client package has of the contract, and its threaded twin of the asyncio code.

    python scripts/client_generator/generate.py DESCRIPTOR_SET SOURCES OUT

DESCRIPTOR_SET has source info; SOURCES is clients/python with the asyncio modules; the results go
to OUT/python in the same places, and the service config to OUT. The stubs of the contract must be
importable (PYTHONPATH). `scripts/gen` runs this.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from contract import Comments
from errors import error_module
from services import area, method_module, service_module
from unasync import unasync

from longmen.accounts.v1 import accounts_service_pb2
from longmen.admin.v1 import admin_service_pb2
from longmen.audit.v1 import audit_service_pb2
from longmen.credentials.v1 import credentials_service_pb2
from longmen.events.v1 import events_service_pb2
from longmen.fx.v1 import (
    conversions_service_pb2,
    limit_orders_service_pb2,
    positions_service_pb2,
    rates_service_pb2,
)
from longmen.identity.v1 import (
    challenge_service_pb2,
    device_service_pb2,
    email_service_pb2,
    factor_reset_service_pb2,
    factor_service_pb2,
    kyc_service_pb2,
    profile_service_pb2,
    registration_service_pb2,
    session_service_pb2,
)
from longmen.ledger.v1 import ledger_service_pb2
from longmen.limits.v1 import limits_service_pb2
from longmen.merchants.v1 import (
    cashiers_service_pb2,
    merchants_service_pb2,
    payouts_service_pb2,
    plans_service_pb2,
    settlements_service_pb2,
    shifts_service_pb2,
    stores_service_pb2,
    webhooks_service_pb2,
)
from longmen.payments.v1 import (
    authorizations_service_pb2,
    bills_service_pb2,
    combined_service_pb2,
    donations_service_pb2,
    mandates_service_pb2,
    offline_service_pb2,
    payer_codes_service_pb2,
    payments_service_pb2,
    sharing_service_pb2,
)
from longmen.risk.v1 import (
    cases_service_pb2,
    lists_service_pb2,
    risk_service_pb2,
    rules_service_pb2,
)
from longmen.staff.v1 import (
    approvals_service_pb2,
    staff_accounts_service_pb2,
    staff_service_pb2,
    staff_sessions_service_pb2,
)
from longmen.transfers.v1 import transfers_service_pb2

SERVICES = [
    service
    for module in (
        accounts_service_pb2,
        admin_service_pb2,
        approvals_service_pb2,
        audit_service_pb2,
        challenge_service_pb2,
        credentials_service_pb2,
        device_service_pb2,
        email_service_pb2,
        events_service_pb2,
        factor_reset_service_pb2,
        factor_service_pb2,
        kyc_service_pb2,
        ledger_service_pb2,
        merchants_service_pb2,
        staff_accounts_service_pb2,
        staff_service_pb2,
        staff_sessions_service_pb2,
        registration_service_pb2,
        session_service_pb2,
        payer_codes_service_pb2,
        payments_service_pb2,
        profile_service_pb2,
        mandates_service_pb2,
        offline_service_pb2,
        sharing_service_pb2,
        combined_service_pb2,
        bills_service_pb2,
        donations_service_pb2,
        authorizations_service_pb2,
        webhooks_service_pb2,
        settlements_service_pb2,
        shifts_service_pb2,
        stores_service_pb2,
        cashiers_service_pb2,
        payouts_service_pb2,
        plans_service_pb2,
        conversions_service_pb2,
        limit_orders_service_pb2,
        positions_service_pb2,
        limits_service_pb2,
        rates_service_pb2,
        rules_service_pb2,
        lists_service_pb2,
        risk_service_pb2,
        cases_service_pb2,
        transfers_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
]
FROM_CONTRACT = '"""Generated from proto/ by scripts/gen. Do not edit."""\n\n'
FROM_ASYNC = '"""Generated from {source} by scripts/gen. Do not edit."""\n\n'
TWINS = ("longmen_client", "longmen_app", "longmen_merchant")
"""Packages with a hand-written `_async` folder, whose `_sync` twin is made here."""


def generated_modules(comments: Comments) -> dict[str, str]:
    """Modules of longmen_client/_generated, by file name."""
    modules = {
        "__init__.py": FROM_CONTRACT.rstrip("\n") + "\n",
        "errors.py": error_module(comments, FROM_CONTRACT),
        "methods.py": method_module(SERVICES, FROM_CONTRACT),
    }
    for service in SERVICES:
        asynchronous = service_module(service, comments, FROM_CONTRACT)
        modules[f"{area(service)}_async.py"] = asynchronous
        modules[f"{area(service)}_sync.py"] = unasync(asynchronous)
    return modules


def twin_modules(sources: Path, package: str) -> dict[str, str]:
    """Modules of a package's `_sync` folder, by file name."""
    return {
        path.name: FROM_ASYNC.format(source=f"{package}/_async/{path.name}")
        + _without_docstring(unasync(path.read_text("utf-8")))
        for path in sorted((sources / package / "_async").glob("*.py"))
    }


def _without_docstring(source: str) -> str:
    """A module without its own docstring, which tells of the asyncio one."""
    _, _, rest = source.partition('"""')
    return rest.partition('"""')[2].lstrip("\n")


def write(folder: Path, modules: dict[str, str]) -> None:
    """Write modules into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        (folder / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def tidy(folders: list[Path]) -> None:
    """Sort the imports and format, so that the results read like the rest of the repository."""
    ruff = Path(sys.executable).parent / "ruff"
    settings = Path(__file__).resolve().parents[2] / "pyproject.toml"
    common = ["--quiet", "--config", str(settings), *map(str, folders)]
    mend = ["check", "--fix-only", "--unsafe-fixes", "--select", "I,F401,UP028"]
    for command in (mend, ["format"]):
        subprocess.run([str(ruff), *command, *common], check=True)  # noqa: S603 - our own pinned ruff


def main() -> None:
    """Generate everything."""
    descriptor_set, sources, out = map(Path, sys.argv[1:])
    comments = Comments.read(descriptor_set)
    folders = [out / "python" / "longmen_client" / "_generated"]
    write(folders[0], generated_modules(comments))
    for package in TWINS:
        if (sources / package / "_async").is_dir():
            folders.append(out / "python" / package / "_sync")
            write(folders[-1], twin_modules(sources, package))
    tidy(folders)
    write(out, {"service_config.json": service_config_text(sources)})


def service_config_text(sources: Path) -> str:
    """The service config as the client itself makes it, for people to read."""
    # The package's own __init__ would load the generated modules, which may be older than the
    # contract.
    package = ModuleType("longmen_client")
    package.__path__ = [str(sources / "longmen_client")]
    sys.modules["longmen_client"] = package
    from longmen_client._service_config import service_config

    return json.dumps(service_config(SERVICES), indent=2)


if __name__ == "__main__":
    main()
