"""One turn of a chat: the user's message or confirmation, tool calls, the reply.

The provider is asked outside of any transaction; what it wants is then done and recorded in one.
"""

import logging
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.chat import store, tools
from app.chat.types import AssistantMessage, ChatProvider, ProviderError
from app.errors import ApiError
from app.models import ChatMessage, ToolCall
from app.objects import Store, remove_objects

MAX_ROUNDS = 8
"""How often a provider may call tools within one turn."""

TURN_SECONDS = 80.0
"""After this long no further round begins: with the last one's timeout (30 s) a turn stays below
the two minutes that the frontend waits for it."""

MAX_CALLS = 16
"""How many calls of one message are run."""

_YES = re.compile(r"\s*(?:yes|y|yep|ok|okay|sure|confirm|do it)\s*[.!]*\s*", re.I)
_NO = re.compile(r"\s*(?:no|n|nope|cancel|stop|don'?t|keep it)\s*[.!]*\s*", re.I)
_log = logging.getLogger("app.chat")


@dataclass(frozen=True)
class Confirmation:
    """The user's word on a call that waits for it."""

    tool_call_id: uuid.UUID
    approve: bool


@dataclass
class Turn:
    """What a turn brought."""

    conversation_id: uuid.UUID
    reply: str = ""
    error_code: str | None = None
    calls: list[ToolCall] = field(default_factory=list)


@dataclass(frozen=True)
class Chat:
    """Runs turns."""

    sessions: async_sessionmaker[AsyncSession]
    provider: ChatProvider
    objects: Store | None

    async def turn(
        self,
        user_id: str,
        conversation_id: uuid.UUID | None,
        message: str,
        confirmation: Confirmation | None,
    ) -> Turn:
        """Take the user's message or confirmation and answer it."""
        turn = await self._begin(user_id, conversation_id, message, confirmation)
        if not turn.reply:
            await self._answer(user_id, turn)
        return turn

    async def _begin(
        self,
        user_id: str,
        conversation_id: uuid.UUID | None,
        message: str,
        confirmation: Confirmation | None,
    ) -> Turn:
        async with self.sessions() as session:
            context = tools.Context(session, user_id)
            conversation = await store.open_conversation(session, user_id, conversation_id, message)
            turn = Turn(conversation.id)
            if confirmation is not None:
                call = await _waiting(session, conversation.id, confirmation.tool_call_id)
                await _settle(context, turn, [call], confirmation.approve)
            else:
                pending = await store.pending_calls(session, conversation.id)
                answer = bool(pending and (_YES.fullmatch(message) or _NO.fullmatch(message)))
                # Anything but a clear yes leaves the todos as they are.
                approve = answer and _YES.fullmatch(message) is not None
                await _settle(context, turn, pending, approve)
                kind = "answer" if answer else "message"
                session.add(
                    ChatMessage(
                        conversation_id=conversation.id, role="user", kind=kind, content=message
                    )
                )
            still = await store.pending_calls(session, conversation.id)
            if still:
                turn.calls += still
                turn.reply = self.provider.signature + await _questions(context, still)
                session.add(self._message(turn, turn.reply))
            await session.commit()
        await remove_objects(self.objects, context.orphans)
        return turn

    async def _answer(self, user_id: str, turn: Turn) -> None:
        ends = time.monotonic() + TURN_SECONDS
        for _ in range(MAX_ROUNDS):
            if time.monotonic() > ends:
                break
            async with self.sessions() as session:
                messages = await store.read_messages(
                    session, turn.conversation_id, store.HISTORY_MESSAGES
                )
            try:
                history = store.as_history(messages, self.provider.name)
                answer = await self.provider.respond(history, tools.OFFERED)
            except ProviderError as error:
                _log.warning(
                    "provider failed",
                    extra={
                        "provider": self.provider.name,
                        "code": error.code,
                        "detail": error.detail,
                    },
                )
                await self._report(turn, error.code, error.message)
                return
            await self._record(user_id, turn, answer)
            if turn.reply:
                return
        await self._report(
            turn,
            "too_many_steps",
            f"{self.provider.signature}I took too many steps without coming to an end and stopped. "
            "What was done so far is listed; try a smaller request.",
        )

    async def _record(self, user_id: str, turn: Turn, answer: AssistantMessage) -> None:
        async with self.sessions() as session:
            context = tools.Context(session, user_id)
            message = self._message(turn, answer.content)
            questions = []
            records = []
            for position, call in enumerate(answer.calls[:MAX_CALLS]):
                record = ToolCall(
                    position=position,
                    provider_call_id=call.id,
                    provider_extra=call.extra,
                    name=call.name[:64],
                    arguments=call.arguments,
                )
                if (question := await tools.question(context, call)) is not None:
                    questions.append(question)
                    record.status, record.result = "needs_confirmation", None
                else:
                    outcome = await tools.run(context, call)
                    record.status, record.result = outcome.status, outcome.result
                    _log.info(
                        "tool call",
                        extra={"tool": record.name, "status": record.status, "user_id": user_id},
                    )
                records.append(record)
            if questions:
                asked = self.provider.signature + _ask(questions)
                message.content = f"{answer.content}\n\n{asked}" if answer.content else asked
            elif not records and not answer.content:
                message.content = f"{self.provider.signature}I have nothing to say to that."
            message.tool_calls = records
            session.add(message)
            await session.commit()
        turn.calls += records
        if questions or not records:
            turn.reply = message.content
        await remove_objects(self.objects, context.orphans)

    async def _report(self, turn: Turn, code: str, sentence: str) -> None:
        turn.reply, turn.error_code = sentence, code
        async with self.sessions() as session:
            message = self._message(turn, sentence)
            message.kind, message.error_code = "error", code
            session.add(message)
            await session.commit()

    def _message(self, turn: Turn, content: str) -> ChatMessage:
        return ChatMessage(
            conversation_id=turn.conversation_id,
            role="assistant",
            content=content,
            provider=self.provider.name,
        )


async def _waiting(
    session: AsyncSession, conversation_id: uuid.UUID, call_id: uuid.UUID
) -> ToolCall:
    query = (
        select(ToolCall)
        .join(ChatMessage)
        .where(ToolCall.id == call_id, ChatMessage.conversation_id == conversation_id)
    )
    call = (await session.scalars(query)).one_or_none()
    if call is None:
        raise ApiError(404, "tool_call_not_found", "There is nothing of that name to confirm.")
    if call.status != "needs_confirmation":
        raise ApiError(409, "already_answered", "That has been answered already.")
    return call


async def _settle(
    context: tools.Context, turn: Turn, calls: Sequence[ToolCall], approve: bool
) -> None:
    for record in calls:
        if approve:
            outcome = await tools.run(context, store.as_call(record))
            record.status, record.result = outcome.status, outcome.result
        else:
            record.status, record.result = "refused", {"refused": "the user did not confirm"}
        turn.calls.append(record)
    await context.session.flush()


async def _questions(context: tools.Context, calls: Sequence[ToolCall]) -> str:
    asked = [await tools.question(context, store.as_call(call)) for call in calls]
    return _ask([text or f"Run {call.name}?" for text, call in zip(asked, calls, strict=True)])


def _ask(questions: Sequence[str]) -> str:
    return " ".join(questions) + " Nothing is deleted until you confirm."
