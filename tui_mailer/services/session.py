"""Puts the rooms together for one run of the program: configuration, store, mailer, engine."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from tui_mailer.accounts.configuration import Configuration, Paths
from tui_mailer.accounts.credential import Credentials
from tui_mailer.accounts.load import find_paths, load
from tui_mailer.services.account import AccountService, ProviderDirectory
from tui_mailer.services.engine import Engine, Listener
from tui_mailer.services.judgement import judge_settings
from tui_mailer.services.mailer import Mailer
from tui_mailer.storage.store import Store

if TYPE_CHECKING:
    from tui_mailer.services.recall import Recall


class Session:
    """What one run of the program works with; close it at the end."""

    def __init__(self, *, configuration: Configuration, paths: Paths, credentials: Credentials, store: Store) -> None:
        self.configuration = configuration
        self.paths = paths
        self.credentials = credentials
        self.mailer = Mailer(
            directory=ProviderDirectory(configuration=configuration, paths=paths, credentials=credentials),
            paths=paths,
            store=store,
        )

    def engine(self, role: str, listener: Listener | None = None) -> Engine:
        """Makes an engine on the same outbox; ``role`` is app, send, flush or deliver."""
        return Engine(
            configuration=self.configuration,
            paths=self.paths,
            credentials=self.credentials,
            role=role,
            listener=listener,
        )

    def account_service(self) -> AccountService:
        """Makes what adds and tests accounts."""
        return AccountService(paths=self.paths, credentials=self.credentials, configuration=self.configuration)

    def recall(self) -> Recall:
        """Makes what takes back handed-over submissions; it may run in any thread."""
        from tui_mailer.services.recall import Recall

        return Recall(configuration=self.configuration, paths=self.paths, credentials=self.credentials)

    def close(self) -> None:
        """Lets go of the databases."""
        self.mailer.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_session(*, config: str | None = None, data_dir: str | None = None, only_looks: bool = False) -> Session:
    """Opens configuration and store; raises `ConfigurationError` and `StorageError`.

    ``only_looks``: nothing will be written, so that a read-only disk will do.
    """
    paths = find_paths(config, data_dir)
    configuration = load(paths)
    credentials = Credentials()
    directory = ProviderDirectory(configuration=configuration, paths=paths, credentials=credentials)
    judge_settings(directory, paths)
    return Session(
        configuration=configuration,
        paths=paths,
        credentials=credentials,
        store=Store.open_to_read(paths.data_dir) if only_looks else Store.open(paths.data_dir),
    )


def rebuild_outbox(*, config: str | None = None, data_dir: str | None = None) -> int:
    """Brings back, held, what the outbox has lost, a damaged one made anew; returns how many submissions.

    No session may be open in this process. Raises `ConfigurationError`, and `StorageError` while another process has
    the damaged outbox open.
    """
    paths = find_paths(config, data_dir)
    load(paths)
    return Store.rebuild(paths.data_dir)
