// The suite's own file of this name runs prosody on this machine. This one restarts the server of the fleet.
import { useFleet } from 'testfleet/jest'

const fleet = useFleet('./testfleet.yaml')
const prosody = () => fleet.server('prosody')

async function restart(signal) {
  if (signal === 'SIGKILL') await prosody().kill()
  await prosody().restart()
}

// Debian has no packages of the modules that the tests of SASL 2 turn on.
const none = async () => {}

export default { restart, stop: () => prosody().stop(), enableModules: none, disableModules: none, reset: none }
