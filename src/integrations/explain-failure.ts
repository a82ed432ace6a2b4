import { TestfleetError } from './library.ts'

/** Carries out a piece of work. If it fails, the failure is explained. */
export async function explainFailure<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw explain(error)
  }
}

/** As `explainFailure`, for a runner that prints the error itself: only the message is shown, without a stack and fields. */
export async function tellPlainly<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await explainFailure(work)
  } catch (error) {
    throw hideFields(error)
  }
}

function hideFields<Thrown>(error: Thrown): Thrown {
  if (!(error instanceof TestfleetError)) return error
  for (const field of Object.keys(error)) Object.defineProperty(error, field, { enumerable: false })
  // Runners print it with its own stack.
  delete error.cause
  error.stack = error.message
  return error
}

/** Returns the failure of a start, as a test shows it that did not try to start the fleet again. */
export function repeatFailure<Thrown>(failure: Thrown): Thrown | TestfleetError {
  if (!(failure instanceof TestfleetError)) return failure
  const [sentence, ...details] = failure.message.split('\n')
  const message = [`${sentence}; this test did not try to start the fleet again`, ...details].join('\n')
  const repeated = new TestfleetError(failure.code, message, failure)
  explained.add(repeated)
  return hideFields(repeated)
}

const explained = new WeakSet<TestfleetError>()

/**
 * Adds the other fields of a failure to its message: the last output of what failed, the hint, what could not be cleaned
 * up, and the folder of the bundle. Some runners print only the message of an error.
 */
export function explain<Thrown>(error: Thrown): Thrown {
  if (!(error instanceof TestfleetError) || explained.has(error)) return error
  explained.add(error)
  // The text of the stack is made when it is first read.
  const { message, stack = message, output, hint, leftovers, bundle } = error
  const hinted = hint === undefined ? undefined : `hint: ${hint}`
  const left = leftovers === undefined ? undefined : `left behind: ${leftovers}`
  const bundled = bundle === undefined ? undefined : `failure bundle, summary.txt first: ${bundle}`
  const more = [...output.map((line) => `  | ${line}`), hinted, left, bundled].filter((line) => line !== undefined)
  error.message = [message, ...more].join('\n')
  error.stack = stack.replace(message, () => error.message)
  return error
}

/** A failure of a test file that uses an integration wrongly. Its message has the hint, which runners do not show. */
export function misuse(message: string, hint: string): TestfleetError {
  return explain(new TestfleetError('USAGE', message, { hint }))
}

/** Makes the stack of an error begin with the caller of a function of ours, which is the line of the test. */
export function beginStackAt<Thrown>(caller: (...args: never[]) => unknown, error: Thrown): Thrown {
  if (error instanceof TestfleetError) Error.captureStackTrace(error, caller)
  return error
}
