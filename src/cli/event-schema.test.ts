import { readFile } from 'node:fs/promises'
import { expect, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import type { EventData } from '../api/events.ts'
import { eventJsonSchema, eventKinds, eventSchema, type SchemaData } from './event-schema.ts'

test('the schema of an event and the public types have the same details for each kind', () => {
  expectTypeOf<SchemaData>().toExtend<EventData>()
  expectTypeOf<EventData>().toExtend<SchemaData>()
  type Keys<Data> = { -readonly [Kind in keyof Data]: keyof Data[Kind] }
  expectTypeOf<Keys<SchemaData>>().toEqualTypeOf<Keys<EventData>>()
})

const line = {
  time: '2026-11-30T02:00:00.000Z',
  session: 'shop',
  operation: { id: '1', name: 'up' },
  kind: 'server.starting',
  data: { server: 'web' },
}

test('the schema accepts an event, and refuses an unknown kind or a wrong detail', () => {
  expect(eventSchema.safeParse(line).success).toBe(true)
  expect(eventSchema.safeParse({ ...line, session: undefined }).success).toBe(true)
  expect(eventSchema.safeParse({ ...line, kind: 'server.dancing' }).success).toBe(false)
  expect(eventSchema.safeParse({ ...line, data: { server: 1 } }).success).toBe(false)
  expect(eventSchema.safeParse({ ...line, data: { server: 'web', more: 1 } }).success).toBe(false)
})

test('the JSON Schema allows fields of later versions', () => {
  expect(JSON.stringify(eventJsonSchema())).not.toContain('additionalProperties')
  expect(eventJsonSchema()).toMatchObject({ title: 'testfleet event', anyOf: expect.any(Array) })
})

test('docs/events.md has every kind of event with its meaning and details', async () => {
  const page = await readFile(new URL('../../docs/events.md', import.meta.url), 'utf8')
  const rows = Object.entries(eventKinds).map(([kind, { description, data }]) => {
    const details = Object.entries(data.shape).map(
      ([name, type]) => `\`${name}\`${z.safeParse(type, undefined).success ? '?' : ''}`,
    )
    return `| \`${kind}\` | ${description} | ${details.join(', ')} |`
  })
  const [, table = ''] = page.split('## All kinds')
  expect(table.split('\n').filter((text) => /^\| `[a-z]+(?:\.[a-zA-Z]+)?` \|/.test(text))).toEqual(rows)
})
