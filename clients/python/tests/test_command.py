import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from testfleet_pytest import TestfleetError, open_fleet
from testfleet_pytest.command import MAX_TOLD_CHARACTERS, Command, _Clock, find_command
from testfleet_pytest.pipe_lines import MAX_LINE_BYTES, PipeLines


def make_program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_variable_wins_then_the_path_then_the_npm_package(tmp_path):
    project = tmp_path / "project" / "tests"
    project.mkdir(parents=True)
    npm = make_program(tmp_path / "project" / "node_modules" / ".bin" / "testfleet")
    on_path = make_program(tmp_path / "bin" / "testfleet")
    named = make_program(tmp_path / "own")
    assert find_command(project, {"TESTFLEET_BIN": named, "PATH": str(tmp_path / "bin")}) == named
    assert find_command(project, {"PATH": str(tmp_path / "bin")}) == on_path
    assert find_command(project, {"PATH": ""}) == npm


def test_a_relative_path_is_of_the_folder_of_the_client_wherever_the_command_runs(tmp_path, monkeypatch):
    project = tmp_path / "project"
    npm = make_program(project / "node_modules" / ".bin" / "testfleet")
    on_path = make_program(tmp_path / "bin" / "testfleet")
    here = make_program(tmp_path / "testfleet")
    monkeypatch.chdir(tmp_path)
    assert find_command(project, {"TESTFLEET_BIN": "bin/testfleet", "PATH": ""}) == on_path
    assert find_command(project, {"TESTFLEET_BIN": "testfleet", "PATH": "bin"}) == on_path
    assert find_command(project, {"PATH": "nowhere:bin"}) == on_path
    assert find_command(project, {"PATH": "."}) == here
    assert find_command(Path("project"), {"PATH": ""}) == npm
    assert Command(project, None, {"PATH": "bin"}).lines([], print, timeout_s=60)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PATH": ""}, "testfleet is not installed"),
        ({"TESTFLEET_BIN": "/no/where"}, "TESTFLEET_BIN is not a program: /no/where"),
    ],
)
def test_a_missing_command_is_a_failure_with_a_hint(tmp_path, environment, message):
    with pytest.raises(TestfleetError, match=message) as caught:
        find_command(tmp_path, environment)
    assert caught.value.code == "COMMAND_MISSING"
    assert "TESTFLEET_BIN" in str(caught.value).splitlines()[1]


def test_a_failure_has_the_fields_of_the_document_and_the_text_of_the_command(stand_in, capsys):
    error = {"code": "SERVER_DIED", "message": "web ended", "hint": "read it", "server": "web"}
    stand_in.answer(share=[["stderr", "web: starting"], {"error": error}])
    with pytest.raises(TestfleetError) as caught:
        open_fleet(stand_in.folder)
    assert (caught.value.code, caught.value.message, caught.value.hint) == ("SERVER_DIED", "web ended", "read it")
    assert caught.value.details["server"] == "web"
    assert str(caught.value) == "web ended\nhint: read it"
    assert caught.value.printed == "error: web ended\nhint: read it"
    # Progress is passed on, without the message.
    assert capsys.readouterr().err == "web: starting\n"


@pytest.mark.parametrize("parts", [[3], [["stdout", "no JSON"]], [["stdout", "[]"]], [{"error": 5}]])
def test_an_answer_that_is_no_document_is_a_failure(stand_in, parts):
    stand_in.answer(share=parts if parts != [{"error": 5}] else [["stdout", '{"error": 5}'], 1])
    with pytest.raises(TestfleetError, match="testfleet"):
        open_fleet(stand_in.folder)


def test_a_document_of_another_release_is_a_failure(stand_in):
    stand_in.answer(share=[{"session": "shop-1", "domain": "shop.test", "environment": {}, "servers": {"db": {}}}])
    with pytest.raises(TestfleetError, match="too old: the answer of `share` has no 'hostname'"):
        open_fleet(stand_in.folder)


def test_a_call_that_takes_too_long_is_killed(tmp_path):
    (tmp_path / "slow").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "slow").chmod(0o755)
    command = Command(tmp_path, None, {**os.environ, "TESTFLEET_BIN": str(tmp_path / "slow")})
    with pytest.raises(TestfleetError) as caught:
        command.json(["share"], timeout_s=0.1)
    assert caught.value.code == "TIMED_OUT"


def test_an_interrupted_client_waits_until_the_command_has_cleaned_up(tmp_path):
    script = "#!/bin/sh\ntrap 'sleep 0.4; echo done > cleaned; exit 130' TERM\necho begun >&2\nwhile :; do sleep 0.05; done\n"
    (tmp_path / "slow").write_text(script)
    (tmp_path / "slow").chmod(0o755)
    client = subprocess.Popen(
        [sys.executable, "-c", "from testfleet_pytest import open_fleet; open_fleet()"],
        cwd=tmp_path,
        env={**os.environ, "TESTFLEET_BIN": str(tmp_path / "slow"), "PYTHONPATH": str(Path(__file__).parents[1])},
        stderr=subprocess.PIPE,
    )
    # The client passes it on once it waits for the command.
    assert client.stderr.readline() == b"begun\n"
    client.send_signal(signal.SIGINT)
    client.communicate()
    assert (tmp_path / "cleaned").exists()


def test_an_interrupted_reader_of_lines_waits_until_the_command_has_cleaned_up(tmp_path):
    script = "#!/bin/sh\ntrap 'echo done > cleaned; exit 130' TERM\necho begun\nfor i in $(seq 200); do sleep 0.05; done\n"
    (tmp_path / "slow").write_text(script)
    (tmp_path / "slow").chmod(0o755)
    command = Command(tmp_path, None, {**os.environ, "TESTFLEET_BIN": str(tmp_path / "slow")})

    def interrupt(line):
        assert line == "begun"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        command.lines(["logs"], interrupt, timeout_s=60)
    assert (tmp_path / "cleaned").exists()


def test_a_call_whose_time_is_over_cleans_up_before_it_is_killed(tmp_path):
    script = "#!/bin/sh\ntrap 'echo done > cleaned; exit 143' TERM\necho begun\nwhile :; do sleep 0.05; done\n"
    (tmp_path / "slow").write_text(script)
    (tmp_path / "slow").chmod(0o755)
    with subprocess.Popen([tmp_path / "slow"], cwd=tmp_path, stdout=subprocess.PIPE) as call:
        assert call.stdout.readline() == b"begun\n"
        with _Clock(call, 0.01) as clock:
            assert call.wait() == 143
    assert clock.is_over
    assert (tmp_path / "cleaned").exists()


def test_a_program_that_keeps_the_output_open_does_not_hold_up_its_client(tmp_path):
    script = "#!/bin/sh\nsleep 600 &\necho $! > left\necho '{\"a\": 1}'\n"
    (tmp_path / "leaving").write_text(script)
    (tmp_path / "leaving").chmod(0o755)
    command = Command(tmp_path, None, {**os.environ, "TESTFLEET_BIN": str(tmp_path / "leaving")})
    lines = []
    for call in (lambda: command.json(["ps"]), lambda: command.lines(["logs"], lines.append, timeout_s=600)):
        try:
            assert call() in ({"a": 1}, True)
            # It still has the pipe open.
            os.kill(int((tmp_path / "left").read_text()), 0)
        finally:
            os.kill(int((tmp_path / "left").read_text()), signal.SIGKILL)
    assert lines == ['{"a": 1}']


def test_a_line_without_an_end_and_a_long_message_are_bounded(tmp_path, capsys):
    script = ["import sys", "sys.stderr.write('x' * 1_000_000)", "sys.exit('\\nerror: ' + 'y' * 3_000_000)"]
    (tmp_path / "long").write_text("\n".join([f"#!{sys.executable} -IS", *script]))
    (tmp_path / "long").chmod(0o755)
    command = Command(tmp_path, None, {**os.environ, "TESTFLEET_BIN": str(tmp_path / "long")})
    with pytest.raises(TestfleetError) as caught:
        command.json(["share"])
    assert len(str(caught.value)) <= MAX_TOLD_CHARACTERS
    assert str(caught.value).startswith("yyy")
    assert capsys.readouterr().err.rstrip("\n") == "x" * 1_000_000
    text = "a" * 200_000 + "\nb"
    program = [sys.executable, "-IS", "-c", "print('a' * 200_000 + '\\nb', end='')"]
    with subprocess.Popen(program, bufsize=0, stdout=subprocess.PIPE) as call:
        told = list(PipeLines(call, call.stdout))
    assert max(map(len, told)) <= 2 * MAX_LINE_BYTES
    assert b"".join(told).decode() == text
