import type { FleetFile, ServerDeclaration } from '../../model/fleet-file.ts'
import type { PresetTypes } from './preset-types.ts'

/**
 * The same fleet, with an error in its type for each key that a fleet file does not have, for a preset that is not in the
 * catalogue and for an option that its preset does not have. A function that takes a fleet of any type and hands it on declares it so:
 *
 * @example
 * async function start<const F extends FleetFile>(fleet: F & StrictFleet<F>): Promise<RunningFleet<F>> {
 *   return startFleet<F>(fleet)
 * }
 */
export type StrictFleet<F extends FleetFile> = {
  readonly [K in keyof F]: K extends 'servers'
    ? { readonly [N in keyof F['servers']]: StrictServer<F['servers'][N]> }
    : StrictKey<F, K, FleetFile>
}

type StrictServer<S> = {
  readonly [K in keyof S]: K extends 'preset'
    ? StrictPreset<S[K]>
    : K extends 'options'
      ? StrictOptions<S[K], S>
      : StrictKey<S, K, ServerDeclaration>
}

type StrictKey<T, K extends keyof T, S> = K extends keyof S
  ? Strict<T[K], S[K]>
  : K extends `x-${string}`
    ? T[K]
    : Wrong<`${Extract<K, string | number>} is not a key here`>

type StrictPreset<Name> = Name extends string
  ? string extends Name
    ? Name
    : Name extends keyof PresetTypes | `./${string}` | `../${string}`
      ? Name
      : Wrong<`${Name} is not a preset of the catalogue`>
  : Name

type StrictOptions<T, Server> = Server extends { readonly preset: infer Name extends keyof PresetTypes }
  ? PresetTypes[Name]['options'] & {
      readonly [K in Exclude<
        keyof T,
        keyof PresetTypes[Name]['options']
      >]: Wrong<`${Extract<K, string | number>} is not a key here`>
    }
  : T

type Strict<T, S> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly unknown[]
    ? { readonly [I in keyof T]: Strict<T[I], ItemOf<S>> }
    : {
        readonly [K in keyof T]: K extends KeyOf<S>
          ? Strict<T[K], MemberOf<S, K>>
          : Wrong<`${Extract<K, string | number>} is not a key here`>
      }

type ItemOf<S> = S extends readonly (infer Item)[] ? Item : never
type KeyOf<S> = S extends readonly unknown[] ? never : S extends object ? keyof S : never
type MemberOf<S, K> = S extends object ? (K extends keyof S ? S[K] : never) : never

/** Nothing that a fleet file can have is of this type. The compiler prints the message. */
interface Wrong<Message extends string> {
  readonly mistake: Message
}
