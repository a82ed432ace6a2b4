/**
 * Writes the table of docs/audit.md from the catalogue of findings: `node tools/findings.ts`. With `--check` it writes
 * nothing, and fails when the table is outdated.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { catalogue } from '../src/audit/catalogue.ts'
import { findingIds, severities } from '../src/model/finding.ts'

const page = new URL('../docs/audit.md', import.meta.url)
const begin = '<!-- findings: made by `node tools/findings.ts` -->\n'
const end = '<!-- end of findings -->\n'

function renderTable(): string {
  const rows = severities.toReversed().flatMap((severity) =>
    findingIds
      .filter((id) => catalogue[id].severity === severity)
      .map((id) => {
        const { title, why, hint, cwe } = catalogue[id]
        const number = cwe.slice('CWE-'.length)
        const link = `[${number}](https://cwe.mitre.org/data/definitions/${number}.html)`
        return `| \`${id}\` | ${severity} | ${title}. ${why} | ${hint} | ${link} |\n`
      }),
  )
  return `| id | severity | what, and why | what to do | CWE |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`
}

const current = await readFile(page, 'utf8')
const from = current.indexOf(begin) + begin.length
const to = current.indexOf(end)
if (from < begin.length || to < from) throw new Error('docs/audit.md has no place for the table')
const text = current.slice(0, from) + renderTable() + current.slice(to)
if (process.argv.includes('--check')) {
  if (current !== text) {
    console.error('docs/audit.md differs from the catalogue; write it again with: node tools/findings.ts')
    process.exitCode = 1
  }
} else {
  await writeFile(page, text)
}
