import { listFinalInstructions } from '../../formats/dockerfile.ts'
import type { FindingId, Severity } from '../../model/finding.ts'
import type { FieldPath } from '../../model/fleet.ts'
import type { Sighting, Subject } from '../subject.ts'
import { eachSteps, listScripts, listSteps } from '../walk.ts'

interface Habit {
  readonly id: FindingId
  /** Each pattern matches within one line; repetitions are bounded. */
  readonly pattern: RegExp
  readonly message: string
  /** Set if it differs from the catalogue's. */
  readonly severity?: Severity
}

const SHELL = '(?:ba|da|a|k|z)?sh'
const INTERPRETER = String.raw`(?:sudo\s+(?:-\S{1,30}\s+){0,9})?(?:[\w./-]{0,100}\/)?(?:${SHELL}|python3?|perl|ruby|node)(?=[\s;&|)"']|$)`
const DOWNLOAD = String.raw`\b(?:curl|wget)\s`
const OTHER_HOST = String.raw`http:\/\/(?!localhost|127\.|\[::1\])`

const habits: readonly Habit[] = [
  {
    id: 'pipe-to-shell',
    pattern: new RegExp(
      `${DOWNLOAD}[^|\\n]{0,500}\\|\\s*${INTERPRETER}|\\b${SHELL}\\s[^\\n]{0,50}(?:<\\(|\\$\\(|\`)\\s*(?:curl|wget)\\s`,
    ),
    message: 'the step runs a download without verification',
  },
  {
    id: 'chmod-world-writable',
    pattern:
      /\bchmod\s+(?:-\S{1,30}\s+){0,5}(?:0?[0246]?[0-7]{2}[2367](?![0-7])|(?:[ugoa]*[+=-][rwxX]*,)*[ug]*[oa][ugoa]*[+=][rxX]*w[rxX]*(?![\wt]))/,
    message: 'the step makes files writable by everyone',
  },
  {
    id: 'packages-not-verified',
    pattern:
      /--allow-unauthenticated\b|--force-yes\b|\[[^\]\n]{0,200}\btrusted=yes\b|--allow-untrusted\b|--nogpgcheck\b|--no-gpg-checks?\b|\bgpgcheck=0\b|AllowInsecureRepositories[= ]["']?(?:true|1|yes)/,
    message: 'packages are installed without signature verification',
  },
  {
    id: 'tls-not-verified',
    pattern:
      /\bcurl\s(?:[^|;&\n]{0,500}\s)?(?:--insecure|-[fsSLgviOJ46]*k[fsSLgvioOJ46]*)(?=\s|$)(?![^|;&\n]{0,500}\/\/(?:localhost|127\.))|\bwget\s[^|;&\n]{0,500}--no-check-certificate|--trusted-host\b|http\.sslVerify[= ]["']?(?:false|0)|\bstrict-ssl[= ]false|NODE_TLS_REJECT_UNAUTHORIZED=["']?0|\bGIT_SSL_NO_VERIFY=["']?(?:1|true)|https?::Verify-Peer[= ]["']?(?:false|0)/,
    message: 'certificates are not verified',
  },
  {
    id: 'apt-key',
    pattern: /\bapt-key\s+(?:\S+\s+){0,5}?(?:add|adv)\b/,
    message: 'apt-key adds a key for every repository',
  },
  {
    id: 'plain-http-source',
    pattern: new RegExp(
      `\\b(?:curl|wget|git\\s+clone|pip3?\\s+install|npm\\s+(?:i|install|ci)|add-apt-repository)\\s[^\\n;|&]{0,500}${OTHER_HOST}`,
    ),
    message: 'the step downloads over plain HTTP',
  },
  {
    id: 'plain-http-source',
    pattern: new RegExp(`\\bdeb(?:-src)?\\s[^\\n;|&]{0,500}${OTHER_HOST}`),
    message: 'packages are downloaded over plain HTTP; signatures protect only against changes',
    severity: 'low',
  },
  { id: 'sudo-in-run', pattern: /(?:^|[;&|(]\s*|\b(?:then|do|else)\s+)sudo\s/m, message: 'the step calls sudo' },
  {
    id: 'shell-evaluates',
    pattern: /(?:^|[;&|(\s])eval\s[^\n]{0,500}\$/m,
    message: 'the step evaluates text with variables',
  },
]

/** Reports what a step of a build should not do. */
function* findBuildHabits(subject: Subject): Iterable<Sighting> {
  for (const { server, at, text } of listScripts(subject)) {
    for (const { pattern, ...habit } of habits) if (pattern.test(text)) yield { ...habit, server, at }
  }
}

const UNSIGNED_SOURCE = /^[ \t]*deb\s[^\n]{0,500}\btrusted=yes|^Trusted:[ \t]*yes/im

/** Reports package sources in the text of a file. */
const findSourcesInContent = eachSteps(function* ({ at, steps }) {
  for (const [index, { source, to }] of steps.copy.entries()) {
    if (source.kind !== 'content' || !UNSIGNED_SOURCE.test(source.content)) continue
    const message = `${to} trusts a package source without signatures`
    yield { id: 'packages-not-verified', at: { value: [...at, 'copy', index, 'content'] }, message }
  }
})

/** Reports packages without a version: one finding for each list of the user, and one for all presets of the catalogue. */
function* findUnpinnedPackages({ fleet }: Subject): Iterable<Sighting> {
  const id = 'packages-not-pinned'
  const ofPresets: { readonly server: string; readonly at: FieldPath }[] = []
  for (const { server, at, steps } of listSteps(fleet)) {
    const isPinned = (name: string): boolean =>
      name.includes('=') || steps.packages.some((other) => other.startsWith(`${name}=`))
    const loose = steps.packages.flatMap((name, index) =>
      isPinned(name) ? [] : [{ name, at: [...at, 'packages', index] }],
    )
    const own = loose.filter((one) => fleet.source.originOf(one.at) !== 'catalogue')
    if (own.length > 0) {
      const message = `${listSome(own.map(({ name }) => name))} in any version`
      yield { id, server, at: { value: [...at, 'packages'] }, message }
    }
    const brought = loose.find((one) => !own.includes(one))
    if (brought !== undefined && server !== undefined) ofPresets.push({ server, at: brought.at })
  }
  // A server that ignores the finding ignores its own part of it.
  const isAccepted = ({ server }: { readonly server: string }): boolean =>
    fleet.servers.get(server)?.ignore.some((entry) => entry.id === id) ?? false
  const standing = ofPresets.filter((one) => !isAccepted(one))
  for (const group of [...ofPresets.filter(isAccepted).map((one) => [one]), standing]) {
    const [first] = group
    if (first === undefined) continue
    const message = `the ${group.length === 1 ? 'preset' : 'presets'} of ${listSome(group.map(({ server }) => server))} ${
      group.length === 1 ? 'installs' : 'install'
    } packages in any version`
    yield { id, server: group.length === 1 ? first.server : undefined, at: { value: first.at }, message }
  }
}

function listSome(names: readonly string[]): string {
  return `${names.slice(0, 3).join(', ')}${names.length > 3 ? ' and others' : ''}`
}

/** Reports what only a Dockerfile can contain; its steps and images are examined with all others. */
function* findDockerfileHabits({ fleet, dockerfiles }: Subject): Iterable<Sighting> {
  for (const dockerfile of dockerfiles) {
    const { server, file, instructions, target, at } = dockerfile
    const hasUser = listFinalInstructions(instructions, target).some(({ keyword }) => keyword === 'USER')
    if (!hasUser && fleet.servers.get(server)?.user === undefined) {
      const message = `${file} sets no user`
      yield { id: 'dockerfile-without-user', server, at: { value: [...at, 'dockerfile'] }, message }
    }
    for (const { line, keyword, rest } of instructions) {
      if (keyword !== 'ADD' || !/(?:^|[\s"])https?:\/\//i.test(rest) || /--checksum=/.test(rest)) continue
      const place = { position: { file, line, column: 1 } }
      yield { id: 'dockerfile-add-url', server, at: place, message: 'ADD downloads without a checksum' }
    }
  }
}

export const buildRules = [findBuildHabits, findSourcesInContent, findUnpinnedPackages, findDockerfileHabits]
