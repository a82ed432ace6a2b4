import { BuildFailure, type FailureCode, isFailure, TestfleetError } from '../../../model/failures.ts'

/** An error as it is sent from one process to another. */
export interface WireFailure {
  readonly message: string
  readonly stack: string | undefined
  /** Of a plain error: its name, such as `TypeError`. */
  readonly name: string
  /** Of a failure. */
  readonly known?: {
    readonly code: FailureCode
    readonly hint: string | undefined
    readonly server: string | undefined
    readonly output: readonly string[]
    readonly leftovers: string | undefined
    readonly build?: { readonly step: number | undefined; readonly instruction: string }
  }
  /** Of an error of the system, such as `ENOENT`. */
  readonly systemCode?: string
  readonly cause?: WireFailure
  /** Of an AggregateError. */
  readonly errors?: readonly WireFailure[]
}

/** Deepest chain of causes that is sent. */
const MOST_CAUSES = 5

export function encodeFailure(error: unknown, causes = 0): WireFailure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined }
  const { name, message, stack, cause } = error
  const { code } = error as NodeJS.ErrnoException
  return {
    name,
    message,
    stack,
    ...(isFailure(error) ? { known: encodeKnown(error) } : typeof code === 'string' && { systemCode: code }),
    ...(cause !== undefined && causes < MOST_CAUSES && { cause: encodeFailure(cause, causes + 1) }),
    ...(error instanceof AggregateError &&
      causes < MOST_CAUSES && { errors: error.errors.map((one) => encodeFailure(one, causes + 1)) }),
  }
}

function encodeKnown(error: TestfleetError): NonNullable<WireFailure['known']> {
  const { code, hint, server, output, leftovers } = error
  const build = error instanceof BuildFailure ? { step: error.step, instruction: error.instruction } : undefined
  return { code, hint, server, output, leftovers, ...(build && { build }) }
}

export function decodeFailure(wire: WireFailure): Error {
  const error = rebuild(wire)
  if (wire.stack !== undefined) error.stack = wire.stack
  return error
}

function rebuild({ name, message, known, systemCode, cause, errors }: WireFailure): Error {
  const options = cause === undefined ? undefined : { cause: decodeFailure(cause) }
  if (known === undefined) {
    const error = errors ? new AggregateError(errors.map(decodeFailure), message, options) : new Error(message, options)
    error.name = name
    return systemCode === undefined ? error : Object.assign(error, { code: systemCode })
  }
  const { code, hint, server, output, leftovers, build } = known
  const details = { hint, server, output, ...options }
  const failure = build
    ? new BuildFailure(message, build.step, build.instruction, details)
    : new TestfleetError(code, message, details)
  failure.leftovers = leftovers
  return failure
}
