"""Find out whose a key or a token is, without asking the database each time.

Every process knows all keys that are good. A number in the database (`ApiKeys.version`) grows with every change of who
may do what; `watch` looks at it four times a second, and when it grew reads the keys again. So a key that was revoked
in one process is refused in all of them within a second, and one that was never used is known while the database is
away.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest
from time import monotonic

from app.application.ports.system import Clock, HistoryUnavailableError
from app.application.ports.users import ApiKeys, InvalidTokenError, OwnedKey, Tokens
from app.application.single_flight import SingleFlights
from app.domain.access import Principal, UnauthenticatedError
from app.domain.api_keys import PREFIX, PREFIXES, digest_of, key_id_of
from app.domain.stream_tokens import SIGN, read_token

LONGEST_CREDENTIAL = 8192
"""Characters; a key of ours has 52, a token some hundreds to some thousands."""
MOST_REMEMBERED = 10_000
"""Keys that were read ahead, as many that were used, and as many credentials that are no keys."""
UNKNOWN_FOR = 5.0
"""Seconds for which a key that does not exist is refused unasked."""
BELIEVED_FOR = 1.0
"""Seconds for which a key is believed after a look at the database, while that is not known to be away."""
HANGS_AFTER = 0.3
"""Seconds without an answer after which a database that is looked at counts as away. Together with a pause and an
answer's time less than BELIEVED_FOR, so that no moment lies between believing and being away."""
NOTE_USE_EVERY = 60.0
"""Seconds between two times at which it is written down when keys were used last."""
LAST_WORDS = 2.0
"""Seconds that the end of the process waits for that."""

OURS = (*PREFIXES, SIGN)
"""How what we have made begins: keys, and tokens of theirs."""
NO_KEY = "this is no key of this service"


@dataclass(slots=True)
class _Remembered:
    """What was read of a key."""

    owned: OwnedKey
    version: int | None
    """The database's number before it was read."""
    read_at: float


@dataclass(frozen=True, slots=True)
class _ReadAhead:
    """All keys that were good at one look; each is made of its row when it is used first."""

    keys: Mapping[str, OwnedKey]
    version: int | None
    read_at: float
    origins: Mapping[str, datetime | None]
    """From which pages publishable keys post, and until when."""


@dataclass(slots=True)
class Authenticate:
    """Say who sends a credential: one of our keys, or a token of another issuer.

    Nothing is remembered while `watch` does not run: nobody would notice that a key was revoked. Likewise a process
    that was stopped for a while believes nothing when it goes on, until it has asked.
    """

    keys: ApiKeys
    clock: Clock
    tokens: Tokens | None = None
    grace: float = 3600.0
    """Seconds for which remembered keys are believed while the database is away."""
    most: int = MOST_REMEMBERED
    pause: float = 0.25
    """Seconds between two looks at whether anything changed."""
    now: Callable[[], float] = monotonic
    """Seconds by a clock that nobody sets."""
    _remembered: OrderedDict[str, _Remembered] = field(default_factory=OrderedDict, init=False)
    """Those that were used, by their public parts, the one used last at the end."""
    _ahead: _ReadAhead = field(default=_ReadAhead({}, None, float("-inf"), {}), init=False)
    _unknown: OrderedDict[bytes, float] = field(default_factory=OrderedDict, init=False)
    """Until when, by the digest of what was sent."""
    _read: SingleFlights[str, OwnedKey | None] = field(init=False)
    """Once for all who ask for a key now; whoever leaves meanwhile does not spoil it for the others."""
    _used: dict[str, datetime] = field(default_factory=dict, init=False)
    _version: int | None = field(default=None, init=False)
    _looked_at: float = field(default=float("-inf"), init=False)
    _looking_since: float | None = field(default=None, init=False)
    _away: bool = field(default=False, init=False)
    """The database did not answer when it was asked last."""
    _watching: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._read = SingleFlights(self._read_and_remember)

    async def __call__(self, credential: str) -> Principal:
        """Say who it is.

        Raises:
            UnauthenticatedError: it opens nothing; the message says why, without the credential.
            HistoryUnavailableError: the key is not remembered, or not believed any more, and the database is away.
            TokensUnavailableError: nobody can tell now whether a token is good.
        """
        if len(credential) > LONGEST_CREDENTIAL:
            raise UnauthenticatedError(f"expected a key or a token of at most {LONGEST_CREDENTIAL:,} characters")
        if not credential.startswith(OURS):
            return await self._of_token(credential)
        key_id = _key_id_in(credential)
        if key_id is None:
            raise UnauthenticatedError("this key was cut off or mistyped: its checksum is wrong")
        owned = self._believed(key_id) or await self._look_up(key_id, credential)
        flaw = _flaw_of(owned, credential, self.clock.now())
        if owned is None or flaw:
            raise UnauthenticatedError(flaw or NO_KEY)
        return self._let_in(owned)

    def remembered(self, credential: str, *, began: bool = False) -> Principal | None:
        """Say who it is if that can be said at once; None says nothing but that it takes more.

        What `began` with a stream token goes on while its key is good.
        """
        key_id = _key_id_in(credential)
        owned = self._believed(key_id) if key_id else None
        if owned is None or _flaw_of(owned, credential, self.clock.now(), began=began):
            return None
        return self._let_in(owned)

    def refuses(self, credential: str) -> bool:
        """Tell whether a key is known to open nothing now: False says nothing but that it takes more."""
        ahead = self._ahead
        is_whole = self._watching and ahead.version == self._version and len(ahead.keys) < self.most
        return is_whole and _key_id_in(credential) not in ahead.keys

    def expects(self, origin: str) -> bool:
        """Tell whether some publishable key is for pages of an origin, as far as is known: of just that one."""
        until = self._ahead.origins.get(origin, _NEVER)
        return until is None or self.clock.now() < until

    async def watch(self) -> None:
        """Keep what is remembered true, and write down when keys were used, until cancelled."""
        self._watching = True
        note_at = self.now() + NOTE_USE_EVERY
        try:
            async with asyncio.TaskGroup() as beside:  # writing may wait for other writers; looking must not
                while True:
                    await self._look()
                    if self.now() >= note_at:
                        beside.create_task(self._note_use())
                        note_at = self.now() + NOTE_USE_EVERY
                    await asyncio.sleep(self.pause)
        finally:
            self._watching = False
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    await self._note_use()

    async def _look(self) -> None:
        """See whether anything changed; when it did, read all keys that are good now, so that none is a stranger."""
        self._looking_since = began = self.now()
        try:
            version = await self.keys.version()
            if version != self._version:
                self._version = version  # from here on nothing is believed that was read before
                self._unknown.clear()
            self._looked_at, self._looking_since, self._away = began, None, False
            await self._read_ahead(version, began)
        except HistoryUnavailableError:
            self._looking_since, self._away = None, True

    async def _read_ahead(self, version: int, began: float) -> None:
        if version != self._ahead.version:
            now = self.clock.now()
            self._ahead = _ReadAhead(await self.keys.good(now, self.most), version, began, await self.keys.origins(now))

    async def _note_use(self) -> None:
        """Write down when keys were used; what cannot be written now is written the next time."""
        used = dict(self._used)
        if not used:
            return
        with suppress(HistoryUnavailableError):
            await self.keys.note_use(used)
            self._used = {key_id: at for key_id, at in self._used.items() if at != used.get(key_id)}

    def _believed(self, key_id: str) -> OwnedKey | None:
        known = self._known(key_id) if self._watching else None
        if known is None:
            return None
        believed_for = max(self.grace, BELIEVED_FOR) if self._is_away() else BELIEVED_FOR
        if self.now() - max(known.read_at, self._looked_at) > believed_for:
            return None
        self._remembered.move_to_end(key_id)
        return known.owned

    def _known(self, key_id: str) -> _Remembered | None:
        """Find what was read of a key since the last change."""
        known, ahead = self._remembered.get(key_id), self._ahead
        if known is not None and known.version == self._version:
            return known
        owned = ahead.keys.get(key_id) if ahead.version == self._version else None
        if owned is None:
            return None
        return self._remember(key_id, _Remembered(owned, ahead.version, ahead.read_at))

    def _remember(self, key_id: str, known: _Remembered) -> _Remembered:
        self._remembered[key_id] = known
        self._remembered.move_to_end(key_id)
        if len(self._remembered) > self.most:
            self._remembered.popitem(last=False)
        return known

    def _is_away(self) -> bool:
        """Tell whether the database is away; one that has not answered for so long is as good as that."""
        return self._away or (self._looking_since is not None and self.now() - self._looking_since > HANGS_AFTER)

    async def _look_up(self, key_id: str, credential: str) -> OwnedKey | None:
        digest = digest_of(credential)
        if self._unknown.get(digest, 0.0) > self.now():
            return None
        try:
            owned = await self._read(key_id)
        except HistoryUnavailableError:
            self._away = True
            if owned := self._believed(key_id):
                return owned
            raise
        if owned is None:
            self._unknown[digest] = self.now() + UNKNOWN_FOR
            self._unknown.move_to_end(digest)
            if len(self._unknown) > self.most:
                self._unknown.popitem(last=False)
        return owned

    async def _read_and_remember(self, key_id: str) -> OwnedKey | None:
        version, began = self._version, self.now()
        owned = await self.keys.find(key_id)
        if owned is None:
            self._remembered.pop(key_id, None)
        elif version == self._version:
            self._remember(key_id, _Remembered(owned, version, began))
        return owned

    def _let_in(self, owned: OwnedKey) -> Principal:
        key, owner = owned.key, owned.owner
        self._used[key.key_id] = self.clock.now()
        return Principal(owner.username, owner.role, f"key:{key.key_id}", owner.user_id, key.publishable)

    async def _of_token(self, credential: str) -> Principal:
        if self.tokens is None:
            raise UnauthenticatedError(f"{NO_KEY}: expected one that begins with {PREFIX}")
        if credential.count(".") != 2:  # noqa: PLR2004 - head, claims, signature
            raise UnauthenticatedError(f"expected a key that begins with {PREFIX}, or a token (JWT); this is neither")
        try:
            return await self.tokens.verify(credential)
        except InvalidTokenError as error:
            raise UnauthenticatedError(str(error)) from error


_NOBODYS = bytes(32)
_NEVER = datetime.min.replace(tzinfo=UTC)


def _key_id_in(credential: str) -> str | None:
    """Read the public part of the key that is meant; None when what was sent is not of the form."""
    token = read_token(credential)
    return token.key_id if token else key_id_of(credential)


def _flaw_of(owned: OwnedKey | None, credential: str, now: datetime, *, began: bool = False) -> str | None:
    """Say why a key opens nothing; None when it does. Whoever does not have the whole key learns nothing of it."""
    if owned is None:
        compare_digest(_NOBODYS, digest_of(credential))  # so that it takes as long as for a key that exists
        return NO_KEY
    token = read_token(credential)
    if not (token.is_of(owned.key) if token else owned.key.matches(credential)):
        return NO_KEY
    if token and not began and now >= token.expires_at:
        return "this stream token is over: ask for another one"
    if owned.key.revoked_at is not None:
        return "this key was revoked"
    if not owned.key.is_live(now):
        return "this key has expired"
    return None if owned.owner.is_active else "the user of this key is not active any more"
