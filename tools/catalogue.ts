/**
 * Writes docs/catalogue.md from the presets and from the measurements of `node bench/catalogue.ts`: `node
 * tools/catalogue.ts`.
 *
 * With `--check` it writes nothing, and fails when the page is outdated.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { describePreset, type OptionDescription } from '../src/config/describe-presets.ts'
import type { Preset } from '../src/config/read-preset.ts'
import { listPresetNames, readPage, readPreset } from '../src/config/read-preset.ts'
import { currentHost } from '../src/current-host.ts'

interface Measured {
  readonly imageMegabytes: number
  readonly readyMs: number
}

const page = new URL('../docs/catalogue.md', import.meta.url)
const folders = { builtIn: currentHost().presetsFolder, fleet: '' }
const measured = JSON.parse(
  await readFile(new URL('../docs/catalogue.json', import.meta.url), 'utf8').catch(() => '{}'),
) as Record<string, Measured>

const head = `# The catalogue

Find a server that is ready to use, and its options. Name it in one line of a fleet file:

\`\`\`yaml
servers:
  db: { preset: postgresql }
\`\`\`

All presets are built from Debian packages, and each is tested with a client that is not part of testfleet
(\`npm run test:catalogue\`). [Presets](presets.md) explains how to change one and how to write your own. \`testfleet presets NAME\` prints
the same text as this page.

"Image" is the size that the preset adds to \`debian:bookworm-slim\`. "Ready" is the time from the start of its container until its ready
checks pass: the median of three. \`node bench/catalogue.ts\` measures both; an empty cell has not been measured.

Under "example", \`…\` is a secret, and 49153 and the numbers after it are published ports, which differ in each session. \`<server>.<domain>\`
with a port is the value for the command of \`run\` and \`join\`; without names, it is 127.0.0.1 and the published port.

MongoDB, FerretDB and Valkey are missing, because Debian 12 has no packages for them (\`apt-cache policy mongodb valkey ferretdb\`).

\`node tools/catalogue.ts\` makes this page from the presets.
`

async function render(): Promise<string> {
  const names = await listPresetNames(folders.builtIn)
  const presets = (await Promise.all(names.map((name) => readPreset(name, folders)))).filter((one) => one !== undefined)
  const rows = presets.map((preset) => {
    const { name, description, ports } = describePreset(preset)
    const { imageMegabytes, readyMs } = measured[name] ?? {}
    const times = [
      imageMegabytes === undefined ? '' : `${imageMegabytes} MB`,
      readyMs === undefined ? '' : `${readyMs} ms`,
    ]
    return `| [\`${name}\`](#${name}) | ${description} | ${ports.join(', ')} | ${times.join(' | ')} |\n`
  })
  const table = `| preset | what | ports | image | ready |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`
  return [head, table, ...(await Promise.all(presets.map(renderPreset)))].join('\n')
}

async function renderPreset(preset: Preset): Promise<string> {
  const { name, options, exports, limits } = describePreset(preset)
  const rows = options.map(
    (option) => `| \`${option.name}\` | ${wordType(option)} | ${escapeCell(option.description)} |\n`,
  )
  const table = rows.length === 0 ? '' : `\n| option | value | meaning |\n| --- | --- | --- |\n${rows.join('')}`
  const variables = exports.map(({ name, example }) => `| \`${name}\` | ${code(example)} |\n`)
  const exported =
    variables.length === 0 ? '' : `\n| variable for tests | example |\n| --- | --- |\n${variables.join('')}`
  const limited = Object.entries(limits).map(([key, limit]) => `${key} ${limit}`)
  return `## ${name}\n\n${(await readPage(preset)).trim()} Its limits are ${limited.join(', ')}.\n${table}${exported}`
}

function wordType({ type, takes, default: value }: OptionDescription): string {
  const words: Record<string, string> = { list: 'list of text', secret: 'a secret', users: 'names, each with a secret' }
  // A range in words is not code.
  const range = takes === undefined ? '' : `: ${takes.includes(' ') ? escapeCell(takes) : code(takes)}`
  const otherwise =
    value === undefined ? '' : `; default ${code(typeof value === 'string' ? value : JSON.stringify(value))}`
  return `${words[type] ?? type}${range}${otherwise}`
}

function code(text: string): string {
  return `\`${escapeCell(text)}\``
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}

const text = await render()
if (process.argv.includes('--check')) {
  if ((await readFile(page, 'utf8')) !== text) {
    console.error('docs/catalogue.md differs from the presets; write it again with: node tools/catalogue.ts')
    process.exitCode = 1
  }
} else {
  await writeFile(page, text)
}
