import { basename } from 'node:path'
import { eachServer, type OwnSighting } from '../walk.ts'

/** An address that means all of them, alone, as `--host=0.0.0.0`, or in a URL with a port. */
const EVERYWHERE = /(?:^|[=/\s"'])(?:0\.0\.0\.0|\[::\]|::)(?=$|[:/,\s"'])/
/** Variables that name the address at which a program listens. */
const LISTENS = /(?:^|_)(?:HOST|HOSTNAME|BIND|LISTEN|ADDR|ADDRESS|INTERFACE|URLS?)(?:_|$)/i

/** Reports processes that other machines can reach. */
const findOpenProcesses = eachServer(function* ({ name, runs, environment }) {
  if (runs.kind !== 'process') return
  for (const [index, word] of runs.command.entries()) {
    const at = { value: ['servers', name, 'process', index] }
    if (EVERYWHERE.test(word)) yield wordOpen(at, 'an argument')
  }
  for (const [variable, value] of environment) {
    const at = { value: ['servers', name, 'environment', variable] }
    if (value.kind === 'text' && LISTENS.test(variable) && EVERYWHERE.test(value.text)) yield wordOpen(at, variable)
  }
})

function wordOpen(at: OwnSighting['at'], what: string): OwnSighting {
  return { id: 'process-off-loopback', at, message: `${what} makes it listen on all addresses` }
}

/** Programs that start another one as another user, by default as root. */
const climbers = new Set(['sudo', 'doas', 'pkexec', 'su', 'run0', 'runuser'])

const findRaisedProcesses = eachServer(function* ({ name, runs }) {
  if (runs.kind !== 'process') return
  const program = basename(runs.command[0] ?? '')
  const at = { value: ['servers', name, 'process', 0] }
  if (climbers.has(program)) yield { id: 'process-gains-rights', at, message: `it is started by ${program}` }
})

/** Reports containers that cannot reach a process that they depend on. */
const findUnreachable = eachServer(function* ({ name, runs, dependsOn, extraHosts }, { fleet }) {
  if (runs.kind !== 'container' || [...extraHosts.values()].includes('host-gateway')) return
  for (const [index, needed] of dependsOn.entries()) {
    if (fleet.servers.get(needed)?.runs.kind !== 'process') continue
    const at = { value: ['servers', name, 'dependsOn', index] }
    yield { id: 'process-unreachable', at, message: `a container cannot reach \`${needed}\` by its name` }
  }
})

export const processRules = [findOpenProcesses, findRaisedProcesses, findUnreachable]
