import type { Hook } from './hook.ts'

/** How a lease is kept apart from all others, in the words of the fleet file. */
export const isolations = ['container', 'reset', 'database'] as const

export type Isolation = (typeof isolations)[number]

/** How pristine copies of a server are made and lent. None of it is part of the container's digest. */
export interface Lending {
  readonly isolation: Isolation
  readonly pool?: Pool | undefined
  /** Brings the server back to the state that it had when it became ready. Empty: clients can change nothing. */
  readonly reset?: readonly ResetStep[] | undefined
  /** Commands of the server's `postStart`, which run again after a reset. Left out when there are none. */
  readonly postStart?: readonly Hook[] | undefined
  readonly database?: DatabaseRecipe | undefined
}

export interface Pool {
  readonly size: number
  /** Whether copies that nobody uses are paused. */
  readonly isPaused: boolean
}

export const MOST_COPIES = 64

/** More steps belong into a script. */
export const MOST_STEPS = 32

interface StepHook extends Hook {
  /** False: the step leaves the server's program running and answering. Left out where it may not. */
  readonly restarts?: false | undefined
}

/** The command of a console step stays open, and is shared by all steps with the same command, user and variables. */
export type ResetStep =
  | (StepHook & { readonly kind: 'exec' })
  | (StepHook & {
      readonly kind: 'console'
      /** Text for its standard input, with a line feed at its end. */
      readonly send: string
      /** The step has succeeded once the answer contains this text. */
      readonly expect: string
      /** The step has failed once the answer contains this text. */
      readonly fail: string | undefined
    })

/**
 * How databases are copied inside one server. Each list is lines for the console. In them, `${name}` is the server's own
 * database, `${template}` the copy that is never changed, and `${database}` the one that is made or dropped.
 */
export interface DatabaseRecipe {
  /** The server's own database. */
  readonly name: string
  /** A program that reads lines, and ends when one of them fails. */
  readonly console: Hook
  /** A line for the console that prints `${mark}`. */
  readonly mark: string
  readonly template: readonly string[]
  readonly create: readonly string[]
  /**
   * Lines that take a database from its clients and print its size in bytes, so that it can be dropped later. Without them, it
   * is dropped at once.
   */
  readonly close?: readonly string[] | undefined
  readonly drop: readonly string[]
}

/** How long one step, or one answer, may take when its `timeout` does not say it, in milliseconds. */
export const stepTimeoutMs = { reset: 10_000, database: 60_000 } as const

/** The words of which a line of a `database` recipe can have the value, and the lists that know them. */
export const placeholders = {
  mark: ['mark'],
  template: ['name', 'template'],
  create: ['name', 'template', 'database'],
  close: ['name', 'template', 'database'],
  drop: ['name', 'template', 'database'],
} as const

/** Puts the values in place of `${…}`. Others stay as they are. */
export function fillLine(line: string, values: Readonly<Record<string, string>>): string {
  return line.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  )
}
