"""Runs both doors on one event loop, from binding the ports to a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from ranker.grpc_door import build_grpc_server
from ranker.http_app import build_app
from ranker.memory import ShownMemory
from ranker.profile_client import StorefrontClient
from ranker.provider_states import ProviderStates, StatedProfiles
from ranker.ranking import Ranking

if TYPE_CHECKING:
    from collections.abc import Generator

    import grpc.aio
    from starlette.applications import Starlette

    from ranker.config import Config

logger = logging.getLogger(__name__)

STOP_GRACE_S = 5


class PortTakenError(Exception):
    """A port cannot be listened on; the message names it and says why."""


class _HttpServer(uvicorn.Server):
    """A uvicorn server that leaves the signals to `serve`, which has two servers to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        logger.info("listening for HTTP on %s:%d", self.config.host, self.config.port)


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is under way. Raise PortTakenError when a port is."""
    memory = ShownMemory()
    client = StorefrontClient(config.storefront_url)
    async with client:
        if config.provider_states:
            profiles = StatedProfiles(client)
            ranking = Ranking(profiles, memory)
            app = build_app(ranking, ProviderStates(profiles, memory))
        else:
            ranking = Ranking(client, memory)
            app = build_app(ranking, None)
        await _serve_both(config, app, build_grpc_server(ranking))


async def _serve_both(config: Config, app: Starlette, grpc_server: grpc.aio.Server) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with contextlib.closing(_bind(config.host, config.http_port)) as http_socket:
        _bind_grpc(grpc_server, config.host, config.grpc_port)
        await grpc_server.start()
        logger.info("listening for gRPC on %s:%d", config.host, config.grpc_port)
        http_server = _HttpServer(_uvicorn_config(config, app))
        http_task = asyncio.create_task(http_server.serve([http_socket]))
        stop_task = asyncio.create_task(stop.wait())
        await asyncio.wait({http_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
        stop_task.cancel()
        http_server.should_exit = True
        await asyncio.gather(http_task, grpc_server.stop(STOP_GRACE_S))
    logger.info("stopped")


def _uvicorn_config(config: Config, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=config.host,
        port=config.http_port,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_GRACE_S,
    )


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        # Two sockets may be bound to one port; listening is what takes it.
        bound.listen(1)
    except OSError as error:
        bound.close()
        message = f"cannot listen on {host}:{port}: {error.strerror or error}"
        raise PortTakenError(message) from error
    return bound


def _bind_grpc(server: grpc.aio.Server, host: str, port: int) -> None:
    # Tried with a plain socket first, because grpc's own failure is several lines without the reason.
    _bind(host, port).close()
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        message = f"cannot listen on {address}: {error}"
        raise PortTakenError(message) from error
