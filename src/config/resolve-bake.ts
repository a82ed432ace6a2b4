import type { Bake } from '../model/bake.ts'
import type { Server } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'
import { hookTimeoutMs } from '../model/hook.ts'
import { resolveHook } from './resolve-hooks.ts'
import type { ResolveContext } from './resolve-image.ts'

/**
 * Resolves `bake`, and reports secrets that nothing says to be taken at every start: a baked image was made with other
 * ones.
 */
export function resolveBake(
  name: string,
  declaration: ServerDeclaration,
  execEnvironment: Server['execEnvironment'],
  context: ResolveContext,
): Bake | undefined {
  const { bake } = declaration
  if (bake === undefined || bake === false) return undefined
  const isShort = bake === true || isList(bake)
  const { run = [], readsSecrets = false } = isShort ? { run: bake === true ? [] : bake } : bake
  if (!readsSecrets) refuseSecrets(name, declaration, context)
  const list = isShort ? ['bake'] : ['bake', 'run']
  return {
    run: run.map((item, index) => ({
      ...resolveHook(item, declaration, ['servers', name, ...list, index], {
        context,
        execEnvironment,
        timeoutMs: hookTimeoutMs.postStart,
      }),
      list,
    })),
  }
}

function isList<Item>(value: readonly Item[] | object): value is readonly Item[] {
  return Array.isArray(value)
}

function refuseSecrets(name: string, { secrets = {} }: ServerDeclaration, context: ResolveContext): void {
  const applied = context.appliedSecrets.get(name)
  // A secret with a `value` is the same in every session.
  const [other] = Object.keys(secrets).filter((one) => applied?.has(one) !== true && secrets[one]?.value === undefined)
  if (other === undefined) return
  context.report(
    ['servers', name, 'bake'],
    `nothing says that the server takes the secret ${other} at every start, and the image is made with another one; if it does, write \`bake: { readsSecrets: true }\``,
  )
}
