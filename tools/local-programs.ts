/**
 * Writes the table of docs/local.md from the list of programs that the local engine starts: `node tools/local-programs.ts`. With
 * `--check` it writes nothing, and fails when the table is outdated.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { neededPrograms } from '../src/engine/local/rights/packages.ts'

const page = new URL('../docs/local.md', import.meta.url)
const begin = '<!-- programs: made by `node tools/local-programs.ts` -->\n'
const end = '<!-- end of programs -->\n'

const losses = {
  engine: 'nothing works',
  limits: 'servers have no limits, and cannot be paused',
  network: 'no published ports, and no way to other networks',
  owners: 'files of images have one owner only',
  baseImages: 'no base images from packages',
  nameServer: 'programs that ask a name server do not find servers by name',
} as const

function renderTable(): string {
  const rows = neededPrograms.map(({ names, package: name, loses, neededBy }) => {
    const who = neededBy === 'everybody' ? 'everybody' : 'ordinary users'
    return `| ${names.map((one) => `\`${one}\``).join(' or ')} | ${name} | ${who} | ${losses[loses]} |\n`
  })
  return `| program | package | for | without it |\n| --- | --- | --- | --- |\n${rows.join('')}`
}

const current = await readFile(page, 'utf8')
const from = current.indexOf(begin) + begin.length
const to = current.indexOf(end)
if (from < begin.length || to < from) throw new Error('docs/local.md has no place for the table')
const text = current.slice(0, from) + renderTable() + current.slice(to)
if (process.argv.includes('--check')) {
  if (current !== text) {
    console.error('docs/local.md differs from the list of programs; write it again with: node tools/local-programs.ts')
    process.exitCode = 1
  }
} else {
  await writeFile(page, text)
}
