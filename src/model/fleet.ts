import type { Device } from '../formats/device.ts'
import type { Protocol } from '../formats/port-range.ts'
import type { ServerTls } from './certificate.ts'
import type { FindingId } from './finding.ts'
import type { ProtocolCheck } from './protocols.ts'

/** A fleet as the rest of the program knows it: checked, defaults applied, paths absolute, nothing optional by accident. */
export interface Fleet {
  readonly name: string
  readonly domain: string
  /** The folder of the fleet file; every path of the file is below it, but where `mayLeave` says that it may not be. */
  readonly folder: string
  /** Real path of the fleet file, with every link resolved; undefined for a fleet given as an object. */
  readonly file: string | undefined
  readonly source: FleetSource
  readonly servers: ReadonlyMap<string, Server>
  /** Findings of the audit that are known, for every server. */
  readonly ignore: readonly Ignore[]
}

export function usesCertificates(fleet: Fleet): boolean {
  return [...fleet.servers.values()].some(({ tls }) => tls !== undefined)
}

/** A finding of the audit that somebody has looked at, and why it stays. */
export interface Ignore {
  readonly id: FindingId
  readonly reason: string
}

/** Keys from the top of the fleet file down to a value, such as `['servers', 'web', 'ports', 0]`. */
export type FieldPath = readonly (string | number)[]

/** Where a value stands; `line` and `column` count from 1. */
export interface Position {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface FleetSource {
  readonly file: string
  locate(path: FieldPath): Position
  /** Where the last key of `path` stands. */
  locateKey(path: FieldPath): Position
  /** The field at `path` as the fleet file has it: an option of a preset by the option's name. */
  nameField(path: FieldPath): string
  originOf(path: FieldPath): FieldOrigin
}

/** Who wrote a field: the fleet file, a preset of the user's, or a preset of the catalogue, which no user can edit. */
export type FieldOrigin = 'file' | 'preset' | 'catalogue'

export interface Server {
  readonly name: string
  /** `<server>.<domain>` */
  readonly hostname: string
  /** Whether it may have names of the public internet. */
  readonly publicNames: boolean
  readonly image: ServerImage
  /** What its preset was asked for. Nothing is made from it: what the preset made of it is in all the other fields. */
  readonly options: Readonly<Record<string, unknown>>
  readonly command: readonly string[] | undefined
  readonly entrypoint: readonly string[] | undefined
  readonly user: string | undefined
  readonly workingDir: string | undefined
  /** What it takes for its own host name; undefined where that is `hostname`. */
  readonly ownHostname: string | undefined
  readonly dns: readonly string[]
  readonly devices: readonly Device[]
  readonly tty: boolean
  /** How many times the engine starts it again when it ends with an error. */
  readonly restarts: number
  readonly environment: ReadonlyMap<string, EnvironmentValue>
  /** Variables of what `exec` runs in it. */
  readonly execEnvironment: ReadonlyMap<string, OwnValue>
  readonly labels: ReadonlyMap<string, string>
  readonly init: boolean
  readonly stopSignal: string | undefined
  readonly stopGraceMs: number | undefined
  readonly platform: string | undefined
  readonly secrets: ReadonlyMap<string, SecretOrigin>
  /** Undefined for a server without a certificate of the fleet. */
  readonly tls: ServerTls | undefined
  readonly ports: readonly Port[]
  /** Of each port, the index of its item of `ports`: an item can be a range. */
  readonly portItems: readonly number[]
  /** As the fleet file has them; see `aliasesOf`. */
  readonly aliases: readonly string[]
  readonly extraHosts: ReadonlyMap<string, string>
  readonly dependsOn: readonly string[]
  readonly ready: readonly ReadyCheck[]
  readonly readyTimeoutMs: number
  readonly mounts: readonly Mount[]
  readonly tmpfs: readonly Tmpfs[]
  readonly readOnly: boolean
  readonly limits: Limits
  readonly capAdd: readonly string[]
  /** Without what `capAdd` has; `ALL` is every other one. */
  readonly capDrop: readonly string[]
  readonly unsafe: Unsafe
  readonly sysctls: ReadonlyMap<string, string>
  readonly ulimits: ReadonlyMap<string, Ulimit>
  readonly export: ReadonlyMap<string, string>
  readonly ignore: readonly Ignore[]
}

export type ServerImage =
  | { readonly kind: 'named'; readonly reference: string }
  | { readonly kind: 'built'; readonly recipe: ImageRecipe }

/** How an image is made. Recipes with equal content are built once. */
export type ImageRecipe = {
  /** The image's name without its tag. */
  readonly repository: string
  readonly platform: string | undefined
  readonly at: FieldPath
} & (
  | { readonly kind: 'steps'; readonly from: ServerImage; readonly steps: BuildSteps }
  | {
      readonly kind: 'dockerfile'
      /** Absolute paths. */
      readonly dockerfile: string
      readonly context: string
      /** Whether both may lead out of the fleet's folder. */
      readonly mayLeave: boolean
      readonly target: string | undefined
      readonly args: ReadonlyMap<string, string>
    }
)

export interface BuildSteps {
  readonly packages: readonly string[]
  readonly environment: ReadonlyMap<string, string>
  readonly copy: readonly CopyItem[]
  readonly run: readonly string[]
}

export interface CopyItem {
  readonly source:
    | {
        readonly kind: 'path'
        readonly path: string
        /** It stays in this folder, the fleet's or that of the presets, unless it may leave it. */
        readonly folder: string
        readonly mayLeave: boolean
        /** Whether it came with testfleet. */
        readonly isShipped: boolean
        /** Patterns, as those of a `.dockerignore`, of what stays out. */
        readonly ignored: readonly string[]
      }
    | { readonly kind: 'content'; readonly content: string }
  readonly to: string
  /** Permission bits, such as 0o644. */
  readonly mode: number | undefined
  readonly owner: string | undefined
  /** When the files were changed last, in seconds since 1970; undefined lets their content decide. */
  readonly modifiedAtS: number | undefined
}

export type EnvironmentValue =
  | OwnValue
  | {
      readonly kind: 'text'
      readonly text: string
      /** The variable of the caller's environment that it was taken from; the file itself does not have the text. */
      readonly from: string
    }

/** A text of the fleet file, or a secret of the server. */
export type OwnValue =
  | { readonly kind: 'text'; readonly text: string; readonly from?: undefined }
  | { readonly kind: 'secret'; readonly secret: string }

export type SecretOrigin =
  | { readonly kind: 'env'; readonly variable: string }
  /** `folder` is the fleet's. */
  | { readonly kind: 'file'; readonly path: string; readonly folder: string; readonly mayLeave: boolean }
  | { readonly kind: 'generate'; readonly length: number }
  /** A password that is no secret: it is in the fleet file. */
  | { readonly kind: 'value'; readonly text: string }

/** The most that a secret can have: Swarm accepts no larger one. */
export const MAX_SECRET_BYTES = 500 * 1024

/** Where the fleet file has the port of that index. */
export function portPath({ name, portItems }: Pick<Server, 'name' | 'portItems'>, index: number): FieldPath {
  return ['servers', name, 'ports', portItems[index] ?? 0]
}

export interface Port {
  readonly container: number
  readonly protocol: Protocol
  /** The port of this machine; undefined takes a free one. */
  readonly host: number | undefined
  /** The address of this machine; undefined takes loopback. */
  readonly address: string | undefined
}

export type ReadyCheck =
  | {
      readonly kind: 'tcp'
      readonly port: number
      readonly send?: string | undefined
      readonly expect?: string | undefined
    }
  | HttpCheck
  | ProtocolCheck
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  | {
      readonly kind: 'log'
      readonly text: string
      readonly isPattern: boolean
      /** How many lines must have it; undefined for one. */
      readonly times?: number | undefined
    }
  | { readonly kind: 'healthcheck' }
  | { readonly kind: 'exit'; readonly code: number }

export interface HttpCheck {
  readonly kind: 'http' | 'https'
  readonly port: number
  readonly path: string
  /** Empty accepts any from 200 to 399. */
  readonly status: readonly number[]
  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly requestHeaders?: Readonly<Record<string, string>> | undefined
  /** Whether the fleet's certificate for clients is shown to a server that asks for one; undefined shows it. */
  readonly clientCertificate?: boolean | undefined
}

export type Mount = { readonly to: string; readonly writable: boolean } & (
  | { readonly kind: 'bind'; readonly from: string; readonly mayLeave: boolean }
  | { readonly kind: 'volume'; readonly volume: string }
)

export interface Tmpfs {
  readonly to: string
  readonly sizeBytes: number | undefined
  readonly mode: number | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly exec?: boolean | undefined
}

export interface Limits {
  readonly memoryBytes?: number | undefined
  readonly cpus?: number | undefined
  readonly pids?: number | undefined
}

/** What opens the engine's machine to a server. */
export interface Unsafe {
  readonly privileged: boolean
  readonly engineSocket: boolean
  readonly newPrivileges: boolean
}

/** -1 is no limit. */
export interface Ulimit {
  readonly soft: number
  readonly hard: number
}
