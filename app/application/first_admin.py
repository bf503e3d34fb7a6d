"""Let the first admin in: an installation without users gets one, with a key that is shown once."""

from dataclasses import dataclass

from app.application.manage_keys import CreateKey
from app.application.manage_users import CreateUser, NewUser
from app.application.ports.users import Users
from app.domain.access import Role
from app.domain.users import UsernameTakenError

FIRST_ADMIN = NewUser(username="admin", email="admin@localhost", role=Role.ADMIN)
FIRST_KEY = "first key"


@dataclass(frozen=True, slots=True)
class LetFirstAdminIn:
    """Make the first user of an installation."""

    users: Users
    create_user: CreateUser
    create_key: CreateKey

    async def __call__(self) -> str | None:
        """Make the user and a key for it; None when there were users ever, or another process was faster.

        Raises:
            HistoryUnavailableError: nobody can tell now whether there are users.
        """
        if (await self.users.counts()).created_ever:
            return None
        try:
            user = await self.create_user(FIRST_ADMIN)
        except UsernameTakenError:
            return None
        return (await self.create_key(user.user_id, FIRST_KEY)).text
