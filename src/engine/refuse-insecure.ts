import { TestfleetError } from '../model/failures.ts'
import type { EngineLocation } from './engine.ts'

/** Fails with ENGINE_INSECURE for an engine of another machine that is spoken to without TLS. Sends nothing. */
export function refuseInsecure({ url, because, remoteHost, endpoint }: EngineLocation): void {
  if (remoteHost === undefined || endpoint.kind !== 'tcp' || endpoint.tls !== undefined) return
  throw new TestfleetError(
    'ENGINE_INSECURE',
    `the engine at ${url} (${because}) is reached without TLS: whoever reaches it is root on ${remoteHost}, and whoever is on the way reads and changes all that is sent`,
    {
      hint:
        'Use TLS (DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or a context with certificates), or forward its socket ' +
        '(ssh -N -L /tmp/engine.sock:/var/run/docker.sock HOST) and use unix:///tmp/engine.sock. ' +
        '`--insecure-engine`, `insecureEngine: true` or TESTFLEET_INSECURE_ENGINE=1 uses it as it is.',
    },
  )
}
