import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

import pytest
from conftest import ANSWER, DOCUMENT, with_lender

from testfleet_pytest import TestfleetError, open_fleet
from testfleet_pytest.leased_fleet import LeasedFleet
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
    with pytest.raises(TestfleetError, match="^no pristine db\nhint: wait") as caught:
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


BUSY = {"error": {"code": "TIMED_OUT", "message": "the lender is busy"}}
FULL = {"error": {"code": "TIMED_OUT", "message": "the disk is full"}}


def releases_of(lender):
    return [request["release"] for request in lender.requests if "release" in request]


def test_a_lease_that_cannot_be_given_back_keeps_neither_the_others_nor_the_servers(fleet, lender, stand_in):
    lender.answers = [{**ANSWER, "lease": lease} for lease in ("k1", "k2", "k3")] + [BUSY, {}, FULL]
    for _ in range(3):
        fleet.lease("db")
    with pytest.raises(TestfleetError, match="the lender is busy"):
        fleet.down()
    assert releases_of(lender) == ["k1", "k2", "k3"]
    assert fleet.leases == []
    assert stand_in.calls[-1][0][0] == "down"


def test_servers_of_a_test_are_all_given_back_even_if_one_cannot_be(stand_in, lender):
    document = with_lender(lender)
    stand_in.answer(share=[{**document, "servers": {name: DOCUMENT["servers"]["db"] for name in ("db", "web")}}])
    leased = LeasedFleet(open_fleet(stand_in.folder), lambda variables: None)
    lender.answers = [ANSWER, {**ANSWER, "lease": "k2"}, BUSY, {}]
    assert [leased[name].name for name in ("db", "web")] == ["db", "web"]
    with pytest.raises(TestfleetError, match="the lender is busy"):
        leased.release()
    assert releases_of(lender) == ["k1", "k2"]


def test_threads_that_lease_at_the_same_time_lose_no_lease(fleet, lender):
    lender.answers = [ANSWER, ANSWER]
    others = []

    class Lease:
        """Another thread leases, or tries to, while the leases that are held are looked up."""

        @property
        def is_held(self):
            if not others:
                others.append(threading.Thread(target=fleet.lease, args=["db"]))
                others[0].start()
                others[0].join(0.1)
            return False

    fleet._leases = [Lease()]
    fleet.lease("db")
    others[0].join()
    assert len(fleet.leases) == 2


def test_threads_of_a_test_share_the_copy_of_a_server(fleet, lender):
    lender.answers = [ANSWER]
    leased = LeasedFleet(fleet, lambda variables: None)
    found = []
    threads = [threading.Thread(target=lambda: found.append(leased["db"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [leased["db"]] * 4


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


def test_a_child_that_is_forked_while_a_thread_waits_for_the_lender_does_not_wait(lender):
    lender.answers = [b""]
    connection = LenderConnection(lender.path)

    def ask():
        with suppress(TestfleetError):
            connection.ask({"lease": "db"})

    thread = threading.Thread(target=ask)
    thread.start()
    # Inside of it, the thread has the lock of the reader.
    while sys._current_frames()[thread.ident].f_code.co_name != "readinto":
        time.sleep(0.001)
    end, from_child = os.pipe()
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.close(from_child)
    has_ended = bool(select.select([end], [], [], 60)[0])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(end)
    connection._socket.shutdown(socket.SHUT_RDWR)
    thread.join()
    connection.close()
    assert has_ended
