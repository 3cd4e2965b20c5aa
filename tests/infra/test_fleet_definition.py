"""The definition of the state machine: Amazon States Language, and our rules."""

import copy
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import ROOT
from tests.support.programs import require
from tests.support.template_mutations import Mutation, Rule, by_rule, drop, put, unnoticed
from tests.support.templates import BASE, FLEET, VALUES, Template, exports, made

VALIDATOR = ROOT / "tests/state_machine/node_modules/.bin/asl-validator"
DEFINITION = "Resources/StateMachine/Properties/Definition"
STATES = f"{DEFINITION}/States"


def definition_of(fleet: Template) -> dict[str, Any]:
    """Return the definition as deployed."""
    found: dict[str, Any] = made(fleet, **exports(BASE))["StateMachine"]["Definition"]
    # ResultPath: null discards a result; `made` leaves out what is null, as AWS::NoValue is.
    found["States"]["Collect"]["ResultPath"] = FLEET["Resources"]["StateMachine"]["Properties"]["Definition"]["States"][
        "Collect"
    ]["ResultPath"]
    return found


def validate(definition: Mapping[str, Any], folder: Path) -> str:
    """Return the problems that asl-validator finds."""
    require(shutil.which("node") and VALIDATOR.exists(), "npm ci in tests/state_machine has not been run")
    file = folder / "definition.json"
    file.write_text(json.dumps(definition))
    done = subprocess.run([VALIDATOR, "--json-path", file], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.e2e
def test_the_definition_is_valid(tmp_path: Path) -> None:
    """asl-validator finds no problem in the definition."""
    assert validate(definition_of(FLEET), tmp_path) == ""


MISTAKES: dict[str, Sequence[Any]] = {
    "a state that is not there": ("List", "Next", "Collected"),
    "a start that is not there": ("", "StartAt", "Begin"),
    "an unknown type": ("RunFailed", "Type", "Failure"),
    "a path that is none": ("Collect", "MaxConcurrencyPath", "credentials"),
    "a percentage above 100": ("Collect", "ToleratedFailurePercentage", 200),
    "a choice without a rule": ("AllCollected", "Choices", []),
    "a retry of no error": ("List", "Retry", [{"IntervalSeconds": 60}]),
    "an unknown field": ("Export", "Parameter", {}),
}


@pytest.mark.e2e
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_found(mistake: Sequence[Any], tmp_path: Path) -> None:
    """asl-validator finds each planted mistake."""
    state, field, value = mistake
    definition = copy.deepcopy(definition_of(FLEET))
    (definition["States"][state] if state else definition)[field] = value
    assert validate(definition, tmp_path)


def each_credential_has_one_process(fleet: Template) -> None:
    """Each line is one execution, all of them run in parallel, and any number may fail."""
    states = definition_of(fleet)["States"]
    collect = states["Collect"]
    assert collect["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert collect["ItemReader"]["ReaderConfig"] == {"InputType": "JSONL"}
    assert collect["ItemReader"]["Resource"] == "arn:aws:states:::s3:getObject"
    assert collect["ItemReader"]["Parameters"] == {"Bucket.$": "$.bucket", "Key.$": "$.key"}
    assert collect["MaxConcurrencyPath"] == "$.credentials"
    assert collect["ToleratedFailurePercentage"] == 100
    assert collect["ResultPath"] is None, "the results of many batches are larger than a state's output may be"
    assert "ItemBatcher" not in collect, "a batch of lines would have several credentials"
    assert made(fleet, **exports(BASE))["StateMachine"]["StateMachineType"] == "STANDARD"


def each_step_is_the_function(fleet: Template) -> None:
    """Each state sends the step's name and input to the function, and waits a minute before a retry."""
    states = definition_of(fleet)["States"]
    batch = states["Collect"]["ItemProcessor"]["States"]["Batch"]
    steps = {"list": states["List"], "collect": batch, "export": states["Export"]}
    for name, state in steps.items():
        assert state["Resource"] == VALUES["Function.Arn"]
        assert state["Parameters"]["step"] == name
        [again] = [found for found in state["Retry"] if found["ErrorEquals"] == ["States.TaskFailed"]]
        assert again["IntervalSeconds"] >= 60
        assert again["MaxAttempts"] in (1, 2)
    assert states["List"]["Parameters"]["run.$"] == "$$.Execution.Name"
    assert states["List"]["Parameters"]["credentials"] == VALUES["Credentials"]
    assert batch["Parameters"]["batch.$"] == "$"
    assert {states["Export"]["Parameters"][name] for name in ("run.$", "errors.$")} == {"$.run", "$.errors"}


def the_export_comes_whatever_failed(fleet: Template) -> None:
    """The export runs even without batches or after a failed Map; the run fails if a batch failed."""
    states = definition_of(fleet)["States"]
    assert states["HasBatches"]["Default"] == states["Collect"]["Next"] == "Export"
    assert states["Collect"]["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.map", "Next": "Export"}]
    [failed] = states["AllCollected"]["Choices"]
    assert failed == {"Variable": "$.failed", "BooleanEquals": True, "Next": "RunFailed"}
    assert states["RunFailed"] == {"Type": "Fail", "Error": "RunFailed", "CausePath": "$.cause"}
    assert states["RunSucceeded"] == {"Type": "Succeed"}


MUTANTS: dict[Rule, tuple[Mutation, ...]] = {
    each_credential_has_one_process: (
        put(f"{STATES}/Collect/ItemProcessor/ProcessorConfig/ExecutionType", "EXPRESS"),
        put(f"{STATES}/Collect/ItemReader/ReaderConfig/InputType", "JSON"),
        put(f"{STATES}/Collect/ItemBatcher", {"MaxItemsPerBatch": 2}),
        drop(f"{STATES}/Collect/ToleratedFailurePercentage"),
        drop(f"{STATES}/Collect/MaxConcurrencyPath"),
    ),
    each_step_is_the_function: (
        put(f"{STATES}/List/Parameters/step", "export"),
        put(f"{STATES}/Export/Retry/0/IntervalSeconds", 1),
        drop(f"{STATES}/Collect/ItemProcessor/States/Batch/Retry/1"),
        put(f"{STATES}/List/Parameters/run.$", "$$.Execution.Id"),
    ),
    the_export_comes_whatever_failed: (
        put(f"{STATES}/HasBatches/Default", "RunSucceeded"),
        drop(f"{STATES}/Collect/Catch/0"),
        put(f"{STATES}/AllCollected/Choices/0/BooleanEquals", False),
        put(f"{STATES}/RunFailed/Type", "Succeed"),
    ),
}


@pytest.mark.parametrize(("rule", "mutations"), by_rule(MUTANTS))
def test_the_definition_keeps_each_rule_and_mutations_break_it(rule: Rule, mutations: Sequence[Mutation]) -> None:
    """The definition follows each rule, and each mutation breaks its rule."""
    assert unnoticed(rule, FLEET, mutations) == []
