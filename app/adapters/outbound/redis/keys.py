"""How keys are named. Each module names its own keys; this is what they have in common."""

# The version of everything stored; a later format takes a later number and can tell the two apart.
PREFIX = "marquee:1"
SERVICE = f"{PREFIX}:{{service}}"
"""What the processes say of themselves: who runs, what they have counted."""


def provider_key(provider: str, part: str) -> str:
    """Name a key of one provider. Its hash tag keeps them together on a cluster, so that one script may change all."""
    return f"{PREFIX}:{{p:{provider}}}:{part}"
