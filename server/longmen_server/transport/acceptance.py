"""The fast way to see that a request keeps its contract, compiled from the contract's own rules.

Nearly every request is good, and protovalidate takes ten times as long to say so as a few
comparisons do: 19 microseconds for a transfer, 10 milliseconds for a batch of a thousand. So for
every message type a function is generated here that says yes only to messages which protovalidate
accepts as well. It never refuses anything: what it does not accept goes to protovalidate, which has
the last word and names the violations. A type with a rule that is not known here simply has no such
function, and costs what it did before.

That yes here is yes there is held up by a property test over generated messages of every request.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final, cast
from unicodedata import is_normalized

from google.protobuf.descriptor import FieldDescriptor

from buf.validate import validate_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

__all__ = ["PLAIN_TEXT", "compile_acceptance"]

PLAIN_TEXT: Final = "string.plain_text"
"""Id of the rule for texts that people read. Such texts are also demanded in normalization form C,
which CEL cannot say; `longmen_server.transport.texts` refuses others."""

UUID: Final = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

EMAIL_OR_EMPTY: Final = "this == '' || this.isEmail()"
EMAIL: Final = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@"
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
"""What protovalidate takes for an e-mail address: that of the HTML standard."""

EXPRESSIONS: Final = {
    "!this.enabled || (size(this.source_account_ids) > 0 && this.payment_max.minor_units > 0"
    " && this.day_max.minor_units >= this.payment_max.minor_units)": (
        "(not {this}.enabled or (len({this}.source_account_ids) > 0"
        " and {this}.payment_max.minor_units > 0"
        " and {this}.day_max.minor_units >= {this}.payment_max.minor_units))"
    ),
    "has(this.display_name) || has(this.email)": (
        "({this}.HasField('display_name') or {this}.HasField('email'))"
    ),
    "this.minor_units > 0": "{this}.minor_units > 0",
    "this.minor_units >= 0": "{this}.minor_units >= 0",
    "this.kind == 3 || this.kind == 4"
    " ? this.pending_posting_id != '' && this.debit_account_id == ''"
    " && this.credit_account_id == ''"
    " : this.pending_posting_id == '' && this.debit_account_id != ''"
    " && this.credit_account_id != '' && has(this.amount)": (
        "({this}.pending_posting_id != '' and {this}.debit_account_id == ''"
        " and {this}.credit_account_id == '')"
        " if {this}.kind in (3, 4) else"
        " ({this}.pending_posting_id == '' and {this}.debit_account_id != ''"
        " and {this}.credit_account_id != '' and {this}.HasField('amount'))"
    ),
    "this.kind in [1, 8] ? this.to_account_id != '' && this.merchant_id == '' :"
    " this.kind == 2 ? this.to_account_id == '' && this.merchant_id == '' :"
    " this.to_account_id == '' && this.merchant_id != ''": (
        "({this}.to_account_id != '' and {this}.merchant_id == '')"
        " if {this}.kind in (1, 8) else"
        " ({this}.to_account_id == '' and ({this}.merchant_id == '') == ({this}.kind == 2))"
    ),
}
"""Expressions of rules in the contract, in CEL and in Python. They are found by their whole text,
so a changed rule is not taken for the old one."""

MATCHES: Final = re.compile(r"!rule \|\| (!?)this\.matches\('(.*)'\)")
"""A predefined rule that is one regular expression, possibly one that must not match."""

PORTABLE: Final = re.compile(
    r"""(?: [A-Za-z0-9_@:/\ -]          # characters that mean themselves
          | \\[.+*?()\[\]{}|$^/-]         # escaped ones
          | \[ \^? (?: [^\]\[\\] | \\u[0-9A-F]{4} | \\U[0-9A-F]{8} )+ \]  # classes
          | \{[0-9]+(?:,[0-9]*)?\} | [?*+()|] )*""",
    re.VERBOSE,
)
"""Regular expressions that mean the same to RE2 and to Python. Among those that do not are the dot,
the classes \\d, \\w and \\s, and alternatives between anchors."""

NOT_STRUCTURE: Final = re.compile(r"\\.|\[[^\]]*\]")
"""Escaped characters and classes, in which a bar is only a bar."""

NUMBERS: Final = frozenset({"int32", "int64", "uint32", "uint64", "sint32", "sint64"})
"""Rules of whole numbers; they have the same parts."""

COMPARISONS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class _UnknownRuleError(Exception):
    """A rule that is not known here; its message type is left to protovalidate."""


def compile_acceptance(message_class: type[Message]) -> Callable[[Message], bool] | None:
    """Generate the function for a message type; None if one of its rules is not known here.

    A type's function is made once for all servers of the process.
    """
    return _compiled(cast("Descriptor", message_class.DESCRIPTOR))


@functools.cache
def _compiled(descriptor: Descriptor) -> Callable[[Message], bool] | None:
    """Generate the function for a message type."""
    compiler = _Compiler()
    try:
        name = compiler.function(descriptor)
    except _UnknownRuleError:
        return None
    source = "\n".join(compiler.sources)
    # What is run was generated above from the contract alone; no text of it comes from a caller.
    exec(compile(source, f"<acceptance of {descriptor.full_name}>", "exec"), compiler.names)  # noqa: S102
    return cast("Callable[[Message], bool]", compiler.names[name])


class _Compiler:
    """Writes one Python function for each message type below a request."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"normalized": is_normalized}
        """What the functions refer to."""
        self.sources: list[str] = []
        self._functions: dict[str, str] = {}

    def function(self, descriptor: Descriptor) -> str:
        """Write the function for a message type, and those it calls; return its name."""
        known = self._functions.get(descriptor.full_name)
        if known is not None:
            return known
        name = self._functions[descriptor.full_name] = f"accepts_{len(self._functions)}"
        lines = [f"def {name}(m):"]
        lines += [f"    {line}" for line in self._message(descriptor)]
        lines += ["    return True"]
        self.sources.append("\n".join(lines))
        return name

    def constant(self, value: object) -> str:
        """Give a name to a value that the functions use."""
        name = f"c{len(self.names)}"
        self.names[name] = value
        return name

    # -- messages and fields -------------------------------------------------------------------

    def _message(self, descriptor: Descriptor) -> Iterator[str]:
        rules = descriptor.GetOptions().Extensions[validate_pb2.message]
        for part, value in rules.ListFields():
            if part.name != "cel":
                raise _UnknownRuleError(part.full_name)
            for rule in value:
                yield _unless(_translated(rule.expression, "m"))
        for oneof in descriptor.oneofs:
            if oneof.GetOptions().Extensions[validate_pb2.oneof].required:
                yield _unless(f"m.WhichOneof({oneof.name!r}) is not None")
        for field in descriptor.fields:
            yield from self._field(field)

    def _field(self, field: FieldDescriptor) -> Iterator[str]:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        if rules.ignore == validate_pb2.IGNORE_ALWAYS:
            return
        if field.is_repeated:
            checks = list(self._repeated(field, rules))
        else:
            checks = list(self._value(field, rules))
        if rules.required:
            yield _unless(_present(field))
        if not checks:
            return
        if_not_zero = rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
        if field.has_presence and not rules.required:
            yield f"if m.HasField({field.name!r}):"
            checks = [f"    {line}" for line in checks]
            yield f"    v = m.{field.name}"
        else:
            yield f"v = m.{field.name}"
        if if_not_zero and (field.message_type is not None or field.has_presence):
            raise _UnknownRuleError(field.full_name)
        if if_not_zero:
            yield "if v:"
            checks = [f"    {line}" for line in checks]
        yield from checks

    def _repeated(self, field: FieldDescriptor, rules: Any) -> Iterator[str]:
        """Yield the lines that check the list `v`."""
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        if is_map or rules.cel or rules.WhichOneof("type") not in {None, "repeated"}:
            raise _UnknownRuleError(field.full_name)
        for part, value in rules.repeated.ListFields():
            if part.name != "items":
                yield from self._of_list(field, part, value)
        items = rules.repeated.items
        if items.required or items.ignore != validate_pb2.IGNORE_UNSPECIFIED:
            raise _UnknownRuleError(field.full_name)
        checks = list(self._value(field, items))
        if checks:
            yield "for v in v:"
            yield from (f"    {line}" for line in checks)

    def _of_list(self, field: FieldDescriptor, part: FieldDescriptor, value: Any) -> Iterator[str]:
        """Yield the line for one rule of a whole list."""
        if part.name == "min_items":
            yield _unless(f"len(v) >= {value}")
        elif part.name == "max_items":
            yield _unless(f"len(v) <= {value}")
        elif part.name == "unique" and field.message_type is None:
            if value:
                yield _unless("len(set(v)) == len(v)")
        else:
            raise _UnknownRuleError(part.full_name)

    def _value(self, field: FieldDescriptor, rules: Any) -> Iterator[str]:
        """Yield the lines that check the single value `v`."""
        if rules.cel_expression:
            raise _UnknownRuleError(field.full_name)
        for rule in rules.cel:
            if rule.expression == EMAIL_OR_EMPTY:
                yield _unless(f"(v == '' or {self.constant(EMAIL.fullmatch)}(v) is not None)")
            else:
                yield _unless(_translated(rule.expression, "v"))
        kind = rules.WhichOneof("type")
        if kind is not None:
            for part, value in getattr(rules, kind).ListFields():
                for condition in self._condition(field, kind, part, value):
                    yield _unless(condition)
            _demand_one_range(getattr(rules, kind), kind)
        if field.type == FieldDescriptor.TYPE_STRING and not _excludes_nul(rules.string):
            yield _unless(r"'\x00' not in v")
        inner = field.message_type
        if inner is not None and not inner.file.package.startswith("google.protobuf"):
            yield _unless(f"{self.function(inner)}(v)")

    # -- rules ---------------------------------------------------------------------------------

    def _condition(
        self, field: FieldDescriptor, kind: str, part: FieldDescriptor, value: Any
    ) -> Iterator[str]:
        """Yield Python conditions on `v` for one part of a field's rules."""
        if part.is_extension:
            yield from self._predefined(part, value)
        elif kind in NUMBERS and part.name in COMPARISONS:
            yield f"v {COMPARISONS[part.name]} {value}"
        elif kind == "duration" and part.name in COMPARISONS:
            # Only whole and positive ones: for all others protovalidate knows what they mean.
            whole = "v.seconds >= 0 and 0 <= v.nanos < 1_000_000_000"
            bound = f"{COMPARISONS[part.name]} {value.seconds, value.nanos}"
            yield f"{whole} and (v.seconds, v.nanos) {bound}"
        elif field.enum_type is not None and part.name == "defined_only":
            if value:
                known = frozenset(field.enum_type.values_by_number)
                yield f"v in {self.constant(known)}"
        elif kind in {*NUMBERS, "enum", "string"} and part.name in {"in", "not_in"}:
            word = part.name.replace("_", " ")
            yield f"v {word} {self.constant(frozenset(value))}"
        elif kind == "string":
            yield self._string(part, value)
        elif kind == "bytes" and part.name in {"len", "min_len", "max_len"}:
            yield f"len(v) {_BOUND[part.name]} {value}"
        else:
            raise _UnknownRuleError(part.full_name)

    def _string(self, part: FieldDescriptor, value: Any) -> str:
        """Return the condition for one of the standard rules of texts."""
        if part.name in _BOUND:
            return f"len(v) {_BOUND[part.name]} {value}"
        if part.name == "max_bytes":
            # Cheap for what is short in any alphabet; else the encoded text is measured.
            return f"(len(v) * 4 <= {value} or len(v.encode()) <= {value})"
        if part.name == "min_bytes":
            return f"len(v.encode()) >= {value}"
        if part.name == "uuid" and value:
            return f"{self.constant(re.compile(UUID).fullmatch)}(v)"
        if part.name == "pattern":
            return f"{self.constant(_whole(value).fullmatch)}(v)"
        raise _UnknownRuleError(part.full_name)

    def _predefined(self, part: FieldDescriptor, value: Any) -> Iterator[str]:
        """Yield the conditions of a rule that the contract has defined itself."""
        if value is not True:
            raise _UnknownRuleError(part.full_name)
        for rule in part.GetOptions().Extensions[validate_pb2.predefined].cel:
            found = MATCHES.fullmatch(rule.expression)
            if found is None:
                raise _UnknownRuleError(rule.id)
            negated, pattern = found[1], _unescaped(found[2])
            if not negated:
                yield f"{self.constant(_whole(pattern).fullmatch)}(v)"
                continue
            forbidden = _portable(pattern)
            clean = f"not {self.constant(forbidden.search)}(v)"
            if rule.id == PLAIN_TEXT:
                clean = f"({clean} and normalized('NFC', v))"
            if forbidden.search("".join(map(chr, range(0x20, 0x7F)))) is None:
                clean = f"(v.isascii() and v.isprintable() or {clean})"
            yield clean


_BOUND: Final = {"len": "==", "min_len": ">=", "max_len": "<="}


def _excludes_nul(rules: Any) -> bool:
    """Whether the rules of a text leave no room for NUL, so that it need not be looked for."""
    return (
        rules.uuid
        or rules.HasField("pattern")
        or any(p.is_extension for p, _ in rules.ListFields())
    )


def _unless(condition: str) -> str:
    return f"if not ({condition}): return False"


def _present(field: FieldDescriptor) -> str:
    return f"m.HasField({field.name!r})" if field.has_presence else f"m.{field.name}"


def _demand_one_range(rules: Any, kind: str) -> None:
    """Refuse bounds that exclude a range instead of enclosing one: lower above upper."""
    if kind not in {*NUMBERS, "duration"}:
        return
    bounds = {part.name: value for part, value in rules.ListFields() if part.name in COMPARISONS}
    lower = next((bounds[name] for name in ("gt", "gte") if name in bounds), None)
    upper = next((bounds[name] for name in ("lt", "lte") if name in bounds), None)
    if kind == "duration" and lower is not None and upper is not None:
        lower, upper = (lower.seconds, lower.nanos), (upper.seconds, upper.nanos)
    if lower is not None and upper is not None and lower > upper:
        raise _UnknownRuleError(kind)


def _translated(expression: str, this: str) -> str:
    """Return the Python of a CEL expression."""
    known = EXPRESSIONS.get(expression)
    if known is None:
        raise _UnknownRuleError(expression)
    return known.format(this=this)


def _unescaped(literal: str) -> str:
    """Return the regular expression that a CEL string literal holds, in Python's spelling."""
    pattern = literal.replace("\\\\", "\\")
    return re.sub(r"\\x\{([0-9A-F]{1,6})\}", lambda found: rf"\U{int(found[1], 16):08X}", pattern)


def _whole(pattern: str) -> re.Pattern[str]:
    """Compile an expression between anchors, for `fullmatch`."""
    if not (pattern.startswith("^") and pattern.endswith("$")) or _has_bare_bar(pattern):
        raise _UnknownRuleError(pattern)
    return _portable(pattern[1:-1])


def _has_bare_bar(pattern: str) -> bool:
    """Whether an alternative stands outside of parentheses, where an anchor is of one side only."""
    depth = 0
    for character in NOT_STRUCTURE.sub("", pattern):
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            return True
    return False


def _portable(pattern: str) -> re.Pattern[str]:
    """Compile an expression that means the same here as in RE2."""
    if PORTABLE.fullmatch(pattern) is None:
        raise _UnknownRuleError(pattern)
    return re.compile(pattern)
