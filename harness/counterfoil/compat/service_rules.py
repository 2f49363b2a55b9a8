"""Rules about services and their RPCs."""

from __future__ import annotations

from collections.abc import Iterator

from counterfoil.compat.changes import NOWHERE, Difference
from counterfoil.compat.comparison import Comparison
from counterfoil.model import Level
from counterfoil.schema.elements import Method, Service

Found = Iterator[Difference]


def rpc_removed(_comparison: Comparison, old: Service, new: Service) -> Found:
    """Callers get UNIMPLEMENTED."""
    renamed = _renamed(old, new)
    for name, method in old.methods.items():
        if name not in new.methods and name not in renamed:
            yield Difference(element=method, counterpart=new, old=_signature(method))


def rpc_renamed(_comparison: Comparison, old: Service, new: Service) -> Found:
    """The same types under another name; the name is in the URL of every call."""
    for name, method in _renamed(old, new).items():
        yield Difference(element=old.methods[name], counterpart=method, old=name, new=method.name)


def rpc_added(_comparison: Comparison, old: Service, new: Service) -> Found:
    """New callers of old servers get UNIMPLEMENTED."""
    renamed = {method.name for method in _renamed(old, new).values()}
    for name, method in new.methods.items():
        if name not in old.methods and name not in renamed:
            yield Difference(element=method, is_addition=True, new=_signature(method))


def rpc_request_type_changed(comparison: Comparison, old: Method, new: Method) -> Found:
    """Another request type; one that differs in name only changes source code alone."""
    yield from _type_changed(comparison, old, new, old.request, new.request)


def rpc_response_type_changed(comparison: Comparison, old: Method, new: Method) -> Found:
    """Another response type; one that differs in name only changes source code alone."""
    yield from _type_changed(comparison, old, new, old.response, new.response)


def rpc_client_streaming_changed(_comparison: Comparison, old: Method, new: Method) -> Found:
    """One request, or a stream of them."""
    if old.streams_requests is not new.streams_requests:
        yield _changed(old, new, _streaming(old.streams_requests), _streaming(new.streams_requests))


def rpc_server_streaming_changed(_comparison: Comparison, old: Method, new: Method) -> Found:
    """One response, or a stream of them."""
    if old.streams_responses is not new.streams_responses:
        yield _changed(old, new, _streaming(old.streams_responses), _streaming(new.streams_responses))


def rpc_idempotency_changed(_comparison: Comparison, old: Method, new: Method) -> Found:
    """Callers retry, and Connect uses GET, by this option; a stronger promise harms none of them."""
    if old.idempotency != new.idempotency:
        strength = ("IDEMPOTENCY_UNKNOWN", "IDEMPOTENT", "NO_SIDE_EFFECTS")
        stronger = strength.index(new.idempotency) > strength.index(old.idempotency)
        yield Difference(
            element=old,
            counterpart=new,
            old=old.idempotency,
            new=new.idempotency,
            level=Level.ADDITIVE if stronger else Level.POLICY,
        )


def _renamed(old: Service, new: Service) -> dict[str, Method]:
    """By old name: the only new RPC with the signature of one that is gone."""
    alike: dict[str, tuple[list[Method], list[Method]]] = {}
    for side, (these, those) in enumerate(((old, new), (new, old))):
        for name, method in these.methods.items():
            if name not in those.methods:
                alike.setdefault(_signature(method), ([], []))[side].append(method)
    return {gone[0].name: fresh[0] for gone, fresh in alike.values() if len(gone) == len(fresh) == 1}


def _type_changed(comparison: Comparison, old: Method, new: Method, before: str, after: str) -> Found:
    if before == after:
        return
    pair = comparison.old.messages[before], comparison.new.messages[after]
    backward = comparison.backward.message(*pair)
    forward = comparison.forward.message(pair[1], pair[0])
    level = Level.SOURCE if backward | forward == NOWHERE else Level.POLICY
    yield Difference(element=old, counterpart=new, old=before, new=after, level=level)


def _changed(old: Method, new: Method, before: str, after: str) -> Difference:
    return Difference(element=old, counterpart=new, old=before, new=after)


def _streaming(streams: bool) -> str:  # noqa: FBT001 - the descriptor's own flag
    return "streaming" if streams else "unary"


def _signature(method: Method) -> str:
    request = f"{'stream ' if method.streams_requests else ''}{method.request}"
    response = f"{'stream ' if method.streams_responses else ''}{method.response}"
    return f"({request}) returns ({response})"
