/**
 * What is read of the engine's answers. Everything may be missing or null: engines of six years, and Podman, answer.
 */
export type Maybe<T> = T | null | undefined

export interface WireVersion {
  readonly Version?: Maybe<string>
  readonly ApiVersion?: Maybe<string>
  readonly MinAPIVersion?: Maybe<string>
  readonly Os?: Maybe<string>
  readonly Arch?: Maybe<string>
  readonly Components?: Maybe<readonly { readonly Name?: Maybe<string> }[]>
}

export interface WireInfo {
  readonly OperatingSystem?: Maybe<string>
  readonly Driver?: Maybe<string>
  readonly CgroupVersion?: Maybe<string>
  readonly SecurityOptions?: Maybe<readonly string[]>
  readonly NCPU?: Maybe<number>
  readonly MemTotal?: Maybe<number>
  readonly Warnings?: Maybe<readonly string[]>
}

export interface WireContainerSummary {
  readonly Id: string
  readonly Names?: Maybe<readonly string[]>
  readonly Image?: Maybe<string>
  readonly ImageID?: Maybe<string>
  readonly State?: Maybe<string>
  /** In seconds since 1970. */
  readonly Created?: Maybe<number>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
  readonly Ports?: Maybe<readonly WirePort[]>
  readonly NetworkSettings?: Maybe<{ readonly Networks?: Maybe<Readonly<Record<string, WireEndpoint>>> }>
}

/** A port that is only exposed has no public one. */
export interface WirePort {
  readonly IP?: Maybe<string>
  readonly PrivatePort?: Maybe<number>
  readonly PublicPort?: Maybe<number>
  readonly Type?: Maybe<string>
}

export interface WireContainer {
  readonly Id: string
  /** RFC 3339, as in networks and volumes. */
  readonly Created?: Maybe<string>
  readonly Name?: Maybe<string>
  readonly Image?: Maybe<string>
  readonly State?: Maybe<{
    readonly Status?: Maybe<string>
    readonly ExitCode?: Maybe<number>
    readonly OOMKilled?: Maybe<boolean>
    readonly Error?: Maybe<string>
    readonly Health?: Maybe<{ readonly Status?: Maybe<string> }>
  }>
  readonly Config?: Maybe<{
    readonly Image?: Maybe<string>
    readonly User?: Maybe<string>
    readonly Tty?: Maybe<boolean>
    readonly Labels?: Maybe<Readonly<Record<string, string>>>
  }>
  readonly NetworkSettings?: Maybe<{
    readonly Networks?: Maybe<Readonly<Record<string, WireEndpoint>>>
    readonly Ports?: Maybe<Readonly<Record<string, Maybe<readonly WireBinding[]>>>>
  }>
}

export interface WireEndpoint {
  readonly NetworkID?: Maybe<string>
  readonly IPAddress?: Maybe<string>
  readonly Gateway?: Maybe<string>
}

export interface WireBinding {
  readonly HostIp?: Maybe<string>
  readonly HostPort?: Maybe<string>
}

export interface WireCreated {
  readonly Id: string
}

export interface WireNetwork {
  readonly Id: string
  readonly Name?: Maybe<string>
  readonly Created?: Maybe<string>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
}

export interface WireVolume {
  readonly Name: string
  readonly CreatedAt?: Maybe<string>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
}

export interface WireImageSummary {
  readonly Id: string
  readonly RepoTags?: Maybe<readonly string[]>
  readonly Labels?: Maybe<Readonly<Record<string, string>>>
}

export interface WireImage {
  readonly Id: string
  readonly RepoDigests?: Maybe<readonly string[]>
  /** RFC 3339. */
  readonly Created?: Maybe<string>
  readonly Size?: Maybe<number>
  readonly Config?: Maybe<{
    readonly Labels?: Maybe<Readonly<Record<string, string>>>
    readonly Healthcheck?: Maybe<{ readonly Test?: Maybe<readonly string[]> }>
  }>
}

export interface WireExec {
  readonly Running?: Maybe<boolean>
  readonly ExitCode?: Maybe<number>
}

export interface WireWait {
  readonly StatusCode?: Maybe<number>
  readonly Error?: Maybe<{ readonly Message?: Maybe<string> }>
}

/** One line of what a pull or a build answers. */
export interface WireProgress {
  readonly id?: Maybe<string>
  readonly status?: Maybe<string>
  readonly stream?: Maybe<string>
  readonly progressDetail?: Maybe<{ readonly current?: Maybe<number>; readonly total?: Maybe<number> }>
  readonly aux?: unknown
  readonly error?: unknown
  readonly errorDetail?: Maybe<{ readonly message?: Maybe<string>; readonly code?: Maybe<number> }>
}
