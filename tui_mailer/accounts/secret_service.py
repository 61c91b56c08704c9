"""The Secret Service backend of the ``keyring`` library, made to close its bus connection also when it fails.

As it comes it leaves the connection to the garbage collector whenever the keyring is locked: one descriptor for every
attempt of a delivery service that waits for its desktop to be unlocked.
"""

from __future__ import annotations

from typing import Any, cast

import secretstorage
from keyring.backends.SecretService import Keyring
from keyring.errors import InitError, KeyringLocked


class SecretService(Keyring):
    """Talks to whatever implements the freedesktop.org Secret Service: gnome-keyring, KWallet, KeePassXC."""

    def get_preferred_collection(self) -> Any:
        """Returns the default collection (or KEYRING_PROPERTY_PREFERRED_COLLECTION's), unlocked.

        Raises `InitError` and `KeyringLocked`. The caller closes its connection.
        """
        service = cast("Any", secretstorage)
        connection = service.dbus_init()
        try:
            wanted = getattr(self, "preferred_collection", None)
            collection = (
                service.Collection(connection, wanted) if wanted else service.get_default_collection(connection)
            )
            if collection.is_locked():
                collection.unlock()
                if collection.is_locked():
                    raise KeyringLocked("nobody unlocked it")  # noqa: TRY301 - the connection is to be closed
        except service.exceptions.SecretStorageException as error:
            connection.close()
            raise InitError(str(error)) from error
        except BaseException:
            connection.close()
            raise
        return collection
