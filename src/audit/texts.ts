import { splitAssignments } from '../formats/dockerfile.ts'
import type { FindingId } from '../model/finding.ts'
import type { EnvironmentValue, FieldPath, ReadyCheck, Server } from '../model/fleet.ts'
import { hookKinds } from '../model/hook.ts'
import type { Dockerfile, Place, Subject } from './subject.ts'
import { listSteps, recipesOf, type Steps } from './walk.ts'

/** A text of the fleet that can contain a secret. */
export interface PlacedText {
  /** Id of the finding for a secret in it. */
  readonly id: FindingId
  readonly server: string | undefined
  readonly at: Place
  /** For messages: `the variable DB_PASSWORD`. */
  readonly what: string
  readonly text: string
  /** Its name, if that says what it is. */
  readonly name?: string
}

/** Returns every text of the fleet file, its Dockerfiles and its copied files that can contain a secret. */
export function* listTexts({ fleet, files, dockerfiles }: Subject): Iterable<PlacedText> {
  for (const server of fleet.servers.values()) yield* listInServer(server)
  for (const steps of listSteps(fleet)) yield* listInSteps(steps)
  for (const { server, at, shown, text } of files) {
    if (text !== undefined) yield { id: 'secret-in-copied-file', server, at: { value: at }, what: shown, text }
  }
  for (const dockerfile of dockerfiles) yield* listInDockerfile(dockerfile)
}

function* listInServer(server: Server): Iterable<PlacedText> {
  yield* listEnvironment(server)
  yield* listNamed('secret-in-label', 'label', server.name, ['servers', server.name, 'labels'], server.labels)
  yield* listNamed('secret-in-export', 'variable', server.name, ['servers', server.name, 'export'], server.export)
  for (const { at, argumentList } of listCommands(server)) {
    const what = `an argument of ${wordCommand(at)}`
    for (const [index, text] of argumentList.entries())
      yield { id: 'secret-in-command', server: server.name, at: { value: [...at, index] }, what, text }
  }
  for (const recipe of recipesOf(server)) {
    if (recipe.kind === 'dockerfile')
      yield* listNamed('secret-in-build', 'build argument', server.name, [...recipe.at, 'args'], recipe.args)
  }
}

function* listInSteps({ server, at, steps }: Steps): Iterable<PlacedText> {
  yield* listNamed('secret-in-build', 'variable', server, [...at, 'environment'], steps.environment)
  for (const [index, { source, to }] of steps.copy.entries()) {
    if (source.kind !== 'content') continue
    const place = { value: [...at, 'copy', index, 'content'] }
    yield { id: 'secret-in-content', server, at: place, what: `the text of ${to}`, text: source.content }
  }
  for (const [index, text] of steps.run.entries())
    yield { id: 'secret-in-run', server, at: { value: [...at, 'run', index] }, what: 'the step', text }
}

function* listEnvironment(server: Server): Iterable<PlacedText> {
  const at: FieldPath = ['servers', server.name]
  const own = [...server.environment].flatMap(([name, value]) =>
    value.kind === 'text' && value.from === undefined ? [[name, value] as const] : [],
  )
  yield* listLiterals(server, [...at, 'environment'], own)
  yield* listLiterals(server, [...at, 'execEnvironment'], [...server.execEnvironment])
  for (const kind of hookKinds)
    for (const [index, hook] of server[kind].entries()) {
      // Those of `execEnvironment` are in it, too.
      const added = Object.entries(hook.environment).filter(
        ([name, value]) => server.execEnvironment.get(name) !== value,
      )
      yield* listLiterals(server, [...at, kind, index, 'environment'], added)
    }
}

function listLiterals(server: Server, at: FieldPath, values: readonly (readonly [string, EnvironmentValue])[]) {
  const literals = values.flatMap(([name, value]) => (value.kind === 'text' ? [[name, value.text] as const] : []))
  return listNamed('secret-in-environment', 'variable', server.name, at, new Map(literals))
}

function* listNamed(
  id: FindingId,
  kind: string,
  server: string | undefined,
  at: FieldPath,
  texts: ReadonlyMap<string, string>,
): Iterable<PlacedText> {
  for (const [name, text] of texts)
    yield { id, server, at: { value: [...at, name] }, what: `the ${kind} ${name}`, text, name }
}

function* listInDockerfile({ server, file, instructions }: Dockerfile): Iterable<PlacedText> {
  for (const instruction of instructions) {
    const { line, keyword, rest } = instruction
    const at = { position: { file, line, column: 1 } }
    if (keyword === 'ENV' || keyword === 'ARG' || keyword === 'LABEL') {
      const id = keyword === 'LABEL' ? 'secret-in-label' : 'secret-in-build'
      for (const [name, text] of splitAssignments(instruction))
        yield { id, server, at, what: `${keyword} ${name}`, text, name }
    } else {
      const id = keyword === 'CMD' || keyword === 'ENTRYPOINT' ? 'secret-in-command' : 'secret-in-run'
      yield { id, server, at, what: keyword, text: rest }
    }
  }
}

export interface Command {
  readonly at: FieldPath
  readonly argumentList: readonly string[]
}

/** Commands that are run in a server, as lists of arguments. */
export function listCommands(server: Server): Command[] {
  const at: FieldPath = ['servers', server.name]
  const found: Command[] = []
  if (server.entrypoint !== undefined) found.push({ at: [...at, 'entrypoint'], argumentList: server.entrypoint })
  if (server.runs.kind === 'process') found.push({ at: [...at, 'process'], argumentList: server.runs.command })
  if (server.command !== undefined) found.push({ at: [...at, 'command'], argumentList: server.command })
  server.ready.forEach((check: ReadyCheck, index) => {
    if (check.kind === 'exec') found.push({ at: [...at, 'ready', index, 'exec'], argumentList: check.command })
  })
  for (const kind of hookKinds)
    server[kind].forEach(({ command: argumentList }, index) => {
      found.push({ at: [...at, kind, index], argumentList })
    })
  return found
}

function wordCommand(at: FieldPath): string {
  return at[2] === 'ready' ? 'a ready check' : `\`${String(at[2])}\``
}
