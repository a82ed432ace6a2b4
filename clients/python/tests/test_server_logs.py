from datetime import datetime, timezone

import pytest
from conftest import DOCUMENT

from testfleet_pytest import open_fleet
from testfleet_pytest.server_logs import MAX_LOG_CHARACTERS, _read_time, read_sections

SINCE = datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=timezone.utc)
READY = {"servers": {"db": {"state": "ready"}}}


def log(*lines):
    return [["stdout", line] for line in lines]


def test_shows_what_each_server_logged_since_then(stand_in):
    lines = log(
        "db | 2026-01-02T03:04:05.400000000Z before",
        "db | 2026-01-02T03:04:05.600000000Z one | two",
        "web | 2026-01-02T04:04:05.6+01:00 other zone",
        "web | 2026-01-02T04:04:05.4+01:00 before",
        "half of a long line",
    )
    stand_in.answer(share=[DOCUMENT], ps=[READY], logs=lines)
    assert read_sections(open_fleet(stand_in.folder), SINCE) == [
        ("Captured log of db", "2026-01-02T03:04:05.600000000Z one | two"),
        ("Captured log of web", "2026-01-02T04:04:05.6+01:00 other zone"),
    ]
    words, _ = stand_in.calls[-1]
    assert words[:5] == ["logs", "--session", "shop-1", "--since", "2026-01-02T03:04:05Z"]


def test_shows_the_end_of_a_long_log(stand_in):
    lines = log(*(f"db | 2026-01-02T03:04:06Z {number} {'x' * 1000}" for number in range(100)))
    stand_in.answer(share=[DOCUMENT], ps=[READY], logs=lines)
    [(_, text)] = read_sections(open_fleet(stand_in.folder), SINCE)
    assert MAX_LOG_CHARACTERS - 2000 < len(text) < MAX_LOG_CHARACTERS + 2
    assert text.startswith("…\n2026")
    assert " 99 xxx" in text


def test_names_servers_that_do_not_run_and_logs_that_cannot_be_read(stand_in):
    servers = {
        "db": {"state": "exited", "exitCode": 137, "outOfMemory": True},
        "seed": {"state": "completed", "exitCode": 0},
        "web": {"state": "paused"},
    }
    stand_in.answer(share=[DOCUMENT], ps=[{"servers": servers}], logs=[3])
    assert read_sections(open_fleet(stand_in.folder), SINCE) == [
        ("Servers that do not run", "db: exited with code 137, killed for memory\nweb: paused"),
        ("Captured log of shop-1", "The logs could not be read to their end."),
    ]


@pytest.mark.parametrize(
    ("rest", "microsecond"), [("Z", 0), (".5Z", 500000), (".123456789Z", 123456), (".000001+00:00", 1)]
)
def test_reads_times_of_any_precision(rest, microsecond):
    assert _read_time("2026-01-02T03:04:05", rest) == datetime(2026, 1, 2, 3, 4, 5, microsecond, tzinfo=timezone.utc)


def test_a_text_that_is_no_time_is_none():
    assert _read_time("2026-01-02T03:04:05", "later") is None
