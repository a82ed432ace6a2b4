import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Call } from './call.ts'
import { run } from './types.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-types-'))
  await writeFile(join(folder, 'testfleet.yaml'), 'servers: { web: { image: nginx, ports: [80] } }\n')
  await writeFile(join(folder, 'wrong.yaml'), 'servers: { web: { prots: [80] } }\n')
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('testfleet types', () => {
  it('prints the types of the fleet', async () => {
    expect(await types({})).toContain('    readonly web: {\n      readonly ports: readonly [80]\n')
  })

  it('writes the types to a file, in a new folder if necessary', async () => {
    expect(await types({ output: 'made/fleet.d.ts' })).toBe('wrote made/fleet.d.ts\n')
    expect(await readFile(join(folder, 'made/fleet.d.ts'), 'utf8')).toBe(await types({}))
  })

  it('describes its result as JSON', async () => {
    expect(JSON.parse(await types({}, { json: true }))).toEqual({ types: await types({}) })
    const path = join(folder, 'fleet.d.mts')
    expect(JSON.parse(await types({ output: 'fleet.d.mts' }, { json: true }))).toEqual({ file: path })
  })

  it.each(['testfleet.yaml', 'types.ts', '.d.ts', 'made/.d.ts', ''])('does not replace %j', async (output) => {
    await expect(types({ output })).rejects.toMatchObject({
      code: 'USAGE',
      message: `--output takes a file that ends with .d.ts, not ${JSON.stringify(output)}`,
    })
  })

  it('reports why the file cannot be written', async () => {
    await expect(types({ output: 'testfleet.yaml/x.d.ts' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/^testfleet\.yaml\/x\.d\.ts cannot be written: /),
    })
  })

  it('writes nothing for a fleet file with mistakes', async () => {
    await expect(types({ output: 'wrong.d.ts' }, { file: 'wrong.yaml' })).rejects.toMatchObject({
      code: 'FLEET_FILE_INVALID',
    })
    await expect(readFile(join(folder, 'wrong.d.ts'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

/** Returns what the command prints. */
async function types(options: Call['options'], more: Partial<Call> = {}): Promise<string> {
  let printed = ''
  const write = (text: string): void => {
    printed += text
  }
  const output = { write, writeData: write, endProgress: () => {} }
  const call = { options, json: false, host: { workingFolder: folder }, output, ...more } as unknown as Call
  expect(await run(call)).toBe(0)
  return printed
}
