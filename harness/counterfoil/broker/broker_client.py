"""A Pact Broker, asked over HTTP: publishing pacts and its matrix. It is named as for Pact's own clients.

Credentials go to the address that the user named and nowhere else: links to another origin and redirects are refused.
Answers are bounded in time and size. No message holds a secret.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote, urljoin, urlsplit

import httpx
import msgspec

from counterfoil import __version__
from counterfoil.broker.broker_address import PASSWORD, TOKEN, URL, USERNAME, BrokerAddress
from counterfoil.core.pact_content import PactContent
from counterfoil.errors import UsageError
from counterfoil.gate.broker_matrix import BrokerMatrix, BrokerRow
from counterfoil.gate.facts import VersionRef
from counterfoil.gate.question import Question, Selector
from counterfoil.ledger.entries import Verification

ANSWER_WITHIN_S = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024
SHOWN_CHARS = 500
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which pacts a provider asks for."""

    selectors: tuple[dict[str, object], ...]
    """Pact's consumer version selectors, as its documentation writes them."""
    branch: str | None = None
    """The branch of the provider, by which a Broker knows what is pending."""
    pending: bool = False
    wip_since: str | None = None
    """A date; pacts that came to branches since then are wanted besides, and are pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPact:
    """A pact of a Broker's; one that is `pending` has never been honoured, so its failure is no news."""

    provider: str
    document: bytes
    pending: bool
    results: str
    """Where its results go."""


class BrokerClient:
    """Asks one Broker. Every method raises UsageError for what the Broker, the network or the user can cause."""

    def __init__(self, address: BrokerAddress) -> None:
        self._address = address
        self._shown = address.url

    def publish(self, contents: Iterable[PactContent], number: str, branch: str | None, tags: Iterable[str]) -> None:
        """Publish the pacts of a version, all of one consumer at once."""
        by_consumer: dict[str, list[PactContent]] = {}
        for content in contents:
            by_consumer.setdefault(content.consumer, []).append(content)
        for consumer, pacts in by_consumer.items():
            body = {
                "pacticipantName": consumer,
                "pacticipantVersionNumber": number,
                "tags": list(tags),
                "contracts": [_contract(pact) for pact in pacts],
            }
            self._asked("POST", "contracts/publish", body | ({"branch": branch} if branch else {}))

    def make_version(self, version: VersionRef, branch: str | None, tags: Iterable[str]) -> None:
        """Make a version exist that has no pact to publish, on its branch and with its tags."""
        name, number = (quote(one, safe="") for one in (version.participant, version.number))
        self._asked("PUT", f"pacticipants/{name}/versions/{number}", {})
        if branch is not None:
            self.put_on_branch(version, branch)
        for tag in tags:
            self._asked("PUT", f"pacticipants/{name}/versions/{number}/tags/{quote(tag, safe='')}", {})

    def matrix(self, question: Question) -> BrokerMatrix:
        """What the Broker answers to a question."""
        answer = self._ask("GET", f"{self._shown}/matrix", params=tuple(matrix_parameters(question)))
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            return BrokerMatrix(deployable=None, reason=self._told(answer), is_refusal=True)
        document = self._decoded(self._accepted(answer), _Matrix)
        return BrokerMatrix(
            deployable=document.summary.deployable,
            reason=self._scrubbed(document.summary.reason),
            rows=tuple(map(_row, document.matrix)),
        )

    def pacts_for_verification(self, provider: str, wanted: Wanted) -> Iterator[FetchedPact]:
        """The pacts that a provider's version is to be tried against."""
        body: dict[str, object] = {
            "consumerVersionSelectors": list(wanted.selectors),
            "includePendingStatus": wanted.pending,
        }
        body |= {"includeWipPactsSince": wanted.wip_since} if wanted.wip_since else {}
        body |= {"providerVersionBranch": wanted.branch} if wanted.branch else {}
        answer = self._asked("POST", f"pacts/provider/{quote(provider, safe='')}/for-verification", body)
        for entry in self._decoded(answer, _ForVerification).embedded.pacts:
            pact = self._accepted(self._ask("GET", self._own(entry.links.itself.href)))
            links = self._decoded(pact, _Pact).links
            yield FetchedPact(
                provider=provider,
                document=pact.content,
                pending=wanted.pending and entry.verification_properties.pending,
                results=self._own(links.results.href),
            )

    def put_on_branch(self, version: VersionRef, branch: str) -> None:
        """Say that a version is on a branch; it exists from then on."""
        name, number, on = (quote(one, safe="") for one in (version.participant, version.number, branch))
        self._asked("PUT", f"pacticipants/{name}/branches/{on}/versions/{number}", {})

    def publish_result(self, pact: FetchedPact, number: str, verification: Verification) -> None:
        """Say how a provider's version fared, and read it back: a Broker may take a result and not keep it."""
        told = {"success": verification.success, "providerApplicationVersion": number}
        body = told | {
            "verifiedBy": {"implementation": "counterfoil", "version": __version__},
            "testResults": list(_test_results(pact, verification)),
        }
        created = self._decoded(self._accepted(self._ask("POST", pact.results, body=body)), _Created)
        kept = self._decoded(self._accepted(self._ask("GET", self._own(created.links.itself.href))), dict[str, object])
        if {name: kept.get(name) for name in told} != told:
            raise UsageError(
                f"the Pact Broker at {self._shown} has another result of {pact.provider} {number} than it was told",
                where=pact.results,
                fix="run it again, and see the log of the Broker",
            )

    @property
    def shown(self) -> str:
        """Its address, without secrets."""
        return self._shown

    def read(self, link: str, kind: type[Answer]) -> Answer:
        """What is at a link of the Broker's, or at a path below its address."""
        return self._decoded(self._accepted(self._ask("GET", self._own(link))), kind)

    def send(self, method: str, link: str, body: object) -> None:
        """Tell it something."""
        self._accepted(self._ask(method, self._own(link), body=body))

    def _own(self, href: str) -> str:
        """A link of the Broker's, which must lead to itself: credentials go nowhere else. Raises UsageError."""
        link = urljoin(f"{self._shown}/", href)
        if urlsplit(link)[:2] != urlsplit(self._shown)[:2]:
            raise self._not_understood(f"it links to another server: {link}")
        return link

    def _asked(self, method: str, path: str, body: object) -> httpx.Response:
        return self._accepted(self._ask(method, f"{self._shown}/{path}", body=body))

    def _ask(
        self, method: str, url: str, *, params: Sequence[tuple[str, str]] = (), body: object = None
    ) -> httpx.Response:
        """Ask, and read the answer as far as it is allowed to go."""
        address = self._address
        headers = {"Accept": "application/hal+json, application/json"}
        if address.token:
            headers["Authorization"] = f"Bearer {address.token}"
        login = httpx.BasicAuth(address.username, address.password) if address.username and not address.token else None
        try:
            with (
                httpx.Client(timeout=ANSWER_WITHIN_S, follow_redirects=False, headers=headers, auth=login) as client,
                client.stream(
                    method, url, params=httpx.QueryParams(tuple(params)) if params else None, json=body
                ) as answer,
            ):
                return httpx.Response(answer.status_code, content=self._bounded(answer))
        except httpx.HTTPError as error:
            raise UsageError(
                f"the Pact Broker at {self._shown} could not be asked",
                where=URL,
                why=self._scrubbed(str(error) or type(error).__name__),
                fix=f"correct {URL}, or unset it to use the ledger alone",
            ) from None

    def _bounded(self, answer: httpx.Response) -> bytes:
        data = bytearray()
        for part in answer.iter_bytes():
            data += part
            if len(data) > MAX_ANSWER_BYTES:
                raise self._not_understood(f"it has more than {MAX_ANSWER_BYTES} bytes")
        return bytes(data)

    def _accepted(self, answer: httpx.Response) -> httpx.Response:
        """The answer, if it is one of success."""
        status = answer.status_code
        if answer.is_success:
            return answer
        fix = "see what it says, and the log of the Broker"
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            fix = f"set {TOKEN}, or {USERNAME} and {PASSWORD}, to credentials that may do this"
        elif status == HTTPStatus.CONFLICT:
            fix = "publish it as a new version: --version NUMBER"
        elif status == HTTPStatus.NOT_FOUND:
            fix = "publish the version there first (counterfoil publish), or correct the name"
        elif answer.is_redirect:
            fix = f"set {URL} to where it redirects; credentials are not sent on"
        raise UsageError(
            f"the Pact Broker at {self._shown} answered {status}", where=URL, why=self._told(answer), fix=fix
        )

    def _decoded(self, answer: httpx.Response, kind: type[Answer]) -> Answer:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise self._not_understood(str(error)) from None

    def _not_understood(self, why: str) -> UsageError:
        return UsageError(
            f"what the Pact Broker at {self._shown} answered is not understood",
            where=URL,
            why=self._scrubbed(why),
            fix=f"check that {URL} is the address of a Pact Broker, with the path that it lives under",
        )

    def _told(self, answer: httpx.Response) -> str:
        """What an answer says, cut."""
        return self._scrubbed(" ".join(answer.content[: 4 * SHOWN_CHARS].decode("utf-8", "replace").split()))

    def _scrubbed(self, text: str) -> str:
        for secret in self._address.secrets:
            text = text.replace(secret, "***")
        return text[:SHOWN_CHARS]


def matrix_parameters(question: Question) -> Iterator[tuple[str, str]]:
    """A question as Pact's own clients put it."""
    for selector in question.selectors:
        yield from _selector_parameters(selector)
    for ignored in question.ignored:
        yield "ignore[][pacticipant]", ignored.participant
        if ignored.number is not None:
            yield "ignore[][version]", ignored.number
    yield "latestby", question.latest_by.value
    destination = question.destination
    if destination is None:
        return
    if destination.environment is not None:
        yield "environment", destination.environment
        return
    yield "latest", "true"
    if destination.main_branch:
        yield "mainBranch", "true"
    elif destination.tag is not None:
        yield "tag", destination.tag


def _selector_parameters(selector: Selector) -> Iterator[tuple[str, str]]:
    yield "q[][pacticipant]", selector.participant
    texts = {
        "version": selector.number,
        "branch": selector.branch,
        "tag": selector.tag,
        "environment": selector.environment,
        "mainBranch": "true" if selector.main_branch else None,
        "latest": "true" if selector.latest else None,
    }
    yield from ((f"q[][{name}]", text) for name, text in texts.items() if text is not None)


class _Number(msgspec.Struct):
    number: str


class _End(msgspec.Struct):
    name: str
    version: _Number | None = None


class _Result(msgspec.Struct, rename="camel"):
    success: bool
    verified_at: str | None = None


class _Row(msgspec.Struct, rename="camel"):
    consumer: _End
    provider: _End
    verification_result: _Result | None = None


class _Summary(msgspec.Struct):
    deployable: bool | None
    reason: str = ""


class _Matrix(msgspec.Struct):
    summary: _Summary
    matrix: list[_Row] = []


class _Link(msgspec.Struct):
    href: str


class _Self(msgspec.Struct):
    itself: _Link = msgspec.field(name="self")


class _Created(msgspec.Struct):
    links: _Self = msgspec.field(name="_links")


class _Pending(msgspec.Struct):
    pending: bool = False


class _Entry(msgspec.Struct, rename="camel"):
    links: _Self = msgspec.field(name="_links")
    verification_properties: _Pending = msgspec.field(default_factory=_Pending)


class _Entries(msgspec.Struct):
    pacts: list[_Entry] = []


class _ForVerification(msgspec.Struct):
    embedded: _Entries = msgspec.field(name="_embedded")


class _Results(msgspec.Struct):
    results: _Link = msgspec.field(name="pb:publish-verification-results")


class _Pact(msgspec.Struct):
    links: _Results = msgspec.field(name="_links")


class _Interaction(msgspec.Struct):
    description: str = ""
    id: str | None = msgspec.field(default=None, name="_id")


class _Interactions(msgspec.Struct):
    interactions: list[_Interaction] = []
    messages: list[_Interaction] = []


def _test_results(pact: FetchedPact, verification: Verification) -> Iterator[dict[str, object]]:
    """The result of each interaction to which the Broker gave an id."""
    document = msgspec.json.decode(pact.document, type=_Interactions)
    outcomes = {one.description: one for one in verification.results}
    for interaction in (*document.interactions, *document.messages):
        outcome = outcomes.get(interaction.description)
        if interaction.id is not None and outcome is not None:
            yield {"interactionId": interaction.id, "success": outcome.success}


def _row(row: _Row) -> BrokerRow:
    result = row.verification_result
    return BrokerRow(
        consumer=VersionRef(row.consumer.name, row.consumer.version.number if row.consumer.version else ""),
        provider=row.provider.name,
        provider_number=row.provider.version.number if row.provider.version else None,
        success=None if result is None else result.success,
        when=(result.verified_at or "") if result else "",
    )


def _contract(pact: PactContent) -> dict[str, str]:
    return {
        "consumerName": pact.consumer,
        "providerName": pact.provider,
        "specification": "pact",
        "contentType": "application/json",
        "content": base64.b64encode(pact.source).decode("ascii"),
        "onConflict": "overwrite",
    }
