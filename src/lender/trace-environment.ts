type Environment = Readonly<Record<string, string | undefined>>

/** An environment, and which of its variables were read. */
export interface TracedEnvironment {
  readonly environment: Environment
  /** Names of the variables that were read, set or not. A caller that lists the environment reads all that are set. */
  readonly names: ReadonlySet<string>
}

/** Traces which variables decide what is done with an environment: with the same values, the same is done. */
export function traceEnvironment(environment: Environment): TracedEnvironment {
  const names = new Set<string>()
  const note = (name: string | symbol): void => {
    if (typeof name === 'string') names.add(name)
  }
  // Not of a copy: one that is traced itself would note all of its variables.
  const traced = new Proxy(environment, {
    get(target, name) {
      note(name)
      return Reflect.get(target, name)
    },
    has(target, name) {
      note(name)
      return Reflect.has(target, name)
    },
    getOwnPropertyDescriptor(target, name) {
      note(name)
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
  })
  return { environment: traced, names }
}
