import { type Catalogue, finding } from './subject.ts'

/** Every kind of finding, once: what `check` prints, the rules of its SARIF, and the table in docs/audit.md. */
export const catalogue: Catalogue = {
  'image-not-pinned': finding('medium', 'CWE-829', 'An image without a tag, or with `latest`', {
    why: 'What it is can change between two runs, so a test that fails cannot be repeated, and whoever can push the tag runs code in the fleet.',
    hint: 'Name a version, such as `nginx:1.27`, or a digest.',
  }),
  'image-without-digest': finding('low', 'CWE-494', 'An image by its tag alone', {
    why: 'A tag can be moved to another image; only a digest names its bytes.',
    hint: 'Run `testfleet pin`, or add the digest to `image` or `base.from`: `name:tag@sha256:…`, as `docker inspect` shows it.',
  }),
  'image-end-of-life': finding('medium', 'CWE-1104', 'An image of a release that is no longer maintained', {
    why: 'Its security bugs are no longer fixed, and its packages leave the mirrors.',
    hint: 'Take a release that is maintained.',
  }),
  'image-registry-plain': finding('medium', 'CWE-319', 'An image from a registry that may speak plain HTTP', {
    why: 'Nothing shows that the registry speaks TLS; without it, anyone on the way can change the image.',
    hint: 'Name the registry by its host name and serve it over TLS, or pin the image by digest.',
  }),
  'secret-in-environment': finding('high', 'CWE-798', 'A secret in `environment`', {
    why: 'Anyone who reads the fleet file or its history has the secret, and anyone who can inspect the container sees it.',
    hint: 'Declare it in `secrets` with `generate`, `env` or `file`, and read /run/secrets/NAME; `{ env: NAME }` keeps it out of the file.',
  }),
  'secret-looking-value': finding('medium', 'CWE-798', 'A long random value in `environment`', {
    why: "It looks like a key or a token; if it is one, it is in the file's history for good.",
    hint: 'Declare it in `secrets`; if it is no secret, ignore this finding with the reason.',
  }),
  'secret-in-build': finding('high', 'CWE-798', 'A secret in variables or arguments of a build', {
    why: 'It stays in the image and in its history, for everyone who has the image.',
    hint: 'Build without it, and hand it to the running server by `secrets`.',
  }),
  'secret-in-label': finding('high', 'CWE-312', 'A secret in `labels`', {
    why: 'Labels are shown by every tool that lists containers.',
    hint: 'Take it out of the label; declare it in `secrets`.',
  }),
  'secret-in-command': finding('high', 'CWE-214', 'A secret in arguments', {
    why: "Arguments are seen in the list of processes and in the container's description.",
    hint: 'Declare it in `secrets`, and let the program read /run/secrets/NAME.',
  }),
  'secret-in-content': finding('high', 'CWE-798', 'A secret in the `content` of a copied file', {
    why: 'It is in the fleet file and in a layer of the image.',
    hint: 'Declare it in `secrets`; the server finds it as the file /run/secrets/NAME.',
  }),
  'secret-in-copied-file': finding('high', 'CWE-538', 'A secret in a file that is copied', {
    why: 'It stays in a layer of the image, for everyone who has the image.',
    hint: 'Declare it in `secrets` with `file`, and take it out of `copy`.',
  }),
  'secret-in-export': finding('high', 'CWE-798', 'A secret as plain text in `export`', {
    why: 'It is in the fleet file and in the environment of every test.',
    hint: 'Make it in `secrets`, and export `${secret.NAME}`.',
  }),
  'secret-in-run': finding('high', 'CWE-798', 'A secret in a step of a build', {
    why: "It is in the fleet file, in the image's history and in the build's log.",
    hint: 'Set it when the server starts, from /run/secrets/NAME.',
  }),
  'password-in-url': finding('high', 'CWE-522', 'An address with a user and a password in it', {
    why: 'Addresses end up in logs, histories and messages, and the password with them.',
    hint: 'Leave the password out of the address; in `export`, write `${secret.NAME}` in its place.',
  }),
  'private-key': finding('high', 'CWE-321', 'A private key', {
    why: 'Anyone who has the fleet file or the image has the key, and can pose as its owner.',
    hint: 'Make a key in the build or at the start, or declare it in `secrets` with `file`.',
  }),
  'secret-short': finding('medium', 'CWE-331', 'A secret of fewer than 16 characters', {
    why: 'It can be guessed by anyone who can try often enough.',
    hint: 'Write `generate: 24`.',
  }),
  'secret-in-file': finding('low', 'CWE-798', 'A password that the fleet file itself has', {
    why: 'Anyone who reads the fleet file knows it, and it is shown in logs and bundles.',
    hint: 'Write `generate: 24`, or `ignore` this with the reason why a client needs this very password.',
  }),
  'secret-as-environment': finding('low', 'CWE-526', 'A secret handed on as a variable', {
    why: 'Variables are inherited by every child, and shown by tools and in dumps.',
    hint: 'Read the file /run/secrets/NAME instead, where the program can.',
  }),
  'copy-world-writable': finding('medium', 'CWE-732', 'A copied file that everyone may write', {
    why: 'Any process in the server, also a broken-in one, can change it.',
    hint: 'Give it mode 0644, or 0755 if it is run; choose the `owner` that has to write it.',
  }),
  'copy-setuid': finding('high', 'CWE-250', 'A copied file that runs as its owner or group', {
    why: "Whoever may run it gets the rights of another, often root's.",
    hint: 'Take the setuid and setgid bits out of `mode`.',
  }),
  'tmpfs-world-writable': finding('medium', 'CWE-379', 'A tmpfs that everyone may write, without the sticky bit', {
    why: 'Any process can remove and replace the files of others in it.',
    hint: 'Write mode "1777", or less, with `uid`.',
  }),
  'mount-writable': finding('medium', 'CWE-668', 'A writable mount of files from here', {
    why: 'The server can change, or fill, what your repository holds; tests depend on what earlier runs left.',
    hint: 'Mount it read-only, or give the server a `volume` or a `tmpfs` to write to.',
  }),
  'mount-fleet-folder': finding('medium', 'CWE-668', "The fleet's whole folder as a mount", {
    why: 'The server sees everything next to the fleet file: history, keys, settings.',
    hint: 'Mount only the folder that it needs.',
  }),
  'sensitive-file-copied': finding('high', 'CWE-538', 'A copied file of a kind that holds secrets', {
    why: 'What it usually holds stays in a layer of the image, for everyone who has the image.',
    hint: 'Leave it out of what is copied; hand secrets on by `secrets`.',
  }),
  'sensitive-file-mounted': finding('medium', 'CWE-552', 'A mounted file of a kind that holds secrets', {
    why: 'The server can read all of it, and whoever breaks into the server.',
    hint: 'Hand on the one secret that it needs by `secrets`.',
  }),
  'leads-outside': finding('medium', 'CWE-668', "A path that may lead out of the fleet's folder", {
    why: 'What the fleet is depends on the machine that it stands on, and files that nobody meant can get into it.',
    hint: "Copy the file into the fleet's folder, and remove `outside`.",
  }),
  'login-off': finding('low', 'CWE-306', 'A server that asks for no login', {
    why: 'Anyone who reaches its ports may do everything. They are on loopback unless `address` says otherwise.',
    hint: 'Remove `login: false`, or `ignore` this with the reason.',
  }),
  'runs-as-root': finding('low', 'CWE-250', 'A server that runs as root', {
    why: 'An attacker who breaks into it is root in the container, and one kernel bug away from the machine.',
    hint: 'Name a `user`. If it has to begin as root, write `capDrop: [ALL]`, and give the reason in `ignore`.',
  }),
  privileged: finding('critical', 'CWE-250', 'A privileged server', {
    why: 'It has all rights over the machine: its devices, its kernel, every other container.',
    hint: 'Remove `privileged`; add the one capability that is needed with `capAdd`.',
  }),
  'engine-socket': finding('critical', 'CWE-250', "The engine's socket in a server", {
    why: 'Anyone who can speak to the engine can start a privileged container, and is root on the machine.',
    hint: 'Remove `engineSocket`; use the engine from the test itself.',
  }),
  'device-of-machine': finding('medium', 'CWE-250', "A device of the engine's machine in a server", {
    why: "What the device reaches is the machine's own: a disk, a bus, the kernel. No namespace keeps the server from it.",
    hint: 'Remove it from `devices` if the server can do without; otherwise give it only `r`, and the reason in `ignore`.',
  }),
  'new-privileges': finding('high', 'CWE-269', 'A server whose processes may gain rights', {
    why: 'setuid programs in it lead to root again.',
    hint: 'Remove `newPrivileges`, and start the server as the user that it needs.',
  }),
  'capability-added': finding('medium', 'CWE-250', 'A capability that reaches beyond the container', {
    why: 'With it, a process can get around what keeps the container apart from the machine.',
    hint: 'Take it out of `capAdd`, or find the smallest one that will do.',
  }),
  'capabilities-kept': finding('low', 'CWE-272', 'Capabilities that were not dropped', {
    why: 'Most servers need at most two of the capabilities that they keep; every other one helps an attacker.',
    hint: 'Write `capDrop: [ALL]`, and add with `capAdd` those that it fails without.',
  }),
  'sysctl-weakens': finding('medium', 'CWE-1188', 'A kernel parameter that weakens the network', {
    why: 'It removes a protection against forged or redirected packets.',
    hint: 'Remove it, or set it to the safe value.',
  }),
  'port-off-loopback': finding('high', 'CWE-1327', 'A port that other machines can reach', {
    why: 'Test servers have test passwords and known holes; everyone on the network can use them.',
    hint: "Remove `address`: the default is loopback. From another container, use the fleet's network.",
  }),
  'plaintext-off-loopback': finding('high', 'CWE-319', 'A plain-text protocol that other machines can reach', {
    why: 'What is said, passwords too, can be read and changed by anyone on the way.',
    hint: 'Remove `address`, or publish the port of the same protocol over TLS.',
  }),
  'low-host-port': finding('low', 'CWE-605', 'A fixed port below 1024', {
    why: "It belongs to the machine's own services, needs rights in some engines, and can be had by one session only.",
    hint: 'Remove `host`: testfleet takes a free port and passes it to the tests.',
  }),
  'ftp-data-ports-not-published': finding(
    'low',
    'CWE-684',
    'An FTP server whose data ports are not published under their own numbers',
    {
      why: 'A client goes to the port that the server says, so listings and files fail for those who reach it by its published port, such as tests with the library.',
      hint: 'Publish each under its own number, such as `{ container: 30000-30009, host: 30000-30009 }`; `ignore` this if all clients are under `run` or `join` or in the fleet, where the name reaches every port.',
    },
  ),
  'engine-port': finding('high', 'CWE-306', 'The plain-text port of a container engine', {
    why: 'Anyone who reaches it can start containers with all rights, without a password.',
    hint: 'Do not publish port 2375; where it is needed, use 2376 with TLS.',
  }),
  'host-shadowed': finding('medium', 'CWE-941', 'A name in `extraHosts` that means something else', {
    why: 'The server speaks to another address than its name says, and what it fetches from there is trusted.',
    hint: 'Choose a name of its own, or an alias of a server of the fleet.',
  }),
  'public-name': finding('high', 'CWE-350', 'A server under a name of the public internet', {
    why: 'Under `run`, what a test or a tool says to that site goes to the server, passwords and tokens too.',
    hint: 'Use a name of the fleet, or one below `test`; where a test must meet the very name, ignore this finding with the reason.',
  }),
  'variable-shared': finding('low', 'CWE-694', 'A variable that more than one server exports', {
    why: 'Tests that read it reach the last of these servers in the order of the alphabet, perhaps not the one they mean.',
    hint: 'Read TESTFLEET_<SERVER>_<VARIABLE>, which each of them has too, or have each export a name of its own.',
  }),
  'variable-replaced': finding('low', 'CWE-454', 'An exported variable that the caller has set', {
    why: 'The command of `run` and `join` gets the value of the fleet, so it reaches the test server where its caller meant another one.',
    hint: 'Export another name, or unset the variable where testfleet is called.',
  }),
  'variable-of-caller': finding('low', 'CWE-526', "A variable of the caller's that the fleet file asks for", {
    why: 'Its value goes into a container, which may send it anywhere.',
    hint: 'Check that the server needs it; make a secret that only the tests use with `generate`.',
  }),
  'protection-off': finding('low', 'CWE-306', 'A variable that switches a password off', {
    why: 'Whoever reaches the server can do everything in it.',
    hint: 'Give it a password from `secrets`.',
  }),
  'pipe-to-shell': finding('high', 'CWE-494', 'A download that is run unseen', {
    why: 'Whoever controls the address, or the way to it, runs code in the image; a broken download is run half.',
    hint: 'Download to a file, compare it with a checksum that stands here, then run it; or use a package.',
  }),
  'chmod-world-writable': finding('medium', 'CWE-732', 'A build step that lets everyone write', {
    why: 'Any process in the server, also a broken-in one, can change these files.',
    hint: 'Give the files to the user that writes them, with `chown`.',
  }),
  'packages-not-verified': finding('high', 'CWE-347', 'Packages whose signatures are not looked at', {
    why: 'Anyone on the way to the mirror can put code into the image.',
    hint: "Remove the option; add the repository's key with `signed-by`.",
  }),
  'tls-not-verified': finding('high', 'CWE-295', 'TLS whose certificate is not looked at', {
    why: 'Anyone on the way can stand in for the other side.',
    hint: "Remove the option; add the authority's certificate to the image.",
  }),
  'certificate-expired': finding('medium', 'CWE-298', 'A certificate of your own that is not valid now', {
    why: 'Clients that verify it refuse the server.',
    hint: 'Renew it, or `ignore` this with the reason, where a client has to refuse it.',
  }),
  'certificate-name': finding('low', 'CWE-297', 'A certificate of your own that is not for its server', {
    why: "Clients that verify it refuse the server's name on the fleet's network.",
    hint: 'Add the name to the certificate, or `ignore` this with the reason, such as clients that use another name.',
  }),
  'apt-key': finding('medium', 'CWE-347', 'A key that is trusted for every repository', {
    why: 'Its owner can replace any package of the system; apt has given `apt-key` up.',
    hint: 'Put the key into /etc/apt/keyrings and name it with `signed-by` in the one source.',
  }),
  'plain-http-source': finding('medium', 'CWE-319', 'Something fetched over plain HTTP', {
    why: 'Anyone on the way can change it.',
    hint: 'Use https, and compare a checksum.',
  }),
  'sudo-in-run': finding('low', 'CWE-250', '`sudo` in a step of a build', {
    why: 'Steps run as root already; sudo, once installed, stays in the image as a way to root.',
    hint: 'Remove `sudo`.',
  }),
  'packages-not-pinned': finding('low', 'CWE-829', 'Packages without a version', {
    why: 'The next build can have other versions; a test that fails cannot be repeated.',
    hint: 'Write `name=version` where the version matters to the tests, for a preset in `build.packages` of its server.',
  }),
  'shell-evaluates': finding('medium', 'CWE-95', 'Text with variables in it that a shell evaluates', {
    why: 'What stands in a variable is run as a command.',
    hint: 'Use the variable as an argument, in double quotes, without `eval`.',
  }),
  'dockerfile-without-user': finding('low', 'CWE-250', 'A Dockerfile without `USER`', {
    why: 'The server runs as root, unless its base says otherwise.',
    hint: 'Add `USER` to its last stage, or `user` to the server.',
  }),
  'dockerfile-add-url': finding('medium', 'CWE-494', '`ADD` of an address without a checksum', {
    why: 'What is there can change, and nobody sees it.',
    hint: 'Add `--checksum=sha256:…`, or put the file next to the Dockerfile.',
  }),
  'ready-missing': finding('medium', 'CWE-696', 'A server that nothing waits for', {
    why: 'Tests, and servers that depend on it, begin before it answers, and fail now and then.',
    hint: 'Declare a `ready` check, or a TCP port.',
  }),
  'ready-log-only': finding('low', 'CWE-696', 'A server whose log alone says that it is ready', {
    why: 'Many servers log that they are ready before they take connections.',
    hint: 'Add a check of its protocol: `http`, `tcp` with `expect`, or `exec`.',
  }),
  'ready-timeout-long': finding('low', 'CWE-400', 'A wait of more than ten minutes', {
    why: 'A server that hangs holds up the whole run for as long.',
    hint: 'Let `readyTimeout` be what the server takes on a slow machine, twice.',
  }),
  'dependency-without-ready': finding('medium', 'CWE-696', 'A dependency that nothing waits for', {
    why: 'It counts as ready the moment it is started, so the order means nothing.',
    hint: 'Declare a `ready` check on the server that is depended on.',
  }),
  'memory-unlimited': finding('low', 'CWE-770', 'A server without a limit of memory', {
    why: 'A leak in it, or an attack, takes the memory of the machine, and of everything else on it.',
    hint: 'Write `limits: { memory: 512m }`, with what it needs.',
  }),
  'tmpfs-unsized': finding('low', 'CWE-770', 'A tmpfs without a size', {
    why: "It can grow to half of the machine's memory.",
    hint: 'Give it a `size`.',
  }),
  'server-unused': finding('low', 'CWE-1164', 'A server that nothing uses', {
    why: 'It costs time and memory in every run, and is one more thing that can be attacked.',
    hint: 'Publish a port, export something, let another server depend on it, or remove it.',
  }),
  'ignore-unused': finding('low', 'CWE-1164', 'An `ignore` of something that was not found', {
    why: 'It says that a risk is there which is not, and would hide it if it came back.',
    hint: 'Remove it.',
  }),
}
