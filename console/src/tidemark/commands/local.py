"""demo, up and down: the whole of it on this machine."""

import random
from typing import TYPE_CHECKING

import click
from rich.text import Text

from tidemark.output import data_console, say
from tidemark_contract.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from tidemark.demo.proof import Proof
    from tidemark.local.stack import Stack

SCALE = click.option("--scale", type=click.FloatRange(min=0.001, max=100), default=0.05, show_default=True,
                     metavar="FACTOR", help="Of TPC-H; 1 is 1 GB.")  # fmt: skip
SEED = click.option("--seed", type=int, metavar="N", help="Of the live load; default: another one each time.")
PORT = click.option("--port", type=click.IntRange(1, 65535), metavar="PORT",
                    help="PostgreSQL's; default: a free one.")  # fmt: skip


AIRFLOW = click.option("--airflow", is_flag=True, help="Let an Airflow drive it, which is started beside it.")


@click.command(short_help="Mirror a busy shop, kill the stream on the way, prove it.")
@SCALE
@SEED
@PORT
@AIRFLOW
@click.option("--keep", is_flag=True, help="Leave everything running; `tidemark down` ends it.")
def demo(scale: float, seed: int | None, port: int | None, airflow: bool, keep: bool) -> int:
    """Run the main job on real engines: an embedded PostgreSQL with TPC-H and a live load, Flink, Spark.

    Exit code 0 only if every table is proven equal with the load running. It begins from nothing each time, in
    .tidemark/demo.
    """
    from tidemark.demo.run import Demo
    from tidemark.local.stack import Stack

    stack = Stack.of_demo(port)
    stack.check_not_up()
    stack.remove()
    try:
        proof = Demo(stack, scale, random.randrange(1_000_000) if seed is None else seed, airflow).run()
        _show(proof)
        if keep:
            stack.keep()
    finally:
        if not (keep and stack.is_up()):
            stack.end()
    _say_what_next(stack, keep)
    return EXIT_OK if proof.holds else EXIT_FAILED


@click.command(short_help="Keep a mirror of a shop running on this machine.")
@click.option("--load", is_flag=True, help="With the demo's live load.")
@SCALE
@SEED
@PORT
@AIRFLOW
def up(load: bool, scale: float, seed: int | None, port: int | None, airflow: bool) -> None:
    """Start PostgreSQL, the stream and a continuous sync in .tidemark/demo. What is there already goes on.

    With --airflow its DAGs take the place of the continuous sync.
    """
    from tidemark.local.stack import Stack
    from tidemark.local.up import bring_up

    stack = Stack.of_demo(port)
    load_seed = (random.randrange(1_000_000) if seed is None else seed) if load else None
    bring_up(stack, scale, load_seed, airflow=airflow)
    _say_what_next(stack, keep=True)


@click.command(short_help="End what up or demo --keep left running.")
def down() -> None:
    """End everything that runs in .tidemark/demo. The data stays: `tidemark up` goes on with it."""
    from tidemark.local.stack import Stack

    ended = Stack.of_demo().end()
    say(f"ended: {', '.join(ended)}" if ended else "nothing was running")


def _show(proof: "Proof") -> None:
    from tidemark.demo.proof import as_table
    from tidemark.demo.schema import ACCOUNTS

    console = data_console()
    console.print()
    console.print(as_table(proof))
    console.print()
    kept = Text("nothing lost", "green") if proof.money_kept else Text("MONEY IS MISSING", "bold red")
    console.print(Text.assemble(f"sum of {ACCOUNTS} accounts at mark {proof.at.mark}: {proof.balances:,}, ", kept))
    if proof.holds:
        console.print(Text(f"verified through {proof.at}", style="bold green"), soft_wrap=True)


def _say_what_next(stack: "Stack", keep: bool) -> None:
    say("")
    say("What to look at next:", style="bold")
    say(f"  the lake              {stack.folder / 'lake'}  (Delta tables: silver/shop, gold/shop, control)")
    if keep:
        web_ui = stack.web_ui()
        say(
            f"  the stream            {web_ui}  (Flink's pages)"
            if web_ui
            else "  the stream            does not answer"
        )
        if stack.airflow.runs():
            api = stack.airflow.api()
            say(f"  Airflow               {api.address}  (user {api.user}, password {api.password})")
        say("  how it is             make status")
        say("  to end it             make down")
    else:
        say("  to go on with it      make up, make status, make down")
    say(f"  by hand               . {stack.env_file}, then any command of `tidemark --help`")
    say("  how it works          docs/architecture.md, docs/cli.md; your own database: docs/quickstart.md")
