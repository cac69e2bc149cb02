"""The rules that come with the server: what decides in a book until others are promoted."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from longmen_server.risk import rule_content
from longmen_server.risk.rule_content import Content
from longmen_server.risk.rule_files import read_rules

if TYPE_CHECKING:
    from longmen_server.risk.rules import RuleSet

__all__ = ["rules_text", "shipped", "shipped_content"]

FILE: Final = "shipped.toml"


def rules_text() -> str:
    """Return the file as it stands."""
    return resources.files(__package__).joinpath(FILE).read_text("utf-8")


@cache
def shipped_content() -> Content:
    """Return the rules, uncompiled."""
    text = rules_text()
    document = tomllib.loads(text)
    assert document["source"], "the file names its sources"
    assert document["effective_from"], "the file has a date"
    return Content(rule_content.from_messages(read_rules(text)))


@cache
def shipped() -> RuleSet:
    """Return the rules, ready: version 0 of every book."""
    content = shipped_content()
    return content.compiled(version=0, digest=rule_content.write(content)[1])
