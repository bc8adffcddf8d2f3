"""Points kept on disk: a manifest, and journals to which points are appended as they finish."""

from wheelwork.sweeps.store.files import StoreError
from wheelwork.sweeps.store.folder import Store, open_store, prepare_store
from wheelwork.sweeps.store.manifest import REFINED, Manifest

__all__ = ["REFINED", "Manifest", "Store", "StoreError", "open_store", "prepare_store"]
