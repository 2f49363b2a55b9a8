"""A Pact Broker of a few routes on loopback, enough for its clients: it keeps what they send, and tests say more.

Documents are HAL as a Pact Broker 2.120 writes them, as far as clients read them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, quote, urlsplit

from tests.builders import Object


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    authorization: str | None
    body: Object


@dataclass(slots=True)
class FakeBroker:
    """Keeps pacts by (consumer, number, provider), and results by the digest of the pact."""

    requests: list[Request] = field(default_factory=list)
    pacts: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    results: dict[str, list[Object]] = field(default_factory=dict)
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    """What to answer to a path instead, by its end; a text is sent as it is."""
    pending: set[str] = field(default_factory=set)
    """The consumers whose pacts are pending."""
    versions: set[tuple[str, str]] = field(default_factory=set)
    """Those that exist though they have no pact."""
    environments: list[Object] = field(default_factory=list)
    live: list[Object] = field(default_factory=list)
    """Deployments and releases, each with whether it still holds."""
    forgets: bool = False
    """Whether it says that it took a result, and keeps none."""
    url: str = ""

    def answer(self, request: Request) -> tuple[int, object, dict[str, str]]:
        """Status, body and headers."""
        for end, (status, body) in self.answers.items():
            if request.path.endswith(end):
                location = {"Location": str(body)} if status == 302 else {}
                return status, body, location
        found: tuple[int, object]
        match [part for part in request.path.split("/") if part]:
            case []:
                found = 200, self._index()
            case ["contracts", "publish"]:
                found = self._publish(request.body)
            case ["pacts", "provider", provider, "for-verification"]:
                found = 200, self._for_verification(provider)
            case ["pacts", *_, sha, "verification-results"] | ["pacts", *_, sha, "verification-results", _]:
                found = self._result(request, sha)
            case ["pacts", *_, "pact-version", sha]:
                found = 200, self._pact(sha)
            case ["matrix"]:
                found = 200, self._matrix(request.query)
            case ["pacticipants" | "environments" | "live", *_] as parts:
                found = self._place(request, parts)
            case _:
                found = 404, {"error": "no such thing"}
        return *found, {}

    def _matrix(self, query: tuple[tuple[str, str], ...]) -> Object:
        """The pacts between one version and what is live in an environment, for no other question."""
        asked = dict(query)
        name, number = asked["q[][pacticipant]"], asked["q[][version]"]
        places = {one["uuid"] for one in self.environments if one["name"] == asked["environment"]}
        live = {(one["name"], one["number"]) for one in self.live if one["holds"] and one["place"] in places}
        live = {one for one in live if one[0] != name} | {(name, number)}
        rows = [
            row(f"{consumer}@{number}", f"{other}@{tried}", success=self._success(content, tried))
            for (consumer, number, provider), content in self.pacts.items()
            for other, tried in live
            if (consumer, number) in live and other == provider
        ]
        return matrix(*rows, deployable=all(one["verificationResult"]["success"] for one in rows))

    def _success(self, content: bytes, tried: str) -> bool:
        results = [one for one in self.results[digest(content)] if one["providerApplicationVersion"] == tried]
        return bool(results[-1]["success"])

    def _place(self, request: Request, parts: list[str]) -> tuple[int, object]:
        """Versions, environments, and what is live in them."""
        match parts:
            case ["pacticipants", name, "versions", number] | ["pacticipants", name, "branches", _, "versions", number]:
                if request.method == "PUT":
                    self.versions.add((name, number))
                return self._version(name, number)
            case ["pacticipants", name, "versions", number, "deployed-versions", "environment", place]:
                instance = request.body.get("applicationInstance")
                return self._live_now("deployed", place, {"name": name, "number": number, "instance": instance})
            case ["pacticipants", name, "versions", number, "released-versions", "environment", place]:
                return self._live_now("released", place, {"name": name, "number": number, "instance": None})
            case ["environments", *rest]:
                return self._environments(request, rest)
            case ["live", number]:
                self.live[int(number)]["holds"] = False
                return 200, self._present(int(number))
            case _:
                return 201, {}

    def _version(self, name: str, number: str) -> tuple[int, object]:
        if (name, number) not in self.versions | {key[:2] for key in self.pacts}:
            return 404, {"error": "The requested document was not found on this server."}
        here = f"{self.url}/pacticipants/{quote(name, safe='')}/versions/{quote(number, safe='')}"
        links: Object = {"self": {"href": here}}
        for relation, kind in (("pb:record-deployment", "deployed"), ("pb:record-release", "released")):
            links[relation] = [
                {"name": one["name"], "href": f"{here}/{kind}-versions/environment/{one['uuid']}"}
                for one in self.environments
            ]
        return 200, {"number": number, "_links": links}

    def _live_now(self, kind: str, place: str, slot: Object) -> tuple[int, object]:
        for one in self.live:
            same = one["kind"] == kind and (one["place"], one["name"]) == (place, slot["name"])
            if same and one["instance"] == slot["instance"] and kind == "deployed":
                one["holds"] = False
        self.live.append({**slot, "kind": kind, "place": place, "holds": True})
        return 201, self._present(len(self.live) - 1)

    def _present(self, number: int) -> Object:
        one = self.live[number]
        embedded = {"pacticipant": {"name": one["name"]}, "version": {"number": one["number"]}}
        instance = {"applicationInstance": one["instance"]} if one["instance"] else {}
        return {**instance, "_embedded": embedded, "_links": {"self": {"href": f"{self.url}/live/{number}"}}}

    def _environments(self, request: Request, rest: list[str]) -> tuple[int, object]:
        if request.method == "POST":
            self.environments.append({**request.body, "uuid": f"uuid-{len(self.environments)}"})
            return 201, self._environment(self.environments[-1])
        if not rest:
            return 200, {
                "_embedded": {"environments": [self._environment(one) for one in self.environments]},
                "_links": {"self": {"href": f"{self.url}/environments"}},
            }
        if len(rest) == 1:
            return 200, self._environment(next(one for one in self.environments if one["uuid"] == rest[0]))
        kind, wanted = rest[1].partition("-")[0], dict(request.query)
        found = [
            self._present(number)
            for number, one in enumerate(self.live)
            if one["holds"] and (one["kind"], one["place"]) == (kind, rest[0])
            if one["name"] == wanted.get("pacticipant", one["name"])
        ]
        return 200, {"_embedded": {f"{kind}Versions": found}, "_links": {}}

    def _environment(self, one: Object) -> Object:
        here = f"{self.url}/environments/{one['uuid']}"
        links = {
            "self": {"href": here},
            "pb:currently-deployed-deployed-versions": {"href": f"{here}/deployed-versions/currently-deployed"},
            "pb:currently-supported-released-versions": {"href": f"{here}/released-versions/currently-supported"},
        }
        return {**one, "_links": links}

    def _index(self) -> Object:
        return {
            "_links": {
                "self": {"href": self.url},
                "pb:environments": {"href": f"{self.url}/environments"},
                "pb:pacticipant-version": {
                    "href": f"{self.url}/pacticipants/{{pacticipant}}/versions/{{version}}",
                    "templated": True,
                },
                "pb:publish-contracts": {"href": f"{self.url}/contracts/publish"},
                "pb:provider-pacts-for-verification": {
                    "href": f"{self.url}/pacts/provider/{{provider}}/for-verification",
                    "templated": True,
                },
            }
        }

    def _publish(self, body: Object) -> tuple[int, object]:
        number = body["pacticipantVersionNumber"]
        for contract in body["contracts"]:
            key = contract["consumerName"], number, contract["providerName"]
            content = base64.b64decode(contract["content"])
            if json.loads(self.pacts.setdefault(key, content)) != json.loads(content):
                return 409, {"notices": [], "errors": {"contracts": [f"{key[0]} {number} has another pact already"]}}
        named = {"pacticipant": {"name": body["pacticipantName"]}, "version": {"number": number}}
        links = {"pb:pacticipant": {"href": self.url}, "pb:pacticipant-version": {"href": self.url}}
        links |= {"pb:pacticipant-version-tags": [], "pb:contracts": []}  # type: ignore[dict-item]  # lists
        return 200, {"notices": [{"type": "success", "text": "kept"}], "_embedded": named, "_links": links}

    def _for_verification(self, provider: str) -> Object:
        found = [(key[0], digest(content)) for key, content in self.pacts.items() if key[2] == provider]
        entries = [
            {
                "shortDescription": "latest",
                "verificationProperties": {"pending": consumer in self.pending, "notices": []},
                "_links": {"self": {"href": self._pact_url(provider, consumer, sha), "name": f"a pact of {consumer}"}},
            }
            for consumer, sha in dict.fromkeys(found)
        ]
        return {"_embedded": {"pacts": entries}, "_links": {"self": {"href": self.url}}}

    def _pact_url(self, provider: str, consumer: str, sha: str) -> str:
        return f"{self.url}/pacts/provider/{quote(provider)}/consumer/{quote(consumer)}/pact-version/{sha}"

    def _pact(self, sha: str) -> Object:
        key, content = next((key, content) for key, content in self.pacts.items() if digest(content) == sha)
        document: Object = json.loads(content)
        for number, interaction in enumerate(document.get("interactions", [])):
            interaction["_id"] = f"{sha[:8]}{number}"
        self_url = self._pact_url(key[2], key[0], sha)
        results = {"href": f"{self_url}/verification-results"}
        return {**document, "_links": {"self": {"href": self_url}, "pb:publish-verification-results": results}}

    def _result(self, request: Request, sha: str) -> tuple[int, object]:
        kept = self.results.setdefault(sha, [])
        if request.method == "POST":
            if not self.forgets:
                kept.append(request.body)
            here = f"{self.url}{request.path}/{len(kept)}"
            return 201, {**request.body, "_links": {"self": {"href": here}}}
        number = int(request.path.rpartition("/")[2])
        return (200, kept[number - 1]) if 0 < number <= len(kept) else (404, {})


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def row(consumer: str, provider: str, *, success: bool | None) -> Object:
    """A row of the matrix; versions are written `name@number`."""
    one, _, number = consumer.partition("@")
    other, _, tried = provider.partition("@")
    return {
        "consumer": {"name": one, "version": {"number": number}},
        "provider": {"name": other, "version": {"number": tried} if tried else None},
        "pact": {"createdAt": "2026-01-01T00:00:00Z"},
        "verificationResult": None if success is None else {"success": success, "verifiedAt": "2026-01-01T00:00:00Z"},
    }


def matrix(*rows: Object, deployable: bool | None, reason: str = "as told") -> Object:
    return {"summary": {"deployable": deployable, "reason": reason}, "notices": [], "matrix": list(rows)}


@contextmanager
def serving() -> Iterator[FakeBroker]:
    """A Broker that answers until the context ends."""
    broker = FakeBroker()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parsed = urlsplit(self.path)
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            request = Request(
                method=self.command,
                path=parsed.path,
                query=tuple(parse_qsl(parsed.query)),
                authorization=self.headers.get("Authorization"),
                body=json.loads(data) if data else {},
            )
            broker.requests.append(request)
            status, body, headers = broker.answer(request)
            payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/hal+json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_PUT = do_PATCH = _serve  # noqa: N815  (the names that are looked for)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name that is overridden)
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    broker.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield broker
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
