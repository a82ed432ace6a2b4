import os

import pytest
from conftest import ANSWER, with_lender

from testfleet_pytest import TestfleetError, open_fleet
from testfleet_pytest.lender import MAX_ANSWER_BYTES, LenderConnection


@pytest.fixture
def fleet(stand_in, lender):
    stand_in.answer(share=[with_lender(lender)])
    return open_fleet(stand_in.folder)


def test_a_lease_has_the_values_of_its_copy_and_is_given_back_once(fleet, lender):
    lender.answers = [{**ANSWER, "warning": "the copies run"}, {}]
    with pytest.warns(UserWarning, match="the copies run"):
        lease = fleet.lease("db", timeout=1.5)
    assert (lease.name, lease.copy, lease.port, lease.exports["DATABASE_URL"]) == ("db", "db-1", 4002, "db://copy")
    assert fleet.leases == [lease]
    lease.release()
    lease.release()
    assert lender.requests == [{"id": 1, "lease": "db", "timeoutMs": 1500}, {"id": 1, "release": "k1"}]
    assert lender.ended.acquire(timeout=60)
    assert fleet.leases == []


def test_a_refused_lease_is_a_failure_that_leaves_no_connection(fleet, lender):
    lender.answers = [{"error": {"code": "TIMED_OUT", "message": "no pristine db", "hint": "wait"}}]
    with pytest.raises(TestfleetError, match="error: no pristine db\nhint: wait") as caught:
        fleet.lease("db")
    assert caught.value.code == "TIMED_OUT"
    assert lender.ended.acquire(timeout=60)


def test_a_lender_that_has_ended_is_started_again_once(fleet, stand_in, lender):
    lender.answers = [None, ANSWER]
    assert fleet.lease("db").copy == "db-1"
    assert "--lender" not in stand_in.calls[0][0]
    assert [words[-2:] for words, _ in stand_in.calls[1:]] == [["--lender", "--json"]]
    lender.answers = [None, None]
    with pytest.raises(TestfleetError, match="the lender has ended") as caught:
        fleet.lease("db")
    assert caught.value.code == "LENDER_LOST"


def test_a_lease_of_a_lender_that_has_ended_can_still_be_released(fleet, lender):
    lender.answers = [ANSWER, None]
    fleet.lease("db").release()


@pytest.mark.parametrize("answer", [b"no JSON\n", b"[]\n", b"x" * (MAX_ANSWER_BYTES + 1)], ids=["text", "list", "long"])
def test_an_answer_that_is_no_object_or_too_long_is_a_lost_lender(lender, answer):
    lender.answers = [answer]
    connection = LenderConnection(lender.path)
    with pytest.raises(TestfleetError) as caught:
        connection.ask({"lease": "db"})
    assert caught.value.code == "LENDER_LOST"
    connection.close()


def test_a_socket_that_does_not_exist_is_a_lost_lender(tmp_path):
    with pytest.raises(TestfleetError, match="cannot be reached") as caught:
        LenderConnection(str(tmp_path / "nothing"))
    assert caught.value.code == "LENDER_LOST"


def test_a_forked_child_does_not_keep_a_lease(fleet, lender):
    lender.answers = [ANSWER]
    lease = fleet.lease("db")
    to_child, from_parent = os.pipe()
    child = os.fork()
    if child == 0:
        # Lives on until the end of the test.
        os.close(from_parent)
        os.read(to_child, 1)
        os._exit(0)
    lease._connection.close()
    assert lender.ended.acquire(timeout=60)
    os.close(from_parent)
    os.waitpid(child, 0)
