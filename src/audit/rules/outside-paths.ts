import type { Severity } from '../../model/finding.ts'
import { eachServer, eachSteps } from '../each.ts'
import { recipesOf } from '../recipes.ts'

/** Folders of the machine that give it away, or what is secret of it, to who sees them. */
const system: readonly (readonly [path: RegExp, severity: Severity])[] = [
  [/^\/(?:(?:var\/)?run|proc|sys|dev|boot)?(?:\/|$)/, 'critical'],
  [/^\/(?:etc|root|var\/lib\/(?:docker|containerd))(?:\/|$)/, 'high'],
]

/** Mounts that may lead out of the fleet's folder. */
export const findOutsideMounts = eachServer(function* ({ name, mounts }) {
  for (const [index, mount] of mounts.entries()) {
    if (mount.kind !== 'bind' || !mount.mayLeave) continue
    const at = { value: ['servers', name, 'mounts', index, 'from'] }
    const severity = system.find(([path]) => path.test(mount.from))?.[1]
    if (severity === undefined) yield { id: 'leads-outside', at, message: 'what is mounted may lie outside' }
    else yield { id: 'leads-outside', at, message: `${mount.from} belongs to the machine itself`, severity }
  }
})

/** Copied files that may come from outside of it. */
export const findOutsideCopies = eachSteps(function* ({ at, steps }) {
  for (const [index, { source }] of steps.copy.entries()) {
    if (source.kind !== 'path' || !source.mayLeave) continue
    const place = { value: [...at, 'copy', index, 'from'] }
    yield { id: 'leads-outside', at: place, message: 'what is copied may lie outside' }
  }
})

/** Secrets and Dockerfiles that may. A secret's file is often one of the machine, and is meant for one server. */
export const findOutsideFiles = eachServer(function* (server) {
  for (const [secret, origin] of server.secrets) {
    if (origin.kind !== 'file' || !origin.mayLeave) continue
    const at = { value: ['servers', server.name, 'secrets', secret, 'file'] }
    yield { id: 'leads-outside', at, message: `the file of ${secret} may lie outside`, severity: 'low' }
  }
  for (const recipe of recipesOf(server)) {
    if (recipe.kind !== 'dockerfile' || !recipe.mayLeave) continue
    const at = { value: [...recipe.at, 'dockerfile'] }
    yield { id: 'leads-outside', at, message: 'the Dockerfile and its context may lie outside' }
  }
})
