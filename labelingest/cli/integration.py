"""`labelingest integration`: how cloud storage is reached, for the synced folders of a state."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from labelingest.cli.options import AsJson, StateUrl

if TYPE_CHECKING:
    from labelingest.folders import State

__all__ = ["app"]

app = typer.Typer(
    help="How folders reach cloud storage: endpoint, region, profile; never a secret.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the integration.")]


@app.command("set")
def set_(
    ctx: typer.Context,
    name: Name,
    endpoint: Annotated[
        str | None, typer.Option(help="URL of the service, where it is not the provider's own.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of the bucket, for S3.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Section of ~/.aws/credentials with the keys, for S3.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Storage account, for Azure.")] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Ask without credentials: for public buckets.")
    ] = False,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Take an endpoint that is not encrypted.")
    ] = False,
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            help="How often a request is repeated that was refused for now; for a minute at most.",
        ),
    ] = 60,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds without an answer after which it is repeated.")
    ] = 30.0,
    state: StateUrl = None,
) -> None:
    """Make an integration, or replace it, with all its options, for all folders that name it.

    Credentials are not kept: they come from the environment of whoever syncs.

    Example: labelingest integration set minio --endpoint https://minio.example.com
    """
    from labelingest.cli.render import say
    from labelingest.folders.state.integrations import set_integration
    from labelingest.storage.cloud.connections import Connection

    options = {name: value for name, value in ctx.params.items() if name not in ("name", "state")}
    connection = Connection(**options)
    with _opened(state) as opened:
        set_integration(opened, name, connection)
    say(f"{name} is set; labelingest folder create … --integration {name} uses it")


@app.command("list")
def list_(state: StateUrl = None, as_json: AsJson = False) -> None:
    """List the integrations.

    Example: labelingest integration list
    """
    from dataclasses import asdict

    from labelingest.cli.console import open_console, print_columns, print_line
    from labelingest.cli.folder.render import print_json
    from labelingest.folders.state.integrations import list_integrations

    with _opened(state) as opened:
        integrations = list_integrations(opened)
    if as_json:
        print_json({name: asdict(connection) for name, connection in integrations.items()})
    elif integrations:
        rows = [(name, _words(asdict(connection))) for name, connection in integrations.items()]
        print_columns(open_console(), rows)
    else:
        print_line(open_console(), "no integrations yet: labelingest integration set makes one")


@app.command()
def delete(name: Name, state: StateUrl = None) -> None:
    """Delete an integration that no folder names.

    Example: labelingest integration delete minio
    """
    from labelingest.cli.render import say
    from labelingest.folders.state.integrations import remove_integration

    with _opened(state) as opened:
        remove_integration(opened, name)
    say(f"{name} is deleted")


def _opened(url: str | None) -> "State":
    from labelingest.folders import State
    from labelingest.folders.state.database import default_state

    return State(url or default_state())


def _words(options: dict[str, Any]) -> str:
    """Return the options that are set, as they would be given."""
    return "  ".join(
        f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
        for name, value in options.items()
        if value not in (None, False)
    )
