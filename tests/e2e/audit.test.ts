import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import schema from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' }
import ajv from 'ajv-draft-04'
import addFormats from 'ajv-formats'
import { afterEach, describe, expect, test } from 'vitest'
import { type CommandResult, makeFleetFolder, removeFleetFolders, runTestfleet } from '../support/command.ts'
import { wideIf } from '../support/tiers.ts'

const root = join(import.meta.dirname, '../..')

afterEach(removeFleetFolders)

/** No engine answers there: the audit asks none. */
function check(cwd: string, ...words: readonly string[]): Promise<CommandResult> {
  return runTestfleet(['check', ...words], { cwd, env: { DOCKER_HOST: 'unix:///nowhere.sock' } })
}

const risky = `servers:
  db:
    image: postgres:17
    environment: { POSTGRES_PASSWORD: hunter2-is-not-told }
    ports: [5432]
    ignore:
      - { id: runs-as-root, reason: its image has its own user }
  helper:
    build: { dockerfile: build/Dockerfile }
    unsafe: { privileged: true }
    ready: [{ exec: [x] }]
`
const files = { 'testfleet.yaml': risky, 'build/Dockerfile': 'FROM debian:12\n\nRUN curl https://a.example | sh\n' }

test('check prints what docs/audit.md shows for its example', async () => {
  const page = await readFile(join(root, 'docs/audit.md'), 'utf8')
  const [, fleet = ''] = /```yaml\n(# testfleet\.yaml\n.*?)```/s.exec(page) ?? []
  const [, printed] = /```console\n\$ testfleet check\n(.*?)```/s.exec(page) ?? []
  const folder = await makeFleetFolder({ 'testfleet.yaml': fleet })
  expect(await check(folder)).toMatchObject({ exitCode: 0, stdout: printed, stderr: '' })
})

test('the text report lists the worst finding first, each with its line, and has colours with --color', async () => {
  const folder = await makeFleetFolder(files)
  const { stdout, exitCode } = await check(folder)
  expect(exitCode).toBe(0)
  const lines = stdout.split('\n').filter((line) => !line.startsWith('    '))
  expect(lines.slice(0, 4)).toEqual([
    'testfleet.yaml is valid: 2 servers',
    'testfleet.yaml:10:27  critical  privileged  helper: it is privileged',
    'build/Dockerfile:3:1  high  pipe-to-shell  helper: the step runs a download without verification',
    'testfleet.yaml:4:39  high  secret-in-environment  db: the variable POSTGRES_PASSWORD contains a secret as plain text',
  ])
  expect(lines.at(-2)).toMatch(/^\d+ findings: 1 critical, 2 high, \d+ low; 1 ignored$/)
  expect(stdout).not.toContain('hunter2')
  const colored = await check(folder, '--color')
  expect(colored.stdout).toContain('\u001b[31mhigh\u001b[39m')
})

test('--fail-on fails for findings of this severity or worse, and for no others', async () => {
  const folder = await makeFleetFolder(files)
  expect((await check(folder, '--fail-on', 'critical')).exitCode).toBe(1)
  const { stdout } = await check(folder, '--json')
  const { findings } = JSON.parse(stdout) as { findings: { severity: string }[] }
  const isBad = ({ severity }: { severity: string }): boolean => severity !== 'low'
  expect(findings.filter(isBad)).toHaveLength(3)
  const mild = await makeFleetFolder({ 'testfleet.yaml': 'servers: { a: { image: "a:1", ports: [81] } }\n' })
  expect(await check(mild, '--fail-on', 'medium')).toMatchObject({ exitCode: 0 })
  expect(await check(mild, '--fail-on', 'low')).toMatchObject({ exitCode: 1 })
  expect(await check(mild, '--fail-on', 'worst')).toMatchObject({
    exitCode: 2,
    stderr: 'error: --fail-on takes low, medium, high or critical, not "worst"\nhint: See `testfleet check --help`.\n',
  })
})

test('the JSON report has each finding with its position, and each ignored finding with the reason', async () => {
  const folder = await makeFleetFolder(files)
  const { stdout } = await check(folder, '--format', 'json')
  const { findings, ignored } = JSON.parse(stdout)
  expect(findings[0]).toEqual({
    id: 'privileged',
    severity: 'critical',
    server: 'helper',
    file: 'testfleet.yaml',
    line: 10,
    column: 27,
    message: 'it is privileged',
    why: expect.stringMatching(/./),
    hint: expect.stringMatching(/./),
    cwe: 'CWE-250',
  })
  expect(ignored).toEqual([
    expect.objectContaining({ id: 'runs-as-root', server: 'db', reason: 'its image has its own user' }),
  ])
  expect(stdout).not.toContain('hunter2')
})

/** The one run of a SARIF log, which is as its schema says. */
function readSarif(text: string) {
  const sarif = JSON.parse(text)
  const validator = new ajv.default({ strict: false, allErrors: true, unicodeRegExp: false })
  addFormats.default(validator)
  const validate = validator.compile(schema)
  validate(sarif)
  expect(validate.errors).toBeNull()
  expect(sarif.runs).toHaveLength(1)
  return sarif.runs[0]
}

test('the SARIF report matches its schema, and marks ignored findings as suppressed', async () => {
  const folder = await makeFleetFolder(files)
  const { results, tool } = readSarif((await check(folder, '--format', 'sarif')).stdout)
  // Of several, the ignored one is the last.
  const result = (id: string) => results.findLast(({ ruleId }: { ruleId: string }) => ruleId === id)
  expect(tool.driver.rules[result('pipe-to-shell').ruleIndex].id).toBe('pipe-to-shell')
  expect(result('pipe-to-shell')).toMatchObject({
    level: 'error',
    locations: [
      { physicalLocation: { artifactLocation: { uri: 'build/Dockerfile' }, region: { startLine: 3, startColumn: 1 } } },
    ],
  })
  expect(result('pipe-to-shell').suppressions).toBeUndefined()
  expect(result('runs-as-root').suppressions).toEqual([
    { kind: 'inSource', status: 'accepted', justification: 'its image has its own user' },
  ])
})

test('an ignore entry with an unknown id or without a reason is a mistake in the fleet file', async () => {
  const folder = await makeFleetFolder({
    'testfleet.yaml':
      'ignore: [{ id: run-as-root, reason: because it is so }, { id: privileged, reason: why not }]\nservers: { a: { image: "a:1" } }\n',
  })
  expect(await check(folder)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: `error: the fleet file has 2 mistakes; nothing was touched
  testfleet.yaml:1:16: ignore[0].id: there is no "run-as-root"; did you mean \`runs-as-root\`?
  testfleet.yaml:1:83: ignore[1].reason: must be a reason of at least 10 characters, not "why not"
`,
  })
})

describe('a fleet file with mistakes', () => {
  const wrong = { 'testfleet.yaml': 'servers:\n  a: { image: "a:1", port: 80 }\n  b: { image: "b:1", cpus: 1 }\n' }

  for (const words of ['--json', '--format json', '--json --format json'])
    test(`is reported as JSON with ${words}`, wideIf(words === '--format json'), async () => {
      const { exitCode, stdout, stderr } = await check(await makeFleetFolder(wrong), ...words.split(' '))
      expect(exitCode).toBe(2)
      const { error } = JSON.parse(stdout)
      expect(error).toMatchObject({ code: 'FLEET_FILE_INVALID', file: 'testfleet.yaml', line: 2 })
      expect(error.mistakes).toHaveLength(2)
      expect(stderr).toContain('the fleet file has 2 mistakes')
    })

  test('is reported as SARIF, each mistake with its position', async () => {
    const { exitCode, stdout } = await check(await makeFleetFolder(wrong), '--format', 'sarif')
    expect(exitCode).toBe(2)
    const { results, tool, invocations } = readSarif(stdout)
    expect(invocations).toEqual([{ executionSuccessful: false, exitCode: 2 }])
    const place = (startLine: number, startColumn: number): object => ({
      physicalLocation: { artifactLocation: { uri: 'testfleet.yaml' }, region: { startLine, startColumn } },
    })
    expect(results).toMatchObject([
      { level: 'error', message: { text: expect.stringMatching(/^servers\.a\.port: /) }, locations: [place(2, 22)] },
      { level: 'error', message: { text: expect.stringMatching(/^servers\.b\.cpus: /) }, locations: [place(3, 22)] },
    ])
    expect(tool.driver.rules[results[0].ruleIndex].id).toBe('FLEET_FILE_INVALID')
  })

  test('that does not exist is reported in SARIF as a notification of the tool', async () => {
    const { exitCode, stdout } = await check(await makeFleetFolder({}), '--format', 'sarif', '-f', 'none.yaml')
    expect(exitCode).toBe(2)
    const { results, invocations } = readSarif(stdout)
    expect(results).toEqual([])
    expect(invocations[0].toolExecutionNotifications).toEqual([
      expect.objectContaining({ descriptor: { id: 'FLEET_FILE_NOT_FOUND' }, level: 'error' }),
    ])
  })
})

test('the examples have no findings of severity medium or above, except ignored ones', async () => {
  const members = await readdir(join(root, 'examples'), { withFileTypes: true })
  // The files for CI systems have no fleet.
  const names = members.filter((member) => member.isDirectory() && member.name !== 'ci').map(({ name }) => name)
  expect(names).toContain('web')
  for (const name of names) {
    const result = await check(join(root, 'examples', name), '--fail-on', 'medium')
    expect(result, result.stdout).toMatchObject({ exitCode: 0 })
  }
})
