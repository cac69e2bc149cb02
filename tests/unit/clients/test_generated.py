"""What is generated covers the contract, and both stacks are the same."""

from __future__ import annotations

import inspect
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from longmen_app import AsyncPayment, AsyncWallet, Payment, Wallet
from longmen_client import AsyncClient, AsyncPager, AsyncStream, Client, Pager, Stream
from longmen_client.contract import services

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor

ROOT = Path(__file__).resolve().parents[3]
METHODS = [method for service in services() for method in service.methods]
unasync = runpy.run_path(str(ROOT / "scripts" / "client_generator" / "unasync.py"))["unasync"]


def wrapper(stack: type[Any], method: MethodDescriptor) -> Any:
    """The function of a stack that stands for a method."""
    area, name = (
        re.sub(r"(?<!^)(?=[A-Z])", "_", camel).lower()
        for camel in (method.containing_service.name.removesuffix("Service"), method.name)
    )
    return getattr(
        inspect.get_annotations(getattr(stack, area).func, eval_str=True)["return"], name
    )


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_every_method_has_a_wrapper_with_every_field(method: MethodDescriptor) -> None:
    asynchronous, threaded = (wrapper(stack, method) for stack in (AsyncClient, Client))

    for function in (asynchronous, threaded):
        parameters = inspect.signature(function).parameters
        fields = {field.name for field in method.input_type.fields}
        assert set(parameters) - {"self"} == fields | {"options"}
        assert function.__doc__ is not None
        assert all(f"{name}: " in function.__doc__ for name in fields)
    assert (
        list(inspect.signature(asynchronous).parameters.values())[:-1]
        == (list(inspect.signature(threaded).parameters.values())[:-1])
    )
    assert not inspect.iscoroutinefunction(threaded)


@pytest.mark.parametrize(
    ("asynchronous", "threaded"),
    [
        (AsyncClient, Client),
        (AsyncPager, Pager),
        (AsyncStream, Stream),
        (AsyncWallet, Wallet),
        (AsyncPayment, Payment),
    ],
    ids=lambda class_: class_.__name__,
)
def test_both_stacks_offer_the_same(asynchronous: type[Any], threaded: type[Any]) -> None:
    renamed = {"aclose": "close"}

    def offered(class_: type[Any]) -> set[str]:
        return {renamed.get(name, name) for name in vars(class_) if not name.startswith("_")}

    assert offered(asynchronous) == offered(threaded)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("async def f(x: AsyncClient) -> None:\n    await x.aclose()\n",
         "def f(x: Client) -> None:\n    x.close()\n"),
        ("async with a as b, c:\n    async for d in b:\n        yield d\n",
         "with a as b, c:\n    for d in b:\n        yield d\n"),
        ("from p._async.q import AsyncIterator as It\n", "from p._sync.q import Iterator as It\n"),
        ('"""Leave it by `async with`; AsyncPager."""\n', '"""Leave it by `with`; Pager."""\n'),
        ("x = [y async for y in z]\nraise StopAsyncIteration\n",
         "x = [y for y in z]\nraise StopIteration\n"),
        ("asyncio_x = 1  # an Asynchronous AsyncX\n", "asyncio_x = 1  # an Asynchronous X\n"),
    ],
    ids=["function", "blocks", "imports", "texts", "expressions", "names"],
)  # fmt: skip
def test_threaded_code_is_the_asyncio_code_without_its_words(source: str, expected: str) -> None:
    assert unasync(source) == expected
