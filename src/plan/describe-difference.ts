import { referenceOf } from '../model/desired-image.ts'
import type { ObservedServer } from '../model/observed.ts'
import type { DesiredServer } from '../model/plan.ts'
import { isProcessId } from '../model/process-id.ts'

/** Says what is different about a server with another digest. */
export function describeDifference(
  now: ObservedServer,
  { server, image }: Pick<DesiredServer, 'server' | 'image'>,
): string {
  const [before, after] = [wayOf(now), server.runs.kind]
  if (before !== after) return `was ${words[before]}, now ${words[after]}`
  if (now.spec.external !== undefined) return `no longer at ${now.spec.external.url}`
  const name = referenceOf(image)
  if (name === '') return 'configuration changed'
  // Podman lists images under a longer name.
  return `/${now.image}`.endsWith(`/${name}`) ? 'configuration changed' : `image changed: ${name}`
}

type Way = DesiredServer['server']['runs']['kind']

const words: Readonly<Record<Way, string>> = {
  container: 'a container',
  process: 'a process',
  external: 'external',
}

function wayOf({ spec, container }: ObservedServer): Way {
  if (spec.external !== undefined) return 'external'
  return isProcessId(container) ? 'process' : 'container'
}
