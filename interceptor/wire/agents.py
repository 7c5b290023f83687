"""Agents as things that are made, changed and looked up: which agent is which model."""

import msgspec

from interceptor.record import Answer, Input, Output
from interceptor.wire.notes import Notes

__all__ = ["Agent", "to_answer", "to_input"]


class Agent(msgspec.Struct, kw_only=True, gc=False):
    """An agent, as it is sent and as it comes back; its instructions are not read."""

    id: str | None = None
    name: str | None = None
    model: str | None = None
    version: int | str | None = None


def to_input(agent: Agent, notes: Notes) -> Input:  # noqa: ARG001 - the table's signature
    """Give what was asked."""
    return Input(model=agent.model, agent_name=agent.name)


def to_answer(agent: Agent, notes: Notes) -> Answer:  # noqa: ARG001 - the table's signature
    """Give which agent it is."""
    version = {} if agent.version is None else {"version": agent.version}
    return Answer(
        output=Output(model=agent.model, agent_id=agent.id, agent_name=agent.name, facts=version)
    )
