import pytest

from testfleet_pytest import Endpoint, Server, TestfleetError, UnknownServer, open_fleet


def make_server(endpoints):
    ports = {key: {"host": "127.0.0.1", "port": port} for key, port in endpoints.items()}
    more = {"exports": {}, "environment": {}}
    return Server("dns", {"hostname": "dns.shop.test", "container": "c", "endpoints": ports, **more})


def test_an_endpoint_is_found_by_number_and_protocol():
    server = make_server({"53/udp": 1, "53/tcp": 2, "80/tcp": 3})
    assert server.endpoint() == ("127.0.0.1", 1)
    assert (server.host, server.port) == ("127.0.0.1", 1)
    assert server.endpoint(53).port == 2
    assert server.endpoint(53, "udp").port == 1
    assert server.endpoint(80, "tcp").port == 3
    assert str(server.endpoint(80)) == "127.0.0.1:3"
    assert str(Endpoint("::1", 3)) == "[::1]:3"


@pytest.mark.parametrize(
    ("endpoints", "wanted", "message"),
    [
        ({"80/tcp": 3}, (81,), "dns publishes no port 81; it publishes 80/tcp"),
        ({"80/tcp": 3}, (80, "udp"), "dns publishes no port 80/udp; it publishes 80/tcp"),
        ({}, (), "dns publishes no port"),
    ],
)
def test_a_port_that_is_not_published_is_a_failure(endpoints, wanted, message):
    with pytest.raises(TestfleetError) as caught:
        make_server(endpoints).endpoint(*wanted)
    assert (caught.value.code, caught.value.message) == ("PORT_UNREACHABLE", message)


def test_a_fleet_is_a_mapping_of_its_servers(stand_in):
    fleet = open_fleet(stand_in.folder, file="other.yaml", servers=["db"], process=7, session="mine")
    assert stand_in.calls == [
        [["share", "--pid", "7", "--session", "mine", "db", "--file", "other.yaml", "--json"], None]
    ]
    assert (list(fleet), len(fleet), "db" in fleet, "web" in fleet) == (["db"], 1, True, False)
    assert fleet.exports == {"DATABASE_URL": "db://shop"}
    assert fleet.get("web") is None
    for ask in (fleet.__getitem__, fleet.lease):
        with pytest.raises(UnknownServer) as caught:
            ask("web")
        assert (caught.value.code, caught.value.message) == (
            "UNKNOWN_SERVER",
            "the fleet has no server 'web'; it has: db",
        )
