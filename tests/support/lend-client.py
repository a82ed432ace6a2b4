"""A client of the lender in another language: it knows only docs/leases.md."""
import json, os, socket, sys


def connect():
    lender = socket.socket(socket.AF_UNIX)
    lender.connect(os.environ["TESTFLEET_LENDER"])
    return lender, lender.makefile("rw")


lender, lines = connect()


def reconnect():
    """Gives back everything by the end of the connection."""
    global lender, lines
    lines.close()
    lender.close()
    lender, lines = connect()


def ask(**request):
    lines.write(json.dumps(request) + "\n")
    lines.flush()
    return json.loads(lines.readline())


def tell(lease, text):
    """Sends a line to the leased server, and returns its answer."""
    at = lease["endpoints"]["5000/tcp"]
    with socket.create_connection((at["host"], at["port"])) as server:
        server.sendall(text.encode() + b"\n")
        return server.makefile().readline().strip()


if __name__ == "__main__":
    for line in sys.stdin:
        name, rest = line.split(" ", 1)
        answer = tell(*json.loads(rest)) if name == "tell" else ask(**json.loads(rest))
        print(json.dumps(answer), flush=True)
