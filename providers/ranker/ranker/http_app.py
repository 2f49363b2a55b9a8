"""The HTTP door: JSON in, JSON out, every refusal as {"error": {"code", "message"}}."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ranker.messages import ErrorBody, ErrorDetail, read_score_request
from ranker.provider_states import UnknownStateError, read_state_change
from ranker.wire import InvalidMessageError, write_message

if TYPE_CHECKING:
    from ranker.provider_states import ProviderStates
    from ranker.ranking import Ranking

MAX_BODY_BYTES = 1024 * 1024
# With the profile's deadline less than the grace of a stop: a stop need not cut a request short.
BODY_DEADLINE_S = 2.5


def build_app(ranking: Ranking, states: ProviderStates | None) -> Starlette:
    """Build the app; the routes under /_pact exist only with `states`."""
    routes = [*_service_routes(ranking), *(_pact_routes(states) if states is not None else [])]
    app = Starlette(
        routes=routes,
        exception_handlers={
            InvalidMessageError: _on_invalid_message,
            UnknownStateError: _on_unknown_state,
            ClientDisconnect: _on_disconnect,
            HTTPException: _on_http_exception,
            Exception: _on_bug,
        },
    )
    app.router.redirect_slashes = False
    return app


def _service_routes(ranking: Ranking) -> list[Route]:
    async def score(request: Request) -> Response:
        response = await ranking.score(read_score_request(await _body(request)))
        return Response(write_message(response), media_type="application/json")

    async def accept_event(request: Request) -> Response:
        outcome = ranking.accept_event(await _body(request))
        return JSONResponse({"outcome": outcome.value}, status_code=HTTPStatus.ACCEPTED)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return [
        Route("/v1/scores", score, methods=["POST"]),
        Route("/v1/events", accept_event, methods=["POST"]),
        Route("/healthz", healthz, methods=["GET"]),
    ]


def _pact_routes(states: ProviderStates) -> list[Route]:
    async def change_state(request: Request) -> Response:
        states.apply(read_state_change(await _body(request)))
        return JSONResponse({})

    return [Route("/_pact/provider-states", change_state, methods=["POST"])]


async def _body(request: Request) -> bytes:
    """Read the body as far as it may be read: bounded in size and in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_DEADLINE_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise HTTPException(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                        f"the body is larger than {MAX_BODY_BYTES} bytes",
                        headers={"Connection": "close"},
                    )
    except TimeoutError as error:
        message = f"the body did not arrive within {BODY_DEADLINE_S:g} s"
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, message, headers={"Connection": "close"}) from error
    return bytes(body)


def _refusal(status: int, code: str, message: str) -> Response:
    body = write_message(ErrorBody(error=ErrorDetail(code=code, message=message)))
    return Response(body, status_code=status, media_type="application/json")


async def _on_invalid_message(_: Request, error: Exception) -> Response:
    return _refusal(HTTPStatus.BAD_REQUEST, "INVALID_ARGUMENT", str(error))


async def _on_unknown_state(_: Request, error: Exception) -> Response:
    return _refusal(HTTPStatus.NOT_FOUND, "UNKNOWN_STATE", str(error))


async def _on_disconnect(_: Request, __: Exception) -> Response:
    """Answer nobody: whoever asked is gone, which is not a fault of ours."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _on_http_exception(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    response = _refusal(error.status_code, HTTPStatus(error.status_code).name, error.detail)
    response.headers.update(error.headers or {})
    return response


async def _on_bug(_: Request, __: Exception) -> Response:
    """Say nothing of the cause to the client; the server logs it."""
    return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL", "internal error")
