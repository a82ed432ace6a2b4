/** Sorts servers so that each comes after its dependencies. Names that depend on each other keep any order. */
export function sortByDependency(
  names: readonly string[],
  dependenciesOf: (name: string) => readonly string[],
): readonly string[] {
  const wanted = new Set(names)
  const sorted = new Set<string>()
  const add = (name: string, path: readonly string[]): void => {
    if (!wanted.has(name) || sorted.has(name) || path.includes(name)) return
    for (const dependency of dependenciesOf(name)) add(dependency, [...path, name])
    sorted.add(name)
  }
  for (const name of names) add(name, [])
  return [...sorted]
}

/**
 * Works on each server once the work on those that it waits for is done; the others are worked on at the same time. A
 * server whose predecessor has failed is left alone. Rejects, once all work has ended, with the first failure.
 *
 * @param names Each after all that it waits for.
 */
export async function workInOrder(
  names: readonly string[],
  waitsFor: (name: string) => readonly string[],
  work: (name: string) => Promise<void>,
): Promise<void> {
  const results = new Map<string, Promise<boolean>>()
  const failures: unknown[] = []
  const attempt = async (name: string, earlier: readonly Promise<boolean>[]): Promise<boolean> => {
    const areDone = (await Promise.all(earlier)).every(Boolean)
    if (!areDone) return false
    try {
      await work(name)
      return true
    } catch (error) {
      failures.push(error)
      return false
    }
  }
  for (const name of names) {
    const earlier = waitsFor(name).flatMap((other) => results.get(other) ?? [])
    results.set(name, attempt(name, earlier))
  }
  await Promise.all(results.values())
  if (failures.length > 0) throw failures[0]
}
