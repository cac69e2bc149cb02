"""Every RPC of the contract, and what its descriptors say about the fields of its request."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

import longmen
from buf.validate import validate_pb2
from longmen.identity.v1 import factor_pb2, identity_pb2, kyc_service_pb2
from longmen.merchants.v1 import plan_pb2
from longmen.payments.v1 import bill_pb2, order_pb2
from longmen.risk.v1 import case_pb2
from longmen.staff.v1 import approval_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen.type.v1 import money_pb2, rules_pb2
from longmen_server.transport.method import Method, read_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

ID_RULES: dict[str, Any] = {
    "acct": rules_pb2.account_id,
    "txn": rules_pb2.transaction_id,
    "posting": rules_pb2.posting_id,
    "cust": rules_pb2.customer_id,
    "appr": rules_pb2.approval_id,
    "mer": rules_pb2.merchant_id,
    "trm": rules_pb2.terminal_id,
    "ord": rules_pb2.order_id,
    "ref": rules_pb2.refund_id,
    "stl": rules_pb2.settlement_id,
    "poa": rules_pb2.payout_account_id,
    "shift": rules_pb2.shift_id,
    "sto": rules_pb2.store_id,
    "csh": rules_pb2.cashier_id,
    "whe": rules_pb2.endpoint_id,
    "mnd": rules_pb2.mandate_id,
    "tky": rules_pb2.terminal_key_id,
    "cmb": rules_pb2.combined_order_id,
    "bil": rules_pb2.biller_id,
    "due": rules_pb2.due_id,
    "bll": rules_pb2.bill_link_id,
    "don": rules_pb2.donation_id,
    "whd": rules_pb2.delivery_id,
    "fxq": rules_pb2.fx_quote_id,
    "fxc": rules_pb2.conversion_id,
    "fxp": rules_pb2.fx_promotion_id,
    "fxo": rules_pb2.limit_order_id,
    "fxa": rules_pb2.rate_alert_id,
    "case": rules_pb2.case_id,
    "dec": rules_pb2.decision_id,
    "frz": rules_pb2.freeze_id,
    "fact": rules_pb2.factor_id,
    "chal": rules_pb2.challenge_id,
    "dev": rules_pb2.device_id,
    "sess": rules_pb2.session_id,
    "ver": rules_pb2.verification_id,
    "key": rules_pb2.key_id,
    "stf": rules_pb2.staff_id,
    "rset": rules_pb2.rule_set_id,
    "limp": rules_pb2.list_import_id,
}
"""The rule that makes a text an id, by what it is an id of."""

PRIVATE_KEY, OTHER_PRIVATE_KEY = (
    Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2)
)
PUBLIC_KEY, OTHER_PUBLIC_KEY = (
    key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for key in (PRIVATE_KEY, OTHER_PRIVATE_KEY)
)
"""Two keys that signatures can be verified with."""

FEED = (
    b"<Envelope><Cube><Cube time='2026-10-23'><Cube currency='USD' rate='1.16'/></Cube></Cube>"
    b"</Envelope>"
)
"""A feed of a day that no other request brings."""

SPECIAL_CHANGES: dict[str, Any] = {
    "phone_number": "+8613912345678",
    "reason": "ANOTHER_REASON",
    "to_time": Timestamp(seconds=4_000_000_000),
    "at_least_as_fresh": f"0001{1:016x}",
    "payload_hash": bytes(32),
    "local_language": "ja",
    "country_code": "SG",
    "currency_codes": "SGD",
    "category_code": "5812",
    "pin": "835208",
    "code": "000000",
    "proof": factor_pb2.FactorProof(payment_pin="835208"),
    "key_thumbprint": "A" * 43,
    "public_key": OTHER_PUBLIC_KEY,
    "claim_key": OTHER_PUBLIC_KEY,
    "scopes": "audit.read",
    "networks": "198.51.100.0/24",
    "business_date": "2026-02-03",
    "second_factor": factor_pb2.FactorProof(totp_code="000000"),
    "totp_code": "000000",
    "identity": "spiffe://bank.example/other",
    "enrolment_secret": "B" * 43,
    "sign_in_id": f"ver_{2:032x}",
    "effective_date": "2099-02-03",
    "types": "order.closed",
    "notice_email": "shop@example.com",
    "start_date": "2026-10-01",
    "end_date": "2026-10-31",
    "source_currency_code": "JPY",
    "target_currency_code": "JPY",
    "content": FEED,
    "counter_currency_code": "JPY",
    "day": "2026-01-03",
    "first_day": "2026-01-03",
    "last_day": "2026-01-03",
    "lock_seconds": 60,
    "tier": "gold",
    "duration": Duration(seconds=7_200),
    "as_of_date": "2026-11-02",
}
"""Another valid value of fields that no rule of thumb fits."""


def short(method: Method) -> str:
    """A method's name with its service's, "LedgerService/GetAccount"."""
    return method.path.rpartition(".")[2]


def contract() -> Iterator[Method]:
    """Every method of every service under longmen/."""
    for module in pkgutil.walk_packages(longmen.__path__, "longmen."):
        if module.name.endswith("_service_pb2"):
            file = importlib.import_module(module.name).DESCRIPTOR
            for service in file.services_by_name.values():
                yield from read_methods(service.full_name)


METHODS = sorted(contract(), key=lambda method: method.path)


def only_proposed(method: Method) -> bool:
    """Whether nobody calls a method: staff propose it, and an approval executes it."""
    return method.staff_needs_approval and method.principal_kinds == {"staff"}


def fields_of(method: Method) -> list[str]:
    """The request's top-level fields but its request id."""
    return [field.name for field in method.request_class.DESCRIPTOR.fields if is_content(field)]


def is_content(field: Any) -> bool:
    return bool(field.name != "request_id")


def has_field(method: Method, name: str) -> bool:
    return name in method.request_class.DESCRIPTOR.fields_by_name


def id_paths(descriptor: Any, prefix: str = "") -> Iterator[str]:
    """Dotted paths of all ids in a message, "items.payee.account_id"."""
    for field in descriptor.fields:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            if field.message_type.file.package.startswith("longmen."):
                yield from id_paths(field.message_type, f"{prefix}{field.name}.")
        elif field.type == FieldDescriptor.TYPE_STRING and is_id(field):
            yield prefix + field.name


def is_id(field: Any) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    texts = rules.repeated.items.string if field.is_repeated else rules.string
    return any(texts.HasExtension(rule) for rule in ID_RULES.values())


def kind_of(field: Any) -> str:
    """What an id begins with."""
    texts = field.GetOptions().Extensions[validate_pb2.field].string
    return next(kind for kind, rule in ID_RULES.items() if texts.HasExtension(rule))


def read_path(message: Any, path: str) -> str:
    """The text at a dotted path; of a repeated field, that of the first element."""
    for name in path.split("."):
        message = getattr(message, name)
        if not isinstance(message, str) and hasattr(message, "__getitem__"):
            message = message[0]
    assert isinstance(message, str)
    return message


def with_path(request: Message, path: str, value: str) -> Message:
    """A copy with another text at a dotted path; of a list of texts, the only one."""
    copy = type(request)()
    copy.CopyFrom(request)
    *names, last = path.split(".")
    holder: Any = copy
    for name in names:
        holder = getattr(holder, name)
        if hasattr(holder, "__getitem__"):
            holder = holder[0]
    if holder.DESCRIPTOR.fields_by_name[last].is_repeated:
        getattr(holder, last)[:] = [value]
    else:
        setattr(holder, last, value)
    return copy


def elsewhere(identifier: str) -> str:
    """An id of the same kind and book that nobody has."""
    prefix, _, digits = identifier.partition("_")
    return f"{prefix}_{'0' * 12}{digits[12:28][::-1]}{digits[28:]}"


def of_foreign_book(identifier: str) -> str:
    """The same id in a book that the server does not keep."""
    return f"{identifier[:-4]}7ffe"


def changed(request: Message, name: str) -> Message:
    """A copy that is still valid and differs in one top-level field."""
    copy = type(request)()
    copy.CopyFrom(request)
    field = copy.DESCRIPTOR.fields_by_name[name]
    value: Any = getattr(copy, name)
    if field.is_repeated:
        add_another(field, value)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        value.CopyFrom(another_message(name, value))
    else:
        setattr(copy, name, another_scalar(field, value))
    assert copy != request
    return copy


def add_another(field: Any, values: Any) -> None:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        last = values[-1]
        another = values.add()
        another.CopyFrom(last)
        if isinstance(another, bill_pb2.SentDue):  # one bill is sent once
            another.bill_number += "1"
    elif field.type == FieldDescriptor.TYPE_ENUM:
        values.append(1)
    elif field.name in SPECIAL_CHANGES:
        values.append(SPECIAL_CHANGES[field.name])
    else:
        values.append(elsewhere(values[0]))


def another_message(name: str, value: Any) -> Any:  # noqa: C901, PLR0911 - a table
    if name in SPECIAL_CHANGES:
        return SPECIAL_CHANGES[name]
    if isinstance(value, money_pb2.Money):
        return money_pb2.Money(
            minor_units=value.minor_units + 1, currency_code=value.currency_code or "CNY"
        )
    if isinstance(value, plan_pb2.FeeTerms):
        fee = plan_pb2.FeeTerms()
        fee.CopyFrom(value)
        fee.basis_points += 1
        return fee
    if isinstance(value, bill_pb2.AccountFormat):
        other_format = bill_pb2.AccountFormat()
        other_format.CopyFrom(value)
        other_format.hint += "!"
        return other_format
    if isinstance(value, case_pb2.Evidence):
        return case_pb2.Evidence(reference="another call")
    if isinstance(value, order_pb2.TipOffer):
        return order_pb2.TipOffer(mode=order_pb2.TIP_MODE_ASK)
    if isinstance(value, identity_pb2.DeviceKey):
        other = identity_pb2.DeviceKey()
        other.CopyFrom(value)
        other.name += "1"
        return other
    if isinstance(value, transfer_pb2.Payee):
        return transfer_pb2.Payee(account_id=elsewhere(value.account_id))
    if isinstance(value, approval_pb2.ProposedCommand):
        copy = approval_pb2.ProposedCommand()
        copy.CopyFrom(value)
        copy.set_account_state.reason_text += "!"
        return copy
    if isinstance(value, kyc_service_pb2.SubmittedEvidence):
        evidence = kyc_service_pb2.SubmittedEvidence()
        evidence.CopyFrom(value)
        evidence.document.name += "1"
        return evidence
    assert isinstance(value, Timestamp)
    return Timestamp(seconds=value.seconds + 1)


def another_scalar(field: Any, value: Any) -> Any:  # noqa: PLR0911 - a table
    special = SPECIAL_CHANGES.get(field.name)
    if isinstance(special, type(value)):
        return special
    if field.name == "currency_code":
        return "CNY" if value == "USD" else "USD"
    if field.type == FieldDescriptor.TYPE_BOOL:
        return not value
    if field.type == FieldDescriptor.TYPE_ENUM:
        return value % max(field.enum_type.values_by_number) + 1
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes([value[0] ^ 1]) + value[1:]
    if field.type != FieldDescriptor.TYPE_STRING:
        return value + 1
    if field.name == "refresh_token":
        return f"{value[:60]}{'B' if value[60] == 'A' else 'A'}{value[61:]}"
    if field.name in {"code", "pairing_code"}:
        return f"{value[:-1]}{(int(value[-1]) + 1) % 10}"
    if is_id(field):
        return elsewhere(value) if value else f"{kind_of(field)}_{'0' * 28}0001"
    return f"{value}1"
