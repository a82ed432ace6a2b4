import { spawn } from 'node:child_process'
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'

interface Step {
  readonly id?: string
  readonly if?: string
  readonly uses?: string
  readonly run?: string
  readonly 'working-directory'?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, string>>
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>
  readonly outputs?: Readonly<Record<string, { readonly value: string }>>
  readonly runs: { readonly steps: readonly Step[] }
}

export interface Job {
  readonly folder: string
  /** Folder of the caches of all jobs. */
  readonly cache: string
  readonly env: Readonly<Record<string, string>>
  /** Runs a step. Default: as a child of this process. */
  readonly runStep?: RunStep
}

type RunStep = (words: readonly string[], env: NodeJS.ProcessEnv, folder: string) => Promise<StepResult>

interface StepResult {
  readonly exitCode: number
  readonly output: string
}

export interface ActionResult {
  readonly failed: boolean
  /** What all steps have printed. */
  readonly output: string
  readonly outputs: Readonly<Record<string, string>>
  /** Content of the files of the runner, such as GITHUB_ENV. */
  readonly files: Readonly<Record<string, string>>
  /** Files of each artifact that was uploaded. */
  readonly artifacts: Readonly<Record<string, readonly string[]>>
}

type Outputs = Record<string, { outputs: Record<string, string> }>

const runnerFiles = ['GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STEP_SUMMARY'] as const

/**
 * Runs a composite action of this repository as the runner of GitHub does: its own steps with bash, those of
 * `actions/cache` and `actions/upload-artifact` by copying files.
 */
export async function runAction(
  file: string,
  given: Readonly<Record<string, string>>,
  job: Job,
): Promise<ActionResult> {
  const action = parse(await readFile(file, 'utf8')) as Action
  const files = Object.fromEntries(runnerFiles.map((name) => [name, join(job.folder, name)]))
  await Promise.all(Object.values(files).map((path) => writeFile(path, '', { flag: 'a' })))
  const defaults = Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ''])
  const inputs: Record<string, string> = { ...Object.fromEntries(defaults), ...given }
  const steps: Outputs = {}
  const artifacts: Record<string, readonly string[]> = {}
  let failed = false
  let output = ''
  const fill = (text: string): string =>
    text.replaceAll(/\$\{\{(.*?)\}\}/g, (_, expression) => String(evaluate(expression, inputs, steps, failed) ?? ''))
  const fillAll = (texts: Step['with'] = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, fill(text)]))
  const runOwn = async (index: number, step: Step, outputs: Record<string, string>) => {
    const { run = '', env: own, 'working-directory': directory = '.' } = step
    const outputFile = join(job.folder, `output-${index}`)
    await writeFile(outputFile, '')
    const env = { ...job.env, ...files, ...fillAll(own), GITHUB_ACTION_PATH: dirname(file), GITHUB_OUTPUT: outputFile }
    const words = ['bash', '-e', '-o', 'pipefail', '-c', run]
    const ended = await (job.runStep ?? runStep)(words, env, join(job.folder, fill(directory)))
    output += ended.output
    failed ||= ended.exitCode !== 0
    for (const line of (await readFile(outputFile, 'utf8')).split('\n').filter(Boolean))
      outputs[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
  }
  for (const [index, step] of action.runs.steps.entries()) {
    const condition = step.if ?? 'success()'
    const isWanted = evaluate(condition, inputs, steps, failed)
    if (!isWanted || (failed && !/\b(?:failure|always)\(/.test(condition))) continue
    const outputs: Record<string, string> = {}
    steps[step.id ?? `step-${index}`] = { outputs }
    if (step.uses === undefined) await runOwn(index, step, outputs)
    else await useAction(step.uses, fillAll(step.with), outputs, artifacts, job.cache)
  }
  const found = Object.entries(action.outputs ?? {}).map(([name, { value }]) => [name, fill(value)])
  const texts = await Promise.all(
    Object.entries(files).map(async ([name, path]) => [name, await readFile(path, 'utf8')]),
  )
  return { failed, output, outputs: Object.fromEntries(found), files: Object.fromEntries(texts), artifacts }
}

/** Expressions of GitHub are, as far as the action has them, those of JavaScript. */
function evaluate(expression: string, inputs: object, steps: Outputs, failed: boolean): unknown {
  const words = expression
    .trim()
    .replaceAll(/\.(\w+(?:-\w+)+)/g, "['$1']")
    .replaceAll(/steps\.(\w+)/g, "step('$1')")
  const known = {
    inputs,
    step: (id: string) => steps[id] ?? { outputs: {} },
    toJSON: (value: unknown) => JSON.stringify(value, null, 2),
    failure: () => failed,
    success: () => !failed,
  }
  return new Function(...Object.keys(known), `return ${words}`)(...Object.values(known))
}

async function useAction(
  uses: string,
  settings: Readonly<Record<string, string>>,
  outputs: Record<string, string>,
  artifacts: Record<string, readonly string[]>,
  cache: string,
): Promise<void> {
  const [name] = uses.split('@')
  const { path = '', key = '' } = settings
  await mkdir(cache, { recursive: true })
  if (name === 'actions/cache/restore') {
    const kept = await readdir(cache)
    const found = [key, settings['restore-keys'] ?? key].flatMap((start) =>
      kept.filter((one) => one.startsWith(start)),
    )[0]
    if (found !== undefined) await copyFile(join(cache, found), path)
    outputs['cache-hit'] = found === undefined ? '' : String(found === key)
  } else if (name === 'actions/cache/save') await copyFile(path, join(cache, key))
  else if (name === 'actions/upload-artifact') {
    const isThere = await stat(path).then(
      () => true,
      () => false,
    )
    if (isThere) artifacts[settings.name ?? ''] = (await readdir(path, { recursive: true })).sort()
  } else throw new Error(`${uses} is not known here`)
}

async function runStep(words: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Promise<StepResult> {
  const [program = '', ...rest] = words
  const child = spawn(program, rest, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const exitCode = await new Promise<number>((end) => child.once('close', (code) => end(code ?? 1)))
  return { exitCode, output }
}

/** The process of a runner in which the steps of a job run, and which ends with the job. Its file has the given path. */
export async function startJobProcess(path: string): Promise<{ readonly runStep: RunStep; end(): void }> {
  await copyFile('/bin/sh', path)
  const loop = 'while read -r script; do sh "$script" > "$script.out" 2>&1 < /dev/null; echo $?; done'
  const child = spawn(path, ['-c', loop], { stdio: ['pipe', 'pipe', 'inherit'] })
  const codes = child.stdout.setEncoding('utf8')[Symbol.asyncIterator]()
  const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
  let count = 0
  return {
    async runStep(words, env, folder) {
      count += 1
      const script = `${path}-${count}`
      const variables = Object.entries(env).map(([name, value = '']) => `export ${name}=${quote(value)}\n`)
      await writeFile(script, `cd ${quote(folder)}\n${variables.join('')}exec ${words.map(quote).join(' ')}\n`)
      child.stdin.write(`${script}\n`)
      const { value } = await codes.next()
      return { exitCode: Number(value), output: await readFile(`${script}.out`, 'utf8') }
    },
    end: () => void child.stdin.end(),
  }
}
