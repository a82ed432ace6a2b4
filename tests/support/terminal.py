"""Runs a command at a terminal of its own: terminal.py STEPS COMMAND... (see terminal.ts)."""

import fcntl, json, os, pty, re, select, signal, struct, subprocess, sys, termios, time

steps, command = json.loads(sys.argv[1]), sys.argv[2:]
deadline = time.monotonic() + 240
leader, follower = pty.openpty()


def resize(rows, columns):
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def is_cooked():
    wanted = termios.ICANON | termios.ECHO | termios.ISIG
    return termios.tcgetattr(follower)[3] & wanted == wanted


def own_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


resize(24, 80)
child = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, preexec_fn=own_terminal)
output, looked, was_raw = b"", 0, False


def read(seconds):
    global output
    if select.select([leader], [], [], seconds)[0]:
        output += os.read(leader, 65536)
        return True
    return False


def give_up(step):
    child.kill()
    print(json.dumps({"problem": f"no {step!r}", "output": output.decode(errors="replace")}))
    sys.exit(0)


for step in steps:
    if "wait" in step:
        while True:
            found = re.search(step["wait"].encode(), output[looked:], re.M)
            if found:
                looked += found.end()
                break
            if not read(0.1) and (child.poll() is not None or time.monotonic() > deadline):
                give_up(step)
    while "file" in step and not os.path.exists(step["file"]):
        if not read(0.1) and (child.poll() is not None or time.monotonic() > deadline):
            give_up(step)
    if "send" in step:
        was_raw = was_raw or not is_cooked()
        os.write(leader, step["send"].encode())
    if "resize" in step:
        resize(*step["resize"])
        os.killpg(os.getpgid(child.pid), signal.SIGWINCH)
    if "signal" in step:
        child.send_signal(getattr(signal, step["signal"]))

while child.poll() is None:
    read(0.1)
    if time.monotonic() > deadline:
        give_up("end")
while read(0.2):
    pass
code = child.returncode if child.returncode >= 0 else 128 - child.returncode
result = {"exitCode": code, "output": output.decode(errors="replace"), "wasRaw": was_raw, "isCooked": is_cooked()}
print(json.dumps(result))
