"""Leases a server again and again, writes into it, and reports what it found in it. It may be killed at any time."""
import importlib.util, os, pathlib, random, sys, time

spec = importlib.util.spec_from_file_location("client", pathlib.Path(__file__).with_name("lend-client.py"))
client = importlib.util.module_from_spec(spec)
spec.loader.exec_module(client)

server = sys.argv[1]
for number in range(1_000_000):
    lease = client.ask(id=number, lease=server, timeoutMs=600_000)
    if "error" in lease:
        print("error", lease["error"]["code"], lease["error"]["message"], flush=True)
        continue
    to = f"@{lease['database']} " if "database" in lease else ""
    mine = f"{os.getpid()}-{number}"
    found = client.tell(lease, to + mine)
    time.sleep(random.random() * 0.01)
    again = client.tell(lease, to + "x")
    isClean = found == "[]" and again == f"[{mine}]"
    print("clean" if isClean else f"dirty {found} {again}", lease["copy"], flush=True)
    if random.random() < 0.8:
        client.ask(id="r", release=lease["lease"])
    else:
        client.reconnect()
