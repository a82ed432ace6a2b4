/** A preset: a ready-made server of the catalogue. */
export interface PresetSummary {
  readonly name: string
  /** What it is, in one line. */
  readonly description: string
  /** Ports, written as in a fleet file, such as 80 or `53/udp`. */
  readonly ports: readonly (number | string)[]
  readonly options: readonly PresetOption[]
  /** Command without any options. The key `command` of a server replaces it. */
  readonly command: readonly string[]
  /** User that it runs as; undefined for the user of its image. */
  readonly user: string | undefined
  /** Limits, written as in a fleet file. */
  readonly limits: Readonly<Record<string, unknown>>
  /** Configuration files in its image that a fleet file can replace. */
  readonly files: readonly string[]
  /** Variables that it exports. */
  readonly exports: readonly PresetExport[]
  /** Other words by which people look for it. */
  readonly synonyms: readonly string[]
}

/** An option of a preset. */
export interface PresetOption {
  readonly name: string
  /** Type of its value: `text`, `number`, `boolean`, `list`, `path`, `secret` or `users`. */
  readonly type: string
  readonly default: unknown
  /** Accepted values, if the type alone does not say. */
  readonly takes: string | undefined
  readonly description: string
}

/** A variable that a preset exports. */
export interface PresetExport {
  readonly name: string
  /** Example of its value, with `…` for a secret and an example of a published port. */
  readonly example: string
}

/** A preset with its documentation. */
export interface PresetDetails extends PresetSummary {
  /** Documentation in Markdown. */
  readonly page: string
  /** Server that it declares, with placeholders for options. */
  readonly server: Readonly<Record<string, unknown>>
}
