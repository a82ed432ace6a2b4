import * as z from 'zod'
import type { EventKind } from '../api/events.ts'

const server = z.string().describe('Name of the server in its fleet file.')
const servers = z.array(z.string()).readonly()
const image = z.string().describe('Reference of the image.')
const forServers = servers.describe('The servers that need it.')
const elapsedMs = z.number()
const network = z.string().describe('Name of the network on the engine.')
const volume = z.string().describe('Name of the volume in the fleet file.')
const ofServer = { server }
const ofImage = { image, servers: forServers }
const becameReady = {
  server,
  elapsedMs,
  unchanged: z.boolean().describe('Whether it was running before the call and was left as it is.'),
}
const built = z.strictObject({
  number: z.number().describe('Counts from 1.'),
  total: z.number(),
  text: z.string(),
  cached: z.boolean(),
})
const hook = z.enum(['preStart', 'postStart', 'preStop'])
const change = z.strictObject({
  action: z.enum(['pull', 'build', 'bake', 'create', 'stop', 'start', 'run', 'keep', 'update', 'remove']),
  subject: z.enum(['image', 'network', 'volume', 'server']),
  name: z.string(),
  reason: z.string().optional(),
})

function kind<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  return { description, data: z.strictObject(shape) }
}

/** Meaning and details of each kind, in the order of docs/events.md. */
export const eventKinds = {
  'operation.started': kind('A call has begun.', { version: z.string().describe('Version of testfleet.') }),
  'operation.ended': kind('A call has ended. It is the last event of its operation.', {
    outcome: z.enum(['ok', 'failed', 'cancelled']),
    code: z.string().optional().describe('Code of the failure.'),
    message: z.string().optional(),
    elapsedMs,
  }),
  'plan.made': kind('The changes that the call is about to make, in their order.', {
    changes: z.array(change).readonly(),
  }),
  'image.pulling': kind('An image is being pulled. Repeated with its progress.', { ...ofImage, status: z.string() }),
  'image.pulled': kind('An image was pulled.', { ...ofImage, elapsedMs }),
  'image.building': kind('An image is being built. Repeated at each step.', {
    ...ofImage,
    step: built.optional().describe('Missing before the first step.'),
  }),
  'image.output': kind('A line of the output of a build.', { ...ofImage, line: z.string() }),
  'image.built': kind('An image was built.', { ...ofImage, elapsedMs }),
  'image.baking': kind("A server's ready state is being saved as an image. Repeated at each step.", {
    ...ofImage,
    status: z.string().optional().describe('What is being done. Missing before the first step.'),
  }),
  'image.baked': kind("A server's ready state was saved as an image.", { ...ofImage, elapsedMs }),
  'image.removed': kind('An image was removed.', { image }),
  'network.created': kind("The fleet's network was created.", { network }),
  'network.removed': kind("The fleet's network was removed.", { network }),
  'volume.created': kind('A volume was created.', { volume }),
  'volume.removed': kind('A volume was removed.', { volume }),
  'server.created': kind('The container of a server was created. It does not run yet.', {
    server,
    container: z.string().describe('Id of the container.'),
  }),
  'server.starting': kind('A server is being started.', ofServer),
  'server.started': kind('The first process of a server runs. The server may not answer yet.', ofServer),
  'server.hook': kind('A command of `preStart`, `postStart` or `preStop` begins in a server.', {
    server,
    hook,
    number: z.number().describe('Counts from 1.'),
    total: z.number(),
    command: z.string(),
  }),
  'server.hookOutput': kind('A line that such a command has printed.', { server, hook, line: z.string() }),
  'server.waiting': kind('A ready check has not passed yet. Repeated after each try.', {
    server,
    check: z.string(),
    answer: z.string().optional().describe('Missing before the first try.'),
    elapsedMs: elapsedMs.optional().describe('How long the try took.'),
  }),
  'server.checked': kind('A ready check passes.', {
    server,
    check: z.string(),
    elapsedMs: elapsedMs.optional().describe('How long the last try took.'),
  }),
  'server.ready': kind('All ready checks of a server pass.', becameReady),
  'server.completed': kind('A server did its work and ended as its `exit` check demands.', becameReady),
  'server.stopping': kind('A server is being stopped.', ofServer),
  'server.stopped': kind('A server was stopped.', ofServer),
  'server.failed': kind('A server failed.', { server, message: z.string() }),
  'server.skipped': kind('A server was not started because something that it needs has failed.', {
    server,
    because: z.string().describe('What has failed.'),
  }),
  'server.removing': kind('A server is being removed.', ofServer),
  'server.removed': kind('A server was removed.', ofServer),
  'server.replaced': kind('The old container of a server was removed, after the new one was ready.', ofServer),
  'server.signalled': kind('A signal was sent to a server.', {
    server,
    signal: z.string().optional().describe('Such as `SIGTERM`, or its number; missing where it is not known.'),
  }),
  'server.paused': kind('A server was paused.', ofServer),
  'server.resumed': kind('A paused server runs again.', ofServer),
  'server.exited': kind('The first process of a server has ended. Only from `testfleet events`.', {
    server,
    exitCode: z.number().describe('128 and the number of the signal, if a signal has ended it.'),
  }),
  'server.outOfMemory': kind(
    'The kernel has killed a process of a server that had used up its memory. Only from `testfleet events`.',
    ofServer,
  ),
  'server.healthy': kind("The health check of a server's image has passed. Only from `testfleet events`.", ofServer),
  'server.unhealthy': kind("The health check of a server's image has failed. Only from `testfleet events`.", ofServer),
  'session.waiting': kind('Another call changes the session; this one waits until it is done.', {
    holder: z.string().describe('Who changes it.'),
  }),
  'session.undoing': kind(
    'The call has failed: servers that it started are removed, and those that it replaced are put back.',
    { servers },
  ),
  'session.kept': kind('The call has failed, and what it started is kept because `--keep` was given.', { servers }),
  'session.cleaned': kind('What a dead process had left of a session was cleaned up.', {
    removed: servers.describe('Servers that were removed.'),
    putBack: servers.describe('Servers that run again.'),
  }),
  'bundle.written': kind('The failure bundle was written.', {
    folder: z.string(),
    archive: z.string().optional().describe('The same as one file.'),
  }),
  warning: kind('Something needs attention; the call goes on.', { message: z.string() }),
  note: kind('What a call that takes long is doing, in words.', { message: z.string() }),
  'events.dropped': kind('The reader of `events()` was too slow: the oldest events were dropped here.', {
    count: z.number(),
  }),
} satisfies Record<EventKind, unknown>

/** One line of `--events FILE`. */
export const eventSchema = z.union(
  Object.entries(eventKinds).map(([kind, { description, data }]) =>
    z
      .strictObject({
        time: z.iso.datetime().describe('When it happened, in UTC.'),
        session: z.string().optional().describe('Name of the session; missing while it is not known.'),
        operation: z
          .strictObject({ id: z.string(), name: z.string().describe('What was called, such as `up`.') })
          .describe('The call that it belongs to.'),
        kind: z.literal(kind),
        data,
      })
      .describe(description),
  ),
)

/** Details of each kind as the schema has them. A test compares them with the public types. */
export type SchemaData = {
  [Kind in EventKind]: z.infer<(typeof eventKinds)[Kind]['data']>
}

/** JSON Schema (draft 2020-12) of one event. Later versions may add kinds and fields, so it accepts other fields. */
export function eventJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(eventSchema, {
    override({ jsonSchema }) {
      delete jsonSchema.additionalProperties
    },
  })
  return { ...schema, title: 'testfleet event' }
}
