"""Chooses the provider that the settings name."""

from app.chat.rules import RulesProvider
from app.chat.types import ChatProvider
from app.settings import Settings


def create(settings: Settings) -> ChatProvider:
    """The provider. The client library of the remote ones is imported only for them: it costs
    half a second of every start."""
    endpoint = settings.llm_endpoint
    if endpoint is None:
        return RulesProvider()
    from app.chat.openai_compatible import OpenAICompatible

    return OpenAICompatible(
        settings.llm_provider, endpoint, timeout_seconds=settings.llm_timeout_seconds
    )
