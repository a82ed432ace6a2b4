import type { Server } from '../model/fleet.ts'

export interface Circle {
  /** The server whose dependency closes it. */
  readonly server: string
  /** Of that dependency in `dependsOn`. */
  readonly index: number
  /** The way around, with its first name at the end again. */
  readonly names: readonly string[]
}

type Servers = ReadonlyMap<string, Pick<Server, 'dependsOn'>>

/** The circles of more than one server, at most so many. */
export function findCircles(servers: Servers, most: number): readonly Circle[] {
  const circles: Circle[] = []
  const done = new Set<string>()
  for (const first of servers.keys()) if (!done.has(first)) followFrom(first, servers, done, circles, most)
  return circles
}

/** The way down is a list and not the stack: a chain may be as long as the file. */
function followFrom(first: string, servers: Servers, done: Set<string>, circles: Circle[], most: number): void {
  const trail = [first]
  /** Of each server on the trail, the dependency to follow next. */
  const next = new Map([[first, 0]])
  for (let name = trail.at(-1); name !== undefined; name = trail.at(-1)) {
    const index = next.get(name) ?? 0
    const dependency = servers.get(name)?.dependsOn[index]
    next.set(name, index + 1)
    if (dependency === undefined) {
      done.add(name)
      next.delete(name)
      trail.pop()
    } else if (!next.has(dependency)) {
      if (done.has(dependency)) continue
      trail.push(dependency)
      next.set(dependency, 0)
    } else if (dependency !== name && circles.length < most) {
      circles.push({ server: name, index, names: [...trail.slice(trail.indexOf(dependency)), dependency] })
    }
  }
}
