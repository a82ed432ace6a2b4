import { VERSION } from './library.ts'
import { claimVersion } from './open-fleet.ts'

const VARIABLE = 'TESTFLEET_SETUP_VERSION'

/** Notes for the workers which version of testfleet has started the fleet. */
export function noteVersion(): void {
  process.env[VARIABLE] = VERSION
}

/** Fails with USAGE when this process, or the global setup, has loaded another version of testfleet. */
export function checkVersion(): void {
  claimVersion()
  claimVersion(process.env[VARIABLE])
}
