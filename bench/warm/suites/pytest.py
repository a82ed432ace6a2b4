import os
import re
import subprocess
import time

import psycopg2
import pytest

WAY = os.environ["BENCH_WAY"]
TESTS = int(os.environ["BENCH_TESTS"])
FIRST = int(re.search(r"(\d+)\D*$", os.path.basename(__file__)).group(1)) * TESTS


def docker(*words):
    done = subprocess.run(["docker", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


@pytest.fixture
def container():
    """A container for one test: testcontainers-python is in no Debian package, so with the docker command."""
    words = ["run", "--detach", "--user", "postgres", "--publish", "127.0.0.1::5432", os.environ["BENCH_IMAGE"], "/start"]
    name = docker(*words)
    while "database system is ready to accept connections" not in docker("logs", name):
        time.sleep(0.05)
    yield "postgresql://test@" + docker("port", name, "5432/tcp") + "/test"
    docker("rm", "--force", "--volumes", name)


@pytest.fixture
def url(request):
    if WAY == "container":
        return request.getfixturevalue("container")
    if WAY == "shared":
        return request.getfixturevalue("fleet")["db"].exports["DATABASE_URL"]
    return request.getfixturevalue("lease")("db").exports["DATABASE_URL"]


@pytest.mark.parametrize("number", range(FIRST, FIRST + TESTS))
def test_rows(url, number):
    database = psycopg2.connect(url)
    database.autocommit = True
    with database.cursor() as cursor:
        cursor.execute(f"CREATE TABLE mine_{number} (id int PRIMARY KEY)")
        cursor.execute(f"INSERT INTO mine_{number} SELECT generate_series(1, 100)")
        cursor.execute(f"INSERT INTO table_0 VALUES ({1000 + number})")
        cursor.execute(f"SELECT count(*), (SELECT count(*) FROM table_0) FROM mine_{number}")
        mine, others = cursor.fetchone()
    database.close()
    assert mine == 100
    assert WAY == "shared" or others == 21
