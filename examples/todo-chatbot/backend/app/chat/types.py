"""What the loop and the providers tell each other."""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Call:
    """A tool call as the provider asked for it."""

    id: str
    name: str
    arguments: dict[str, Any]
    # Set when the arguments could not be read as a JSON object; the loop answers with it.
    problem: str | None = None
    # Fields beyond the OpenAI format, returned to the provider as they came.
    extra: dict[str, Any] | None = None


@dataclass(frozen=True)
class UserMessage:
    """What the user wrote."""

    content: str
    # A yes or no to a confirmation, not a new wish.
    answer: bool = False


@dataclass(frozen=True)
class AssistantMessage:
    """What the provider answered: text, tool calls, or both."""

    content: str
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True)
class ToolResult:
    """What came of a call."""

    call_id: str
    name: str
    status: str
    result: Any = None


Item = UserMessage | AssistantMessage | ToolResult


@dataclass(frozen=True)
class Tool:
    """A tool as offered to a provider; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: dict[str, Any] = field(default_factory=dict)


class ProviderError(Exception):
    """The provider could not answer. `message` is a sentence for the user, `detail` for the log."""

    def __init__(self, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = detail


class ChatProvider(Protocol):
    """Something that can continue a conversation."""

    name: str
    signature: str
    """What replies that the loop writes in this provider's name begin with."""

    async def respond(self, history: list[Item], tools: list[Tool]) -> AssistantMessage:
        """The next message. Raises ProviderError."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
