"""The settings of a server: one frozen object, read once, each field with its meaning and default.

Every field can be set as LONGMEN_<FIELD> in the environment; the command line may override a few.
The text below a field is its reason: `describe` reads it for docs/operations.md and for
AdminService.GetConfig, so it is written once. Limits of the edge and of the engine stand in their
own classes and are settings all the same.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import ipaddress
import itertools
import os
import textwrap
import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from longmen_server.accounts.settings import AccountsSettings
from longmen_server.audit.settings import AuditSettings
from longmen_server.engine.writer import WriterLimits
from longmen_server.factors.settings import FactorsSettings
from longmen_server.fxrates.settings import FxSettings
from longmen_server.identity.settings import IdentitySettings
from longmen_server.jobs.settings import JobSettings
from longmen_server.messages.settings import MessageSettings
from longmen_server.payments.settings import PaymentsSettings
from longmen_server.platform.hashing import HashingSettings
from longmen_server.risk.settings import RiskSettings
from longmen_server.staff.settings import StaffSettings
from longmen_server.transport.proxies import Proxies
from longmen_server.transport.rates import parse_rates
from longmen_server.transport.settings import EdgeSettings
from longmen_server.webhooks.settings import WebhookSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ConfigError", "Described", "Settings", "describe", "read_settings", "to_environment"]

PREFIX: Final = "LONGMEN_"
REDACTED: Final = "(redacted)"
CLIENT_VARIABLES: Final = frozenset(
    {"LONGMEN_TARGET", "LONGMEN_TOKEN", "LONGMEN_STAFF", "LONGMEN_CONTRACT_BASE"}
)
"""Names with our prefix that belong to the command-line client and the tools, not to the server."""

WORKERS_MAX: Final = 64
WORKERS_DEFAULT_MAX: Final = 4


class ConfigError(Exception):
    """A setting cannot be used; the message is one line that names it."""


def default_workers() -> int:
    """One worker for each core we may use, up to four."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(WORKERS_DEFAULT_MAX, usable or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can choose."""

    host: str = "127.0.0.1"
    """Address to listen on. Loopback unless told otherwise: trying it out exposes nothing."""
    port: int = 50051
    """TCP port of gRPC; 0 lets the system choose one."""
    data: Path = Path(".longmen")
    """Folder of keys, the embedded Postgres and the test clock. One server at a time uses it."""
    dsn: str | None = field(default=None, repr=False, metadata={"secret": True})
    """Postgres to use, as a libpq connection string or URL, possibly with several hosts. Without it
    an embedded Postgres is started in the data folder."""
    migrate_dsn: str | None = field(default=None, repr=False, metadata={"secret": True})
    """The same database as its owner, for migrations, where the server's own role may not change
    the schema. Without it migrations use the DSN."""
    migrate: bool = True
    """Whether `serve` brings the schema up to date; when off it only checks the version."""
    workers: int = field(default_factory=default_workers)
    """Worker processes. One for each core pays up to four; beyond that their writers mostly wait
    for each other's rows, and more books help more than more workers."""
    books: tuple[int, ...] = (1,)
    """Books this server keeps, separated by commas. A batch never spans two."""
    production: bool = False
    """Whether this is no test: the clock cannot be set, development tokens are not accepted, and
    anything but loopback demands TLS."""
    reflection: bool = True
    """Whether grpcurl and the like can list the contract."""
    samples: bool = True
    """Whether a server to try out, that is, with embedded Postgres and keys of its own, opens a few
    accounts with well-known ids in its first book and keeps a token in the data folder, for load
    tools that read fixed files."""

    tls_certificate: Path | None = None
    """PEM file with the server's certificate chain; without it the server speaks plaintext, which
    is taken on loopback only. A renewed file is served within a second, without a restart."""
    tls_key: Path | None = None
    """PEM file with the certificate's private key."""
    tls_development: bool = False
    """Whether a server that is not in production makes an authority and a certificate of its own in
    the data folder, and serves with it."""
    tls_client_authorities: Path | None = None
    """PEM file with the authorities whose client certificates are demanded; without it none are.
    Read again when it changes."""
    systems_port: int = 0
    """TCP port for merchants and services that call with client certificates; 0 for none of its
    own. With one, nobody else has to show a certificate; without, all callers have to where there
    are authorities."""

    tokens_jwks: Path | None = None
    """JWKS file with the public keys of access tokens, read again when it changes. Without it a
    server that is not in production makes a development key of its own."""
    tokens_issuer: str = "longmen-development"  # DEVELOPMENT_ISSUER, which stands below
    """Issuer (iss) that tokens must name."""
    tokens_audience: str = "longmen"
    """Audience (aud) that tokens must name."""
    tokens_leeway_s: int = 30
    """Seconds that the clocks of the issuer and of this server may differ."""

    personal_keys: Path | None = None
    """File of the keys that wrap the keys of customers' personal data, the same on every machine of
    a server, and never where the database's backups are. Without it one is made in the data folder.
    Whoever loses it loses every name and phone number for good."""

    identity_key: Path | None = None
    """PEM file with the Ed25519 key that signs the tokens of customers who sign in here. Its public
    side stands beside it in a JWKS file, to which new keys are added. Without it one is made in the
    data folder; several machines of a server share one."""
    receipt_key: Path | None = None
    """PEM file with the Ed25519 key that signs receipts. Without it one is made in the data folder.
    Publish its public half: it is what makes a receipt worth keeping."""

    clearing_folder: Path | None = None
    """Folder that top-ups and withdrawals are exchanged through with the bank's clearing, as files.
    Without it they are confirmed at once, which production refuses."""

    readers_min: int = 4
    """Connections for reads that each worker keeps open, so that a sudden crowd need not wait for
    new ones, which take longest when the machine is busiest."""
    readers_max: int = 8
    """Connections for reads in each worker at most. Postgres gains nothing from more than a few for
    each core, and every one costs it memory."""
    readers_wait_ms: int = 1000
    """How long a read may wait for a connection before it is refused as OVERLOADED. The edge bounds
    how many wait: the 256 it lets in took a busy worker 280 ms, so a shorter wait would refuse
    calls that were welcome, and a longer one means that the database is stuck."""
    readiness_interval_ms: int = 1000
    """How often each worker asks the database whether it is there; health follows the answer."""
    readiness_timeout_ms: int = 500
    """How long that question may take before the worker counts as not ready."""

    drain_margin_s: float = 5.0
    """Seconds a worker gets, beyond the grace of its calls, to finish batches and close connections
    before it is killed."""
    restart_delay_ms_min: int = 100
    """Wait before a worker that crashed is started again; doubles with each crash in a row."""
    restart_delay_ms_max: int = 10_000
    """Longest such wait."""

    page_token_key: Path | None = None
    """File of 32 random bytes that seal page tokens, the same on every machine of a server. Without
    it one is made in the data folder."""
    secrets_key: Path | None = None
    """File of 32 random bytes, the same on every machine of a server, that everything secret in the
    database hangs on: PINs are hashed with a key made from it, seeds of one-time codes sealed. Keep
    a copy where the database's backups are not; without it nobody's PIN is right any more. Without
    this setting one is made in the data folder."""
    failpoints: str = ""
    """Places where the engine is made to fail, for tests of what happens then, such as
    after_commit=kill; refused in production."""

    metrics_port: int = 0
    """TCP port on which worker 0 serves Prometheus metrics on the same host, worker 1 on the next
    one, and so on; 0 serves none."""
    otlp_endpoint: str | None = None
    """OTLP/gRPC collector for traces and metrics, such as http://127.0.0.1:4317; without it nothing
    is sent."""
    trace_ratio: float = 0.0
    """Share, 0 to 1, of calls traced among those whose caller did not decide. A span costs about a
    tenth of a call."""
    log_level: str = "info"
    """Least severe log line written: debug, info, warning or error."""
    log_format: str = "auto"
    """How log lines look: json, console, or auto for console on a terminal and json elsewhere."""

    accounts: AccountsSettings = field(default_factory=AccountsSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    factors: FactorsSettings = field(default_factory=FactorsSettings)
    fx: FxSettings = field(default_factory=FxSettings)
    payments: PaymentsSettings = field(default_factory=PaymentsSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    """Limits of codes, sessions and devices."""
    messages: MessageSettings = field(default_factory=MessageSettings)
    """How messages to customers are sent."""
    risk: RiskSettings = field(default_factory=RiskSettings)
    staff: StaffSettings = field(default_factory=StaffSettings)
    """Limits of sign-ins and sessions of staff."""
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    """How merchants are posted to."""
    hashing: HashingSettings = field(default_factory=HashingSettings)
    """Limits of password hashing."""
    edge: EdgeSettings = field(default_factory=EdgeSettings)
    """Limits of the gRPC edge."""
    writer: WriterLimits = field(default_factory=WriterLimits)
    """Limits of the engine's writers."""

    def validate(self) -> None:
        """Refuse what cannot work, before anything is started.

        Raises:
            ConfigError: names the setting and what is wrong.
        """
        for name, low, high in RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{variable(name)}: {value} is outside {low} to {high}")
        for name, choices in CHOICES:
            if getattr(self, name) not in choices:
                raise ConfigError(f"{variable(name)}: choose one of {', '.join(choices)}")
        if not self.books or not all(1 <= book <= 32767 for book in self.books):
            raise ConfigError(f"{variable('books')}: books are numbers from 1 to 32767")
        if len(set(self.books)) != len(self.books):
            raise ConfigError(f"{variable('books')}: a book is named twice")
        if self.readers_min > self.readers_max:
            raise ConfigError(f"{variable('readers_min')}: above {variable('readers_max')}")
        for name, problem in (
            *self.messages.problems(production=self.production),
            *self.risk.problems(production=self.production),
            *self.identity.problems(),
            *self.staff.problems(),
            *self.fx.problems(),
            *self.factors.problems(),
            *self.audit.problems(),
        ):
            raise ConfigError(f"{variable(name)}: {problem}")
        self._validate_edge()
        self._validate_security()

    def _validate_edge(self) -> None:
        """Refuse rates and proxies that mean nothing."""
        for name, read in (("rates", parse_rates), ("trusted_proxies", Proxies)):
            try:
                read(getattr(self.edge, name))
            except ValueError as error:
                raise ConfigError(f"{variable(name)}: {error}") from None

    def _validate_security(self) -> None:
        """Refuse what would be unsafe rather than broken."""
        self._validate_tls()
        if self.production:
            for name, problem in self._problems_in_production():
                raise ConfigError(f"{variable(name)}: {problem}")

    def _validate_tls(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ConfigError(
                f"{variable('tls_certificate')} and {variable('tls_key')} belong together"
            )
        if self.tls_client_authorities is not None and self.tls_certificate is None:
            raise ConfigError(f"{variable('tls_client_authorities')}: needs a server certificate")
        if self.systems_port and self.tls_client_authorities is None:
            raise ConfigError(
                f"{variable('systems_port')}: needs {variable('tls_client_authorities')}"
            )
        if self.systems_port and self.systems_port == self.port:
            raise ConfigError(f"{variable('systems_port')}: the same as {variable('port')}")
        if self.tls_development and self.tls_certificate is not None:
            raise ConfigError(
                f"{variable('tls_development')}: not beside {variable('tls_certificate')}"
            )
        has_tls = self.tls_certificate is not None or self.tls_development
        if has_tls or is_loopback(self.host):
            return
        if self.production:
            raise ConfigError(
                f"{variable('tls_certificate')}: needed in production, except on loopback"
            )
        raise ConfigError(
            f"{variable('tls_certificate')}: needed except on loopback;"
            f" {variable('tls_development')}=yes makes one to try things out"
        )

    def _problems_in_production(self) -> Iterator[tuple[str, str]]:
        """What is fine for trying things out and not for other people's money."""
        if self.tokens_jwks is None:
            yield "tokens_jwks", "needed in production"
        if self.tokens_issuer == DEVELOPMENT_ISSUER:
            yield "tokens_issuer", "name the issuer of your tokens in production"
        if self.clearing_folder is None:
            yield "clearing_folder", "needed in production"
        if self.failpoints:
            yield "failpoints", "not in production"
        if self.tls_development:
            yield "tls_development", "not in production"
        if self.reflection:
            yield "reflection", "not in production: set it to no"
        if self.log_level == "debug":
            yield "log_level", "not debug in production"


DEVELOPMENT_ISSUER: Final = "longmen-development"
"""Who issues the tokens of a server to try out."""

RANGES: Final[tuple[tuple[str, float, float], ...]] = (
    ("port", 0, 65535),
    ("metrics_port", 0, 65535),
    ("systems_port", 0, 65535),
    ("workers", 1, WORKERS_MAX),
    ("tokens_leeway_s", 0, 60),
    ("readers_min", 1, 100),
    ("readers_max", 1, 100),
    ("readers_wait_ms", 1, 60_000),
    ("readiness_interval_ms", 50, 60_000),
    ("readiness_timeout_ms", 10, 60_000),
    ("drain_margin_s", 0, 600),
    ("restart_delay_ms_min", 1, 60_000),
    ("restart_delay_ms_max", 1, 600_000),
    ("trace_ratio", 0, 1),
)

CHOICES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("log_level", ("debug", "info", "warning", "error")),
    ("log_format", ("auto", "console", "json")),
)


def is_loopback(host: str) -> bool:
    """Whether an address is reachable from this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def variable(name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + name.upper()


def read_settings(
    environment: Mapping[str, str], **overrides: object
) -> tuple[Settings, tuple[str, ...]]:
    """The settings that an environment and a command line ask for.

    Args:
        environment: usually `os.environ`.
        overrides: fields given on the command line; None means not given.

    Returns:
        The settings, and one-line warnings about variables that look like ours and are not.

    Raises:
        ConfigError: a value cannot be read or cannot work.
    """
    settings, known = fill(Settings(), environment)
    given = {name: value for name, value in overrides.items() if value is not None}
    settings = replace(settings, **given)
    settings.validate()
    return settings, tuple(unknown_variables(environment, known))


def fill(section: Any, environment: Mapping[str, str]) -> tuple[Any, set[str]]:
    """A section with the environment's values, and every variable it would have read."""
    types = typing.get_type_hints(type(section))
    known: set[str] = set()
    changes: dict[str, object] = {}
    for each in fields(section):
        value = getattr(section, each.name)
        if is_dataclass(value):
            changes[each.name], inner = fill(value, environment)
            known |= inner
        elif not each.metadata.get("internal"):
            known.add(variable(each.name))
            text = environment.get(variable(each.name), "")
            if text.strip():
                changes[each.name] = parse(each.name, text.strip(), types[each.name])
    return replace(section, **changes), known


def parse(name: str, text: str, kind: Any) -> object:
    """The value a text means for a field's type.

    Raises:
        ConfigError: it means none.
    """
    options = [option for option in typing.get_args(kind) if option is not type(None)]
    if typing.get_origin(kind) is tuple:
        return tuple(parse(name, part.strip(), options[0]) for part in text.split(","))
    target = options[0] if options else kind
    if target is bool:
        return parse_truth(name, text)
    try:
        return target(text)
    except ValueError:
        wanted = {int: "a whole number", float: "a number"}.get(target, target.__name__)
        raise ConfigError(f"{variable(name)}: {text!r} is not {wanted}") from None


def parse_truth(name: str, text: str) -> bool:
    """A truth value; anything else than the usual words is refused, not guessed."""
    word = text.lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ConfigError(f"{variable(name)}: {text!r} is neither yes nor no")


def unknown_variables(environment: Mapping[str, str], known: set[str]) -> Iterator[str]:
    """A warning for each variable with our prefix that no setting has: usually a typing slip."""
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known | CLIENT_VARIABLES:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"{name} is not a setting{hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One setting as data, for documents and for operators."""

    name: str
    """The environment variable."""
    value: str
    """Its value as text; secrets are redacted."""
    default: str
    """Its default as text; empty where there is none."""
    unit: str
    """Unit of the value, such as ms or bytes; empty where there is none."""
    reason: str
    """What it is for."""


UNITS: Final[tuple[str, ...]] = ("us", "ms", "s", "bytes")
"""Units as they stand in the names of fields."""


def describe(section: Any) -> Iterator[Described]:
    """Every setting of an object and of the sections in it, in the order they are written."""
    reasons = reasons_of(type(section))
    for each in fields(section):
        value = getattr(section, each.name)
        if is_dataclass(value):
            yield from describe(value)
        elif not each.metadata.get("internal"):
            words = each.name.split("_")
            yield Described(
                name=variable(each.name),
                value=REDACTED if each.metadata.get("secret") and value else as_text(value),
                default=default_text(each),
                unit=next((unit for unit in UNITS if unit in words), ""),
                reason=reasons.get(each.name, ""),
            )


def to_environment(section: Any) -> dict[str, str]:
    """The environment that `read_settings` would read these settings from, secrets included."""
    environment: dict[str, str] = {}
    for each in fields(section):
        value = getattr(section, each.name)
        if is_dataclass(value):
            environment.update(to_environment(value))
        elif not each.metadata.get("internal"):
            environment[variable(each.name)] = as_text(value)
    return environment


def default_text(each: Any) -> str:
    """The default of a field; one that is computed is described by its reason."""
    return "" if each.default is MISSING else as_text(each.default)


def as_text(value: object) -> str:
    """A value as it would be written in the environment."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(as_text(item) for item in value)
    return str(value)


def reasons_of(section: type) -> dict[str, str]:
    """The texts below the fields of a class, by field name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(section)))
    body = typing.cast("ast.ClassDef", tree.body[0]).body
    reasons: dict[str, str] = {}
    for statement, following in itertools.pairwise(body):
        is_field = isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if is_field and is_text:
            name = typing.cast("ast.Name", typing.cast("ast.AnnAssign", statement).target).id
            text = typing.cast("ast.Constant", typing.cast("ast.Expr", following).value).value
            reasons[name] = " ".join(str(text).split())
    return reasons
