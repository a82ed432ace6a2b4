/**
 * Writes docs/fleet-file.md from the fleet file's schema: `node tools/reference.ts`. With `--check` it writes nothing,
 * and fails when the page is outdated.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fleetJsonSchema } from '../src/config/json-schema.ts'
import { ignorableIds } from '../src/model/finding.ts'
import { protocolNames } from '../src/model/protocols.ts'

interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Record<string, Schema>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
}

const page = new URL('../docs/fleet-file.md', import.meta.url)

const head = `# The fleet file

Look up here every key of a fleet file, its values, and its default. A complete fleet can be as short as this:

\`\`\`yaml
# testfleet.yaml
servers:
  web:
    build: { packages: [nginx-light] }
    command: [nginx, -g, daemon off;]
    ports: [80]
\`\`\`

In a folder named \`shop\`, its server is reached as \`web.shop.test\`:

\`\`\`console
$ testfleet run --quiet -- sh -c 'curl -sI http://web.shop.test/ | head -1'
HTTP/1.1 200 OK
\`\`\`

testfleet looks for \`testfleet.yaml\` (also \`.yml\`, \`.json\`, \`.ts\`, \`.mts\`, \`.js\`, \`.mjs\`) in the working folder and then
in the folders above; \`-f FILE\` names another file. All formats have the same keys. \`testfleet schema\` prints the JSON Schema for editors,
and \`defineFleet()\` gives the types in TypeScript.

Mistakes are reported together, with \`file:line:column\`, and nothing is changed. Mistakes in single keys come first. Once they are
fixed, testfleet reports mistakes between keys, such as a server that does not exist, and files that are missing.

Paths are relative to the fleet file and cannot leave its folder, unless \`outside: true\` is next to them. Your environment variables
are never expanded: to take a value from one, write \`{ env: NAME }\` in \`environment\` or \`secrets\`. Only \`export\` expands
\`\${…}\`: \`\${host}\`, \`\${port.N}\`, \`\${hostname}\`, \`\${secret.NAME}\`, \`\${database}\` and \`\${endpoint.N}\`.

In \`environment\`, \`execEnvironment\`, \`labels\`, \`args\` and \`sysctls\`, names and values stay exactly as written, with or without quotes:
\`24.10\` stays \`24.10\`, and \`0042\` stays \`0042\`.

A time is \`500ms\`, \`30s\`, \`2m\` or \`1h\`, and a number without a unit is in seconds. A size is \`64k\`, \`256m\` or \`1g\`, in powers of 1024,
and a number without a unit is in bytes.

\`node tools/reference.ts\` makes this page from the schema.

## Which fleet file is used

A fleet file decides what runs on this machine, so the search refuses a file that another user could have written. The call then fails with
\`FLEET_FILE_NOT_TRUSTED\` (exit code 2), and the message names the file and its owner. If you trust the file as much as your own
programs, name it with \`-f\`: a file that is named is not checked. This applies to every command and to the library.

| what | rule for a file that was found |
| --- | --- |
| owner | The file, its folder, every folder above and every link on the way belong to you or to root. If you are root, files of other users are refused, such as a checkout that is mounted into a container. Under \`sudo\`, files of the user who called \`sudo\` are accepted as well. |
| others | No other user can write to the file or its folder. A folder above that others can write to must be sticky, as /tmp is: nobody can replace your folder there. |
| group | A group that can write counts as other users, unless its number is that of the owner: Linux gives each user such a private group. |
| programs | A module (\`.ts\`, \`.mts\`, \`.js\`, \`.mjs\`) has to be in the project of the working folder. The project is the nearest folder with \`.git\`, or else with \`package.json\`, or else the working folder itself. |
| links | A fleet file may be a link to a file elsewhere. Messages then do not quote it, because it could be any of your files. With \`-f\` and the file's own path, they do. |

On Windows, only the rule for programs applies. Commands for a running session, such as \`ps\`, \`exec\` and \`down\`, never run a module. With \`--session\` or TESTFLEET_SESSION, they do not look for a
fleet file at all.
`

/** Notes that do not fit into a table. */
const notes = await readFile(new URL('fleet-file-notes.md', import.meta.url), 'utf8')

function render(): string {
  const schema = fleetJsonSchema() as Schema
  const server = memberOf(schema.properties?.servers)
  const build = server.properties?.build ?? {}
  const sections = [
    section('Top level', schema),
    section('`base`, and `build` of a server', build),
    section('An item of `copy`', build.properties?.copy?.items ?? {}),
    section('`standby`', objectOf(schema.properties?.standby)),
    section('A server: the keys of `servers.<name>`', server),
    section('An item of `ports`', objectOf(server.properties?.ports?.items)),
    section('An item of `ready`', server.properties?.ready?.items ?? {}),
    section('`ready`: `tcp`', objectOf(server.properties?.ready?.items?.properties?.tcp)),
    section('`ready`: `http` and `https`', server.properties?.ready?.items?.properties?.http ?? {}),
    protocols(server.properties?.ready?.items ?? {}),
    section('An item of `preStart`, `postStart` and `preStop`', objectOf(server.properties?.postStart?.items)),
    section('`bake`', objectOf(server.properties?.bake)),
    section('`pool`', objectOf(server.properties?.pool)),
    section('An item of `reset`', objectOf(server.properties?.reset?.items)),
    section('`database`', objectOf(server.properties?.database)),
    section('A value of `secrets`', memberOf(server.properties?.secrets)),
    section('`tls`', objectOf(server.properties?.tls)),
    section('An item of `mounts`', server.properties?.mounts?.items ?? {}),
    section('An item of `tmpfs`', objectOf(server.properties?.tmpfs?.items)),
    section('`limits`', server.properties?.limits ?? {}),
    section('`unsafe`', server.properties?.unsafe ?? {}),
    section('An item of `ignore`', server.properties?.ignore?.items ?? {}),
  ]
  return [head, ...sections, notes].join('\n')
}

function section(title: string, schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .map(([key, value]) => `| \`${key}\` | ${typeOf(value)} | ${escapeCell(value.description ?? '')} |`)
  if (rows.length === 0) throw new Error(`the schema has no keys for ${title}`)
  return `## ${title}\n\n| key | value | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

/** The fields of checks that speak a protocol, except the port: each field once, with the checks that have it. */
function protocols(item: Schema): string {
  const fields = new Map<string, string[]>()
  for (const name of protocolNames)
    for (const [key, value] of Object.entries(objectOf(item.properties?.[name]).properties ?? {})) {
      if (key === 'port') continue
      const row = `| \`${key}\` | ${typeOf(value)} | ${escapeCell(value.description ?? '')} |`
      fields.set(row, [...(fields.get(row) ?? []), `\`${name}\``])
    }
  const rows = [...fields].map(([row, names]) => `${row} ${names.join(', ')} |`).sort()
  const title = '## `ready`: checks that speak a protocol'
  return `${title}\n\nFields besides \`port\`:\n\n| key | value | meaning | checks |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.enum?.includes(ignorableIds[0])) return 'an id of [the audit](audit.md)'
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  const alternatives = alternativesOf(schema)
  if (alternatives.length > 1)
    return oneOf(alternatives.map((each) => (each.additionalProperties ? 'keys' : typeOf(each))))
  switch (schema.type) {
    case 'string':
      return 'text'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'array':
      return `list of ${wordItems(schema.items)}`
    default:
      return typeof schema.additionalProperties === 'object' ? `name → ${typeOf(schema.additionalProperties)}` : 'keys'
  }
}

function wordItems(items: Schema | undefined): string {
  const words = items === undefined ? 'values' : typeOf(items)
  return words.startsWith('list') ? `items, each a ${words}` : words
}

function alternativesOf(schema: Schema): readonly Schema[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(alternativesOf)
  return Array.isArray(schema.type) ? schema.type.map((type: string) => ({ type })) : [schema]
}

function oneOf(types: readonly string[]): string {
  const [last = '', ...others] = [...new Set(types)].toReversed()
  return others.length === 0 ? last : `${others.toReversed().join(', ')} or ${last}`
}

/** Returns the alternative with keys, if there are several. */
function objectOf(schema: Schema | undefined): Schema {
  return schema?.anyOf?.find(({ properties }) => properties !== undefined) ?? schema ?? {}
}

function memberOf(schema: Schema | undefined): Schema {
  return typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : {}
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

const text = render()
if (process.argv.includes('--check')) {
  const current = await readFile(page, 'utf8').catch(() => '')
  if (current !== text) {
    console.error('docs/fleet-file.md differs from the schema; write it again with: node tools/reference.ts')
    process.exitCode = 1
  }
} else {
  await writeFile(page, text)
}
