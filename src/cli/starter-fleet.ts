import type { PresetDetails, PresetOption } from '../api/types/presets.ts'

/** The fleet file that `testfleet init` writes without operands: it comes up as it is. */
export const starterFleet = `# A fleet of real test servers. All keys: testfleet schema
# Ready-made servers: testfleet presets. To start from some of them: testfleet init postgresql redis
base:
  from: debian:bookworm-slim

servers:
  # A web server, reached by your tests at $WEB_URL.
  web:
    build:
      packages: [nginx-light]
      copy:
        - { content: "hello from testfleet\\n", to: /var/www/html/index.html }
    command: [nginx, -g, daemon off;]
    ports: [80]
    # It counts as started when these checks pass.
    ready:
      - http: { port: 80, path: /, body: hello }
    export:
      WEB_URL: http://\${host}:\${port.80}/

  cache:
    build:
      packages: [redis-server]
    command: [redis-server, --bind, 0.0.0.0, --protected-mode, "no", --save, ""]
    ports: [6379]
    ready:
      - tcp: { port: 6379, send: "PING\\r\\n", expect: "+PONG" }

# Try it:
#   testfleet run -- sh -c 'curl "$WEB_URL"'    start all, run one command, remove all
#   testfleet up                                start all and keep it
#   testfleet exec cache -- redis-cli ping      run a command inside a server
#   testfleet down                              remove all
`

export interface PresetServer {
  readonly name: string
  readonly preset: PresetDetails
}

/** A fleet file of presets, with the options and variables that are worth knowing. */
export function formatPresetFleet(servers: readonly PresetServer[]): string {
  const [first] = servers
  return `# A fleet of real test servers. All keys: testfleet schema

servers:
${servers.map(formatServer).join('\n')}
# Try it:
#   testfleet run -- YOUR-TESTS      start all, run your tests, remove all
#   testfleet up                     start all and keep it; testfleet down removes it
#   testfleet join -- YOUR-TESTS     run your tests against what is up
#   testfleet logs ${first?.name ?? 'SERVER'}
`
}

function formatServer({ name, preset }: PresetServer): string {
  const { description, exports, options } = preset
  const variables = exports.map((variable) => variable.name)
  const shown = worthKnowing(options).flatMap((option) => formatOption(option, name))
  const lines = [
    ...comment(description),
    ...(variables.length === 0 ? [] : comment(`Variables for your tests: ${variables.join(', ')}`)),
    `  ${name}:`,
    `    preset: ${preset.name}`,
    ...(shown.length === 0
      ? []
      : [`    # options:    # all: testfleet presets ${preset.name}`, ...shown.slice(0, MOST_OPTIONS)]),
  ]
  return `${lines.join('\n')}\n`
}

const MOST_OPTIONS = 5
const WIDTH = 100

/** A text as lines of comments above a server. */
function comment(text: string): string[] {
  const words = text.split(' ')
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length >= WIDTH) lines.push(`  # ${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** What most people change, then the others in the order of the preset. */
function worthKnowing(options: readonly PresetOption[]): readonly PresetOption[] {
  const first = ['user', 'password', 'database', 'domain', 'seed', 'tls']
  const known = first.flatMap((name) => options.filter((option) => option.name === name))
  return [...known, ...options.filter(({ name }) => !first.includes(name) && name !== 'login')]
}

/** An option that can be uncommented as it is; none where only the user knows a value. */
function formatOption(option: PresetOption, server: string): string[] {
  const value = exampleOf(option, server)
  if (value === undefined) return []
  const [sentence = ''] = option.description.split(/(?<=[.;:])\s/)
  const line = `    #   ${option.name}: ${value}`
  return [`${line.padEnd(40)}  # ${sentence.replace(/[;:]$/, '.')}`]
}

function exampleOf({ name, type, default: value }: PresetOption, server: string): string | undefined {
  if (type === 'boolean') return String(value !== true)
  if (type === 'secret') return `{ env: ${`${server}_${name}`.toUpperCase().replaceAll('-', '_')} }`
  if (type === 'path') return `./${name}`
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? quote(value) : undefined
}

/** As YAML; without quotes where no reader takes it for anything else. */
function quote(text: string): string {
  const isPlain = /^[A-Za-z][\w.-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text)
  return isPlain ? text : JSON.stringify(text)
}
