import { glob, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

/** The files that start a process, with the one call that they do it with, and why they do. */
const starters: Readonly<Record<string, { readonly call: string; readonly why: string }>> = {
  'names/run-program.ts': { call: 'spawn', why: 'the command of `testfleet run`, which the user has typed' },
  'names/read-streams.ts': { call: 'execFile', why: 'mkfifo of coreutils, for the output of that command' },
  'names/guard-command.ts': { call: 'spawn', why: 'what ends that command when testfleet is killed' },
  'names/ignored-signals.ts': { call: 'spawn', why: 'env of coreutils, around that command' },
  'names/namespace.ts': { call: 'spawn', why: 'unshare, nsenter and mount of util-linux, around that command' },
  'engine/docker/credential-helper.ts': { call: 'spawn', why: 'the credential helper that the Docker config names' },
  'engine/local/programs.ts': {
    call: 'spawn',
    why: 'the programs that do the work of the local engine: an OCI runtime, mount, ip and tar',
  },
  'sessions/keeper/client.ts': { call: 'spawn', why: 'the keeper, by the path of this very program' },
  'lender/client.ts': { call: 'spawn', why: 'the lender, by the path of this very program' },
  'runtime/processes/client.ts': { call: 'spawn', why: 'the supervisor, by the path of this very program' },
  'runtime/processes/supervisor/start-program.ts': {
    call: 'spawn',
    why: 'the program of a server without a container, with mkfifo of coreutils for its output',
  },
  'runtime/processes/supervisor/guard.ts': {
    call: 'spawn',
    why: 'xargs, which calls the supervisor again when it was killed',
  },
  'runtime/processes/exec-process.ts': { call: 'spawn', why: 'a command next to such a server' },
  'cli/raw-terminal.ts': { call: 'spawnSync', why: 'stty, for `exec` at a terminal' },
  'sessions/processes.ts': { call: 'execFileSync', why: 'ps and sysctl of a system without /proc' },
}

async function readSource(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for await (const path of glob('**/*.ts', { cwd: import.meta.dirname }))
    if (!path.endsWith('.test.ts')) files.set(path, await readFile(`${import.meta.dirname}/${path}`, 'utf8'))
  return files
}

test('only the listed files can start a process, each with one call', async () => {
  const found: Record<string, string[]> = {}
  for (const [path, text] of await readSource()) {
    // Imported, required, or loaded later.
    if (!/child_process/.test(text)) continue
    found[path] = [...text.matchAll(/import \{ ([^}]*) \} from 'node:child_process'/g)].map(([, names = '']) =>
      names.replaceAll(/\btype \w+, /g, ''),
    )
  }
  expect(found).toEqual(Object.fromEntries(Object.entries(starters).map(([path, { call }]) => [path, [call]])))
})

test('no file starts a shell', async () => {
  const source = await readSource()
  for (const [path, { why }] of Object.entries(starters))
    expect(
      source.get(path)?.match(/\bshell\s*[:,}]|\bwindowsVerbatimArguments\b|\b(?:ba)?sh\b['"]/) ?? null,
      `${path}: ${why}`,
    ).toBeNull()
})

test('no computed text is run as code', async () => {
  const source = await readSource()
  const found = [...source].flatMap(([path, text]) =>
    (
      text.match(
        /\beval\(|\bnew Function\b|\bFunction\(|['"](?:node:)?(?:vm|cluster|worker_threads)['"]|\bprocess\.binding\b/g,
      ) ?? []
    ).map((use) => `${path}: ${use}`),
  )
  // A thread that can be ended in the middle of a pattern; the pattern comes to it as data.
  const matcher = 'patterns/match-pattern.ts'
  // Looks whether it is in a thread itself.
  const integration = 'integrations/vitest.ts'
  expect(source.get(integration)).toContain("import { isMainThread } from 'node:worker_threads'")
  const users = [matcher, integration].map((path) => `${path}: 'node:worker_threads'`)
  expect(new Set(found)).toEqual(new Set(users))
  const [, program] = /\nconst program = `([^`]*)`\n/.exec(source.get(matcher) ?? '') ?? []
  expect(program).toContain('new RegExp(source, flags)')
  expect(program).not.toContain('${')
})

test('only a fleet file that is a module is imported by a computed path', async () => {
  const found = [...(await readSource())].flatMap(([path, text]) =>
    [...text.matchAll(/(?<![\w.])(?:import|require)\((?!')[^)]*\)/g)].map(([use]) => `${path}: ${use}`),
  )
  expect(found).toEqual(['config/load-fleet.ts: import(pathToFileURL(path)'])
})
