import { formatSeconds, run } from './run.ts'

const depcruise = ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.mjs']

/** Checks of the source, each by one tool; all run at once. */
const checks: Record<string, readonly [string, ...string[]]> = {
  'format, lint': ['biome', 'check', '--error-on-warnings', '--diagnostic-level=warn'],
  types: ['node', 'node_modules/typescript/bin/tsc', '--project', '.', '--pretty', 'false'],
  imports: ['node', '--import', './tools/check/typescript-6.ts', ...depcruise, 'src', 'tests', 'bench', 'examples'],
  'dead code': ['knip', '--no-progress', '--treat-config-hints-as-errors'],
  'fleet file reference': ['node', 'tools/reference.ts', '--check'],
  'table of findings': ['node', 'tools/findings.ts', '--check'],
  'programs of the local engine': ['node', 'tools/local-programs.ts', '--check'],
  catalogue: ['node', 'tools/catalogue.ts', '--check'],
  'types of presets': ['node', 'tools/preset-types.ts', '--check'],
  'API reference': ['node', 'tools/api-reference.ts', '--check'],
  words: ['node', 'tools/words.ts'],
  'lock file': ['node', 'tools/lock-file.ts', '--check'],
}

const results = await Promise.all(
  Object.entries(checks).map(async ([what, command]) => {
    const { exitCode, output, tookMs } = await run(command)
    const line = `${exitCode === 0 ? 'ok    ' : 'FAILED'} ${what} (${formatSeconds(tookMs)})\n`
    process.stdout.write(exitCode === 0 ? line : `${line}${output.trimEnd()}\n\n`)
    return exitCode
  }),
)
process.exitCode = results.every((exitCode) => exitCode === 0) ? 0 : 1
