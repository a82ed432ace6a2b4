import type { Protocol } from '../../formats/port-range.ts'
import type { FleetFile } from '../../model/fleet-file.ts'
import type { PresetTypes } from './preset-types.ts'

/**
 * Names of the servers of a fleet; `string` when only the path of the fleet is known.
 *
 * @example
 * const fleet = defineFleet({ servers: { db: { preset: 'postgresql' }, web: { image: 'nginx', ports: [80] } } })
 * type Names = ServerNames<typeof fleet> // 'db' | 'web'
 */
export type ServerNames<F extends FleetFile = FleetFile> = `${Extract<keyof F['servers'], string | number>}`

/**
 * Ports that tests reach a server at, as numbers; those of its preset are included. `number` when the type of the fleet does not
 * say which ports these are, as for a range.
 *
 * @example
 * type Ports = PortsOf<typeof fleet, 'db'> // 5432
 */
export type PortsOf<F extends FleetFile, N extends ServerNames<F> = ServerNames<F>> =
  PortKeys<ServerOf<F, N>> extends infer Key
    ? Key extends `${infer Port extends number}/${string}`
      ? Port
      : never
    : never

/** Protocols of a port of a server, such as `'tcp' | 'udp'` for port 53 of a name server. */
export type ProtocolsOf<F extends FleetFile, N extends ServerNames<F>, P extends number> =
  PortKeys<ServerOf<F, N>> extends infer Key
    ? Key extends `${infer Port extends number}/${infer Proto extends Protocol}`
      ? P extends Port
        ? Proto
        : never
      : never
    : never

/**
 * Variables that the servers of a fleet export, or those of one server; those of its preset are included. A variable is optional
 * when the type of the fleet does not say whether it is there. Any name is allowed when only the path of the fleet is known.
 *
 * @example
 * type Variables = Exports<typeof fleet, 'db'> // { readonly DATABASE_URL: string; … }
 */
export type Exports<F extends FleetFile, N extends ServerNames<F> = ServerNames<F>> = Merged<
  CertainExports<ServerOf<F, N>>,
  PossibleExports<ServerOf<F, N>>
>

type Merged<Certain extends string, Possible extends string> = string extends Certain | Possible
  ? Simplify<{ readonly [K in Literal<Certain>]: string } & Readonly<Record<string, string>>>
  : Simplify<{ readonly [K in Certain]: string } & { readonly [K in Exclude<Possible, Certain>]?: string }>

type Literal<Name extends string> = Name extends unknown ? (string extends Name ? never : Name) : never
type Simplify<T> = { [K in keyof T]: T[K] }

type ServerOf<F extends FleetFile, N> = N extends keyof F['servers']
  ? F['servers'][N]
  : F['servers'][keyof F['servers']]

/** Value of a key; undefined for one that is not there. */
type Get<T, K> = K extends keyof T ? T[K] : undefined

// Ports, each written as `80/tcp`.

type PortKey = `${number}/${Protocol}`

type PortKeys<Server> = Server extends { readonly preset: infer Preset extends string }
  ? MergedPorts<PresetPorts<Server, Preset>, Get<Server, 'ports'>>
  : KeysOfItems<Get<Server, 'ports'>>

type MergedPorts<OfPreset, Own> = Own extends readonly []
  ? never
  : Own extends readonly (infer Item)[]
    ? Exclude<OfPreset, UnpublishedKeys<Item>> | KeysOfItem<Item>
    : OfPreset

type KeysOfItems<Items> = Items extends readonly (infer Item)[] ? KeysOfItem<Item> : never

type KeysOfItem<Item> = Item extends number
  ? `${Item}/tcp`
  : Item extends string
    ? KeysOfText<Item, 'tcp'>
    : Item extends { readonly publish: false }
      ? never
      : KeysOfBlock<Item>

type KeysOfBlock<Block> = Block extends { readonly container: infer Container }
  ? Container extends number
    ? `${Container}/${ProtocolOf<Block>}`
    : KeysOfText<Container, ProtocolOf<Block>>
  : never

type ProtocolOf<Block> = Block extends { readonly protocol: infer P extends Protocol } ? P : 'tcp'

/** `53/udp` is a port; a range is every number. */
type KeysOfText<Text, Standard extends Protocol> = string extends Text
  ? PortKey
  : Text extends `${infer Port extends number}/${infer P extends Protocol}`
    ? `${Port}/${P}`
    : Text extends `${string}/${infer P extends Protocol}`
      ? `${number}/${P}`
      : `${number}/${Standard}`

/** Keys of the items that take a port of the preset away; a range could be any. */
type UnpublishedKeys<Item> = Item extends { readonly publish: false }
  ? KeysOfBlock<Item> extends infer Key
    ? Key extends `${infer Port extends number}/${string}`
      ? number extends Port
        ? never
        : Key
      : never
    : never
  : never

// Ports of presets. An option that is on adds ports and exports.

type PresetPorts<Server, Preset extends string> = Preset extends keyof PresetTypes
  ? PresetTypes[Preset]['ports'] | AddedPorts<Server, PresetTypes[Preset]['adds']>
  : PortKey

type AddedPorts<Server, Adds> = {
  [O in keyof Adds]: true extends IsOn<Server, O, Get<Adds[O], 'default'>> ? Get<Adds[O], 'ports'> : never
}[keyof Adds]

/** Whether an option is on: true, false, or boolean when its type does not say. */
type IsOn<Server, Option, Default> =
  Get<Get<Server, 'options'>, Option> extends infer Value
    ? [Value] extends [undefined]
      ? Option extends 'tls'
        ? HasTls<Get<Server, 'tls'>, Default>
        : Default
      : [Value] extends [boolean]
        ? Value
        : boolean
    : never

/** The option `tls` follows the key `tls` of the server. */
type HasTls<Tls, Default> = [Tls] extends [undefined | false]
  ? Default
  : [undefined | false] extends [Tls]
    ? boolean
    : true

// Variables that servers export.

type CertainExports<Server> = Server extends unknown
  ? OwnExports<Server> | (LosesPorts<Get<Server, 'ports'>> extends true ? never : PresetExports<Server, true>)
  : never

type PossibleExports<Server> = Server extends unknown ? PresetExports<Server, boolean> : never

/** A variable of a preset is not there when the port that it names is not published. */
type LosesPorts<Own> = Own extends readonly []
  ? true
  : Own extends readonly (infer Item)[]
    ? true extends (Item extends { readonly publish: infer P } ? (false extends P ? true : false) : false)
      ? true
      : false
    : false

type OwnExports<Server> =
  Get<Server, 'export'> extends infer Own ? (Own extends object ? Extract<keyof Own, string> : never) : never

type PresetExports<Server, On> = Server extends { readonly preset: infer Preset extends string }
  ? Preset extends keyof PresetTypes
    ? PresetTypes[Preset]['exports'] | AddedExports<Server, PresetTypes[Preset]['adds'], On>
    : string
  : never

type AddedExports<Server, Adds, On> = {
  [O in keyof Adds]: IsOn<Server, O, Get<Adds[O], 'default'>> extends infer Is
    ? [Is] extends [false]
      ? never
      : [Is] extends [On]
        ? Extract<Get<Adds[O], 'exports'>, string>
        : never
    : never
}[keyof Adds]
