import { writeJson } from './answer.ts'
import { type Call, clientOf, flag } from './call.ts'

export async function run(call: Call): Promise<number> {
  if (flag(call, 'events')) {
    // Loaded on demand: most calls print the schema of the fleet file.
    const { eventJsonSchema } = await import('./event-schema.ts')
    writeJson(call, eventJsonSchema())
  } else writeJson(call, await clientOf(call).schema())
  return 0
}
