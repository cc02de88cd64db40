"""`labelingest integration`: connections of synced folders to cloud storage."""

from typing import Annotated, Any

import typer

from labelingest.cli.folder.opening import open_state
from labelingest.cli.options import AsJson, StateUrl

__all__ = ["integration_app"]

integration_app = typer.Typer(
    help="Store connections to cloud storage: endpoint, region, profile; never secrets.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the integration.")]


@integration_app.command("set")
def set_(
    ctx: typer.Context,
    name: Name,
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="URL of the service, if it is not the provider's own."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Region of the bucket, for S3.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Section of ~/.aws/credentials with the keys, for S3.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Storage account, for Azure.")] = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Connect without credentials, to public buckets.")
    ] = False,
    allow_http: Annotated[
        bool, typer.Option("--allow-http", help="Allow an endpoint without encryption.")
    ] = False,
    retries: Annotated[
        int,
        typer.Option(
            min=0,
            help="Retries of a request that the service refused for now; a minute at most.",
        ),
    ] = 60,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds without an answer before a retry.")
    ] = 30.0,
    state: StateUrl = None,
) -> None:
    """Create an integration, or replace it with all its options, for all folders that use it.

    Credentials are not stored: they come from the environment of the sync.

    Example: labelingest integration set minio --endpoint https://minio.example.com
    """
    from labelingest.cli.console import print_message
    from labelingest.folders.state.integrations import set_integration
    from labelingest.storage.cloud.connections import Connection

    options = {name: value for name, value in ctx.params.items() if name not in ("name", "state")}
    connection = Connection(**options)
    with open_state(state) as opened_state:
        set_integration(opened_state, name, connection)
    print_message(f"{name} is set; use it with labelingest folder create … --integration {name}")


@integration_app.command("list")
def list_(state: StateUrl = None, as_json: AsJson = False) -> None:
    """List the integrations.

    Example: labelingest integration list
    """
    from dataclasses import asdict

    from labelingest.cli.console import open_console, print_columns, print_line
    from labelingest.cli.folder.render import print_json
    from labelingest.folders.state.integrations import list_integrations

    with open_state(state) as opened_state:
        integrations = list_integrations(opened_state)
    if as_json:
        print_json({name: asdict(connection) for name, connection in integrations.items()})
    elif integrations:
        rows = [(name, _words(asdict(connection))) for name, connection in integrations.items()]
        print_columns(open_console(), rows)
    else:
        print_line(
            open_console(), "no integrations yet; create one with labelingest integration set"
        )


@integration_app.command()
def delete(name: Name, state: StateUrl = None) -> None:
    """Delete an integration that no folder uses.

    Example: labelingest integration delete minio
    """
    from labelingest.cli.console import print_message
    from labelingest.folders.state.integrations import remove_integration

    with open_state(state) as opened_state:
        remove_integration(opened_state, name)
    print_message(f"{name} is deleted")


def _words(options: dict[str, Any]) -> str:
    """Return the options that are set, as they are written on the command line."""
    return "  ".join(
        f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
        for name, value in options.items()
        if value not in (None, False)
    )
