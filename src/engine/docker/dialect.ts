import type { IncomingHttpHeaders } from 'node:http'
import { shortenPodmanName } from '../../formats/image-reference.ts'

/**
 * Differences between engines and their releases that matter to testfleet: first what the first ping tells, then the
 * wordings of error messages. All such branches are here.
 */
export interface Dialect {
  readonly product: 'Docker Engine' | 'Podman Engine'
  /** The version of the API that every request is made with. */
  readonly api: string
  /** The newest version that the engine speaks. */
  readonly apiMax: string
  readonly hasBuildKit: boolean
  /** Whether RUN has `--mount` without a frontend from a registry: BuildKit from 20.10 on. */
  readonly hasCacheMounts: boolean
  /** Whether a list of containers includes their networks and addresses. Podman's does not (4.3 to 5.8). */
  readonly listsNetworks: boolean
  /** Whether a container can be created on a network that does not exist yet. Podman refuses it (4.3). */
  readonly createsBeforeNetwork: boolean
  /** Whether an archive that is unpacked at a folder reaches the volumes that are mounted below it. */
  readonly unpacksIntoMounts: boolean
  /** Whether a terminal of `exec` starts with the size in the request. Podman ignores it (5.8, which claims API 1.44). */
  readonly startsTerminalSized: boolean
  /** The log driver of each container. Undefined keeps the engine's default: Podman has drivers of its own. */
  readonly logConfig: object | undefined
  /** Kernel settings of each container that Docker sets by itself (from 20.10) and Podman does not (4.3 to 5.8). */
  readonly sysctls: Readonly<Record<string, string>>
  /** Returns an image's name as people write it. */
  familiarName(reference: string): string
}

/** The range of API versions that testfleet speaks: 1.40 is Engine 19.03, 1.51 is Engine 28.3. */
export const oldestApi = '1.40'
export const newestApi = '1.51'

/** Reads the dialect from the headers of a ping. Undefined when what answers does not speak Docker's API. */
export function readDialect(headers: IncomingHttpHeaders): Dialect | undefined {
  const apiMax = headers['api-version']
  if (typeof apiMax !== 'string' || !/^1\.\d{1,4}$/.test(apiMax)) return undefined
  const api = isOlder(newestApi, apiMax) ? newestApi : apiMax
  return headers['libpod-api-version'] === undefined ? docker(api, apiMax, headers) : podman(api, apiMax)
}

function docker(api: string, apiMax: string, headers: IncomingHttpHeaders): Dialect {
  // 20.10 sends the builder's version only when one is configured; from 23 on, 1 means the classic builder.
  const hasBuildKit = headers.ostype !== 'windows' && headers['builder-version'] !== '1'
  return {
    product: 'Docker Engine',
    api,
    apiMax,
    hasBuildKit,
    hasCacheMounts: hasBuildKit && !isOlder(api, '1.41'),
    listsNetworks: true,
    createsBeforeNetwork: true,
    unpacksIntoMounts: true,
    startsTerminalSized: !isOlder(api, '1.42'),
    // Some drivers that can be the default keep nothing that can be read.
    logConfig: { Type: 'json-file', Config: {} },
    sysctls: {},
    familiarName: (reference) => reference,
  }
}

function podman(api: string, apiMax: string): Dialect {
  return {
    product: 'Podman Engine',
    api,
    apiMax,
    hasBuildKit: false,
    hasCacheMounts: false,
    listsNetworks: false,
    createsBeforeNetwork: false,
    unpacksIntoMounts: false,
    startsTerminalSized: false,
    logConfig: undefined,
    sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
    familiarName: shortenPodmanName,
  }
}

export function isOlder(version: string, than: string): boolean {
  return minor(version) < minor(than)
}

function minor(version: string): number {
  return Number(version.split('.')[1])
}

/** An error that the engine answered with. */
export interface Refusal {
  readonly status: number
  /** The engine's own message, cleaned up. */
  readonly words: string
}

/** Returns the oldest API version that the engine supports, from its refusal of an older one. */
export function minimumApiIn(words: string): string | undefined {
  return /client version \S+ is too old\. Minimum supported API version is (1\.\d+)/i.exec(words)?.[1]
}

/** Docker: 409. Podman 4.3: 500 with these words. Podman 5.4 and 5.8, for a rename: `UNIQUE constraint failed: ContainerConfig.Name`. */
export function isContainerNameTaken({ words }: Refusal): boolean {
  return /name .*already in use|UNIQUE constraint failed: ContainerConfig\.Name/i.test(words)
}

/** Returns the path of a mount that an archive would replace. */
export function busyMountIn(words: string): string | undefined {
  return /^(?:unlinkat|remove|rename) (\/.*): device or resource busy$/.exec(words)?.[1]
}

/** Whether an archive is cut, is no tar archive, or has an entry that leads out of its folder. */
export function isBadArchive(words: string): boolean {
  return /^(?:unexpected EOF|archive\/tar: .*|".*" is outside of ".*")$/s.test(words)
}

/** Docker: 409. Podman 4.3: 500 with these words. */
export function isNetworkNameTaken({ status, words }: Refusal): boolean {
  return status === 409 || /network name \S+ already used/i.test(words)
}

/** Docker: 403 with these words, also when no container uses the network and the engine's count is wrong. */
export function isNetworkInUse(words: string): boolean {
  return /has active endpoints/i.test(words)
}

/** Docker up to 26 names the pool; from 27 on it says that all of them are subnetted. */
export function isAddressPoolExhausted({ words }: Refusal): boolean {
  return /non-overlapping .*address pool|predefined address pools|subnet .*exhausted/i.test(words)
}

export function isImageMissing({ status, words }: Refusal): boolean {
  return (
    status === 404 && /no such image|image .*(not found|not known)|does not match the specified platform/is.test(words)
  )
}

/** Docker puts the result after the action, as in `health_status: healthy`; Podman has it as an attribute. */
export function healthIn(
  action: string,
  attributes: Readonly<Record<string, string>>,
): { readonly kind: 'healthy' | 'unhealthy' } | undefined {
  const health = action === 'health_status' ? attributes.health_status : /^health_status: (\w+)$/.exec(action)?.[1]
  return health === 'healthy' || health === 'unhealthy' ? { kind: health } : undefined
}

export function isMissing({ status }: Refusal): boolean {
  return status === 404
}

/** Whether a container cannot be started because another request is removing it. */
export function isToBeRemoved({ status, words }: Refusal): boolean {
  return status === 409 && /marked for removal/i.test(words)
}

/** Whether another request is removing the container already. */
export function isBeingRemoved({ status, words }: Refusal): boolean {
  return status === 409 && /removal .*already in progress/i.test(words)
}

/**
 * Returns the address of a host port that is taken. Docker 20.10 to 27: `Bind for 127.0.0.1:80 failed: port is already
 * allocated` for a port of another container, `listen tcp4 127.0.0.1:80: bind: address already in use` for a process.
 * 28 and up: `failed to bind host port 127.0.0.1:80/tcp: address already in use`. Podman 4.3: `listen tcp 127.0.0.1:80:
 * bind: address already in use`.
 */
export function takenPort(words: string): string | undefined {
  if (!/port is already allocated|address already in use/i.test(words)) return undefined
  return /(?:bind for|listen (?:tcp|udp|sctp)[46]?|bind (?:host )?port(?: for)?) ((?:\[[^\]]*\]|[^\s:[\]]*):\d{1,5})/i.exec(
    words,
  )?.[1]
}

/**
 * Returns the program that could not be run. runc: `exec: "x": executable file not found in $PATH`, `exec: "/x": stat
 * /x: no such file or directory`, `exec: "/x": permission denied`. crun: `executable file `x` not found in $PATH`.
 */
export function missingProgram(words: string): string | undefined {
  const runc =
    /exec: "((?:[^"\\]|\\.)*)": (?:executable file not found|stat [^\n]*?: no such file|no such file|permission denied|is a directory)/i.exec(
      words,
    )
  const crun = /executable file `?([^`\s]+)`? not found in \$PATH/i.exec(words)
  return runc?.[1] ?? crun?.[1]
}

/**
 * Whether output of `exec` begins like the engine's own error: Docker 20.10 and Podman write it instead of the
 * program's output.
 */
export function isEngineErrorInOutput(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  return /^OCI runtime exec failed|^Error: (?:runc|crun): exec failed/.test(start)
}

/**
 * Returns the end of the chain: `x` for `failed to create shim task: OCI runtime create failed: runc create failed:
 * unable to start container process: x`.
 */
export function startFailureIn(words: string): string {
  return words
    .replace(/^.*unable to start container process: /s, '')
    .replace(
      /^(?:failed to create (?:shim task|task for container): )?OCI runtime create failed: (?:runc create failed: )?/,
      '',
    )
    .replace(/^.*failed programming external connectivity on endpoint \S+ \(\w+\): /s, '')
    .replace(/: unknown$/, '')
}
