"""How commands are typed: one registry behind help, parser and keys; every message in Vietnamese."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest

from commune_client import messages
from commune_client.actions import ACTIONS, COMMANDS
from commune_client.cli import main
from commune_client.cli.arguments import ARGUMENTS, ROLES
from commune_client.cli.parser import HANDLERS, build_parser
from commune_client.cli.work import WORK
from onestop_sync import errors
from onestop_sync.dossier.checks import CHOICES, Issue
from onestop_sync.dossier.labels import CHOICE_LABELS, ROLE_LABELS
from onestop_sync.dossier.timeline import lines_of
from onestop_sync.dossier.workflow import AGENCY_TASK, MAIN_TASK
from onestop_sync.state import Reason, Standing
from onestop_sync.storage.queries import LEVELS

HEAVY = ("sqlalchemy", "httpx", "cryptography", "nacl", "textual", "onestop_sync", "starlette", "cbor2")


def test_every_command_has_a_handler_and_arguments() -> None:
    """The registry, the parser's arguments and the handlers name the same commands."""
    names = [command.name for command in COMMANDS]
    assert len(set(names)) == len(names)
    assert set(HANDLERS) == set(ARGUMENTS) == set(names)
    for handler in HANDLERS.values():
        module, _, name = handler.partition(":")
        assert callable(getattr(import_module(module), name))
    listed = {"handover", "receive"}  # without a code they show a list
    assert {name for name in names if HANDLERS[name].endswith("work:run")} | listed == set(WORK)


def test_what_was_typed_wrongly_is_not_told_at_any_length(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong argument of 10,000 characters is one short message."""
    assert main(["show", "CODE", "ư" * 10_000]) == 2
    said = capsys.readouterr()
    assert len(said.out + said.err) < 500
    assert "Xem `onestop" in said.err


def test_every_key_has_a_command_that_exists() -> None:
    """What the registry of keys calls a command is one."""
    assert {action.command for action in ACTIONS} - {""} <= {command.name for command in COMMANDS}


def test_every_action_of_the_workflow_has_a_command() -> None:
    """No transition of the law's workflow is left without a command."""
    taken = {action for command in COMMANDS for action in command.workflow}
    assert taken == {t.action for task in (MAIN_TASK, AGENCY_TASK) for t in task.transitions}


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The help of each command is complete, and ends the program with 0."""
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"cách dùng: onestop {command}")
    for english in ("usage:", "options:", "positional arguments", "show this help"):
        assert english not in said


def test_the_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """The first help shows all commands with their sentence, and what each exit code means."""
    assert main(["--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for command in COMMANDS:
        assert f"{command.name} {command.help}" in words
    for code in "0123":
        assert f" {code} " in words


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["bay"], "không có lệnh 'bay'"),
        (["show"], "còn thiếu: MÃ"),
        (["approve", "1", "--nhanh"], "không hiểu: --nhanh"),
        (["list", "--only", "moi"], "không có 'moi'"),
        (["list", "--limit", "mười"], "--limit: giá trị không đúng"),
        (["note", "1"], "còn thiếu: GHI-CHÚ"),
        (["reject", "1", "--reason"], "--reason: cần một giá trị"),
        (["resolve", "1", "--reason", "x"], "cần một trong"),
        (["resolve", "1", "--reason", "x", "--keep", "--value", "y"], "không dùng"),
        (["--stor", "x", "list"], "onestop --help"),
    ],
)
def test_wrong_usage_is_told_in_vietnamese(
    typed: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was typed wrongly is named, with the help to look at, and exit code 2."""
    assert main(typed) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert told in said.err
    assert "--help" in said.err


def test_wrong_usage_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """A script that asks for JSON reads its mistake as JSON."""
    assert main(["show", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "usage"


@pytest.mark.parametrize("where", ["before", "after"])
def test_common_options_stand_before_or_after_the_command(where: str, tmp_path: Path) -> None:
    """The store may be named on either side of the command."""
    option = ["--store", str(tmp_path), "--json"]
    typed = [*option, "list"] if where == "before" else ["list", *option]
    parsed = build_parser(typed).parse_args(typed)
    assert (parsed.store, parsed.json, parsed.officer) == (tmp_path, True, "")


def test_help_loads_nothing_heavy() -> None:
    """Showing the help imports neither the library nor a database."""
    program = """
import json, sys
from commune_client.cli import main
main(["--help"])
print("\\n" + json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert loaded & set(HEAVY) == set()


def test_the_screen_waits_for_no_command() -> None:
    """On the way to the screen no command is built, and nothing is loaded that only commands need."""
    program = """
import sys
from commune_client.cli import entry
seen = []
entry._open_screen = lambda parsed: seen.append(str(parsed.store)) or 0
assert entry.main(["--store", "x"]) == 0 and seen == ["x"]
import commune_client.screens, commune_client.desk.place
print(" ".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    own = {name for name in done.stdout.split() if name.startswith("commune_client.")}
    cli = {f"commune_client.cli.{name}" for name in ("entry", "codes", "parser")}
    assert own == cli | {
        f"commune_client.{name}" for name in ("actions", "cli", "desk", "desk.place", "screens")
    }


def test_status_loads_no_line_and_no_screen() -> None:
    """Opening the store to look needs no HTTP client, no server and no screen."""
    program = """
import json, sys
import commune_client.cli.line, commune_client.cli.session, commune_client.desk.desk
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded & {"httpx", "tenacity", "textual", "rich", "starlette", "uvicorn", "server_stub"} == set()


# ---- the tables of words


def _codes() -> set[str]:
    import_module("commune_client.desk.base")  # has one of its own
    found: set[str] = set()
    kinds: list[type[errors.OnestopError]] = [errors.OnestopError]
    while kinds:
        kind = kinds.pop()
        found.add(kind.code)
        kinds += [
            sub for sub in kind.__subclasses__() if sub.__module__.startswith(("onestop_sync", "commune"))
        ]
    return found


def test_every_error_has_its_sentence() -> None:
    """Each code of the library's errors, and of the desk's, has a Vietnamese message."""
    assert _codes() == set(messages.ERRORS)


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (messages.REASONS, {str(reason) for reason in Reason}),
        (messages.STANDING_LABELS, {str(standing) for standing in Standing}),
        (messages.LEVEL_LABELS, set(LEVELS)),
        (messages.ISSUES, {str(issue) for issue in Issue}),
        *((CHOICE_LABELS[key], set(words)) for key, words in CHOICES.items()),
        (ROLE_LABELS, set(ROLES)),
    ],
)
def test_every_code_of_the_library_has_words(table: Mapping[str, str], codes: set[str]) -> None:
    """What the library says in codes, the client says in Vietnamese, all of it."""
    assert codes <= set(table)


def test_a_choice_is_shown_in_words_wherever_it_stands() -> None:
    """What a field that holds one of a few says is shown in Vietnamese in the timeline as well."""
    lines = lines_of([["set", "loai_doi_tuong", "ca_nhan"], ["set", "nguoi_nop", "ca_nhan"]])
    assert [line.text for line in lines] == ["cá nhân", "ca_nhan"]


def test_the_levels_are_in_the_library_s_order() -> None:
    """The client orders how far an event has got as the library does."""
    assert tuple(messages.LEVEL_LABELS) == LEVELS


def test_every_command_is_in_the_officials_guide() -> None:
    """The guide for officials shows how each command is typed."""
    guide = (Path(__file__).resolve().parents[2] / "docs" / "officials-cli.md").read_text(encoding="utf-8")
    assert [command.name for command in COMMANDS if f"onestop {command.name}" not in guide] == []
