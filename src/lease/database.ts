import { randomBytes } from 'node:crypto'
import type { CallOptions } from '../engine/engine.ts'
import { TestfleetError } from '../model/failures.ts'
import { type DatabaseRecipe, fillLine } from '../model/lending.ts'
import type { OwnValue } from '../model/own-value.ts'
import type { Console } from './console.ts'
import { openConsoles } from './consoles.ts'
import { openDropLater } from './drop-later.ts'
import type { CloseOptions } from './lendable.ts'
import { openStock } from './stock.ts'
import { type LeaseTarget, type LeaseTools, StepFailure, type TargetSpec } from './target.ts'

/** Databases of one server, each for one lease, made before they are asked for and dropped afterwards. */
export interface Databases {
  /** Resolves with a pristine database that nobody has had. Fails with DATABASE_FAILED. */
  take(options?: CallOptions): Promise<LeasedDatabase>
  /**
   * Takes it from its clients, and drops it in the background: at once, or later if the recipe can close it. Tries again later
   * if that fails. Does nothing for an unknown name.
   */
  release(name: string): void
  /** Number of databases that are ready to be taken, and of those that are not dropped yet. */
  status(): { readonly ready: number; readonly dropping: number }
  /** Drops every database that was made, as far as the server still runs. Leaves them to a server that is just ending. */
  close(options?: CloseOptions): Promise<void>
}

export interface LeasedDatabase {
  readonly name: string
  /** What the server's record says, with the name of this database. */
  readonly spec: TargetSpec
}

/** Name of the copy of which all leases are copies. A recipe keeps it when it is there already. */
const TEMPLATE = 'lease_template'
/** Consoles that work at the same time. */
const CONSOLES = 2
/** Time in which the holder of a database usually connects to it. */
const PAUSE_MS = 20
/** What is kept of databases that are closed. Their files also have to be removed with the server. */
const MOST_KEPT = { things: 256, bytes: 1024 ** 3 }
/** How long nobody asks for a database before closed ones are dropped. */
const IDLE_MS = 1000

export function openDatabases(target: LeaseTarget, { size }: { readonly size: number }, tools: LeaseTools): Databases {
  const recipe = recipeOf(target)
  const console = openConsoles(CONSOLES, target, recipe.console, tools)
  const ask = (what: string, lines: readonly string[], name: string): Promise<string> =>
    askLines(console, recipe, { what, lines, name, server: target.server })
  const dropper = openDropLater({
    async close(name) {
      if (recipe.close === undefined) throw new Error('the recipe cannot close a database')
      return readSize(await ask('closing a database', recipe.close, name))
    },
    async drop(name) {
      await ask('dropping a database', recipe.drop, name)
    },
    most: MOST_KEPT,
    idleMs: IDLE_MS,
    isBusy: () => stock.isBusy,
  })
  const drop = (name: string): void => dropper.release(name)
  const lent = new Set<string>()
  let made: Promise<string> | undefined
  const make = async (): Promise<string> => {
    const name = `lease_${randomBytes(8).toString('hex')}`
    await template()
    await ask('making a database', recipe.create, name)
    return name
  }
  const closed = () => new TestfleetError('DATABASE_FAILED', `${target.server} lends no databases any more`)
  const stock = openStock({ size, makers: CONSOLES, pauseMs: PAUSE_MS, make, drop, closed })
  function template(): Promise<string> {
    made ??= ask('making the template of its databases', recipe.template, TEMPLATE)
    made.catch(() => {
      made = undefined
    })
    return made
  }

  return {
    async take({ signal } = {}) {
      dropper.postpone()
      const name = await stock.take(signal)
      lent.add(name)
      return { name, spec: withDatabase(target.spec, name) }
    },
    release(name) {
      if (lent.delete(name)) drop(name)
    },
    status: () => ({ ready: stock.ready, dropping: dropper.left }),
    async close({ isServerEnding = false } = {}) {
      if (isServerEnding) console.kill()
      for (const name of [...(await stock.close()), ...lent]) drop(name)
      lent.clear()
      await dropper.close()
      await console.close()
    },
  }
}

interface Lines {
  readonly what: string
  readonly lines: readonly string[]
  /** The database that they make or drop. */
  readonly name: string
  readonly server: string
}

/** Resolves with the answer before the mark. */
async function askLines(
  console: Console,
  recipe: DatabaseRecipe,
  { what, lines, name, server }: Lines,
): Promise<string> {
  const mark = `done-${randomBytes(8).toString('hex')}`
  const values = { name: recipe.name, template: TEMPLATE, database: name }
  const filled = [...lines.map((line) => fillLine(line, values)), fillLine(recipe.mark, { mark })]
  const send = filled.map((line) => `${line}\n`).join('')
  try {
    const answer = await console.ask({ send, expect: mark, timeoutMs: recipe.console.timeoutMs })
    return answer.slice(0, -mark.length)
  } catch (error) {
    throw error instanceof StepFailure ? error.toFailure('DATABASE_FAILED', server, what) : error
  }
}

function readSize(answer: string): number {
  const [, digits] = /(\d+)\s*$/.exec(answer) ?? []
  if (digits === undefined) throw new Error('the lines that close a database print no size')
  return Number(digits)
}

function recipeOf({ server, spec }: LeaseTarget): DatabaseRecipe {
  const recipe = spec.lending?.database
  if (recipe === undefined) throw new TestfleetError('DATABASE_FAILED', `${server} has no key \`database\``)
  return recipe
}

/** The record of a server whose database is another one, for everything that names it. */
function withDatabase(spec: TargetSpec, name: string): TargetSpec {
  const { lending, execEnvironment } = spec
  const rename = (value: OwnValue): OwnValue =>
    value.kind === 'text' && value.isDatabase ? { ...value, text: name } : value
  return {
    ...spec,
    ...(lending?.database && { lending: { ...lending, database: { ...lending.database, name } } }),
    ...(execEnvironment && {
      execEnvironment: Object.fromEntries(Object.entries(execEnvironment).map(([key, value]) => [key, rename(value)])),
    }),
  }
}
