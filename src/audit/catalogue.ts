import { type Catalogue, finding } from './subject.ts'

/** Every kind of finding: what `check` prints, the rules of its SARIF, and the table in docs/audit.md. */
export const catalogue: Catalogue = {
  'image-not-pinned': finding('medium', 'CWE-829', 'An image without a tag, or with `latest`', {
    why: 'The image can change between two runs, so a failing test cannot be reproduced, and anyone who can push the tag runs code in the fleet.',
    hint: 'Name a version, such as `nginx:1.27`, or a digest.',
  }),
  'image-without-digest': finding('low', 'CWE-494', 'An image without a digest', {
    why: 'A tag can be moved to another image; only a digest names its bytes.',
    hint: 'Run `testfleet pin`, or add the digest to `image` or `base.from`: `name:tag@sha256:…`, as `docker inspect` shows it.',
  }),
  'image-end-of-life': finding('medium', 'CWE-1104', 'An image of a release that is no longer maintained', {
    why: 'Its security bugs are no longer fixed, and its packages disappear from the mirrors.',
    hint: 'Use a maintained release.',
  }),
  'image-registry-plain': finding('medium', 'CWE-319', 'An image from a registry that may speak plain HTTP', {
    why: 'Nothing shows that the registry uses TLS. Without it, anyone on the network path can change the image.',
    hint: 'Name the registry by its host name and serve it over TLS, or pin the image by digest.',
  }),
  'secret-in-environment': finding('high', 'CWE-798', 'A secret in `environment`', {
    why: 'Anyone who can read the fleet file or its history, or inspect the container, sees the secret.',
    hint: 'Declare it in `secrets` with `generate`, `env` or `file`, and read /run/secrets/NAME; `{ env: NAME }` keeps it out of the file.',
  }),
  'secret-looking-value': finding('medium', 'CWE-798', 'A long random value in `environment`', {
    why: "It looks like a key or a token. If it is one, it stays in the file's history.",
    hint: 'Declare it in `secrets`. If it is no secret, ignore this finding with the reason.',
  }),
  'secret-in-build': finding('high', 'CWE-798', 'A secret in variables or arguments of a build', {
    why: 'It stays in the image and its history, where everyone who has the image can read it.',
    hint: 'Build without it, and pass it to the running server with `secrets`.',
  }),
  'secret-in-label': finding('high', 'CWE-312', 'A secret in `labels`', {
    why: 'Every tool that lists containers shows their labels.',
    hint: 'Remove it from the label, and declare it in `secrets`.',
  }),
  'secret-in-command': finding('high', 'CWE-214', 'A secret in arguments', {
    why: "Arguments are visible in the process list and in the container's configuration.",
    hint: 'Declare it in `secrets`, and make the program read /run/secrets/NAME. A `process` reads it from a variable.',
  }),
  'secret-in-content': finding('high', 'CWE-798', 'A secret in the `content` of a copied file', {
    why: 'It is in the fleet file and in a layer of the image.',
    hint: 'Declare it in `secrets`; the server finds it as the file /run/secrets/NAME.',
  }),
  'secret-in-copied-file': finding('high', 'CWE-538', 'A secret in a file that is copied', {
    why: 'It stays in a layer of the image, where everyone who has the image can read it.',
    hint: 'Declare it in `secrets` with `file`, and remove it from `copy`.',
  }),
  'secret-in-export': finding('high', 'CWE-798', 'A secret as plain text in `export`', {
    why: 'It is in the fleet file and in the environment of every test.',
    hint: 'Declare it in `secrets`, and export `${secret.NAME}`.',
  }),
  'secret-in-run': finding('high', 'CWE-798', 'A secret in a step of a build', {
    why: "It is in the fleet file, in the image's history and in the build's log.",
    hint: 'Set it when the server starts, from /run/secrets/NAME.',
  }),
  'password-in-url': finding('high', 'CWE-522', 'A URL with a user name and a password', {
    why: 'URLs end up in logs, histories and messages, and the password with them.',
    hint: 'Remove the password from the URL. In `export`, write `${secret.NAME}` instead.',
  }),
  'private-key': finding('high', 'CWE-321', 'A private key', {
    why: 'Anyone who has the fleet file or the image has the key and can impersonate its owner.',
    hint: 'Generate a key during the build or at the start, or declare it in `secrets` with `file`.',
  }),
  'secret-short': finding('medium', 'CWE-331', 'A secret of fewer than 16 characters', {
    why: 'Anyone who can try often enough can guess it.',
    hint: 'Write `generate: 24`.',
  }),
  'secret-in-file': finding('low', 'CWE-798', 'A password in the fleet file itself', {
    why: 'Anyone who reads the fleet file knows it, and it appears in logs and failure bundles.',
    hint: 'Write `generate: 24`, or ignore this finding with the reason why a client needs exactly this password.',
  }),
  'secret-as-environment': finding('low', 'CWE-526', 'A secret passed as an environment variable', {
    why: 'Every child process inherits it, and tools and dumps show it.',
    hint: 'Read the file /run/secrets/NAME instead, if the program supports it.',
  }),
  'copy-world-writable': finding('medium', 'CWE-732', 'A copied file that everyone can write', {
    why: 'Any process in the server can change it, even a compromised one.',
    hint: 'Set mode 0644, or 0755 for a program, and the `owner` that must write it.',
  }),
  'copy-setuid': finding('high', 'CWE-250', 'A copied file that runs as its owner or group', {
    why: 'Anyone who may run it gets the rights of another user, often root.',
    hint: 'Remove the setuid and setgid bits from `mode`.',
  }),
  'tmpfs-world-writable': finding('medium', 'CWE-379', 'A tmpfs that everyone can write, without the sticky bit', {
    why: 'Any process can remove or replace files of other users in it.',
    hint: 'Set mode "1777", or a stricter mode with `uid`.',
  }),
  'mount-writable': finding('medium', 'CWE-668', 'A writable mount of files of this machine', {
    why: 'The server can change your repository or fill its disk, and tests depend on what earlier runs left.',
    hint: 'Mount it read-only, or add a `volume` or a `tmpfs` for writing.',
  }),
  'mount-fleet-folder': finding('medium', 'CWE-668', "The fleet's whole folder as a mount", {
    why: 'The server sees everything next to the fleet file: history, keys and settings.',
    hint: 'Mount only the folder that it needs.',
  }),
  'sensitive-file-copied': finding('high', 'CWE-538', 'A copied file of a kind that holds secrets', {
    why: 'Such files often hold secrets, which would stay in a layer of the image for everyone who has it.',
    hint: 'Exclude it from the copy, and pass secrets with `secrets`.',
  }),
  'sensitive-file-mounted': finding('medium', 'CWE-552', 'A mounted file of a kind that holds secrets', {
    why: 'The server can read all of it, and so can anyone who breaks into the server.',
    hint: 'Pass only the secret that it needs, with `secrets`.',
  }),
  'leads-outside': finding('medium', 'CWE-668', "A path that may lead out of the fleet's folder", {
    why: 'The fleet then depends on the machine that it runs on, and unintended files can get into it.',
    hint: "Copy the file into the fleet's folder, and remove `outside`.",
  }),
  'login-off': finding('low', 'CWE-306', 'A server without a login', {
    why: 'Anyone who can reach its ports can do everything. They are on loopback unless `address` says otherwise.',
    hint: 'Remove `login: false`, or ignore this finding with the reason.',
  }),
  'runs-as-root': finding('low', 'CWE-250', 'A server that runs as root', {
    why: 'An attacker who breaks into it is root in the container, one kernel bug away from the machine.',
    hint: 'Set `user`. If it must start as root, set `capDrop: [ALL]` and give the reason in `ignore`.',
  }),
  privileged: finding('critical', 'CWE-250', 'A privileged server', {
    why: 'It has full control of the machine: devices, kernel and every other container.',
    hint: 'Remove `privileged`, and add the needed capability with `capAdd`.',
  }),
  'engine-socket': finding('critical', 'CWE-250', "The engine's socket in a server", {
    why: 'Anyone who can reach the engine can start a privileged container and become root on the machine.',
    hint: 'Remove `engineSocket`, and use the engine from the test itself.',
  }),
  'device-of-machine': finding('medium', 'CWE-250', "A device of the engine's machine in a server", {
    why: 'A device gives access to the machine itself: a disk, a bus, the kernel. Namespaces do not isolate it.',
    hint: 'Remove it from `devices` if the server works without it. Otherwise grant only `r`, and give the reason in `ignore`.',
  }),
  'new-privileges': finding('high', 'CWE-269', 'A server whose processes may gain rights', {
    why: 'setuid programs in it give root again.',
    hint: 'Remove `newPrivileges`, and start the server as the user that it needs.',
  }),
  'capability-added': finding('medium', 'CWE-250', 'A capability that reaches beyond the container', {
    why: 'With it, a process can bypass the isolation of the container from the machine.',
    hint: 'Remove it from `capAdd`, or use the smallest capability that is enough.',
  }),
  'capabilities-kept': finding('low', 'CWE-272', 'Capabilities that were not dropped', {
    why: 'Most servers need at most two of the capabilities that they keep. Every other one helps an attacker.',
    hint: 'Set `capDrop: [ALL]`, and add the capabilities that it needs with `capAdd`.',
  }),
  'sysctl-weakens': finding('medium', 'CWE-1188', 'A kernel parameter that weakens the network', {
    why: 'It removes a protection against forged or redirected packets.',
    hint: 'Remove it, or set it to the safe value.',
  }),
  'port-off-loopback': finding('high', 'CWE-1327', 'A port that other machines can reach', {
    why: 'Test servers have test passwords and known vulnerabilities, which everyone on the network can use.',
    hint: "Remove `address`: the default is loopback. From another container, use the fleet's network.",
  }),
  'plaintext-off-loopback': finding('high', 'CWE-319', 'A plain-text protocol that other machines can reach', {
    why: 'Anyone on the network path can read and change the traffic, passwords included.',
    hint: 'Remove `address`, or publish the port of the same protocol over TLS.',
  }),
  'low-host-port': finding('low', 'CWE-605', 'A fixed port below 1024', {
    why: "Such ports belong to the machine's own services, need rights on some engines, and work for one session only.",
    hint: 'Remove `host`: testfleet chooses a free port and passes it to the tests.',
  }),
  'ftp-data-ports-not-published': finding(
    'low',
    'CWE-684',
    'An FTP server whose data ports are not published under their own numbers',
    {
      why: 'Clients connect to the port that the server announces, so listings and transfers fail for clients that use its published port, such as tests with the library.',
      hint: 'Publish each under its own number, such as `{ container: 30000-30009, host: 30000-30009 }`. Ignore this finding if all clients run under `run` or `join` or in the fleet, where every port is reachable by name.',
    },
  ),
  'engine-port': finding('high', 'CWE-306', 'The plain-text port of a container engine', {
    why: 'Anyone who can reach it can start privileged containers, without a password.',
    hint: 'Do not publish port 2375. If the port is needed, use 2376 with TLS.',
  }),
  'host-shadowed': finding('medium', 'CWE-941', 'A name in `extraHosts` that hides another host', {
    why: 'The server connects to another address than the name suggests, and trusts what it fetches there.',
    hint: 'Choose a separate name, or an alias of a server of the fleet.',
  }),
  'public-name': finding('high', 'CWE-350', 'A server under a name of the public internet', {
    why: 'Under `run`, requests of a test or tool to that site go to the server, with passwords and tokens.',
    hint: 'Use a name of the fleet, or one below `test`. If a test needs exactly this name, ignore this finding with the reason.',
  }),
  'variable-shared': finding('low', 'CWE-694', 'A variable that more than one server exports', {
    why: 'Tests that read it reach the alphabetically last of these servers, which may not be the intended one.',
    hint: 'Read TESTFLEET_<SERVER>_<VARIABLE>, which each of them has too, or have each export a name of its own.',
  }),
  'variable-replaced': finding('low', 'CWE-454', 'An exported variable that the caller has set', {
    why: 'The command of `run` and `join` gets the value of the fleet, so it reaches the test server where its caller meant another one.',
    hint: 'Export another name, or unset the variable where testfleet is called.',
  }),
  'variable-of-caller': finding('low', 'CWE-526', "A variable of the caller's that the fleet file asks for", {
    why: 'Its value goes into a container, which may send it anywhere.',
    hint: 'Check that the server needs it. For a secret that only the tests use, set `generate`.',
  }),
  'protection-off': finding('low', 'CWE-306', 'A variable that switches off a password', {
    why: 'Anyone who can reach the server can do everything in it.',
    hint: 'Give it a password from `secrets`.',
  }),
  'pipe-to-shell': finding('high', 'CWE-494', 'A download that is run without verification', {
    why: 'Anyone who controls the address, or the path to it, runs code in the image, and an incomplete download runs partially.',
    hint: 'Download to a file, verify it against a checksum in the fleet file, then run it; or use a package.',
  }),
  'chmod-world-writable': finding('medium', 'CWE-732', 'A build step that makes files writable by everyone', {
    why: 'Any process in the server can change these files, even a compromised one.',
    hint: 'Give the files to the user that must write them, with `chown`.',
  }),
  'packages-not-verified': finding('high', 'CWE-347', 'Packages without signature verification', {
    why: 'Anyone on the network path to the mirror can put code into the image.',
    hint: "Remove the option, and add the repository's key with `signed-by`.",
  }),
  'tls-not-verified': finding('high', 'CWE-295', 'TLS without certificate verification', {
    why: 'Anyone on the network path can impersonate the other side.',
    hint: "Remove the option, and add the authority's certificate to the image.",
  }),
  'certificate-expired': finding('medium', 'CWE-298', 'Your own certificate is not valid now', {
    why: 'Clients that verify it refuse the server.',
    hint: 'Renew it. If a client must refuse it, ignore this finding with the reason.',
  }),
  'certificate-name': finding('low', 'CWE-297', 'Your own certificate does not name its server', {
    why: "Clients that verify it refuse the server under its name on the fleet's network.",
    hint: 'Add the name to the certificate. If clients use another name, ignore this finding with the reason.',
  }),
  'apt-key': finding('medium', 'CWE-347', 'A key that is trusted for every repository', {
    why: 'Its owner can replace any package of the system. `apt-key` is deprecated.',
    hint: 'Put the key into /etc/apt/keyrings, and name it with `signed-by` in its source.',
  }),
  'plain-http-source': finding('medium', 'CWE-319', 'A download over plain HTTP', {
    why: 'Anyone on the network path can change it.',
    hint: 'Use https, and verify a checksum.',
  }),
  'sudo-in-run': finding('low', 'CWE-250', '`sudo` in a step of a build', {
    why: 'Steps already run as root. Once installed, sudo stays in the image as a way to become root.',
    hint: 'Remove `sudo`.',
  }),
  'packages-not-pinned': finding('low', 'CWE-829', 'Packages without a version', {
    why: 'The next build can have other versions, so a failing test cannot be reproduced.',
    hint: 'Write `name=version` if the version matters to the tests; for a preset, in `build.packages` of its server.',
  }),
  'shell-evaluates': finding('medium', 'CWE-95', 'Text with variables that a shell evaluates', {
    why: 'The value of a variable is run as a command.',
    hint: 'Use the variable as an argument, in double quotes, without `eval`.',
  }),
  'process-off-loopback': finding('medium', 'CWE-668', 'A program of this machine that listens on all addresses', {
    why: 'A process shares the network of this machine: others reach its port, as far as no firewall forbids it.',
    hint: 'Make it listen on 127.0.0.1, where ready checks and tests ask it.',
  }),
  'process-gains-rights': finding(
    'high',
    'CWE-250',
    'A program of this machine that is started with the rights of another user',
    {
      why: 'It can change the whole machine, and testfleet may not stop a program of another user: it can stay.',
      hint: 'Start the program itself, with your own rights; for a port below 1024, choose another one.',
    },
  ),
  'process-unreachable': finding('low', 'CWE-684', 'A container that depends on a program of this machine', {
    why: 'The name of the program leads nowhere in a container, and 127.0.0.1 is the container itself.',
    hint: 'Use it from a process or a test. For a container on a local Docker, set `extraHosts: { machine.test: host-gateway }`, and make the program listen on an address that containers reach.',
  }),
  'dockerfile-without-user': finding('low', 'CWE-250', 'A Dockerfile without `USER`', {
    why: 'The server runs as root, unless its base says otherwise.',
    hint: 'Add `USER` to its last stage, or `user` to the server.',
  }),
  'dockerfile-add-url': finding('medium', 'CWE-494', '`ADD` of a URL without a checksum', {
    why: 'Its content can change without notice.',
    hint: 'Add `--checksum=sha256:…`, or put the file next to the Dockerfile.',
  }),
  'ready-missing': finding('medium', 'CWE-696', 'A server without a ready check', {
    why: 'Tests and dependent servers start before it answers, and fail occasionally.',
    hint: 'Declare a `ready` check, or a TCP port.',
  }),
  'ready-log-only': finding('low', 'CWE-696', 'A server that is ready by its log alone', {
    why: 'Many servers log that they are ready before they accept connections.',
    hint: 'Add a check of its protocol: `http`, `tcp` with `expect`, or `exec`.',
  }),
  'ready-timeout-long': finding('low', 'CWE-400', 'A `readyTimeout` of more than ten minutes', {
    why: 'A server that hangs delays the whole run for that long.',
    hint: 'Set `readyTimeout` to twice the time that the server needs on a slow machine.',
  }),
  'dependency-without-ready': finding('medium', 'CWE-696', 'A dependency without a ready check', {
    why: 'It counts as ready as soon as it is started, so the order has no effect.',
    hint: 'Declare a `ready` check on the dependency.',
  }),
  'memory-unlimited': finding('low', 'CWE-770', 'A server without a memory limit', {
    why: 'A leak or an attack can use up all memory of the machine.',
    hint: 'Set `limits: { memory: 512m }`, with the size that it needs.',
  }),
  'tmpfs-unsized': finding('low', 'CWE-770', 'A tmpfs without a size', {
    why: "It can grow to half of the machine's memory.",
    hint: 'Give it a `size`.',
  }),
  'server-unused': finding('low', 'CWE-1164', 'A server that nothing uses', {
    why: 'It costs time and memory in every run, and adds attack surface.',
    hint: 'Publish a port, export a variable, make another server depend on it, or remove it.',
  }),
  'ignore-unused': finding('low', 'CWE-1164', 'An `ignore` without a matching finding', {
    why: 'It accepts a risk that does not exist, and would hide it if it came back.',
    hint: 'Remove it.',
  }),
}
