"""The morning of the merchants: taken in, with plans, tills, keys that sign, and a web server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from longmen.credentials.v1 import credentials_service_pb2
from longmen.merchants.v1 import plan_pb2
from longmen_client import ApiKey, AsyncClient
from longmen_merchant import AsyncTill, Journal
from longmen_server.demo.plan import CURRENCY
from longmen_server.demo.shop.books import StallBooks
from longmen_server.demo.shop.market import Stall
from longmen_server.demo.shop.plan import GOODS

if TYPE_CHECKING:
    from longmen_client import Config
    from longmen_server.demo.shop.market import Market
    from longmen_server.demo.shop.plan import Terms
    from longmen_server.demo.tally import Part

SCOPES: Final = (
    "orders.read",
    "orders.write",
    "orders.charge",
    "orders.refund",
    "settlements.read",
    "payouts.read",
    "webhooks.read",
    "webhooks.write",
)
"""What a merchant's key may do."""
NEGATIVE_LIMIT: Final = 1_000_000
"""How far below zero refunds may take a merchant, in minor units."""
TURNED_AWAY: Final = 1
"""Posts that the first stall's web server does not take, to be sent again."""


async def open_stalls(market: Market) -> None:
    """Take every merchant in, and open its stall."""
    found: dict[int, Stall] = {}
    market.listener.turned_away[0] = TURNED_AWAY

    async def work(part: Part, place: int) -> None:
        found[place] = await open_stall(market, place)
        part.done += 1

    count = market.plan.merchants
    await market.each("take merchants in", range(count), count, work)
    market.stalls.extend(found[place] for place in sorted(found))
    market.expect(len(found) == count, f"{count - len(found)} stalls could not be opened")


async def open_stall(market: Market, place: int) -> Stall:
    """Take one merchant in."""
    bank, terms = market.bank, market.plan.terms(place)
    merchant = (
        await bank.merchants.create_merchant(
            name=f"Stall {place + 1} {GOODS[place % len(GOODS)]}",
            city="Shanghai",
            country_code="CN",
            category_code="5499",
            currency_code=CURRENCY,
        )
    ).message.merchant
    await bank.plans.set_plan(
        merchant_id=merchant.merchant_id,
        effective_date=market.clock.day.isoformat(),
        fee=fee_terms(terms),
        settlement_days=1,
        negative_limit_minor_units=NEGATIVE_LIMIT,
    )
    account = (
        await bank.payouts.register_payout_account(
            merchant_id=merchant.merchant_id, bank_account=f"6225{place:015}"
        )
    ).message.account
    await bank.payouts.confirm_payout_account(
        merchant_id=merchant.merchant_id, payout_account_id=account.payout_account_id
    )
    config = market.reach(key=await new_key(market, merchant.merchant_id))
    office = await market.stack.enter_async_context(AsyncClient(config))
    endpoint = await office.webhooks.create_endpoint(
        merchant_id=merchant.merchant_id, url=market.listener.url(place)
    )
    market.listener.secrets[place] = endpoint.message.secret
    printed = await office.payments.get_static_code(merchant_id=merchant.merchant_id)
    return Stall(
        place=place,
        merchant_id=merchant.merchant_id,
        account_id=merchant.account_id,
        config=config,
        office=office,
        scanner=await new_till(market, merchant.merchant_id, config, f"{place}-scanner"),
        screen=await new_till(market, merchant.merchant_id, config, f"{place}-screen"),
        printed_code=printed.code,
    )


def fee_terms(terms: Terms) -> plan_pb2.FeeTerms:
    """What a stall has agreed on, in the words of the contract."""
    return plan_pb2.FeeTerms(
        basis_points=terms.basis_points,
        fixed_minor_units=terms.fixed,
        rounding=plan_pb2.FEE_ROUNDING_HALF_UP,
        refund_policy=(
            plan_pb2.FEE_RETURN_PRO_RATA if terms.pro_rata else plan_pb2.FEE_RETURN_KEPT
        ),
    )


async def new_key(market: Market, merchant_id: str) -> ApiKey:
    """A key of a merchant, whose calls are signed."""
    made = (
        await market.keeper.credentials.create_key(
            owner_kind=credentials_service_pb2.KEY_OWNER_KIND_MERCHANT,
            owner=merchant_id,
            scopes=SCOPES,
            lifetime_days=30,
        )
    ).message
    signing = Ed25519PrivateKey.generate()
    await market.keeper.credentials.register_signing_key(
        key_id=made.key.key_id,
        public_key=signing.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )
    return ApiKey(f"{made.key.key_id}.{made.secret}", signing.sign)


async def new_till(market: Market, merchant_id: str, config: Config, label: str) -> AsyncTill:
    """A till with a journal of its own."""
    made = await market.bank.merchants.create_terminal(merchant_id=merchant_id, label=label)
    return await market.stack.enter_async_context(
        AsyncTill(
            config,
            merchant_id=merchant_id,
            terminal_id=made.message.terminal.terminal_id,
            journal=Journal(market.folder / f"{label}.json"),
        )
    )


def open_books(market: Market) -> None:
    """Give every merchant a book to write in."""
    market.books.stalls = [
        StallBooks(market.plan.terms(place)) for place in range(market.plan.merchants)
    ]
