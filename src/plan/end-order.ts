/** A server that is to end, as far as the order matters. */
export interface EndingServer {
  /** Id of its container or process. */
  readonly id: string
  readonly name: string
  /** Whether it may work until its end: it gets its stop signal and time, or runs `preStop` commands. */
  readonly isGraceful: boolean
}

export type DependenciesOf = (name: string) => readonly string[]

/**
 * Returns, by the id of each server, the ids of those that have to end before it: the graceful ones that depend on it,
 * directly or through others, because they may use it until their end. A server that is killed delays no other one.
 * Servers that depend on each other are not ordered. Each id comes after all that it waits for. Pure.
 */
export function findEndOrder(
  servers: readonly EndingServer[],
  dependenciesOf: DependenciesOf,
): ReadonlyMap<string, readonly string[]> {
  const graceful = servers
    .filter(({ isGraceful }) => isGraceful)
    .map(({ id, name }) => ({ id, name, uses: reach(name, dependenciesOf) }))
  const users = servers.map(({ id, name }) => {
    const mayUse = graceful.filter((one) => one.name !== name && one.uses.has(name))
    const own = mayUse.length === 0 ? new Set<string>() : reach(name, dependenciesOf)
    return [id, mayUse.filter((one) => !own.has(one.name)).map((one) => one.id)] as const
  })
  // A server that others wait for waits for fewer servers than they do, so it comes earlier.
  return new Map(users.toSorted(([, one], [, other]) => one.length - other.length))
}

function reach(name: string, dependenciesOf: DependenciesOf): ReadonlySet<string> {
  const reached = new Set<string>()
  const add = (one: string): void => {
    if (reached.has(one)) return
    reached.add(one)
    dependenciesOf(one).forEach(add)
  }
  dependenciesOf(name).forEach(add)
  return reached
}
