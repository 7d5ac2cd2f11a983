"""Seeds: one in the config, one derived from it for every job."""

import hashlib


def derive_seed(*parts: str | int) -> int:
    """A 63-bit seed that depends on every part and on their order, e.g. (seed, rule, dataset, method, fold)."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
