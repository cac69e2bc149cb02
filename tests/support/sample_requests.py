"""One good request of every RPC: the table that a new RPC has to be entered in.

A sample is made for an owner, after whatever has to be there before it: it can be sent once by the
owner, or by a service or staff, and concerns nobody else but the bank's standing payee.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import pyotp

from longmen.credentials.v1 import credentials_service_pb2
from longmen.identity.v1 import challenge_service_pb2, factor_pb2, factor_reset_pb2
from longmen.ledger.v1 import account_pb2, transaction_pb2
from longmen.merchants.v1 import plan_pb2, settlement_pb2, shift_pb2, store_pb2, webhook_pb2
from longmen.payments.v1 import mandate_pb2, offline_pb2, order_pb2
from longmen.risk.v1 import case_pb2, outcome_pb2
from longmen.transfers.v1 import transfer_pb2
from longmen_app.authenticator import SoftwareAuthenticator
from longmen_client.signing import claim_text
from longmen_server.ledger.chart import CUSTOMER_DEPOSITS
from longmen_server.platform.clock import DEFAULT_ZONE, business_date
from tests.support import (
    bills,
    donations,
    evidence,
    exchange,
    identity,
    risk_rules,
    spending,
    staff,
)
from tests.support.combined import combination
from tests.support.offline import TILL_KEY, OfflineTill, enable, stored_by
from tests.support.phone import Phone
from tests.support.rpcs import PRIVATE_KEY, PUBLIC_KEY, short
from tests.support.selling import merchandise as merchandise  # noqa: PLC0414 - others import it
from tests.support.selling import merchant as merchant  # noqa: PLC0414
from tests.support.small_bank import BY_NAME, STAFF_SUBJECT, Person, SmallBank, cash

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from longmen_server.transport.method import Method

Fields = dict[str, Any]
Sample = Callable[[SmallBank, Person], Fields | Awaitable[Fields]]

BANK_ACCOUNT = "6222021234567890"


async def make_sample(bank: SmallBank, method: Method, owner: Person) -> Message:
    """A good request for an owner, with a request id of its own."""
    return await make(bank, method, owner, SAMPLES[short(method)])


async def make(bank: SmallBank, method: Method, owner: Person, sample: Sample) -> Message:
    """The request that an entry of the table describes."""
    fields = sample(bank, owner)
    if inspect.isawaitable(fields):
        fields = await fields
    request = method.request_class(**fields)
    if method.repeatable:
        setattr(request, "request_id", bank.new_request_id())  # noqa: B010
    return request


async def kept_sample(bank: SmallBank, method: Method, path: str = "") -> tuple[Person, Message]:
    """An owner and their good request, made once: only for calls that have no effect.

    Args:
        bank: keeps them.
        method: what to ask.
        path: of an id in the request that has to decide something; empty for none in particular.
    """
    sample = FOREIGN_BASES.get((short(method), path), SAMPLES[short(method)])
    key = (method.path, sample)
    if key not in bank.kept_samples:
        owner = await bank.person()
        bank.kept_samples[key] = owner, await make(bank, method, owner, sample)
    owner, kept = bank.kept_samples[key]
    return owner, type(kept).FromString(kept.SerializeToString())


# -- What has to be there before.


def movement(bank: SmallBank, owner: Person, amount: int = 5, **details: Any) -> Fields:
    """A movement from the owner to the standing payee."""
    return {
        "debit_account_id": owner.account,
        "credit_account_id": bank.payee.account,
        "amount": cash(amount),
        **details,
    }


async def moved(bank: SmallBank, owner: Person, **details: Any) -> str:
    """The id of a ledger transaction from the owner to the standing payee."""
    reply = await bank.do(
        "LedgerService/CreateTransfers", transfers=[movement(bank, owner, **details)]
    )
    (result,) = reply.results
    assert result.outcome == transaction_pb2.TransferResult.OUTCOME_CREATED
    return str(result.transaction_id)


async def held(bank: SmallBank, owner: Person) -> str:
    """The id of a hold on the owner's account."""
    return await moved(bank, owner, kind=transaction_pb2.POSTING_KIND_PENDING)


async def delayed(bank: SmallBank, owner: Person) -> str:
    """The id of a transfer that the owner can still take back."""
    reply = await bank.do(
        "TransfersService/CreateTransfer",
        from_account_id=owner.account,
        payee={"account_id": bank.payee.account},
        amount=cash(7),
        delay=transfer_pb2.TRANSFER_DELAY_TWO_HOURS,
    )
    return str(reply.transfer.transfer_id)


async def pocket(bank: SmallBank, owner: Person, currency: str) -> str:
    """The id of another account of the owner, without money."""
    reply = await bank.do(
        "AccountsService/OpenAccount", customer_id=owner.customer, currency_code=currency
    )
    return str(reply.account.account_id)


async def busy(bank: SmallBank, owner: Person) -> None:
    """Three transfers more in the owner's history, one of them delayed, and a withdrawal."""
    for amount in (1, 2):
        await bank.do(
            "TransfersService/CreateTransfer",
            from_account_id=owner.account,
            payee={"phone_number": bank.payee.phone},
            amount=cash(amount),
        )
    await delayed(bank, owner)
    await bank.do("TransfersService/Withdraw", **outside(owner))


async def terminal(bank: SmallBank, owner: Person) -> str:
    """The id of a till of the owner's."""
    reply = await bank.do(
        "MerchantsService/CreateTerminal",
        merchant_id=await merchant(bank, owner),
        label="till 1",
    )
    return str(reply.terminal.terminal_id)


_NUMBERS = count(1)
"""Merchants' own numbers of stores and cashiers, no two alike."""

DAY = "2026-01-02"
"""The business date of every till."""


def number(bank: SmallBank) -> str:
    """An order or refund number that no merchant used yet."""
    return bank.new_request_id()


async def sale(bank: SmallBank, owner: Person) -> Fields:
    """What the owner sells."""
    return {
        "merchant_id": await merchant(bank, owner),
        "order_number": number(bank),
        "amount": cash(300),
        "description": "two pots of tea",
    }


async def tilled(bank: SmallBank, owner: Person) -> Fields:
    """A till's own reference of a sale."""
    return {
        "terminal_id": await terminal(bank, owner),
        "trace_number": 17,
        "business_date": DAY,
    }


async def ordered(bank: SmallBank, owner: Person, **details: Any) -> Any:
    """An order of the owner's, with its code."""
    return await bank.do("PaymentsService/CreateOrder", **{**await sale(bank, owner), **details})


async def order_paid(bank: SmallBank, owner: Person, **details: Any) -> str:
    """The id of an order of the owner's that the owner paid as well."""
    made = await ordered(bank, owner, **details)
    await bank.do(
        "PaymentsService/PayOrder",
        order_id=made.order.order_id,
        from_account_id=owner.account,
        amount=made.order.amount,
    )
    return str(made.order.order_id)


# -- Samples that need preparation, and fields that several share.


def outside(owner: Person) -> Fields:
    return {
        "account_id": owner.account,
        "amount": cash(11),
        "bank_account": BANK_ACCOUNT,
        "description": "rent",
        "reference": "r-1",
    }


def account(_: SmallBank, owner: Person) -> Fields:
    return {"account_id": owner.account}


def customer(_: SmallBank, owner: Person) -> Fields:
    return {"customer_id": owner.customer}


def whole_book(_: SmallBank, __: Person) -> Fields:
    return {}


async def busy_account(bank: SmallBank, owner: Person) -> Fields:
    await busy(bank, owner)
    return account(bank, owner)


async def delayed_transfer(bank: SmallBank, owner: Person) -> Fields:
    return {"transfer_id": await delayed(bank, owner)}


async def wallet_with_pockets(bank: SmallBank, owner: Person) -> Fields:
    for currency in ("USD", "EUR"):
        await pocket(bank, owner, currency)
    return customer(bank, owner)


async def accounts_of_owner(bank: SmallBank, owner: Person) -> Fields:
    fields = await wallet_with_pockets(bank, owner)
    return {"owner_id": fields["customer_id"]}


async def capture(bank: SmallBank, owner: Person) -> Fields:
    return {"pending_posting_id": await held(bank, owner), "amount": cash(3)}


async def void(bank: SmallBank, owner: Person) -> Fields:
    return {"pending_posting_id": await held(bank, owner), "reference": "v-1"}


async def transaction(bank: SmallBank, owner: Person) -> Fields:
    return {"transaction_id": await moved(bank, owner)}


async def lookups(bank: SmallBank, owner: Person) -> Fields:
    return {"transaction_ids": [await moved(bank, owner), await held(bank, owner)]}


async def transactions_by_reference(bank: SmallBank, owner: Person) -> Fields:
    reference = owner.customer[-20:]
    for amount in (1, 2, 3):
        await moved(bank, owner, amount=amount, reference=reference)
    return {"reference": reference}


async def receipt(bank: SmallBank, owner: Person) -> Fields:
    return {"posting_id": await moved(bank, owner)}


async def frozen_account(bank: SmallBank, owner: Person) -> Fields:
    await bank.do(
        "AccountsService/FreezeAccount",
        bank.token("customer", owner),
        account_id=owner.account,
    )
    return {"account_id": owner.account, "reason_text": "found the phone"}


async def empty_account(bank: SmallBank, owner: Person) -> Fields:
    return {"account_id": await pocket(bank, owner, "EUR")}


def sweep(bank: SmallBank, owner: Person) -> Fields:
    """Closing an account that has money."""
    return {"account_id": owner.account, "sweep_to_account_id": bank.payee.account}


def opening(bank: SmallBank, _: Person) -> Fields:
    return {
        "phone_number": bank.new_phone(),
        "display_name": "Wang Ming",
        "currency_code": "CNY",
        "nickname": "daily",
    }


def this_month(bank: SmallBank, owner: Person) -> Fields:
    today = datetime.fromtimestamp(bank.parts.clock.now_us() / 1e6, UTC).astimezone(DEFAULT_ZONE)
    return {"account_id": owner.account, "year": today.year, "month": today.month}


def payment(bank: SmallBank, owner: Person) -> Fields:
    return {
        "from_account_id": owner.account,
        "payee": {"account_id": bank.payee.account},
        "amount": cash(13),
        "description": "lunch",
    }


def payroll(bank: SmallBank, owner: Person) -> Fields:
    item = {"payee": {"account_id": bank.payee.account}, "amount": cash(2)}
    return {"from_account_id": owner.account, "items": [item, item]}


async def left(bank: SmallBank, owner: Person) -> Fields:
    """A customer who has gone: the only account closed, the money with the standing payee."""
    await bank.do(
        "AccountsService/CloseAccount",
        account_id=owner.account,
        sweep_to_account_id=bank.payee.account,
    )
    await bank.settle_clearing()
    return {"customer_id": owner.customer}


async def audited_customer(bank: SmallBank, owner: Person) -> Fields:
    """What the owner has done: pockets opened, each an act."""
    # From here on only: a page looks at so many batches, and others make batches too.
    seconds = bank.parts.clock.now_us() // 1_000_000
    for currency in ("USD", "EUR", "JPY"):
        await bank.do(
            "AccountsService/OpenAccount",
            bank.token("customer", owner),
            customer_id=owner.customer,
            currency_code=currency,
        )
    return {
        "principal_subject": owner.customer,
        "from_time": {"seconds": seconds},
        "to_time": {"seconds": seconds + 60},
    }


def freeze_order(owner: Person) -> Fields:
    """A command that staff cannot give alone."""
    return {
        "set_account_state": {
            "request_id": "0190e7a2-6c1f-7c3a-9d1e-0123456789ab",
            "account_id": owner.account,
            "state": account_pb2.ACCOUNT_STATE_DEBIT_FROZEN,
            "reason_text": "court order",
        }
    }


MAKER = "staff-maker"
"""The subject of who makes the samples' proposals; whoever decides them is `STAFF_SUBJECT`."""


async def proposal(bank: SmallBank, owner: Person, maker: str = MAKER) -> Any:
    """A proposal to freeze the owner's account."""
    reply = await bank.do(
        "ApprovalsService/ProposeApproval",
        bank.token_of("staff", maker),
        command=freeze_order(owner),
    )
    return reply.approval


async def proposal_of_maker(bank: SmallBank, owner: Person) -> Fields:
    return {"approval_id": (await proposal(bank, owner)).approval_id}


async def proposal_of_oneself(bank: SmallBank, owner: Person) -> Fields:
    return {"approval_id": (await proposal(bank, owner, STAFF_SUBJECT)).approval_id}


async def proposal_with_hash(bank: SmallBank, owner: Person) -> Fields:
    approval = await proposal(bank, owner)
    return {
        "approval_id": approval.approval_id,
        "payload_hash": approval.payload_hash,
        "decision_text": "agreed",
    }


async def proposals_of_maker(bank: SmallBank, owner: Person) -> Fields:
    maker = f"maker-{owner.customer[-20:]}"
    for _ in range(3):
        await proposal(bank, owner, maker)
    return {"maker": maker}


async def own_merchant(bank: SmallBank, owner: Person) -> Fields:
    return {"merchant_id": await merchant(bank, owner)}


async def three_merchants(bank: SmallBank, _: Person) -> Fields:
    for _each in range(3):
        await bank.do("MerchantsService/CreateMerchant", **merchandise())
    # Every merchant of the book is listed, whoever's it is.
    return {"page_size": 1000}


def today(bank: SmallBank) -> str:
    """The business date."""
    return str(business_date(bank.parts.clock.now_us()))


def terms(bank: SmallBank, **fee: Any) -> Fields:
    """What a merchant is to pay from today on."""
    return {
        "effective_date": today(bank),
        "fee": {
            "basis_points": 60,
            "fixed_minor_units": 2,
            "cap_minor_units": 500,
            "rounding": plan_pb2.FEE_ROUNDING_HALF_UP,
            "refund_policy": plan_pb2.FEE_RETURN_PRO_RATA,
            **fee,
        },
        "settlement_days": 1,
        "negative_limit_minor_units": 1_000,
    }


async def new_plan(bank: SmallBank, owner: Person) -> Fields:
    return {"merchant_id": await merchant(bank, owner), **terms(bank)}


async def merchant_with_plans(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await bank.do("PlansService/SetPlan", **await new_plan(bank, owner))
    return {"merchant_id": await merchant(bank, owner)}


async def settled_days(bank: SmallBank, owner: Person, days: int) -> Fields:
    """A merchant that sold something on each of some business dates, which are closed."""
    mine = await merchant(bank, owner)
    for day in range(1, days + 1):
        await order_paid(bank, owner)
        await bank.close_days(day)
    return {"merchant_id": mine}


async def merchant_with_settlements(bank: SmallBank, owner: Person) -> Fields:
    return await settled_days(bank, owner, 3)


async def one_settlement(bank: SmallBank, owner: Person) -> Fields:
    fields = await settled_days(bank, owner, 1)
    (found,) = (await bank.do("SettlementsService/ListSettlements", **fields)).settlements
    return {"settlement_id": found.settlement_id}


async def merchants_bank_account(bank: SmallBank, owner: Person) -> Fields:
    return {"merchant_id": await merchant(bank, owner), "bank_account": "6222021234567890"}


async def candidate_account(bank: SmallBank, owner: Person) -> Fields:
    fields = await merchants_bank_account(bank, owner)
    made = await bank.do("PayoutsService/RegisterPayoutAccount", **fields)
    return {
        "merchant_id": fields["merchant_id"],
        "payout_account_id": made.account.payout_account_id,
    }


async def one_payout(bank: SmallBank, owner: Person) -> Fields:
    await order_paid(bank, owner)
    await bank.close_days(10)
    found = await bank.do(
        "SettlementsService/ListSettlements", merchant_id=await merchant(bank, owner)
    )
    return {"settlement_id": found.settlements[0].settlement_id}


async def merchant_with_payouts(bank: SmallBank, owner: Person) -> Fields:
    for days in (10, 30, 50):
        await order_paid(bank, owner)
        await bank.close_days(days)
    return {"merchant_id": await merchant(bank, owner)}


async def closed_day(bank: SmallBank, owner: Person) -> Fields:
    return {**await settled_days(bank, owner, 1), "business_date": today(bank)}


async def own_list(bank: SmallBank, owner: Person) -> Fields:
    line = {
        "kind": settlement_pb2.BILL_LINE_KIND_SALE,
        "order_number": number(bank),
        "amount": cash(300),
    }
    return {**await closed_day(bank, owner), "lines": [line]}


def listener(merchant_id: str) -> Fields:
    """An endpoint that nobody listens at."""
    return {
        "merchant_id": merchant_id,
        "url": "http://127.0.0.1:9/hook",
        "types": ["order.paid"],
        "notice_email": "till@example.com",
    }


async def new_endpoint(bank: SmallBank, owner: Person) -> Fields:
    return listener(await merchant(bank, owner))


async def endpoint(bank: SmallBank, owner: Person) -> Fields:
    made = await bank.do("WebhooksService/CreateEndpoint", **await new_endpoint(bank, owner))
    return {"endpoint_id": made.endpoint.endpoint_id}


async def endpoint_to_enable(bank: SmallBank, owner: Person) -> Fields:
    return {**await endpoint(bank, owner), "state": webhook_pb2.ENDPOINT_STATE_ENABLED}


async def merchant_with_endpoints(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await endpoint(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def delivery(bank: SmallBank, owner: Person) -> Fields:
    made = await bank.do("WebhooksService/SendTestEvent", **await endpoint(bank, owner))
    return {"delivery_id": made.delivery.delivery_id}


async def merchant_with_deliveries(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(2):
        await delivery(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def order_to_authorize(bank: SmallBank, owner: Person) -> Fields:
    return {
        "order_id": (await ordered(bank, owner)).order.order_id,
        "from_account_id": owner.account,
        "amount": cash(300),
        "hold_seconds": 3_600,
    }


async def authorized_order(bank: SmallBank, owner: Person) -> Fields:
    """An order of the owner's, for which the owner's money is held."""
    fields = await order_to_authorize(bank, owner)
    await bank.do("AuthorizationsService/AuthorizeOrder", **fields)
    return {"order_id": fields["order_id"]}


async def increment(bank: SmallBank, owner: Person) -> Fields:
    return {**await authorized_order(bank, owner), "amount": cash(50)}


async def capture_of_order(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await authorized_order(bank, owner),
        "capture_number": number(bank),
        "amount": cash(100),
    }


async def new_mandate(bank: SmallBank, owner: Person) -> Fields:
    """Leave that the owner gives to the own shop."""
    return {
        "from_account_id": owner.account,
        "merchant_id": await merchant(bank, owner),
        "mandate_number": number(bank),
        "single_cap": cash(200),
        "cycle_cap": cash(500),
        "cycle": mandate_pb2.MANDATE_CYCLE_DAY,
        "lifetime_days": 30,
        "description": "monthly tea",
    }


async def mandate(bank: SmallBank, owner: Person) -> Fields:
    made = await bank.do("MandatesService/SignMandate", **await new_mandate(bank, owner))
    return {"mandate_id": made.mandate.mandate_id}


async def mandate_to_end(bank: SmallBank, owner: Person) -> Fields:
    return {**await mandate(bank, owner), "state": mandate_pb2.MANDATE_STATE_TERMINATED}


async def account_with_mandates(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await mandate(bank, owner)
    return {"account_id": owner.account}


async def announcement(bank: SmallBank, owner: Person) -> Fields:
    return {**await mandate(bank, owner), "amount": cash(150)}


async def charge(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await mandate(bank, owner),
        "merchant_id": await merchant(bank, owner),
        "order_number": number(bank),
        "amount": cash(150),
    }


async def new_terminal(bank: SmallBank, owner: Person) -> Fields:
    return {
        "merchant_id": await merchant(bank, owner),
        "label": "till 1",
        "store_label": "station",
    }


async def own_terminal(bank: SmallBank, owner: Person) -> Fields:
    return {"terminal_id": await terminal(bank, owner)}


PIN = "835207"


async def authenticator_code(bank: SmallBank, owner: Person) -> Fields:
    """The code of an authenticator app that was just set up."""
    started = await bank.do("FactorsService/StartTotp", bank.token("customer", owner))
    now_s = bank.parts.clock.now_us() // 1_000_000
    return {"code": pyotp.TOTP(started.seed).at(now_s)}


async def new_passkey(bank: SmallBank, owner: Person) -> Fields:
    """A passkey made by a device, to be confirmed."""
    started = await bank.do("FactorsService/StartPasskey", bank.token("customer", owner))
    credential = SoftwareAuthenticator().create(started.options_json)
    return {"credential_json": credential, "label": "phone"}


async def pin_to_remove(bank: SmallBank, owner: Person) -> Fields:
    token = bank.token("customer", owner)
    done = await bank.do("FactorsService/SetPaymentPin", token, pin=PIN)
    return {"factor_id": done.factor.factor_id}


async def challenge(bank: SmallBank, owner: Person) -> Fields:
    """A payment of the owner's that waits for approval."""
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin=PIN)
    pay = BY_NAME["TransfersService/CreateTransfer"]
    request = await make(bank, pay, owner, payment)
    told = await bank.refused(pay, request, bank.session_token(owner))
    assert told.reason == "NEEDS_AUTH", told
    return {"challenge_id": told.metadata["challenge_id"]}


async def approval(bank: SmallBank, owner: Person) -> Fields:
    return {**await challenge(bank, owner), "proof": {"payment_pin": PIN}}


async def code_to_send(bank: SmallBank, owner: Person) -> Fields:
    """A small payment of an owner who has nothing but a phone to approve it with."""
    pay = BY_NAME["TransfersService/CreateTransfer"]
    request = await make(bank, pay, owner, payment)
    told = await bank.refused(pay, request, bank.session_token(owner))
    assert told.metadata["methods"] == "MESSAGE_CODE", told
    return {
        "challenge_id": told.metadata["challenge_id"],
        "channel": challenge_service_pb2.CODE_CHANNEL_SMS,
    }


EMAIL = "alan@example.com"


async def address_to_prove(bank: SmallBank, owner: Person) -> Fields:
    await bank.do("ProfileService/UpdateProfile", customer_id=owner.customer, email=EMAIL)
    return {}


async def email_code(bank: SmallBank, owner: Person) -> Fields:
    """A code that has come by e-mail."""
    await bank.do(
        "ProfileService/UpdateProfile",
        customer_id=owner.customer,
        email=f"{owner.phone[1:]}@example.com",
    )
    begun = await bank.do("EmailsService/StartEmailProof", bank.token("customer", owner))
    code = identity.code_in(bank, f"{owner.phone[1:]}@example.com")
    return {"verification_id": begun.verification_id, "code": code}


async def lost_pin(bank: SmallBank, owner: Person) -> Fields:
    """A reset of the PIN of a customer who has one."""
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin="835207")
    return {
        "customer_id": owner.customer,
        "kinds": [factor_pb2.FACTOR_KIND_PAYMENT_PIN],
        "evidence": factor_reset_pb2.FACTOR_RESET_EVIDENCE_IN_PERSON,
        "evidence_reference": "SH-01/2026-118",
        "key_thumbprint": identity.Device().key.thumbprint,
    }


async def cooling_reset(bank: SmallBank, owner: Person) -> Fields:
    """A reset that two members of staff have agreed on."""
    wanted = {**await lost_pin(bank, owner), "request_id": bank.new_request_id()}
    proposed = await bank.do(
        "ApprovalsService/ProposeApproval",
        bank.token_of("staff", "maker"),
        command={"reset_factors": wanted},
    )
    await bank.do(
        "ApprovalsService/ApproveApproval",
        bank.token_of("staff", "checker"),
        approval_id=proposed.approval.approval_id,
        payload_hash=proposed.approval.payload_hash,
    )
    return {"customer_id": owner.customer}


def key_for(owner: str) -> Fields:
    return {
        "owner_kind": credentials_service_pb2.KEY_OWNER_KIND_MERCHANT,
        "owner": owner,
        "label": "till 4",
        "scopes": ["ledger.read"],
        "networks": ["192.0.2.0/24"],
    }


async def made_key(bank: SmallBank, owner: Person) -> Fields:
    reply = await bank.do(
        "CredentialsService/CreateKey", bank.token("staff"), **key_for(owner.customer)
    )
    return {"key_id": reply.key.key_id}


async def key_to_claim(bank: SmallBank, owner: Person) -> Fields:
    """A key whose secret waits for whoever has `PRIVATE_KEY`."""
    wanted = {**key_for(owner.customer), "claim_key": PUBLIC_KEY}
    reply = await bank.do("CredentialsService/CreateKey", bank.token("staff"), **wanted)
    key_id = reply.key.key_id
    return {"key_id": key_id, "signature": PRIVATE_KEY.sign(claim_text(key_id))}


async def key_to_sign(bank: SmallBank, owner: Person) -> Fields:
    return {**await made_key(bank, owner), "public_key": PUBLIC_KEY}


async def two_keys(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(2):
        await made_key(bank, owner)
    return {"owner": owner.customer}


async def new_order(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await sale(bank, owner),
        "expires_in_seconds": 60,
        **await tilled(bank, owner),
    }


async def own_order(bank: SmallBank, owner: Person) -> Fields:
    return {"order_id": (await ordered(bank, owner)).order.order_id}


async def order_to_pay(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await own_order(bank, owner),
        "from_account_id": owner.account,
        "amount": cash(300),
    }


async def code_to_pay(bank: SmallBank, owner: Person) -> Fields:
    reply = await bank.do("PaymentsService/GetStaticCode", merchant_id=await merchant(bank, owner))
    return {"code": reply.code, "from_account_id": owner.account, "amount": cash(40)}


async def refund(bank: SmallBank, owner: Person) -> Fields:
    return {
        "order_id": await order_paid(bank, owner),
        "refund_number": number(bank),
        "amount": cash(100),
    }


async def refunded_order(bank: SmallBank, owner: Person) -> Fields:
    order_id = await order_paid(bank, owner)
    for amount in (10, 20, 30):
        await bank.do(
            "PaymentsService/RefundOrder",
            order_id=order_id,
            refund_number=number(bank),
            amount=cash(amount),
        )
    return {"order_id": order_id}


async def merchant_with_orders(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await ordered(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def order_by_number(bank: SmallBank, owner: Person) -> Fields:
    made = (await ordered(bank, owner)).order
    return {"merchant_id": made.merchant_id, "order_number": made.order_number}


async def reversed_sale(bank: SmallBank, owner: Person) -> Fields:
    reference = await tilled(bank, owner)
    await order_paid(bank, owner, **reference)
    return reference


async def code_to_scan(bank: SmallBank, owner: Person) -> Fields:
    phone = await Phone.of(bank, owner)
    return {**await new_order(bank, owner), "code": phone.code()}


async def attempted_order(bank: SmallBank, owner: Person) -> Fields:
    """An order that a scan has paid."""
    asked = await code_to_scan(bank, owner)
    reply = await bank.do("PaymentsService/PayByCode", **asked)
    return {"order_id": reply.order.order_id}


def own_account(_: SmallBank, owner: Person) -> Fields:
    return {"account_id": owner.account}


async def showing_phone(bank: SmallBank, owner: Person) -> Fields:
    """Nothing but a device that shows codes."""
    await Phone.of(bank, owner)
    return {}


async def phone_to_revoke(bank: SmallBank, owner: Person) -> Fields:
    """A device with a session, whose codes another one revokes."""
    number_of_device = int(owner.customer[5:17], 16)
    token = bank.session_token(owner, number_of_device)
    phone = await Phone.of(bank, owner, token=token)
    return {"device_id": (await phone.do("GetPayerCode")).payer_code.device_id}


async def scan_to_decline(bank: SmallBank, owner: Person) -> Fields:
    """An order that the payer is asked about on the device without a session."""
    await bank.do("FactorsService/SetPaymentPin", bank.token("customer", owner), pin=PIN)
    asked = {**await code_to_scan(bank, owner), "amount": cash(20_001)}
    order = (await bank.do("PaymentsService/PayByCode", **asked)).order
    assert order.state == order_pb2.ORDER_STATE_NEEDS_AUTH
    return {"order_id": order.order_id}


async def three_terminals(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await terminal(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def new_combination(bank: SmallBank, owner: Person) -> Fields:
    other = await bank.person()
    shops = [await merchant(bank, owner), await merchant(bank, other)]
    return combination(bank, shops, 200, 100)


async def combined(bank: SmallBank, owner: Person) -> Fields:
    made = await bank.do(
        "CombinedOrdersService/CreateCombinedOrder", **await new_combination(bank, owner)
    )
    return {"combined_order_id": made.combined_order.combined_order_id}


async def combined_to_pay(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await combined(bank, owner),
        "from_account_id": owner.account,
        "total": cash(300),
    }


async def to_receive(bank: SmallBank, owner: Person) -> Fields:
    other = await bank.do("MerchantsService/CreateMerchant", **merchandise())
    return {
        "merchant_id": await merchant(bank, owner),
        "receiver_id": other.merchant.merchant_id,
    }


async def asked_receiver(bank: SmallBank, owner: Person) -> Fields:
    fields = await to_receive(bank, owner)
    await bank.do("SharingService/AskReceiver", **fields)
    return fields


async def merchant_with_receivers(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await asked_receiver(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def shares_to_hold(bank: SmallBank, owner: Person) -> Fields:
    return {"order_id": await order_paid(bank, owner), "amount": cash(60)}


async def held_shares(bank: SmallBank, owner: Person) -> Fields:
    fields = await shares_to_hold(bank, owner)
    await bank.do("SharingService/HoldShares", **fields)
    return {"order_id": fields["order_id"]}


async def share_to_give(bank: SmallBank, owner: Person) -> Fields:
    pair = await asked_receiver(bank, owner)
    await bank.do("SharingService/ConfirmReceiver", **pair)
    return {
        **await held_shares(bank, owner),
        "share_number": number(bank),
        "receiver_id": pair["receiver_id"],
        "amount": cash(30),
    }


async def share_to_return(bank: SmallBank, owner: Person) -> Fields:
    fields = await share_to_give(bank, owner)
    await bank.do("SharingService/ShareOrder", **fields)
    kept = ("order_id", "share_number")
    return {**{name: fields[name] for name in kept}, "return_number": "1", "amount": cash(10)}


async def offline_agreement(bank: SmallBank, owner: Person) -> Fields:
    return {
        "merchant_id": await merchant(bank, owner),
        "enabled": True,
        "loss_bearer": offline_pb2.LOSS_BEARER_BANK,
        "day_budget": cash(50_000),
    }


async def till_to_register(bank: SmallBank, owner: Person) -> Fields:
    terminal_id = await terminal(bank, owner)
    await enable(bank, terminal_id)
    return OfflineTill(bank, terminal_id, TILL_KEY).registration()


async def till_with_key(bank: SmallBank, owner: Person) -> Fields:
    till = await OfflineTill.of(bank, await terminal(bank, owner))
    return {"terminal_id": till.terminal_id, "key_id": till.key_id}


async def stored_sales(bank: SmallBank, owner: Person) -> Fields:
    return await stored_by(bank, owner, await terminal(bank, owner))


async def three_stored_sales(bank: SmallBank, owner: Person) -> Fields:
    """A merchant whose till has forwarded three sales."""
    till = await OfflineTill.of(bank, await terminal(bank, owner))
    phone = await Phone.of(bank, owner)
    await till.forward(*(till.sale(phone.code()) for _ in range(3)))
    return {"merchant_id": await merchant(bank, owner)}


async def new_shift(bank: SmallBank, owner: Person) -> Fields:
    return {**await own_terminal(bank, owner), "cashier_label": "Xiao Wang"}


async def opened_shift(bank: SmallBank, owner: Person) -> Fields:
    reply = await bank.do("ShiftsService/OpenShift", **await new_shift(bank, owner))
    return {"shift_id": reply.shift.shift_id}


async def three_shifts(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await opened_shift(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def new_store(bank: SmallBank, owner: Person) -> Fields:
    return {
        "merchant_id": await merchant(bank, owner),
        "number": str(next(_NUMBERS)),
        "name": "Tea at the station",
        "address": "1 Station Road",
        "city": "Shanghai",
    }


async def own_store(bank: SmallBank, owner: Person) -> Fields:
    made = await bank.do("StoresService/CreateStore", **await new_store(bank, owner))
    return {"store_id": made.store.store_id}


async def store_to_change(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await own_store(bank, owner),
        "name": "Tea",
        "address": "2 Port Road",
        "city": "Qingdao",
    }


async def three_stores(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await own_store(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def till_to_move(bank: SmallBank, owner: Person) -> Fields:
    return {**await own_terminal(bank, owner), **await own_store(bank, owner)}


async def terminal_in_store(bank: SmallBank, owner: Person) -> Fields:
    return {
        "merchant_id": await merchant(bank, owner),
        "label": "till 1",
        **await own_store(bank, owner),
    }


async def new_cashier(bank: SmallBank, owner: Person) -> Fields:
    return {
        "merchant_id": await merchant(bank, owner),
        "number": str(next(_NUMBERS)),
        "name": "Li Na",
    }


async def own_cashier(bank: SmallBank, owner: Person) -> Fields:
    made = await bank.do("CashiersService/CreateCashier", **await new_cashier(bank, owner))
    return {"cashier_id": made.cashier.cashier_id}


async def cashier_who_left(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await own_cashier(bank, owner),
        "name": "Li Na",
        "state": store_pb2.CASHIER_STATE_LEFT,
    }


async def three_cashiers(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await own_cashier(bank, owner)
    return {"merchant_id": await merchant(bank, owner)}


async def shift_of_a_cashier(bank: SmallBank, owner: Person) -> Fields:
    return {**await own_terminal(bank, owner), **await own_cashier(bank, owner)}


async def day_of_three_tills(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(3):
        await order_paid(bank, owner, **await tilled(bank, owner))
    return {
        "merchant_id": await merchant(bank, owner),
        "business_date": DAY,
        "grouping": shift_pb2.TOTALS_GROUPING_TERMINAL,
    }


async def orders_of_three_tills(bank: SmallBank, owner: Person) -> Fields:
    fields = await day_of_three_tills(bank, owner)
    del fields["grouping"]
    return fields


async def refund_at_another_till(bank: SmallBank, owner: Person) -> Fields:
    return {
        "order_id": await order_paid(bank, owner),
        "refund_number": number(bank),
        "amount": cash(30),
        **await own_terminal(bank, owner),
        "business_date": DAY,
    }


async def till_of_a_day(bank: SmallBank, owner: Person) -> Fields:
    return {**await own_terminal(bank, owner), "business_date": DAY}


async def terminal_alive(bank: SmallBank, owner: Person) -> Fields:
    return {**await own_terminal(bank, owner), "software_version": "1.2.3"}


async def scanned_code(bank: SmallBank, owner: Person) -> Fields:
    return {"code": (await ordered(bank, owner)).code}


async def judged(bank: SmallBank, owner: Person) -> Fields:
    """The last decision about the owner's payments."""
    await busy(bank, owner)
    reply = await bank.do("RiskService/ListDecisions", customer_id=owner.customer, page_size=1)
    return {"decision_id": reply.decisions[0].decision_id}


async def judged_often(bank: SmallBank, owner: Person) -> Fields:
    await busy(bank, owner)
    return {"customer_id": owner.customer}


async def claimed(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await judged(bank, owner),
        "claim": case_pb2.CLAIM_NOT_MINE,
        "text": "my phone was stolen",
    }


async def to_look_at(bank: SmallBank, owner: Person) -> Fields:
    return {**await judged(bank, owner), "text": "a tip"}


async def case_of(bank: SmallBank, owner: Person) -> Fields:
    reply = await bank.do("CasesService/OpenCase", **await to_look_at(bank, owner))
    return {"case_id": reply.opened.case_id}


async def assigned_case(bank: SmallBank, owner: Person) -> Fields:
    return {**await case_of(bank, owner), "assignee": "ines"}


async def noted_case(bank: SmallBank, owner: Person) -> Fields:
    evidence = {"reference": "call 7", "sha256": bytes(32)}
    return {**await case_of(bank, owner), "text": "called the payer", "evidence": evidence}


async def case_to_close(bank: SmallBank, owner: Person) -> Fields:
    return {
        **await case_of(bank, owner),
        "verdict": case_pb2.CASE_VERDICT_CONFIRMED_FRAUD,
        "reason_text": "the payer knows nothing of it",
    }


async def queue_of_one(bank: SmallBank, owner: Person) -> Fields:
    """Three cases of somebody whom no other test knows."""
    for _ in range(3):
        case = await case_of(bank, owner)
        await bank.do("CasesService/AssignCase", **case, assignee=owner.customer)
    return {"assignee": owner.customer}


def new_freeze(_: SmallBank, owner: Person) -> Fields:
    return {
        "customer_id": owner.customer,
        "scope": outcome_pb2.FREEZE_SCOPE_ONLY_IN,
        "reason": "CONFIRMED_FRAUD",
        "reason_text": "letter of the court",
        "revocable": True,
    }


async def freeze_of(bank: SmallBank, owner: Person) -> Fields:
    """A freeze that the owner may lift."""
    reply = await bank.do("RiskService/PlaceFreeze", **new_freeze(bank, owner))
    return {"freeze_id": reply.freeze.freeze_id}


async def frozen_often(bank: SmallBank, owner: Person) -> Fields:
    for _ in range(2):
        await bank.do("RiskService/LiftFreeze", **await freeze_of(bank, owner))
    await freeze_of(bank, owner)
    return {"customer_id": owner.customer}


def a_second_later(bank: SmallBank, _: Person) -> Fields:
    seconds, rest = divmod(bank.parts.clock.now_us() + 1_000_000, 1_000_000)
    return {"time": {"seconds": seconds, "nanos": rest * 1_000}}


SAMPLES: dict[str, Sample] = {
    "LedgerService/CreateAccounts": lambda _, owner: {
        "accounts": [
            {
                "currency_code": "CNY",
                "chart_code": CUSTOMER_DEPOSITS,
                "owner_id": owner.customer,
                "description": "by hand",
            }
        ]
    },
    "LedgerService/GetAccount": account,
    "LedgerService/ListAccounts": accounts_of_owner,
    "LedgerService/CreateTransfers": lambda bank, owner: {
        "transfers": [movement(bank, owner, reference="t-1")]
    },
    "LedgerService/CreateTransaction": lambda bank, owner: {
        "postings": [movement(bank, owner, 1), movement(bank, owner, 2)],
        "code": 7,
        "reference": "c-1",
    },
    "LedgerService/CapturePending": capture,
    "LedgerService/VoidPending": void,
    "LedgerService/ReverseTransaction": transaction,
    "LedgerService/GetTransaction": transaction,
    "LedgerService/LookupTransfers": lookups,
    "LedgerService/ListTransactions": transactions_by_reference,
    "LedgerService/ListEntries": busy_account,
    "LedgerService/GetBalances": lambda bank, owner: {
        "account_ids": [owner.account, bank.payee.account]
    },
    "LedgerService/GetTrialBalance": whole_book,
    "LedgerService/GetReceipt": receipt,
    "LedgerService/ExportJournal": whole_book,
    "LedgerService/SetAccountState": lambda _, owner: {
        "account_id": owner.account,
        "state": account_pb2.ACCOUNT_STATE_DEBIT_FROZEN,
        "reason_text": "court order",
    },
    "AccountsService/OpenWallet": opening,
    "AccountsService/GetWallet": customer,
    "AccountsService/OpenAccount": lambda _, owner: {
        "customer_id": owner.customer,
        "currency_code": "JPY",
        "nickname": "travel",
    },
    "AccountsService/GetAccount": account,
    "AccountsService/ListAccounts": wallet_with_pockets,
    "AccountsService/GetBalance": account,
    "AccountsService/ListTransactions": busy_account,
    "AccountsService/GetStatement": this_month,
    "AccountsService/FreezeAccount": lambda _, owner: {
        "account_id": owner.account,
        "reason_text": "lost the phone",
    },
    "AccountsService/UnfreezeAccount": frozen_account,
    "AccountsService/CloseAccount": empty_account,
    "AccountsService/WatchBalance": account,
    "TransfersService/CreateTransfer": payment,
    "TransfersService/LookupPayee": lambda bank, _: {
        "payee": {"account_id": bank.payee.account},
        "currency_code": "CNY",
    },
    "TransfersService/GetTransfer": delayed_transfer,
    "TransfersService/ListTransfers": busy_account,
    "TransfersService/HoldTransfer": delayed_transfer,
    "TransfersService/ReleaseTransfer": delayed_transfer,
    "TransfersService/CancelTransfer": delayed_transfer,
    "TransfersService/TopUp": lambda _, owner: outside(owner),
    "TransfersService/Withdraw": lambda _, owner: outside(owner),
    "TransfersService/BatchTransfers": payroll,
    "MerchantsService/CreateMerchant": lambda _, __: merchandise(),
    "MerchantsService/GetMerchant": own_merchant,
    "MerchantsService/ListMerchants": three_merchants,
    "MerchantsService/CreateTerminal": new_terminal,
    "MerchantsService/GetTerminal": own_terminal,
    "PlansService/SetPlan": new_plan,
    "PlansService/ListPlans": merchant_with_plans,
    "AuthorizationsService/AuthorizeOrder": order_to_authorize,
    "AuthorizationsService/IncrementAuthorization": increment,
    "AuthorizationsService/CaptureOrder": capture_of_order,
    "AuthorizationsService/VoidOrder": authorized_order,
    "AuthorizationsService/GetAuthorization": authorized_order,
    "MandatesService/SignMandate": new_mandate,
    "MandatesService/GetMandate": mandate,
    "MandatesService/ListMandates": account_with_mandates,
    "MandatesService/SetMandateState": mandate_to_end,
    "MandatesService/AnnounceCharge": announcement,
    "MandatesService/ChargeMandate": charge,
    "CombinedOrdersService/CreateCombinedOrder": new_combination,
    "CombinedOrdersService/GetCombinedOrder": combined,
    "CombinedOrdersService/PayCombinedOrder": combined_to_pay,
    "SharingService/AskReceiver": to_receive,
    "SharingService/ConfirmReceiver": asked_receiver,
    "SharingService/RemoveReceiver": asked_receiver,
    "SharingService/ListReceivers": merchant_with_receivers,
    "SharingService/HoldShares": shares_to_hold,
    "SharingService/ShareOrder": share_to_give,
    "SharingService/ReleaseShares": held_shares,
    "SharingService/ReturnShare": share_to_return,
    "SharingService/GetSharing": held_shares,
    "OfflineService/SetOfflineAcceptance": offline_agreement,
    "OfflineService/GetOfflineAcceptance": own_merchant,
    "OfflineService/RegisterTerminalKey": till_to_register,
    "OfflineService/RevokeTerminalKey": till_with_key,
    "OfflineService/GetOfflineTerms": own_terminal,
    "OfflineService/ForwardOffline": stored_sales,
    "OfflineService/ListOfflineSales": three_stored_sales,
    "WebhooksService/CreateEndpoint": new_endpoint,
    "WebhooksService/ListEndpoints": merchant_with_endpoints,
    "WebhooksService/SetEndpointState": endpoint_to_enable,
    "WebhooksService/RotateSecret": endpoint,
    "WebhooksService/SendTestEvent": endpoint,
    "WebhooksService/ListDeliveries": merchant_with_deliveries,
    "WebhooksService/Redeliver": delivery,
    "PayoutsService/RegisterPayoutAccount": merchants_bank_account,
    "PayoutsService/ConfirmPayoutAccount": candidate_account,
    "PayoutsService/GetPayoutAccount": own_merchant,
    "PayoutsService/GetPayout": one_payout,
    "PayoutsService/ListPayouts": merchant_with_payouts,
    "SettlementsService/GetSettlement": one_settlement,
    "SettlementsService/ListSettlements": merchant_with_settlements,
    "SettlementsService/DownloadBill": closed_day,
    "SettlementsService/Reconcile": own_list,
    "MerchantsService/ListTerminals": three_terminals,
    "MerchantsService/ReportTerminal": terminal_alive,
    "ShiftsService/OpenShift": new_shift,
    "ShiftsService/CloseShift": opened_shift,
    "ShiftsService/GetShift": opened_shift,
    "ShiftsService/ListShifts": three_shifts,
    "ShiftsService/GetTerminalTotals": till_of_a_day,
    "ShiftsService/ListDayTotals": day_of_three_tills,
    "ShiftsService/ListDayOrders": orders_of_three_tills,
    "StoresService/CreateStore": new_store,
    "StoresService/UpdateStore": store_to_change,
    "StoresService/CloseStore": own_store,
    "StoresService/ReopenStore": own_store,
    "StoresService/GetStore": own_store,
    "StoresService/ListStores": three_stores,
    "StoresService/MoveTerminal": till_to_move,
    "CashiersService/CreateCashier": new_cashier,
    "CashiersService/UpdateCashier": cashier_who_left,
    "CashiersService/GetCashier": own_cashier,
    "CashiersService/ListCashiers": three_cashiers,
    "RatesService/ListCurrencies": lambda *_: {},
    "RatesService/ImportRates": lambda *_: {
        "content": exchange.feed(*exchange.FIXING, day="2026-10-26")
    },
    "RatesService/SetRate": exchange.new_rate,
    "RatesService/CreatePromotion": exchange.new_promotion,
    "RatesService/EndPromotion": exchange.promotion_to_end,
    "RatesService/ListPromotions": exchange.book_with_promotions,
    "RatesService/GetRate": lambda bank, owner: exchange.with_rates(
        bank, owner, minor_units=10_000
    ),
    "RatesService/ListRates": exchange.rates_of_days,
    "RatesService/StreamRates": exchange.pairs_to_follow,
    "LimitOrdersService/CreateRateAlert": exchange.new_alert,
    "LimitOrdersService/ListRateAlerts": exchange.customer_with_alerts,
    "LimitOrdersService/DeleteRateAlert": exchange.own_alert,
    "LimitOrdersService/CreateLimitOrder": exchange.new_limit_order,
    "LimitOrdersService/GetLimitOrder": exchange.own_limit_order,
    "LimitOrdersService/ListLimitOrders": exchange.customer_with_limit_orders,
    "LimitOrdersService/CancelLimitOrder": exchange.own_limit_order,
    "ConversionsService/CreateQuote": exchange.wanted,
    "ConversionsService/GetQuote": exchange.own_quote,
    "ConversionsService/CancelQuote": exchange.own_quote,
    "ConversionsService/ExecuteQuote": exchange.quote_to_take,
    "ConversionsService/Convert": exchange.small_exchange,
    "ConversionsService/QuoteAbroad": exchange.new_payment_abroad,
    "ConversionsService/PayAbroad": exchange.payment_abroad,
    "ConversionsService/SetAutoConversion": exchange.new_auto_conversion,
    "ConversionsService/ListAutoConversions": exchange.customer_with_auto_conversions,
    "ConversionsService/GetFxQuota": exchange.busy_traveller,
    "ConversionsService/GetConversion": exchange.own_conversion,
    "ConversionsService/ReverseConversion": exchange.conversion_to_reverse,
    "ConversionsService/ListConversions": exchange.busy_traveller,
    "RulesService/CreateDraft": lambda *_: {"name": "a draft", "rules": [risk_rules.rule()]},
    "RulesService/UpdateDraft": risk_rules.new_rules,
    "RulesService/PromoteRuleSet": risk_rules.set_to_promote,
    "RulesService/SnoozeRule": risk_rules.rule_to_silence,
    "RulesService/SetRollout": lambda *_: {
        "rule_id": "night_large",
        "rollout_basis_points": 5_000,
    },
    "RulesService/ListRuleSets": risk_rules.three_sets,
    "RulesService/GetRuleSet": risk_rules.own_set,
    "RulesService/LintRules": lambda *_: {"rules": [risk_rules.rule()]},
    "RulesService/TestRules": lambda *_: {"rules": [risk_rules.rule()]},
    "RulesService/DiffRuleSets": risk_rules.own_set,
    "RulesService/BacktestRules": lambda *_: {
        "rules": [risk_rules.rule()],
        "decision_count": 100,
    },
    "ListsService/BeginListImport": lambda *_: {
        "name": "deny",
        "kind": 1,
        "source": "police",
        "as_of_date": "2026-11-01",
    },
    "ListsService/UploadListRows": risk_rules.rows_to_upload,
    "ListsService/CommitListImport": risk_rules.import_to_commit,
    "ListsService/ListRiskLists": lambda *_: {},
    "ListsService/CheckListed": lambda *_: {"kind": 8, "value": "KP"},
    "ListsService/ScreenName": lambda *_: {"name": "Li Lei"},
    "PositionsService/GetPosition": lambda *_: {"currency_code": "USD"},
    "PositionsService/ListPositions": exchange.book_with_position,
    "PositionsService/Revalue": exchange.day_to_close,
    "PositionsService/ListRevaluations": exchange.days_closed,
    "LimitsService/ExplainLimits": spending.to_explain,
    "LimitsService/ListLimits": account,
    "LimitsService/SetOwnLimit": spending.own_limit,
    "LimitsService/SetAccountType": spending.account_type,
    "LimitsService/ListLimitTotals": spending.three_spenders,
    "LimitsService/ListLargeValueCandidates": spending.three_rich_spenders,
    "FactorsService/SetPassword": lambda *_: {"password": "correct horse battery staple"},
    "FactorsService/SetPaymentPin": lambda *_: {"pin": PIN},
    "FactorsService/StartTotp": lambda *_: {},
    "FactorsService/ConfirmTotp": authenticator_code,
    "FactorsService/StartPasskey": lambda *_: {},
    "FactorsService/ConfirmPasskey": new_passkey,
    "FactorsService/CreateBackupCodes": lambda *_: {},
    "FactorsService/ListFactors": lambda *_: {},
    "FactorsService/RemoveFactor": pin_to_remove,
    "ChallengesService/GetChallenge": challenge,
    "ChallengesService/ApproveChallenge": approval,
    "ChallengesService/DeclineChallenge": challenge,
    "ChallengesService/SendChallengeCode": code_to_send,
    "EmailsService/StartEmailProof": address_to_prove,
    "EmailsService/ConfirmEmail": email_code,
    "PaymentsService/CreateOrder": new_order,
    "PaymentsService/GetOrderCode": own_order,
    "PaymentsService/GetStaticCode": own_merchant,
    "PaymentsService/GetOrder": own_order,
    "PaymentsService/LookupOrder": order_by_number,
    "PaymentsService/ListOrders": merchant_with_orders,
    "PaymentsService/WatchOrder": own_order,
    "PaymentsService/CloseOrder": own_order,
    "PaymentsService/ResolveOrder": order_by_number,
    "PaymentsService/ReverseByTerminalRef": reversed_sale,
    "PaymentsService/RefundOrder": refund,
    "PaymentsService/ListRefunds": refunded_order,
    "PaymentsService/PayByCode": code_to_scan,
    "PaymentsService/ListAttempts": attempted_order,
    "PaymentsService/ParseCode": scanned_code,
    "PaymentsService/PayOrder": order_to_pay,
    "PaymentsService/PayStaticCode": code_to_pay,
    "PayerCodesService/EnrolPayerCode": own_account,
    "PayerCodesService/RenewPayerCode": showing_phone,
    "PayerCodesService/RevokePayerCode": phone_to_revoke,
    "PayerCodesService/GetPayerCode": showing_phone,
    "PayerCodesService/WatchPayerCode": showing_phone,
    "PayerCodesService/DeclineScan": scan_to_decline,
    "CasesService/ListCases": queue_of_one,
    "CasesService/GetCase": case_of,
    "CasesService/OpenCase": to_look_at,
    "CasesService/AppealDecision": claimed,
    "CasesService/AssignCase": assigned_case,
    "CasesService/AddCaseNote": noted_case,
    "CasesService/CloseCase": case_to_close,
    "RiskService/GetDecision": judged,
    "RiskService/ListDecisions": judged_often,
    "RiskService/ReplayDecision": judged,
    "RiskService/SimulateTransaction": lambda bank, owner: {
        "kind": 1,
        "from_account_id": owner.account,
        "to_account_id": bank.payee.account,
        "amount": cash(100),
    },
    "RiskService/PlaceFreeze": new_freeze,
    "RiskService/LiftFreeze": freeze_of,
    "RiskService/ListFreezes": frozen_often,
    "EventsService/ListEvents": busy_account,
    "EventsService/WatchEvents": busy_account,
    "RegistrationService/StartRegistration": lambda bank, _: {"phone_number": bank.new_phone()},
    "RegistrationService/CompleteRegistration": identity.registration,
    "SessionsService/StartLogin": identity.login_start,
    "SessionsService/CompleteLogin": identity.login,
    "SessionsService/RefreshSession": identity.refresh,
    "SessionsService/ListSessions": identity.two_sessions,
    "SessionsService/RevokeSession": identity.one_session,
    "SessionsService/RevokeAllSessions": identity.some_sessions,
    "DevicesService/StartDeviceEnrolment": customer,
    "DevicesService/CompleteDeviceEnrolment": identity.enrolment,
    "DevicesService/ListDevices": identity.two_sessions,
    "DevicesService/RevokeDevice": identity.one_device,
    "AdminService/SetClock": a_second_later,
    "AdminService/GetClock": whole_book,
    "AdminService/GetLimits": whole_book,
    "AdminService/GetConfig": whole_book,
    "AdminService/GetEngineStats": whole_book,
    "AdminService/VerifyLedger": whole_book,
    "ApprovalsService/ProposeApproval": lambda _, owner: {
        "command": freeze_order(owner),
        "reason_text": "letter of the court",
    },
    "ApprovalsService/GetApproval": proposal_of_maker,
    "ApprovalsService/ListApprovals": proposals_of_maker,
    "ApprovalsService/ApproveApproval": proposal_with_hash,
    "ApprovalsService/RejectApproval": proposal_of_maker,
    "ApprovalsService/CancelApproval": proposal_of_oneself,
    "ProfileService/GetProfile": lambda _, owner: {"customer_id": owner.customer},
    "ProfileService/UpdateProfile": lambda _, owner: {
        "customer_id": owner.customer,
        "display_name": "Alan Liu",
        "email": "alan@example.com",
    },
    "ProfileService/ExportMyData": lambda _bank, _owner: {},
    "ProfileService/EraseCustomer": left,
    "KycService/GetKyc": evidence.filed,
    "KycService/SubmitEvidence": evidence.document,
    "KycService/UpgradeKyc": evidence.raised,
    "KycService/ConfirmInPerson": evidence.filed,
    "KycService/DowngradeKyc": evidence.lowered,
    "FactorResetsService/ResetFactors": lost_pin,
    "FactorResetsService/GetFactorReset": cooling_reset,
    "FactorResetsService/CancelFactorReset": cooling_reset,
    "AuditService/ListAudit": audited_customer,
    "StaffService/UnlockFactors": customer,
    "StaffService/AssignBranch": lambda _, owner: {
        "customer_id": owner.customer,
        "branch": "sh-01",
    },
    "StaffAccountsService/CreateStaff": staff.new_staff,
    "StaffAccountsService/GrantStaff": staff.new_roles,
    "StaffAccountsService/ResetStaff": staff.new_key,
    "StaffAccountsService/SuspendStaff": staff.account_of_staff,
    "StaffAccountsService/ListStaff": staff.staff_to_list,
    "StaffSessionsService/StartStaffSignIn": staff.known_login,
    "StaffSessionsService/EnrolStaff": staff.enrolling,
    "StaffSessionsService/ConfirmStaffEnrolment": staff.enrolled,
    "StaffSessionsService/CompleteStaffSignIn": staff.signing_in,
    "StaffSessionsService/RenewStaffSession": staff.own_account,
    "StaffSessionsService/SignOutStaff": staff.own_account,
    "StaffSessionsService/StartStaffPasskey": staff.own_account,
    "StaffSessionsService/ConfirmStaffPasskey": staff.own_passkey,
    "CredentialsService/CreateKey": lambda _, owner: key_for(owner.customer),
    "CredentialsService/ClaimKey": key_to_claim,
    "CredentialsService/ListKeys": two_keys,
    "CredentialsService/RegisterCertificate": lambda bank, owner: {
        **key_for(owner.customer),
        "identity": f"spiffe://bank.example/{bank.new_request_id()}",
    },
    "CredentialsService/RevokeKey": made_key,
    "CredentialsService/RotateKey": made_key,
    "CredentialsService/RegisterSigningKey": key_to_sign,
    "AuditService/ExportAudit": whole_book,
    **bills.SAMPLES,
    **donations.SAMPLES,
}
"""A sample for every RPC, by service and name."""

FOREIGN_BASES: dict[tuple[str, str], Sample] = {
    ("AccountsService/CloseAccount", "sweep_to_account_id"): sweep,
    ("MerchantsService/CreateTerminal", "store_id"): terminal_in_store,
    ("ShiftsService/OpenShift", "cashier_id"): shift_of_a_cashier,
    ("PaymentsService/RefundOrder", "terminal_id"): refund_at_another_till,
}
"""Where the sample does not use an id, the request that does, by RPC and path of the id."""

OPEN_IDS: dict[tuple[str, str], str] = {
    ("PaymentsService/PayOrder", "order_id"): "anybody may pay an order",
    ("MandatesService/SignMandate", "merchant_id"): "any merchant may be given leave",
    ("BillsService/ListBillers", "merchant_id"): "narrows a directory that is everybody's",
    ("BillsService/FindDues", "biller_id"): "the directory is everybody's",
    ("BillsService/LinkBillAccount", "biller_id"): "the directory is everybody's",
    ("BillsService/PayDue", "due_id"): "anybody may pay a bill",
    ("DonationsService/Donate", "merchant_id"): "anybody may give to a charity",
    ("AuthorizationsService/AuthorizeOrder", "order_id"): "anybody may pay an order",
    (
        "CombinedOrdersService/PayCombinedOrder",
        "combined_order_id",
    ): "anybody may pay a combined order",
    (
        "CombinedOrdersService/GetCombinedOrder",
        "combined_order_id",
    ): "shows what is to be paid, like a code",
    ("TransfersService/CreateTransfer", "payee.account_id"): "anybody may be paid",
    ("TransfersService/BatchTransfers", "items.payee.account_id"): "anybody may be paid",
    ("ConversionsService/QuoteAbroad", "payee_account_id"): "anybody may be paid",
    ("TransfersService/LookupPayee", "payee.account_id"): "shows whom a payment would go to",
    (
        "AccountsService/ListTransactions",
        "counterparty_account_id",
    ): "narrows the caller's own history, whoever the other side is",
}
"""Ids of others that customers may name by design, and why."""
assert BY_NAME.keys() >= {name for name, _ in (*FOREIGN_BASES, *OPEN_IDS)}
