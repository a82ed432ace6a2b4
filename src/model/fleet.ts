import type { Device } from '../formats/device.ts'
import type { Protocol } from '../formats/port-range.ts'
import type { Bake } from './bake.ts'
import type { ServerTls } from './certificate.ts'
import type { FindingId } from './finding.ts'
import type { Hook } from './hook.ts'
import type { Lending } from './lending.ts'
import type { OwnValue } from './own-value.ts'
import type { ProtocolCheck } from './protocols.ts'
import type { Standby } from './standby.ts'

/** A fleet as the rest of the program sees it: validated, with defaults applied and absolute paths. */
export interface Fleet {
  readonly name: string
  readonly domain: string
  /** Folder of the fleet file. Every path of the file is below it, except where `mayLeave` allows another place. */
  readonly folder: string
  /** Real path of the fleet file, with every link resolved, or undefined for a fleet given as an object. */
  readonly file: string | undefined
  readonly source: FleetSource
  readonly servers: ReadonlyMap<string, Server>
  /** Undefined when no copies are held ready. */
  readonly standby?: Standby | undefined
  /** Findings of the audit that are ignored in every server. */
  readonly ignore: readonly Ignore[]
}

export function usesCertificates(fleet: Fleet): boolean {
  return [...fleet.servers.values()].some(({ tls }) => tls !== undefined)
}

/** A finding of the audit that someone has accepted, and the reason. */
export interface Ignore {
  readonly id: FindingId
  readonly reason: string
}

/** Keys from the top of the fleet file down to a value, such as `['servers', 'web', 'ports', 0]`. */
export type FieldPath = readonly (string | number)[]

/** Position of a value; `line` and `column` count from 1. */
export interface Position {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface FleetSource {
  readonly file: string
  locate(path: FieldPath): Position
  /** Position of the last key of `path`. */
  locateKey(path: FieldPath): Position
  /** The field at `path` as the fleet file writes it: an option of a preset has the option's name. */
  nameField(path: FieldPath): string
  originOf(path: FieldPath): FieldOrigin
}

/** Who wrote a field: the fleet file, the user's own preset, or a preset of the catalogue, which no user can edit. */
export type FieldOrigin = 'file' | 'preset' | 'catalogue'

export interface Server {
  readonly name: string
  /** `<server>.<domain>` */
  readonly hostname: string
  /** Whether it may have names of the public internet. */
  readonly publicNames: boolean
  readonly runs: ServerRun
  /** The options given to its preset, for information: their effects are already in the other fields. */
  readonly options: Readonly<Record<string, unknown>>
  readonly command: readonly string[] | undefined
  readonly entrypoint: readonly string[] | undefined
  readonly user: string | undefined
  readonly workingDir: string | undefined
  /** Host name that it sees, or undefined for `hostname`. */
  readonly ownHostname: string | undefined
  readonly dns: readonly string[]
  readonly devices: readonly Device[]
  readonly tty: boolean
  /** How many times the engine restarts it when it ends with an error. */
  readonly restarts: number
  readonly environment: ReadonlyMap<string, EnvironmentValue>
  /** Variables for commands that `exec` runs in it. */
  readonly execEnvironment: ReadonlyMap<string, OwnValue>
  readonly labels: ReadonlyMap<string, string>
  readonly init: boolean
  readonly stopSignal: string | undefined
  readonly stopGraceMs: number | undefined
  /** Run one after the other, each in a container of the server's image, before the server starts. */
  readonly preStart: readonly Hook[]
  /** Run inside the server, one after the other, once its ready checks pass. */
  readonly postStart: readonly Hook[]
  /** Run inside the server, one after the other, before it stops. */
  readonly preStop: readonly Hook[]
  readonly lending: Lending
  /** Undefined for a server that starts from its own image. */
  readonly bake: Bake | undefined
  readonly platform: string | undefined
  readonly secrets: ReadonlyMap<string, SecretOrigin>
  /** Undefined for a server without a certificate of the fleet. */
  readonly tls: ServerTls | undefined
  readonly ports: readonly Port[]
  /** For each port, the index of its item of `ports`: an item can be a range. */
  readonly portItems: readonly number[]
  /** As written in the fleet file; see `aliasesOf`. */
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
  /** Capabilities to drop, without those in `capAdd`; `ALL` is every other one. */
  readonly capDrop: readonly string[]
  readonly unsafe: Unsafe
  readonly sysctls: ReadonlyMap<string, string>
  readonly ulimits: ReadonlyMap<string, Ulimit>
  readonly export: ReadonlyMap<string, string>
  readonly ignore: readonly Ignore[]
}

/** How a server runs. */
export type ServerRun = { readonly kind: 'container'; readonly image: ServerImage } | ProcessRun | ExternalRun

/** A program of this machine that testfleet starts. */
export interface ProcessRun {
  readonly kind: 'process'
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[]
  /** Absolute path of its working directory. */
  readonly folder: string
}

/** A server that runs elsewhere, and that testfleet neither starts nor stops. */
export interface ExternalRun {
  readonly kind: 'external'
  /** Its URL without the password. */
  readonly url: string
  /** Variable of the caller's environment that holds the URL; undefined when the fleet file does. */
  readonly from: string | undefined
  /** Where each of its ports is. */
  readonly addresses: readonly ExternalAddress[]
}

/** Address of a port of an external server. `container` is the port's number in the fleet file. */
export interface ExternalAddress {
  readonly container: number
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
}

/** The image of a server that runs in a container. */
export function imageOf(server: Pick<Server, 'runs'> | undefined): ServerImage | undefined {
  return server?.runs.kind === 'container' ? server.runs.image : undefined
}

export type ServerImage =
  | { readonly kind: 'named'; readonly reference: string }
  | { readonly kind: 'built'; readonly recipe: ImageRecipe }

/** How an image is built. Recipes with equal content are built once. */
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
      /** Whether both may be outside the fleet's folder. */
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
        /** The folder that it must stay in, the fleet's or the presets', unless it may be outside it. */
        readonly folder: string
        readonly mayLeave: boolean
        /** Whether it is part of testfleet. */
        readonly isShipped: boolean
        /** Patterns of files to exclude, as in a `.dockerignore`. */
        readonly ignored: readonly string[]
      }
    | { readonly kind: 'content'; readonly content: string }
  readonly to: string
  /** Permission bits, such as 0o644. */
  readonly mode: number | undefined
  readonly owner: string | undefined
  /** Modification time of the files, in seconds since 1970, or undefined to derive it from their content. */
  readonly modifiedAtS: number | undefined
}

export type EnvironmentValue =
  | OwnValue
  | {
      readonly kind: 'text'
      readonly text: string
      /** Variable of the caller's environment that holds the text; the fleet file does not contain it. */
      readonly from: string
    }

export type SecretOrigin =
  | { readonly kind: 'env'; readonly variable: string }
  /** `folder` is the fleet's folder. */
  | { readonly kind: 'file'; readonly path: string; readonly folder: string; readonly mayLeave: boolean }
  | { readonly kind: 'generate'; readonly length: number }
  /** A password that is not secret: it is written in the fleet file. */
  | { readonly kind: 'value'; readonly text: string }
  /** The password in the URL of an external server. */
  | {
      readonly kind: 'url'
      readonly text: string
      /** Variable of the caller's environment that holds the URL; undefined when the fleet file does. */
      readonly from: string | undefined
    }

/** Folder in which a server finds its secrets, one file each. */
export const SECRETS_FOLDER = '/run/secrets'

/** Largest size of a secret: Swarm accepts no larger one. */
export const MAX_SECRET_BYTES = 500 * 1024

/** Position of the port of that index in the fleet file. */
export function portPath({ name, portItems }: Pick<Server, 'name' | 'portItems'>, index: number): FieldPath {
  return ['servers', name, 'ports', portItems[index] ?? 0]
}

export interface Port {
  readonly container: number
  readonly protocol: Protocol
  /** Port of this machine, or undefined for a free one. */
  readonly host: number | undefined
  /** Address of this machine, or undefined for loopback. */
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
      /** How many lines must match, or undefined for one. */
      readonly times?: number | undefined
    }
  | { readonly kind: 'healthcheck' }
  | { readonly kind: 'exit'; readonly code: number }

export interface HttpCheck {
  readonly kind: 'http' | 'https'
  readonly port: number
  readonly path: string
  /** Accepted status codes; empty accepts 200 to 399. */
  readonly status: readonly number[]
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly requestHeaders?: Readonly<Record<string, string>> | undefined
  /** Whether the fleet's client certificate is shown to a server that requests one; undefined shows it. */
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

/** Settings that expose the engine's machine to a server. */
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
