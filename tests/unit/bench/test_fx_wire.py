"""The hand-made exchanges say what the generated stubs understand."""

from __future__ import annotations

import protovalidate
import pytest

from bench import fx_wire
from bench.wire import CURRENCY, WrongReplyError
from longmen.fx.v1 import conversions_service_pb2 as pb
from longmen.fx.v1 import quote_pb2


@pytest.mark.parametrize("hot", [True, False])
def test_a_conversion_is_valid_and_between_an_owners_accounts(*, hot: bool) -> None:
    requests = fx_wire.ExchangeShape("Convert", 100, hot).requests(7)
    codes = set()
    for _ in range(50):
        data = requests.make()
        request = pb.ConvertRequest.FromString(data)
        protovalidate.validate(request)
        assert request.SerializeToString() == data
        assert request.amount.currency_code == CURRENCY
        codes.add(request.counter_currency_code)
        owners = [fx_wire.accounts_of(owner) for owner in range(100)]
        (mine,) = [one for one in owners if one[0][0] == request.from_account_id]
        assert (request.to_account_id, request.counter_currency_code) == mine[1 if hot else 2]
    assert codes == ({fx_wire.HOT} if hot else set(fx_wire.SPREAD))


def test_a_quote_is_valid_and_a_reply_without_one_is_wrong() -> None:
    requests = fx_wire.ExchangeShape("CreateQuote", 3, hot=True).requests(1)
    data = requests.make()
    request = pb.CreateQuoteRequest.FromString(data)
    protovalidate.validate(request)
    assert request.SerializeToString() == data
    reply = pb.CreateQuoteResponse(quote=quote_pb2.Quote(quote_id="fxq_1"))
    assert requests.check(reply.SerializeToString()) == 1
    with pytest.raises(WrongReplyError):
        requests.check(b"")
