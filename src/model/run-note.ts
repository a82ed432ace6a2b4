import * as z from 'zod'
import { NAME, SESSION } from '../formats/grammar.ts'

const text = z.string()
const count = z.int().nonnegative()

/** What was seen of a server when a run ended or failed. */
const seenServer = z.object({
  server: text,
  /** Id of its container. */
  container: text,
  state: z.enum(['created', 'running', 'paused', 'exited']),
  exitCode: z.int().optional(),
  /** The exit code that its `exit` check demands. */
  wantedCode: z.int().optional(),
  /** Whether a call has stopped it on purpose. */
  isStopped: z.boolean().optional(),
  isOutOfMemory: z.boolean(),
  /** Its memory limit; left out when it has none. */
  memoryBytes: z.number().optional(),
  restarts: count,
  endedAtMs: z.number().optional(),
  /** Whether its ready checks passed; left out when they were not asked. */
  isReady: z.boolean().optional(),
  /** Last answer of each ready check that did not pass. */
  answers: z.record(text, text),
  /** Last lines of its log, with secrets masked. */
  log: z.array(text),
})

/** The failure of the call that started the servers. */
const seenFailure = z.object({
  code: text,
  message: text,
  server: text.optional(),
  hint: text.optional(),
  output: z.array(text),
  at: z.object({ file: text, line: count.optional(), column: count.optional() }).optional(),
})

/** What is kept of a run that has ended: enough to say later what was wrong with its servers. */
export const runNote = z.object({
  version: z.literal(1),
  session: text.regex(SESSION),
  /** Id of the session. */
  id: text.regex(/^[0-9a-f]{8}$/),
  fleet: text.regex(NAME),
  /** Real path of the fleet file; left out for a fleet given as an object. */
  file: text.optional(),
  endedAtMs: z.number().min(0).max(8.64e15),
  failure: seenFailure.optional(),
  /** The command of `run` or `join` that failed. */
  command: z.object({ name: text, exitCode: z.int() }).optional(),
  servers: z.array(seenServer),
})

export type RunNote = z.infer<typeof runNote>
export type SeenServer = RunNote['servers'][number]
export type SeenFailure = NonNullable<RunNote['failure']>

/** What the rules look at. A session that still runs has no end. */
export type Evidence = Pick<RunNote, 'failure' | 'servers'>
