"""Provider states: what a contract's verification may have the ranker believe. Off unless PROVIDER_STATES=1."""

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError

from ranker.memory import ShownMemory
from ranker.messages import CategoryAffinity, UserProfile
from ranker.profile_client import ProfileSource, ProfileUnavailableError
from ranker.wire import Id, InvalidMessageError, Message, explain, read_message


class UnknownStateError(Exception):
    """A state of this name does not exist; the message names those that do."""


class Action(StrEnum):
    """A setup adds to what earlier ones did; a teardown, of whichever state, undoes all of them."""

    SETUP = "setup"
    TEARDOWN = "teardown"


class StateChange(Message):
    """What the verifier asks for before and after each interaction."""

    state: str
    params: dict[str, object] = Field(default_factory=dict)
    action: Annotated[Action, Field(strict=False)] = Action.SETUP


class _NoProfile(Message):
    user_id: Id


class _KnownProfile(Message):
    user_id: Id
    price_sensitivity: float | None = Field(default=None, ge=0, le=1)
    category_affinity: CategoryAffinity = Field(default_factory=dict)


class _LatelyShown(Message):
    user_id: Id
    product_ids: Annotated[tuple[Id, ...], Field(strict=False, min_length=1)]


P = TypeVar("P", bound=Message)


def read_state_change(body: bytes) -> StateChange:
    """Decode the verifier's request, or raise InvalidMessageError."""
    return read_message(StateChange, body)


class StatedProfiles:
    """Profiles as the states have them, or the real source's while no state says anything about profiles."""

    def __init__(self, real: ProfileSource) -> None:
        self._real = real
        self._stated: dict[int, UserProfile | None] = {}
        self._unavailable = False

    async def fetch(self, user_id: int) -> UserProfile | None:
        """Answer like a storefront in the stated situation; a customer that no state names is unknown to it."""
        if self._unavailable:
            message = "the storefront is unavailable, says a provider state"
            raise ProfileUnavailableError(message)
        if not self._stated:
            return await self._real.fetch(user_id)
        return self._stated.get(user_id)

    def state(self, user_id: int, profile: UserProfile | None) -> None:
        """Have that customer's profile be known, or with None not exist."""
        self._stated[user_id] = profile

    def make_unavailable(self) -> None:
        """Have the storefront be down."""
        self._unavailable = True

    def reset(self) -> None:
        """Return to the real source."""
        self._stated.clear()
        self._unavailable = False


class ProviderStates:
    """Puts the ranker into the states its consumers' contracts name."""

    def __init__(self, profiles: StatedProfiles, memory: ShownMemory) -> None:
        self._profiles = profiles
        self._memory = memory
        self._setups = {
            "": self._nothing,
            "a profile is known": self._know_profile,
            "no profile is known": self._know_no_profile,
            "the user was lately shown": self._show,
            "the storefront is unavailable": self._lose_storefront,
        }

    def apply(self, change: StateChange) -> None:
        """Set up or tear down; raise UnknownStateError, or InvalidMessageError for bad params."""
        setup = self._setups.get(change.state)
        if setup is None:
            names = ", ".join(repr(name) for name in self._setups if name)
            message = f"no provider state is called {change.state[:100]!r}; there are {names}"
            raise UnknownStateError(message)
        if change.action is Action.TEARDOWN:
            self._profiles.reset()
            self._memory.forget()
        else:
            setup(change.params)

    def _nothing(self, _: dict[str, object]) -> None:
        """Leave everything as it is."""

    def _know_profile(self, params: dict[str, object]) -> None:
        known = _read_params(_KnownProfile, params)
        profile = UserProfile(
            id=known.user_id,
            price_sensitivity=known.price_sensitivity,
            category_affinity=known.category_affinity,
        )
        self._profiles.state(known.user_id, profile)

    def _know_no_profile(self, params: dict[str, object]) -> None:
        self._profiles.state(_read_params(_NoProfile, params).user_id, None)

    def _show(self, params: dict[str, object]) -> None:
        shown = _read_params(_LatelyShown, params)
        self._memory.note_shown(shown.user_id, shown.product_ids)

    def _lose_storefront(self, _: dict[str, object]) -> None:
        self._profiles.make_unavailable()


def _read_params(kind: type[P], params: dict[str, object]) -> P:
    try:
        return kind.model_validate(params)
    except ValidationError as error:
        raise InvalidMessageError(explain(error)) from error
