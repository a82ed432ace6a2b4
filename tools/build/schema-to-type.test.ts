import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { fleetJsonSchema } from '../../src/config/json-schema.ts'
import { root } from '../run.ts'
import { renderFleetFileTypes } from './declarations.ts'
import { renderInterface, renderType } from './schema-to-type.ts'

const nothing = new Map()

describe('a type from a JSON Schema', () => {
  it.each([
    ['a string', { type: 'string', pattern: '^a' }, 'string'],
    ['an integer', { type: 'integer', minimum: 1 }, 'number'],
    ['several types', { type: ['string', 'number', 'integer'] }, 'string | number'],
    ['a constant', { type: 'boolean', const: true }, 'true'],
    ['an enumeration', { type: 'string', enum: ['tcp', 'udp'] }, '"tcp" | "udp"'],
    [
      'alternatives',
      { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      'string | readonly string[]',
    ],
    [
      'an array of alternatives',
      { type: 'array', items: { type: ['string', 'number'] } },
      'ReadonlyArray<string | number>',
    ],
    ['a map', { type: 'object', additionalProperties: { type: 'boolean' } }, 'Readonly<Record<string, boolean>>'],
  ])('of %s', (_, schema, type) => {
    expect(renderType(schema, nothing, '')).toBe(type)
  })

  it('has the descriptions as comments, and escapes the end of a comment', () => {
    const schema = {
      type: 'object',
      properties: { 'a-b': { type: 'string', description: 'All of */etc/*/x.' }, c: { type: 'null' } },
      required: ['c'],
      additionalProperties: false,
    } as const
    expect(renderInterface('Named', schema, nothing)).toBe(
      'export interface Named {\n  /** All of *\\/etc/*\\/x. */\n  readonly "a-b"?: string | undefined\n  readonly c: null\n}\n',
    )
  })

  it('fails for an unknown keyword', () => {
    expect(() => renderType({ type: 'string', oneOf: [] }, nothing, '')).toThrow('"oneOf"')
  })
})

it('equals the type that zod infers for the fleet file', async () => {
  const cache = join(root, 'node_modules/.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'testfleet-same-type-'))
  try {
    await writeFile(join(folder, 'generated.ts'), renderFleetFileTypes(fleetJsonSchema()))
    await writeFile(join(folder, 'same.ts'), same)
    const config = { extends: '../../../tsconfig.json', include: ['*.ts'], compilerOptions: { rootDir: '../../..' } }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const tsc = promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])
    expect(await tsc.catch((error: { stdout: string }) => error)).toMatchObject({ stdout: '' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

/** Compiles if the two types are equal: each is assignable to the other and has the same keys at every level. */
const same = `
import type * as z from 'zod'
import type { DeepReadonly } from '../../../src/model/deep-readonly.ts'
import type { fleetFileSchema } from '../../../src/model/fleet-file.ts'
import type { FleetFile } from './generated.ts'

type Schema = DeepReadonly<z.input<typeof fleetFileSchema>>
export const there = (file: Schema): FleetFile => file
export const same: Same<Schema, FleetFile> = true
export const back = (file: FleetFile): Schema => file
export const keysThere = (path: Paths<Schema>): Paths<FleetFile> => path
export const keysBack = (path: Paths<FleetFile>): Paths<Schema> => path

/** Whether two types are equal, including read-only and optional members. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Paths<T> = T extends readonly (infer Item)[] ? Paths<Item> : T extends object ? PathsOf<T> : never
type PathsOf<T> = { [K in keyof T & string]-?: Name<K> | \`\${Name<K>}.\${Paths<T[K]>}\` }[keyof T & string]
type Name<K extends string> = string extends K ? '*' : K
`
