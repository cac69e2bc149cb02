"""Profiles: who sees what, what changes, what is taken away, and what erasing leaves."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import pytest_asyncio

from longmen.events.v1 import event_pb2
from longmen.identity.v1 import profile_service_pb2 as pb
from longmen_server.accounts.personal import ERASED
from longmen_server.config import Settings
from longmen_server.messages.notices import Notices
from longmen_server.messages.post_office import PostOffice
from longmen_server.platform.ids import CUSTOMER, CustomerId
from longmen_server.platform.refusal import Refusal
from longmen_server.platform.sealing import Sealer
from longmen_server.profile.service import ProfileService
from longmen_server.staff_desk import customer_watch
from tests.integration.test_personal_data import dump, traces
from tests.support.ledger import BOOK
from tests.support.proof import proof_of
from tests.support.wallets import SERVICE, STAFF, Wallets, cash, open_wallets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from longmen_server.transport.context import Principal
    from tests.support.clock import SettableClock
    from tests.support.postgres import Database
    from tests.support.wallets import Person


class Profiles:
    """The service of profiles beside those of wallets."""

    def __init__(self, wallets: Wallets) -> None:
        self.wallets = wallets
        office = PostOffice(Sealer(bytes(32)), wallets.clock, index_key=bytes(32))
        self.service = ProfileService(
            engine=wallets.engine,
            readers=wallets.readers,
            clock=wallets.clock,
            vault=wallets.vault,
            notices=Notices(office),
            watch=customer_watch(Settings(books=(BOOK,)), wallets.readers, wallets.clock),
            office=office,
        )

    async def ask(self, method: str, principal: Principal, /, **fields: Any) -> Any:
        request = getattr(pb, f"{method}Request")(**fields)
        if "request_id" in request.DESCRIPTOR.fields_by_name and not request.request_id:
            request.request_id = self.wallets.new_request_id()
        call = self.wallets.call_for(f"longmen.profile.tests/{method}", request, principal)
        reply = await getattr(self.service, method)(request, call)
        if isinstance(reply, bytes):
            return getattr(pb, f"{method}Response").FromString(reply)
        return reply

    async def profile(self, person: Person, principal: Principal | None = None) -> pb.Profile:
        fields = {"customer_id": person.customer}
        reply = await self.ask("GetProfile", principal or person.principal, **fields)
        profile: pb.Profile = reply.profile
        return profile

    async def export(self, person: Person) -> list[tuple[str, dict[str, Any]]]:
        request = pb.ExportMyDataRequest()
        call = self.wallets.call_for("longmen.profile.tests/Export", request, person.principal)
        return [
            (reply.section, json.loads(reply.json))
            async for reply in self.service.ExportMyData(request, call)
        ]

    async def erase(self, person: Person, **fields: Any) -> Any:
        return await self.ask("EraseCustomer", STAFF, customer_id=person.customer, **fields)

    async def leave(self, person: Person) -> None:
        """Close the person's only account."""
        await self.wallets.jobs.run_once()
        await self.wallets.ask("CloseAccount", account_id=person.account)


@pytest_asyncio.fixture
async def profiles(database: Database, settable_clock: SettableClock) -> AsyncIterator[Profiles]:
    async with open_wallets(database.app_dsn, settable_clock) as wallets:
        yield Profiles(wallets)


async def refusal(awaitable: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await awaitable
    return caught.value


class TestSeeing:
    async def test_the_customer_sees_all_and_others_see_it_masked(self, profiles: Profiles) -> None:
        me = await profiles.wallets.person("Alan Lee")
        await profiles.ask("UpdateProfile", me.principal, email="alan.lee@example.com")
        own = await profiles.profile(me)
        assert (own.display_name, own.phone_number, own.email, own.masked) == (
            "Alan Lee",
            me.phone,
            "alan.lee@example.com",
            False,
        )
        for principal in (SERVICE, STAFF):
            seen = await profiles.profile(me, principal)
            assert seen.masked
            assert (seen.display_name, seen.email) == ("A*** L**", "a***@example.com")
            assert "****" in seen.phone_number
            assert me.phone not in str(seen)

    async def test_another_customer_sees_nobody(self, profiles: Profiles) -> None:
        me, other = await profiles.wallets.person(), await profiles.wallets.person()
        for method in ("GetProfile", "UpdateProfile"):
            asked = profiles.ask(method, other.principal, customer_id=me.customer)
            assert (await refusal(asked)).reason == "WALLET_NOT_FOUND"


class TestChanging:
    async def test_what_is_given_changes_and_the_rest_stays(self, profiles: Profiles) -> None:
        me = await profiles.wallets.person("Alan Lee")
        await profiles.ask("UpdateProfile", me.principal, email="a@example.com")
        await profiles.ask("UpdateProfile", SERVICE, customer_id=me.customer, display_name="王小明")
        own = await profiles.profile(me)
        assert (own.display_name, own.email) == ("王小明", "a@example.com")
        await profiles.ask("UpdateProfile", me.principal, email="")
        assert not (await profiles.profile(me)).email
        told = [kind for kind, payload in await profiles.wallets.events(me.customer_id)]
        assert told.count(event_pb2.EVENT_TYPE_PROFILE_CHANGED) == 3

    async def test_a_repetition_changes_nothing_again(self, profiles: Profiles) -> None:
        me = await profiles.wallets.person("Alan Lee")
        fields = {"request_id": profiles.wallets.new_request_id(), "display_name": "First"}
        once = await profiles.ask("UpdateProfile", me.principal, **fields)
        await profiles.ask("UpdateProfile", me.principal, display_name="Second")
        assert await profiles.ask("UpdateProfile", me.principal, **fields) == once
        assert (await profiles.profile(me)).display_name == "Second"


async def test_an_export_has_everything_of_the_caller_and_nobody_elses_name(
    profiles: Profiles, database: Database
) -> None:
    wallets = profiles.wallets
    me, other = await wallets.person("Alan Lee", funds=900), await wallets.person("Bea Okafor")
    await profiles.ask("UpdateProfile", me.principal, email="alan.lee@example.com")
    await wallets.pay(me, other, 5, description="thanks", reference="mine-1")
    records = await profiles.export(me)
    assert [section for section, _ in records] == [
        "profile",
        "risk_decisions",
        "risk_decisions",
        "accounts",
        "movements",
        "movements",
    ]
    (_, profile), (_, judged), _, (_, account), (_, paid), (_, topped_up) = records
    assert (judged["kind"], judged["outcome"]["kind"]) == ("TRANSFER", "OUTCOME_KIND_ALLOW")
    assert (profile["display_name"], profile["phone_number"]) == ("Alan Lee", me.phone)
    assert profile["email"] == "alan.lee@example.com"
    assert account["account_id"] == me.account
    assert (paid["description"], paid["reference"]) == ("thanks", "mine-1")
    assert paid["counterparty_masked_name"] == "B** O***"
    assert topped_up["bank_account"] == "6222021234567890"
    assert "Bea" not in json.dumps(records)
    assert traces(dump(database.admin_dsn), ["alan.lee@example.com", "Alan Lee"]) == []


class TestErasing:
    async def test_only_the_books_remember_and_they_still_prove_themselves(
        self, profiles: Profiles, database: Database
    ) -> None:
        wallets = profiles.wallets
        me, other = await wallets.person("Alan Lee", funds=50), await wallets.person("Bea Okafor")
        await wallets.pay(me, other, 50)
        await profiles.leave(me)
        reply = await profiles.erase(me)
        assert reply.customer_id == me.customer
        assert reply.erase_time.seconds > 0
        for principal in (me.principal, SERVICE):
            seen = await profiles.profile(me, principal)
            assert (seen.display_name, seen.phone_number, seen.email) == (ERASED, ERASED, "")
            assert seen.erase_time == reply.erase_time
        wallet = (await wallets.ask("GetWallet", me.principal)).wallet
        assert (wallet.display_name, wallet.masked_phone_number) == (ERASED, ERASED)
        listed = await wallets.ask("ListTransactions", other.principal, account_id=other.account)
        assert [one.counterparty_masked_name for one in listed.movements] == [ERASED]
        with psycopg.connect(database.admin_dsn) as connection:
            left = connection.execute(
                "select count(*) from customer_key where customer_id = %s::uuid",
                [me.customer_id.hex()],
            ).fetchone()
            assert left == (0,)
        told = [kind for kind, payload in await wallets.events(me.customer_id)]
        assert told[-1] == event_pb2.EVENT_TYPE_CUSTOMER_ERASED
        findings, summary, _ = await proof_of(database.app_dsn, wallets.clock)
        assert (findings, summary.finding_count) == ([], 0)

    async def test_the_number_is_free_and_finds_nobody(self, profiles: Profiles) -> None:
        wallets = profiles.wallets
        me, payer = await wallets.person("Alan Lee"), await wallets.person(funds=5)
        await profiles.leave(me)
        await profiles.erase(me)
        paying = wallets.ask(
            "CreateTransfer",
            payer.principal,
            from_account_id=payer.account,
            payee={"phone_number": me.phone},
            amount=cash(1),
        )
        assert (await refusal(paying)).reason == "PAYEE_NOT_FOUND"
        again = await wallets.ask(
            "OpenWallet", phone_number=me.phone, display_name="Next One", currency_code="CNY"
        )
        assert again.wallet.customer_id != me.customer

    async def test_nothing_can_be_done_with_an_erased_customer(self, profiles: Profiles) -> None:
        wallets = profiles.wallets
        me = await wallets.person("Alan Lee")
        await profiles.leave(me)
        fields = {"request_id": wallets.new_request_id()}
        once = await profiles.erase(me, **fields)
        assert await profiles.erase(me, **fields) == once
        for asked in (
            profiles.erase(me),
            profiles.ask("UpdateProfile", me.principal, display_name="Back"),
            profiles.export(me),
            wallets.ask("OpenAccount", customer_id=me.customer, currency_code="USD"),
        ):
            assert (await refusal(asked)).reason == "CUSTOMER_ERASED"

    async def test_a_wallet_with_open_accounts_is_not_erased(self, profiles: Profiles) -> None:
        wallets = profiles.wallets
        me = await wallets.person("Alan Lee")
        await wallets.ask("OpenAccount", customer_id=me.customer, currency_code="USD")
        told = await refusal(profiles.erase(me))
        assert (told.reason, told.metadata) == ("WALLET_NOT_CLOSED", {"open_accounts": "2"})
        assert (await profiles.profile(me)).display_name == "Alan Lee"

    async def test_what_the_clearing_still_needs_is_not_erased(self, profiles: Profiles) -> None:
        wallets = profiles.wallets
        me, other = await wallets.person("Alan Lee", funds=5), await wallets.person()
        await wallets.pay(me, other, 5)
        await wallets.ask("CloseAccount", account_id=me.account)
        told = await refusal(profiles.erase(me))
        assert (told.reason, told.metadata) == ("ERASURE_TOO_EARLY", {"open_instructions": "1"})
        await wallets.jobs.run_once()
        await profiles.erase(me)

    async def test_nobody_is_not_found(self, profiles: Profiles) -> None:
        nobody = CUSTOMER.encode(CustomerId(profiles.wallets.new_account_id()))
        asked = profiles.ask("EraseCustomer", SERVICE, customer_id=nobody)
        assert (await refusal(asked)).reason == "WALLET_NOT_FOUND"

    async def test_an_account_opened_at_the_same_time_never_outlives_its_owner(
        self, profiles: Profiles
    ) -> None:
        wallets = profiles.wallets
        for _ in range(10):
            me = await wallets.person("Alan Lee")
            await profiles.leave(me)
            results = await asyncio.gather(
                wallets.ask("OpenAccount", customer_id=me.customer, currency_code="USD"),
                profiles.erase(me),
                return_exceptions=True,
            )
            refused = [each for each in results if isinstance(each, Refusal)]
            assert [each.reason for each in refused] in (["CUSTOMER_ERASED"], ["WALLET_NOT_CLOSED"])
