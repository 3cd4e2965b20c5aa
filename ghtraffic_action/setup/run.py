"""The setup: inspect, plan, ask, execute, and show what remains."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ghtraffic_action.errors import StackError
from ghtraffic_action.github.repository_settings import RepositorySettings
from ghtraffic_action.setup.account import Account
from ghtraffic_action.setup.checkout import is_checkout, read_workflow, write_workflow
from ghtraffic_action.setup.plan import Found, Plan, Wanted, plan, variable_values

_SIGNS = {"done": "✓", "to do": "+", "by hand": "✋"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """The user interface: output, and confirmation of a plan."""

    show: Callable[[str], None]
    confirm: Callable[[], bool]


class Setup:
    """The setup of a repository, with GitHub, an AWS account and a checkout."""

    def __init__(self, repository: str, github: RepositorySettings, folder: Path, wanted: Wanted) -> None:
        """Inspect nothing yet. Raises StackError without AWS credentials."""
        self._name, self._github, self._folder, self._wanted = repository, github, folder, wanted
        self._account = Account()

    def run(self, terminal: Terminal, secret: str) -> None:
        """Inspect, show the plan, and execute what the user confirms.

        Raises UserError, before any change if the plan cannot be carried out.
        """
        found = self._look()
        planned = plan(found, self._wanted)
        terminal.show(describe(found, planned))
        if planned.problems:
            raise StackError("\n".join(planned.problems))
        if planned.to_do and terminal.confirm():
            self._make(found, planned, secret)
        if planned.remaining:
            terminal.show(
                "\n".join(["What remains for you afterwards:", *(f"  - {line}" for line in planned.remaining)])
            )

    def _look(self) -> Found:
        in_checkout = is_checkout(self._folder, self._name)
        workflow = read_workflow(self._folder) if in_checkout else None
        return Found(self._github.look(), self._account.look(self._wanted.stack), in_checkout, workflow)

    def _make(self, found: Found, planned: Plan, secret: str) -> None:
        """Execute the steps in order; a rerun continues after failures."""
        for step in planned.to_do:
            if step.kind == "stack":
                stack = found.account.stack
                self._account.deploy(step.name, self._wanted.template, planned.parameters, stack)
                found = replace(found, account=self._account.look(step.name))
            elif step.kind == "variable":
                exists, value = step.name in found.repository.variables, variable_values(found.account)[step.name]
                self._github.set_variable(step.name, value, exists=exists)
            elif step.kind == "secret":
                self._github.set_secret(step.name, secret)
            else:
                write_workflow(self._folder, self._wanted.workflow)


def describe(found: Found, planned: Plan) -> str:
    """Return a plan's lines: done, to do, left to the user, and the commands by hand."""
    repository, account = found.repository, found.account
    lines = [
        f"{repository.name} (id {repository.id}, branch {repository.branch}), AWS {account.id} in {account.region}"
    ]
    for step in planned.steps:
        lines.append(f"  {_SIGNS[step.state]} {step.kind} {step.name}: {step.what}")
        if step.state != "done":
            lines.append(f"      by hand: {step.line}")
    return "\n".join([*lines, *(f"  ! {warning}" for warning in planned.warnings)])
