#!/bin/sh
# Brings the example fleet up, tests it with real clients, and takes it down.
set -eu

cd -- "${0%/*}/.."
# Runs with the clone's Node, whichever Node is on the PATH.
PATH=$(pwd -P)/node_modules/.bin:$PATH
export PATH

set -- bin/testfleet run -f examples/web/testfleet.yaml -- node examples/web/prove.ts

cat <<TEXT

testfleet builds the images of five servers (apache2, squid, vsftpd, danted, dovecot; the first time takes minutes),
starts them in the order that they need each other in, and waits until each of them answers. Then prove.ts talks to
them as users would: through their published ports and through their proxies. Then all of it is removed.

$ $*

TEXT
"$@"

cat <<TEXT

The servers are gone. Their images (testfleet/web-*) stay, so that the next start takes seconds; this removes them:

$ bin/testfleet rmi -f examples/web/testfleet.yaml

Next: write a fleet of your own with \`testfleet init db=postgresql\`, as README.md and docs/guide.md show.
TEXT
