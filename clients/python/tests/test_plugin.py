import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ANSWER, DOCUMENT, with_lender

USES_FLEET = """
import os

def test_one(fleet):
    assert fleet["db"].port == 4001
    assert os.environ["DATABASE_URL"] == "db://shop"

def test_two(fleet):
    assert fleet["db"].host == "127.0.0.1"
"""


@pytest.fixture
def run(pytester, stand_in):
    def run(*arguments, **modules):
        pytester.makepyfile(**(modules or {"test_it": USES_FLEET}))
        return pytester.runpytest_inprocess("-p", "testfleet_pytest.plugin", "-p", "no:xdist", *arguments)

    return run


def words_of(stand_in):
    return [words for words, _ in stand_in.calls]


def test_a_run_without_fleet_tests_starts_nothing(run, stand_in):
    run(test_it="def test_nothing(): pass").assert_outcomes(passed=1)
    assert stand_in.calls == []


def test_a_run_starts_one_fleet_sets_its_variables_and_removes_it(run, stand_in):
    run(test_it=USES_FLEET, test_other=USES_FLEET).assert_outcomes(passed=4)
    share, down = words_of(stand_in)
    assert share == ["share", "--pid", str(os.getpid()), "--json"]
    assert down == ["down", "--session", "shop-1", "--force", "--quiet", "--json"]
    assert "DATABASE_URL" not in os.environ


def test_a_run_joins_an_inherited_session_and_leaves_it(run, stand_in, monkeypatch):
    monkeypatch.setenv("TESTFLEET_SESSION", "shop-1")
    run().assert_outcomes(passed=2)
    assert [(words[0], session) for words, session in stand_in.calls] == [("share", "shop-1")]


@pytest.mark.parametrize("per", ["worker", "module"])
def test_worker_and_module_start_their_own_sessions_even_in_a_session(run, stand_in, monkeypatch, per):
    monkeypatch.setenv("TESTFLEET_SESSION", "outer")
    run("-o", f"testfleet_per={per}").assert_outcomes(passed=2)
    assert [(words[0], session) for words, session in stand_in.calls] == [("share", None), ("down", None)]


def test_each_module_has_a_session_that_is_named_after_it(run, stand_in):
    run("-o", "testfleet_per=module", test_A=USES_FLEET, test_b=USES_FLEET).assert_outcomes(passed=4)
    words = words_of(stand_in)
    assert [word for word, *_ in words] == ["share", "down", "share", "down"]
    assert re.fullmatch(r"test-a-[0-9a-f]{6}", words[0][4])
    assert re.fullmatch(r"test-b-[0-9a-f]{6}", words[2][4])


def test_the_fleet_file_is_relative_to_the_ini_file_and_servers_are_chosen(run, stand_in, pytester):
    pytester.makeini("[pytest]\ntestfleet_file = fleets/it.yaml\ntestfleet_servers = db cache\n")
    run().assert_outcomes(passed=2)
    file = str(pytester.path / "fleets" / "it.yaml")
    assert words_of(stand_in)[0][3:] == ["db", "cache", "--file", file, "--json"]


def test_a_wrong_option_is_refused_before_the_tests(run):
    result = run("-o", "testfleet_per=file")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*testfleet_per must be one of run, worker, module, test, not 'file'"])


def test_a_failed_start_is_the_message_of_the_command_without_a_traceback(run, stand_in):
    stand_in.answer(share=[{"error": {"code": "SERVER_DIED", "message": "web ended"}}])
    result = run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["*ERROR at setup of test_one*", "error: web ended", "hint: read it", "*ERROR at setup of test_two*"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*command.py*")
    result.stdout.no_fnmatch_line("*During handling*")
    # The second test gets the same failure, without a second start.
    assert [words[0] for words in words_of(stand_in)] == ["share"]


def test_a_missing_command_is_a_message_without_a_traceback(run, monkeypatch):
    monkeypatch.setenv("TESTFLEET_BIN", "/no/where")
    run().stdout.fnmatch_lines(["error: TESTFLEET_BIN is not a program: /no/where", "hint: *"])


def test_only_a_failed_test_that_uses_the_fleet_shows_logs(run, stand_in):
    line = ["stdout", "db | 2999-01-02T03:04:05Z it is full"]
    stand_in.answer(share=[DOCUMENT], ps=[{"servers": {}}], logs=[line])
    result = run(
        test_it="""
        def test_passes(fleet): pass
        def test_fails(fleet): assert 0
        def test_without(): assert 0
        """
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["*test_fails*", "*Captured log of db*", "2999-01-02T03:04:05Z it is full", "*test_without*"]
    )
    assert [words[0] for words in words_of(stand_in)] == ["share", "ps", "logs", "down"]


@pytest.mark.parametrize(("mode", "is_shown"), [("log", True), ("all", True), ("no", False)])
def test_junit_xml_has_the_logs_if_it_has_logs(run, stand_in, pytester, mode, is_shown):
    line = ["stdout", "db | 2999-01-02T03:04:05Z it is full"]
    stand_in.answer(share=[DOCUMENT], ps=[{"servers": {"db": {"state": "paused"}}}], logs=[line])
    run("--junitxml=it.xml", "-o", f"junit_logging={mode}", test_it="def test_fails(fleet): assert 0")
    shown = "db: paused\nCaptured log of db\n2999-01-02T03:04:05Z it is full"
    assert ElementTree.parse(pytester.path / "it.xml").findtext(".//system-out", "").count(shown) == is_shown


def test_the_fleet_of_a_test_and_a_lease_name_unknown_servers_without_the_code_of_the_plugin(run):
    result = run(
        "-o", "testfleet_per=test", test_it="def test_it(fleet): fleet['web']\ndef test_lease(lease): lease('web')"
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E *.UnknownServer: the fleet has no server 'web'; it has: db"] * 2)
    result.stdout.no_fnmatch_line("*fleet.py*")


def test_leases_are_given_back_after_the_test(run, stand_in, lender):
    stand_in.answer(share=[with_lender(lender)])
    lender.answers = [ANSWER, ANSWER, {}, {}]
    modules = {"test_it": "def test_it(lease): assert [lease('db').port, lease('db').copy] == [4002, 'db-1']"}
    run(**modules).assert_outcomes(passed=1)
    assert [list(request)[1] for request in lender.requests] == ["lease", "lease", "release", "release"]


def test_a_lease_that_cannot_be_given_back_is_an_error_and_the_others_are_given_back(run, stand_in, lender):
    stand_in.answer(share=[with_lender(lender)])
    busy = {"error": {"code": "TIMED_OUT", "message": "the lender is busy"}}
    lender.answers = [ANSWER, {**ANSWER, "lease": "k2"}, busy, {}]
    result = run(
        test_it="def test_it(lease): lease('db'), lease('db')\ndef test_next(fleet): assert fleet.leases == []"
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", "E *.TestfleetError: the lender is busy"])
    assert [request["release"] for request in lender.requests[2:]] == ["k2", "k1"]


PER_TEST = """
import os

def test_one(fleet):
    assert "db" in fleet and list(fleet) == ["db"]
    assert os.environ["DATABASE_URL"] == fleet.environment["DATABASE_URL"] == "db://shop"
    assert fleet["db"] is fleet["db"]
    assert fleet["db"].port == 4002
    assert os.environ["DATABASE_URL"] == fleet.environment["DATABASE_URL"] == fleet.exports["DATABASE_URL"] == "db://copy"

def test_unused(fleet):
    assert os.environ["DATABASE_URL"] == "db://shop"

def test_two(fleet):
    assert fleet["db"].copy == "db-1"
    assert fleet.lease("db") is not fleet["db"]
"""


def test_the_servers_of_a_test_are_leases_with_their_variables(run, stand_in, lender):
    stand_in.answer(share=[with_lender(lender)])
    lender.answers = [ANSWER, {}, ANSWER, ANSWER, {}, {}]
    run("-o", "testfleet_per=test", test_it=PER_TEST).assert_outcomes(passed=3)
    asked = [list(request)[1] for request in lender.requests]
    assert asked == ["lease", "release", "lease", "lease", "release", "release"]
    assert [words[0] for words in words_of(stand_in)] == ["share", "down"]


def test_servers_that_cannot_be_removed_are_reported(run, stand_in):
    stand_in.answer(share=[DOCUMENT], down=[{"error": {"code": "ENGINE_LOST", "message": "the engine has gone"}}])
    result = run()
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(
        ["*PytestWarning: the engine has gone", "*hint: *", "*The servers are removed after the end of pytest."]
    )


def test_workers_share_the_fleet_that_the_controller_holds_and_ends(pytester, stand_in, monkeypatch):
    pytest.importorskip("xdist")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makepyfile(test_it=USES_FLEET)
    # Not in this process, which would be the controller of others.
    result = pytester.runpytest_subprocess("-p", "testfleet_pytest.plugin", "-n", "2")
    result.assert_outcomes(passed=2)
    *shares, down = words_of(stand_in)
    assert len({words[2] for words in shares}) == 1
    assert {words[0] for words in shares} == {"share"}
    assert down[0] == "down"


@pytest.mark.parametrize(
    ("options", "fixture", "take"),
    [([], "lease", 'kept[0]("db")'), (["-o", "testfleet_per=test"], "fleet", 'kept[0]["db"]')],
)
def test_a_lease_outside_of_its_test_is_refused(run, stand_in, lender, options, fixture, take):
    stand_in.answer(share=[with_lender(lender)])
    module = f"kept = []\ndef test_keeps({fixture}): kept.append({fixture})\ndef test_takes(): {take}\n"
    result = run(*options, test_it=module)
    result.assert_outcomes(passed=1, failed=1)
    lines = ["*.TestfleetError: the lease of db was asked for outside of a test", "*hint: Use the `lease` of*"]
    result.stdout.fnmatch_lines(lines)
    assert lender.requests == []
