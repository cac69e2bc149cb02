"""`longmen completion`: the script that completes commands in a shell."""

from __future__ import annotations

import rich_click as click
from click.shell_completion import get_completion_class

PROGRAM = "longmen"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes commands in a SHELL.

    For bash: longmen completion bash > ~/.local/share/bash-completion/completions/longmen
    """
    class_ = get_completion_class(shell)
    if class_ is None:
        raise click.UsageError(f"no completion for {shell}")
    program = context.find_root().command
    script = class_(program, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE")
    click.echo(script.source())
