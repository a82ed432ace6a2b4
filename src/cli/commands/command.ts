/** Source of completions for a word that is being typed: a list of words, or names that testfleet looks up. */
export type Completion =
  | readonly string[]
  | 'command'
  | 'directory'
  | 'file'
  | 'preset'
  | 'program'
  | 'server'
  | 'session'

/** An option of a command. Help, completion and manual page are generated from it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: true
  /** Name of the value in the help, such as FILE; a boolean option has none. */
  readonly value?: string
  /** Description; starts with a capital and ends without a full stop. */
  readonly help: string
  readonly default?: string
  /** A list of words is also the list of accepted values. */
  readonly completes?: Completion
  /** Written as `--no-NAME`: the option is on unless it is turned off. */
  readonly isNegated?: true
}

/** A word of a call that is not an option. */
export interface Operand {
  /** In capitals, such as SERVER. */
  readonly name: string
  /** one: must be given; optional: none or one; any: none or more; some: one or more. */
  readonly count: 'one' | 'optional' | 'any' | 'some'
  readonly completes?: Completion
  /** Name in sentences, after `the`; default: NAME in lower case. */
  readonly word?: string
  /** Hint of the failure when it is missing; default: the usage. */
  readonly missing?: string
}

export type Options = Readonly<Record<string, OptionSpec>>

export interface Command {
  /** One line of `testfleet help`: starts with a verb and a small letter, ends without a full stop. */
  readonly summary: string
  readonly operands?: readonly Operand[]
  /** Whether `-- CMD…` follows. */
  readonly command?: 'required' | 'optional'
  readonly options?: Options
  /** Calls that work, each with what it does. */
  readonly examples: Readonly<Record<string, string>>
}

export type Commands = Readonly<Record<string, Command>>

export const servers = [{ name: 'SERVER', count: 'any', completes: 'server' }] as const satisfies Operand[]
export const oneServer = [{ name: 'SERVER', count: 'one', completes: 'server' }] as const satisfies Operand[]
