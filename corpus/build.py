"""All cases, in a fixed order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus import fields, forgeries, framing, heads, protos
from corpus.case import Case, unique

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from corpus.world import World
    from longmen_server.platform.tokens import DevelopmentIssuer


def every_case(
    world: World, authorization: Mapping[str, str], issuer: DevelopmentIssuer, now: int
) -> list[Case]:
    """Build the corpus.

    Args:
        world: the ids that exist.
        authorization: metadata that may call a method, by the method's path.
        issuer: the server's own keys, for forgeries that are wrong in one thing only.
        now: seconds since the epoch by the server's trusted clock.
    """
    bearer = {path: (b"authorization", text.encode()) for path, text in authorization.items()}

    def made() -> Iterator[Case]:
        yield from framing.wire(world, bearer)
        yield from protos.cases(world)
        yield from fields.enums(world)
        yield from fields.numbers(world)
        yield from fields.unicode(world)
        yield from fields.ids(world)
        yield from fields.injections(world)
        yield from fields.sizes(world)
        yield from heads.sizes(world, bearer)
        yield from framing.compression(world, bearer)
        yield from heads.metadata(world, bearer)
        yield from heads.routing(world, bearer)
        yield from forgeries.cases(world, issuer, now)

    return unique(made())
