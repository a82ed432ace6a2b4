import type { FleetFile, LeasedServer, RunningFleet, RunningServer, ServerNames } from '../index.ts'
import { beginStackAt, explain } from './explain-failure.ts'
import { Testfleet, TestfleetError } from './library.ts'
import type { Per } from './open-fleet.ts'
import type { Lease } from './test-scope.ts'

/** What a test gets besides the servers. */
export interface FleetFixture<F extends FleetFile = FleetFile> {
  readonly fleet: RunningFleet<F>
  /** Leases a pristine server for the rest of the test. */
  readonly lease: Lease<F>
}

/** Names of the servers that are fixtures: those that are a word of the language, and have no other meaning. */
export type FixtureNames<F extends FleetFile, Reserved extends string = never> =
  string extends ServerNames<F> ? never : Exclude<WithoutDash<ServerNames<F>>, Reserved | keyof FleetFixture>

type WithoutDash<Name extends string> = Name extends `${string}-${string}` ? never : Name

/** What a test gets. With `per: 'test'`, its servers are leases. */
export type FleetFixtures<F extends FleetFile, P extends Per, Reserved extends string = never> = FleetFixture<F> & {
  readonly [N in FixtureNames<F, Reserved>]: P extends 'test'
    ? LeasedServer<F, N & ServerNames<F>>
    : RunningServer<F, N & ServerNames<F>>
}

/** Returns the names of the servers that are fixtures; none when only the path of the fleet is known. */
export function fixtureNames(source: unknown, reserved: readonly string[] = []): string[] {
  if (typeof source !== 'object' || source === null || !('servers' in source)) return []
  const taken = new Set(['fleet', 'lease', ...reserved])
  return Object.keys(source.servers as object).filter((name) => /^[a-z][a-z0-9]*$/.test(name) && !taken.has(name))
}

/** The failure of a test that asks for a fixture that is no server. */
export function unknownFixture(name: string, source: unknown, known: readonly string[]): TestfleetError {
  const byPath = `Use \`fleet.server('${name}')\`: a fleet that is given by its path has no fixtures for its servers.`
  const nearest = Testfleet.findNearest(name, known)
  const guess = nearest === undefined ? '' : `Did you mean ${nearest}? `
  const hint = typeof source === 'object' ? `${guess}The fixtures of this fleet are ${known.join(', ')}.` : byPath
  return explain(new TestfleetError('UNKNOWN_SERVER', `there is no fixture ${name}`, { hint }))
}

/** Names that are read from any object, by those who print or await it. */
const neutral = /^(?:then|toJSON|asymmetricMatch|nodeType|tagName|_.*|\$.*|@.*)$/

/** Returns the same object, except that it throws when a name is read that it does not have. */
export function refuseUnknown(fixtures: object, refuse: (name: string) => Error): object {
  const get = function get(target: object, key: string | symbol, receiver: unknown): unknown {
    if (typeof key === 'string' && !(key in target) && !neutral.test(key)) throw beginStackAt(get, refuse(key))
    return Reflect.get(target, key, receiver)
  }
  return new Proxy(fixtures, { get })
}

/** Returns the names that a test takes from its first parameter; undefined when that is not written as `{ db, … }`. */
export function usedFixtures(test: (...args: never[]) => unknown): string[] | undefined {
  const [, list] = /^(?:async\b)?\s*(?:function\b[^(]*)?\(?\s*\{([^{}]*)\}/.exec(String(test)) ?? []
  if (list === undefined && test.length === 0) return []
  if (list === undefined || list.includes('...')) return undefined
  const names = list.split(',').map((part) => /[\w$-]+/.exec(part)?.[0])
  return names.filter((name) => name !== undefined)
}
