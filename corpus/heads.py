"""Classes H, R and Z of calls: metadata, paths and sizes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from corpus.case import INVALID, SOUND, Case, Expected, Raw, core, refused, undecodable
from corpus.framing import framed
from corpus.world import METHODS, World
from tests.support.http2 import Header, call_headers
from tests.support.rpcs import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from longmen_server.transport.method import Method

REJECTED: Final = Expected(
    frozenset({INVALID, "RESET"}), frozenset({"METADATA_REJECTED"}), core=True
)
LENIENT: Final = core(
    *SOUND, "UNIMPLEMENTED", "DEADLINE_EXCEEDED", "CANCELLED", "RESOURCE_EXHAUSTED"
)
RESERVED: Final = undecodable(*LENIENT.codes, "UNAUTHENTICATED", "HTTP")
"""What the core may say to reserved headers that mean nothing."""
NO_SUCH: Final = core("UNIMPLEMENTED", "HTTP")
TOO_LARGE: Final = core(INVALID, "RESOURCE_EXHAUSTED")

VALUES: Final[dict[str, bytes]] = {
    "CR": b"a\rb",
    "LF": b"a\nb",
    "CRLF": b"a\r\nx-evil: 1",
    "NUL": b"a\x00b",
    "escape": b"\x1b[31m",
    "bell": b"\x07",
    "backspace": b"a\x08b",
    "DEL": b"\x7f",
    "vertical tab": b"a\x0bb",
    "C1": b"\x9b31m",
    "Latin-1": b"caf\xe9",
    "UTF-8": "\u4eba".encode(),
    "bidi": "\u202e".encode(),
    "lone byte": b"\xff",
    "BOM": b"\xef\xbb\xbfa",
    "unit separator": b"\x1f",
}
"""Values of metadata that are no printable ASCII."""

TWICE: Final = ("authorization", "traceparent", "tracestate", "x-request-id")

ODD: Final[dict[str, tuple[Header, ...]]] = {
    "bad base64": ((b"x-note-bin", b"%%%"),),
    "cut base64": ((b"x-note-bin", b"abcde"),),
    "empty base64": ((b"x-note-bin", b""),),
    "base64 with spaces": ((b"x-note-bin", b"YQ = ="),),
    "upper-case key": ((b"X-Note", b"a"),),
    "key with a space": ((b"x note", b"a"),),
    "key with a colon": ((b"x:note", b"a"),),
    "key with NUL": ((b"x\x00note", b"a"),),
    "key with LF": ((b"x\nnote", b"a"),),
    "key of UTF-8": (("x-\u4eba".encode(), b"a"),),
    "empty key": ((b"", b"a"),),
    "long key": ((b"x" * 5_000, b"a"),),
    "empty value": ((b"x-note", b""),),
    "spaces around": ((b"x-note", b"  a  "),),
    "reserved key": ((b"grpc-note", b"a"),),
    "grpc-status from a client": ((b"grpc-status", b"0"),),
    "grpc-message from a client": ((b"grpc-message", b"fine"),),
    "previous attempts": ((b"grpc-previous-rpc-attempts", b"99999999999"),),
    "message type": ((b"grpc-message-type", b"longmen.Other"),),
    "accept-encoding": ((b"grpc-accept-encoding", b"identity,,gzip,\x7f"),),
    "internal encoding": ((b"grpc-internal-encoding-request", b"gzip"),),
    "tags": ((b"grpc-tags-bin", b"AAAA"),),
    "trace": ((b"grpc-trace-bin", b"AAAA"),),
    "load report": ((b"endpoint-load-metrics-bin", b"AAAA"),),
    "forwarded for": ((b"x-forwarded-for", b"127.0.0.1"),),
    "forwarded user": ((b"x-user-id", b"admin"), (b"x-forwarded-user", b"admin")),
    "customer id": ((b"x-customer-id", b"cust_" + b"0" * 32),),
    "method override": ((b"x-http-method-override", b"DELETE"),),
    "host": ((b"host", b"elsewhere.example"),),
    "connection": ((b"connection", b"keep-alive"),),
    "transfer-encoding": ((b"transfer-encoding", b"chunked"),),
    "upgrade": ((b"upgrade", b"h2c"),),
    "keep-alive": ((b"keep-alive", b"timeout=5"),),
    "proxy-connection": ((b"proxy-connection", b"keep-alive"),),
    "content-length of zero": ((b"content-length", b"0"),),
    "content-length too long": ((b"content-length", b"999999"),),
    "content-length of minus one": ((b"content-length", b"-1"),),
    "two content-lengths": ((b"content-length", b"1"), (b"content-length", b"2")),
    "content-encoding": ((b"content-encoding", b"gzip"),),
    "expect": ((b"expect", b"100-continue"),),
    "range": ((b"range", b"bytes=0-1"),),
    "cookie": ((b"cookie", b"session=1"),),
    "late pseudo header": ((b":path", b"/other"),),
    "unknown pseudo header": ((b":evil", b"a"),),
    "two methods": ((b":method", b"GET"),),
    "two authorities": ((b":authority", b"elsewhere"),),
    "broken traceparent": ((b"traceparent", b"00-zz-zz-zz"),),
    "traceparent of zeros": ((b"traceparent", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01"),),
    "traceparent of version ff": (
        (b"traceparent", b"ff-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01"),
    ),
    "long tracestate": ((b"tracestate", b"a=b," * 300),),
    "baggage": ((b"baggage", b"k=v;" * 100),),
    "SQL": ((b"x-note", b"'; drop table event; --"),),
    "lookup": ((b"x-note", b"${jndi:ldap://127.0.0.1/a}"),),
    "user agent": ((b"user-agent", b"() { :; }; id"),),
}
"""Headers that are added to a good call."""

TIMEOUTS: Final = (
    b"abc",
    b"",
    b"-1S",
    b"0n",
    b"0S",
    b"1",
    b"S",
    b"1s",
    b"1x",
    b"1.5S",
    b" 1S",
    b"1S ",
    b"+1S",
    b"1e3m",
    b"99999999H",
    b"999999999H",
    b"1" * 40 + b"S",
    b"0x1S",
    "\u0661S".encode(),
    b"1S1S",
    b"NaNS",
)

CONTENT_TYPES: Final = (
    b"application/grpc",
    b"application/grpc+proto",
    b"application/grpc+json",
    b"application/grpc-web",
    b"application/grpc-web+proto",
    b"application/json",
    b"text/plain",
    b"text/html; charset=utf-8",
    b"",
    b"application/grpc; charset=utf-8",
    b"APPLICATION/GRPC",
    b"application/grpcx",
    b"application/x-protobuf",
    b"multipart/form-data; boundary=x",
    b" application/grpc",
    b"application/grpc+",
    b"application/grpc\x00",
    b"application/connect+proto",
    b"application/octet-stream",
    b"image/png",
)

PATHS: Final = (
    "",
    "/",
    "//",
    "*",
    "/x",
    "{path}",
    "//{path}",
    "/{path}/",
    "/{path}//",
    "/{path}?x=1",
    "/{path}#x",
    "/{lower}",
    "/{upper}",
    "/{service}",
    "/{service}/",
    "/{service}//{name}",
    "/{service}.{name}",
    "/{service}%2f{name}",
    "/%2f{path}",
    "/{path}%00",
    "/{path}%20",
    "/{path} ",
    " /{path}",
    "/{path}\t",
    "/./{path}",
    "/../{path}",
    "/{service}/../{path}",
    "/{service}/./{name}",
    "\\{path}",
    "/{service}\\{name}",
    "http://localhost/{path}",
    "/{service}/{name}X",
    "/{service}/X{name}",
    "/{service}/{camel}",
    "/.{path}",
    "/{path}.",
    "/longmen.ledger.v2.LedgerService/{name}",
    "/LedgerService/{name}",
    "/ledger.v1.LedgerService/{name}",
    "/longmen.ledger.v1.ledgerservice/{name}",
    "/{long}",
    "/{service}/{long}",
    "/{service}/{name};v=1",
    "/{service}/{name}&a=b",
    "/{service}/{name}'",
    "/{service}/*",
    "/*/{name}",
    "/grpc.channelz.v1.Channelz/GetServers",
    "/grpc.health.v1.Health/Nothing",
    "/admin",
    "/metrics",
    "/debug",
    "/.well-known/openid-configuration",
    "/favicon.ico",
    "/longmen.admin.v1.AdminService/Shutdown",
    "/{service}/{homoglyph}",
    "/{service}/\u200b{name}",
)

METHODS_OF_HTTP: Final = (
    b"GET",
    b"PUT",
    b"HEAD",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"DELETE",
    b"PATCH",
    b"PRI",
    b"post",
    b"",
    b"POST\x00",
    b"X" * 100,
)


class Heads:
    """Makes the cases around one read that anybody may see the answer of."""

    def __init__(self, world: World, bearer: dict[str, Header]) -> None:
        (self.method,) = (m for m in METHODS if short(m) == "LedgerService/GetAccount")
        self.bearer = bearer[self.method.path]
        self.body = framed(world.base(self.method, "H").SerializeToString())
        self.path = f"/{self.method.path}"

    def case(
        self, kind: str, name: str, expected: Expected, *headers: Header, acknowledges: bool = True
    ) -> Case:
        """A good call with headers added."""
        sent = tuple(call_headers(self.path, self.bearer, *headers))
        return self.whole(kind, name, expected, sent, acknowledges=acknowledges)

    def whole(
        self,
        kind: str,
        name: str,
        expected: Expected,
        headers: tuple[Header, ...],
        *,
        acknowledges: bool = True,
    ) -> Case:
        """A call with just these headers."""
        raw = Raw(headers, frames=(self.body,), acknowledges=acknowledges)
        return Case(kind, name, self.method, expected, raw=raw)


def metadata(world: World, bearer: dict[str, Header]) -> Iterator[Case]:
    """Class H."""
    heads = Heads(world, bearer)
    for label, value in VALUES.items():
        yield heads.case("H", f"value with {label}", REJECTED, (b"x-note", value))
        both = (b"authorization", heads.bearer[1] + value)
        sent = tuple(call_headers(heads.path, both))
        expected = core("UNAUTHENTICATED", INVALID)
        yield heads.whole("H", f"token with {label}", expected, sent)
    for key in TWICE:
        pair = ((key.encode(), b"a"), (key.encode(), b"b"))
        # Of traceparents the core shows us one; which span a call belongs to decides nothing.
        expected = LENIENT if key == "traceparent" else REJECTED
        yield heads.case("H", f"{key} twice", expected, *pair)
    for label, headers in ODD.items():
        yield heads.case("H", label, RESERVED, *headers)
    for number, timeout in enumerate(TIMEOUTS):
        yield heads.case("H", f"timeout {number}", RESERVED, (b"grpc-timeout", timeout))
    base = dict(call_headers(heads.path, heads.bearer))
    for number, content_type in enumerate(CONTENT_TYPES):
        sent = tuple((base | {b"content-type": content_type}).items())
        # The core takes any and shows us none; the request is read as protobuf in any case.
        yield heads.whole("H", f"content type {number}", RESERVED, sent)
    for missing in base:
        sent = tuple((key, value) for key, value in base.items() if key != missing)
        name = missing.decode()
        yield heads.whole("H", f"no {name}", RESERVED, sent)
    for value in (b"", b"gzip", b"trailers, deflate", b"TRAILERS"):
        sent = tuple((base | {b"te": value}).items())
        yield heads.whole("H", f"te {value.decode() or 'empty'}", RESERVED, sent)


def routing(world: World, bearer: dict[str, Header]) -> Iterator[Case]:
    """Class R."""
    heads = Heads(world, bearer)
    method = heads.method
    words = {
        "path": method.path,
        "service": method.service,
        "name": method.name,
        "lower": method.path.lower(),
        "upper": method.path.upper(),
        "camel": method.name[0].lower() + method.name[1:],
        "long": "x" * 7_000,
        "homoglyph": method.name.replace("e", "\u0435"),
    }
    base = dict(call_headers(heads.path, heads.bearer))
    for number, template in enumerate(PATHS):
        path = template.format(**words).encode()
        sent = tuple((base | {b":path": path}).items())
        yield heads.whole("R", f"path {number}: {template}", NO_SUCH, sent)
    for verb in METHODS_OF_HTTP:
        sent = tuple((base | {b":method": verb}).items())
        label = f"method {verb.decode()[:10]!r}"
        yield heads.whole("R", label, RESERVED, sent)
    for scheme in (b"https", b"ftp", b"", b"javascript"):
        sent = tuple((base | {b":scheme": scheme}).items())
        yield heads.whole("R", f"scheme {scheme.decode()!r}", RESERVED, sent)


def sizes(world: World, bearer: dict[str, Header]) -> Iterator[Case]:
    """Class Z, of calls: much metadata, and requests at their limit."""
    heads = Heads(world, bearer)
    for acknowledges in (True, False):
        tail = "" if acknowledges else ", settings unacknowledged"
        for size in (1_000, 7_000, 8_192, 8_193, 9_000, 16_384, 65_536, 300_000, 1_000_000):
            expected = Expected(SOUND) if size < 8_000 else TOO_LARGE
            yield heads.case(
                "Z",
                f"{size} bytes of metadata{tail}",
                expected,
                (b"x-large", b"v" * size),
                acknowledges=acknowledges,
            )
        for count in (10, 50, 64, 65, 100, 200):
            expected = Expected(SOUND) if count < 55 else TOO_LARGE
            headers = tuple((f"x-{number}".encode(), b"") for number in range(count))
            name = f"{count} entries{tail}"
            yield heads.case("Z", name, expected, *headers, acknowledges=acknowledges)
        for count in (500, 1_000):
            headers = tuple((f"x-{number}".encode(), b"v") for number in range(count))
            name = f"{count} entries{tail}"
            yield heads.case("Z", name, TOO_LARGE, *headers, acknowledges=acknowledges)
    for method in METHODS:
        yield from _requests(method)


def _requests(method: Method) -> Iterator[Case]:
    """Requests of a method just above its limit, and far above."""
    limit = method.request_bytes_max
    ours = refused("REQUEST_TOO_LARGE", code="RESOURCE_EXHAUSTED")
    for size in (limit + 1, 4_194_304):
        expected = ours if size == limit + 1 else core("RESOURCE_EXHAUSTED")
        yield Case("Z", f"{short(method)}/{size} bytes", method, expected, _filled(size))


@cache
def _filled(size: int) -> bytes:
    """So many bytes; what such a request holds is never looked at, so all methods share them."""
    return b"\x0a" + b"\x80" * (size - 1)
