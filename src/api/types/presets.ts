/** A ready-made server. */
export interface PresetSummary {
  readonly name: string
  readonly description: string
  /** As the fleet file writes them, such as 80 or `53/udp`. */
  readonly ports: readonly (number | string)[]
  readonly options: readonly PresetOption[]
  /** What the keys of the same name replace, without options. */
  readonly command: readonly string[]
  readonly user: string | undefined
  readonly limits: Readonly<Record<string, unknown>>
  /** Files in its image that a fleet file can replace, or add; their names stay. */
  readonly files: readonly string[]
  /** The variables that it gives to tests. */
  readonly exports: readonly PresetExport[]
  readonly synonyms: readonly string[]
}

export interface PresetOption {
  readonly name: string
  /** Such as `string`, `number` or `secret`. */
  readonly type: string
  readonly default: unknown
  /** What it takes, where that is more than its type. */
  readonly takes: string | undefined
  readonly description: string
}

export interface PresetExport {
  readonly name: string
  /** With `…` for what is known once it runs: a port, a password. */
  readonly example: string
}

export interface PresetDetails extends PresetSummary {
  /** Its page of documentation, in Markdown. */
  readonly page: string
  /** The server that it declares. */
  readonly server: Readonly<Record<string, unknown>>
}
