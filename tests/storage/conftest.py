"""Makes the fixtures of `storage_fixtures` known here."""

from storage_fixtures import clock, data_dir, open_store, post, store

__all__ = ["clock", "data_dir", "open_store", "post", "store"]
