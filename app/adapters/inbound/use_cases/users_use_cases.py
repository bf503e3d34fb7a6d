"""What users and their keys need, over HTTP and in the terminal alike."""

from dataclasses import dataclass

from app.application.manage_keys import CreateKey, ListKeys, RevokeKey
from app.application.manage_users import CreateUser, DeleteUser, FindUser, UpdateUser
from app.application.ports.system import Clock
from app.application.ports.users import Users


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersUseCases:
    """The use cases; the port itself where a question decides nothing."""

    users: Users
    create_user: CreateUser
    find_user: FindUser
    update_user: UpdateUser
    delete_user: DeleteUser
    create_key: CreateKey
    list_keys: ListKeys
    revoke_key: RevokeKey
    clock: Clock
