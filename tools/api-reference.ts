/**
 * Writes docs/api.md from the types and docstrings of the library: `node tools/api-reference.ts`.
 * With `--check` it writes nothing, and fails when the page is not what the docstrings say. Both fail when a public name has no
 * docstring, a function or method has no example, or a docstring names a failure code that does not exist.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fleetJsonSchema } from '../src/config/json-schema.ts'
import { failureCodes } from '../src/model/failures.ts'
import { type Documented, type PublicName, readDeclaration } from './api-reference/read-declaration.ts'
import { renderName } from './api-reference/render-name.ts'
import { readLibraryTypes } from './build/declarations.ts'
import { root } from './run.ts'

const page = new URL('../docs/api.md', import.meta.url)

const head = `# The library

Look up here every name that the package exports. Start with an example that works:

\`\`\`ts
import { startFleet } from 'testfleet'

await using fleet = await startFleet({ servers: { db: { preset: 'postgresql' } } })
const { host, port } = fleet.server('db').endpoint(5432)
const client = new pg.Client(fleet.exports.DATABASE_URL)
\`\`\`

\`startFleet()\` builds what is missing, starts the servers and resolves once all of them are ready. The fleet is removed at the end of the
block, and also when the process dies. \`await using\` needs Node 24: see [Node 22](typescript.md#node-22).
[TypeScript](typescript.md) shows how the types follow the fleet, and [failures](failures.md) explains every failure code. Each call that fails with a code rejects with a \`TestfleetError\`.

\`node tools/api-reference.ts\` makes this page from the docstrings.
`

/** Names by topic. Those that are listed come first, in this order. */
const topics: readonly (readonly [title: string, listed: readonly string[], others: RegExp])[] = [
  ['Start a fleet', ['startFleet', 'joinFleet', 'defineFleet', 'StartOptions', 'JoinOptions', 'ShareOptions'], /^$/],
  [
    'A running fleet',
    ['RunningFleet', 'RunningServer', 'Endpoint', 'ServerState'],
    /^(?:Exec|Spawn|Command|Inspect|Server(?!Decl|Names|Report))/,
  ],
  ['A client', ['Testfleet', 'TestfleetOptions', 'Source', 'FleetSource'], /^$/],
  ['Failures', ['TestfleetError', 'FailureCode', 'Mistake', 'Position'], /Error$|^Failure/],
  ['Events', ['TestfleetEvent', 'OnEvent'], /Event|^Operation/],
  [
    'Types of a fleet',
    ['FleetFile', 'ServerDeclaration', 'ServerNames', 'PortsOf', 'ProtocolsOf', 'Exports', 'StrictFleet'],
    /^$/,
  ],
  ['Options of calls', [], /Options$/],
  ['Results of calls', [], /./],
]

function render(): string {
  const names = readLibraryTypes(root, fleetJsonSchema())
    .collect()
    .filter(({ isPublic }) => isPublic)
    .map(readDeclaration)
  const mistakes = names.flatMap(findMistakes)
  if (mistakes.length > 0) throw new Error(`Write the docstrings of the library:\n${mistakes.join('\n')}`)
  const left = new Set(names)
  const sections = topics.map(([title, listed, others]) => {
    const rest = [...left].filter(({ name }) => !listed.includes(name) && others.test(name))
    const found = [...listed.flatMap((name) => names.filter((one) => one.name === name)), ...rest]
    for (const one of found) left.delete(one)
    const firsts = found.filter(({ name }, index) => found.findIndex((other) => other.name === name) === index)
    return firsts.length === 0 ? '' : [`## ${title}\n`, ...firsts.map((one) => renderName(one, found))].join('\n')
  })
  return [head, ...sections.filter((section) => section !== '')].join('\n')
}

function findMistakes(one: PublicName): string[] {
  const { name, kind, members } = one
  const isCall = kind === 'function' || kind === 'class'
  const methods = members.filter(({ kind, name }) => kind === 'method' && !/^(?:constructor|\[.*)$/.test(name))
  const firsts = methods.filter(({ name }, index) => methods.findIndex((other) => other.name === name) === index)
  return [
    ...mistakesOf(one, name, isCall),
    ...firsts.flatMap((method) => mistakesOf(method, `${name}.${method.name}`, kind === 'class')),
  ]
}

function mistakesOf({ text, examples, throws }: Documented, name: string, needsExample: boolean): string[] {
  const codes = throws.match(/\b[A-Z]+(?:_[A-Z]+)+\b/g) ?? []
  return [
    ...(text === '' ? [`${name}: says nothing`] : []),
    ...(needsExample && examples.length === 0 ? [`${name}: has no example`] : []),
    ...codes
      .filter((code) => !Object.hasOwn(failureCodes, code))
      .map((code) => `${name}: ${code} is not a failure code`),
  ]
}

const text = render()
if (process.argv.includes('--check')) {
  if ((await readFile(page, 'utf8').catch(() => '')) !== text) {
    console.error('docs/api.md is not what the docstrings say. Write it again with: node tools/api-reference.ts')
    process.exitCode = 1
  }
} else {
  await writeFile(page, text)
}
