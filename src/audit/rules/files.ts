import { relative } from 'node:path'
import type { Severity } from '../../model/finding.ts'
import type { Sighting, Subject } from '../subject.ts'
import { eachServer, eachSteps, recipesOf } from '../walk.ts'

/** Reports which files of this machine a server can see or change. */
const findMounts = eachServer(function* ({ name, mounts }, { fleet }) {
  for (const [index, mount] of mounts.entries()) {
    if (mount.kind !== 'bind') continue
    const at = { value: ['servers', name, 'mounts', index] }
    const shown = relative(fleet.folder, mount.from) || "the fleet's folder"
    if (mount.from === fleet.folder) {
      const message = `${mount.to} is the fleet's whole folder`
      yield { id: 'mount-fleet-folder', at, message, severity: mount.writable ? 'high' : 'medium' }
    }
    if (mount.writable) yield { id: 'mount-writable', at, message: `the server can change ${shown}` }
    if (sensitivePart(shown) !== undefined) yield { id: 'sensitive-file-mounted', at, message: `${shown} is mounted` }
  }
})

const WRITABLE_BY_ALL = 0o002
const SETUID_OR_SETGID = 0o6000
const STICKY = 0o1000

/** Reports modes of copied files that grant too much. */
const findCopyModes = eachSteps(function* ({ at, steps }) {
  for (const [index, { mode = 0, to }] of steps.copy.entries()) {
    const place = { value: [...at, 'copy', index, 'mode'] }
    const message = `${to} gets mode ${formatMode(mode)}`
    if ((mode & WRITABLE_BY_ALL) !== 0) yield { id: 'copy-world-writable', at: place, message }
    if ((mode & SETUID_OR_SETGID) !== 0) yield { id: 'copy-setuid', at: place, message }
  }
})

/** Reports folders in memory in which everyone can replace files of others. */
const findTmpfsModes = eachServer(function* ({ name, tmpfs }) {
  for (const [index, { to, mode = 0 }] of tmpfs.entries()) {
    if ((mode & WRITABLE_BY_ALL) === 0 || (mode & STICKY) !== 0) continue
    const at = { value: ['servers', name, 'tmpfs', index, 'mode'] }
    yield { id: 'tmpfs-world-writable', at, message: `${to} gets mode ${formatMode(mode)}` }
  }
})

function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}

/** Reports copied files whose names suggest secrets. */
function* findSensitiveCopies({ files }: Subject): Iterable<Sighting> {
  const reported = new Set<string>()
  for (const { server, at, shown } of files) {
    const part = sensitivePart(shown)
    const key = JSON.stringify([at, part])
    // A repository's history has thousands of files, but is one finding.
    if (part === undefined || reported.has(key)) continue
    reported.add(key)
    yield { id: 'sensitive-file-copied', server, at: { value: at }, message: `${part} is copied` }
  }
}

/** Folders that give control of the machine, or its secrets, to anyone who sees them. */
const system: readonly (readonly [path: RegExp, severity: Severity])[] = [
  [/^\/(?:(?:var\/)?run|proc|sys|dev|boot)?(?:\/|$)/, 'critical'],
  [/^\/(?:etc|root|var\/lib\/(?:docker|containerd))(?:\/|$)/, 'high'],
]

/** Reports mounts that may be outside the fleet's folder. */
const findOutsideMounts = eachServer(function* ({ name, mounts }) {
  for (const [index, mount] of mounts.entries()) {
    if (mount.kind !== 'bind' || !mount.mayLeave) continue
    const at = { value: ['servers', name, 'mounts', index, 'from'] }
    const severity = system.find(([path]) => path.test(mount.from))?.[1]
    if (severity === undefined)
      yield { id: 'leads-outside', at, message: "the mount may be outside the fleet's folder" }
    else yield { id: 'leads-outside', at, message: `${mount.from} belongs to the machine itself`, severity }
  }
})

/** Reports copied files that may come from outside it. */
const findOutsideCopies = eachSteps(function* ({ at, steps }) {
  for (const [index, { source }] of steps.copy.entries()) {
    if (source.kind !== 'path' || !source.mayLeave) continue
    const place = { value: [...at, 'copy', index, 'from'] }
    yield { id: 'leads-outside', at: place, message: "the copy may come from outside the fleet's folder" }
  }
})

/** Reports secrets and Dockerfiles that may. A secret's file is often one of the machine, and meant for one server. */
const findOutsideFiles = eachServer(function* (server) {
  for (const [secret, origin] of server.secrets) {
    if (origin.kind !== 'file' || !origin.mayLeave) continue
    const at = { value: ['servers', server.name, 'secrets', secret, 'file'] }
    yield {
      id: 'leads-outside',
      at,
      message: `the file of ${secret} may be outside the fleet's folder`,
      severity: 'low',
    }
  }
  for (const recipe of recipesOf(server)) {
    if (recipe.kind !== 'dockerfile' || !recipe.mayLeave) continue
    const at = { value: [...recipe.at, 'dockerfile'] }
    yield { id: 'leads-outside', at, message: "the Dockerfile and its context may be outside the fleet's folder" }
  }
})

/** Names of files and folders that usually hold secrets. Samples without values are excluded. */
const NAMES =
  /^(?:\.env(?:\.(?!(?:example|sample|template|dist|defaults?)$)[\w.-]+)?|id_(?:rsa|dsa|ecdsa|ed25519)|\.git|\.ssh|\.gnupg|\.npmrc|\.pypirc|\.netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.dockercfg|\.bash_history|\.vault-token|kubeconfig|.*\.(?:kdbx?|p12|pfx|jks|keystore|ovpn|tfstate|tfvars))$/
const PATHS = /(?:^|\/)(\.aws\/credentials|\.docker\/config\.json|\.kube\/config|\.config\/gh\/hosts\.yml)$/

/** Returns the path up to the part that holds secrets: `app/.git` for `app/.git/config`. */
function sensitivePart(path: string): string | undefined {
  if (PATHS.test(path)) return path
  const parts = path.split(/[/\\]/)
  const index = parts.findIndex((part) => NAMES.test(part))
  return index === -1 ? undefined : parts.slice(0, index + 1).join('/')
}

export const fileRules = [
  findCopyModes,
  findTmpfsModes,
  findSensitiveCopies,
  findMounts,
  findOutsideMounts,
  findOutsideCopies,
  findOutsideFiles,
]
