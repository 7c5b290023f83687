"""The settings of the environment as a command takes them: with every name in them looked up."""

from collections.abc import Iterator, Mapping

from interceptor.errors import SettingsError
from interceptor.settings import Settings

__all__ = ["checked", "unknown_operations"]


def checked(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raise `SettingsError` on whatever a program would have to do without."""
    settings = Settings.from_env(environ)
    for error in unknown_operations(settings):
        raise error
    return settings


def unknown_operations(settings: Settings) -> Iterator[SettingsError]:
    """Give an error for each operation that there is none of: the settings do not know them."""
    if settings.operations == ("all",):
        return
    from interceptor.endpoints import OPERATIONS  # the whole table: for those who name one

    for name in settings.operations:
        if name not in OPERATIONS:
            yield SettingsError(
                f"INTERCEPTOR_OPERATIONS names {name!r}; use all, inference, or names such as "
                "chat, embeddings, chat.completions"
            )
