import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { requireWritableFile } from './pin.ts'

test('a fleet file that cannot be written is refused before images are asked for', async () => {
  const images = { file: 'testfleet.yaml', text: 'servers: {}', fields: [], dockerfileBases: [] }
  const path = join(tmpdir(), 'no-such-folder/testfleet.yaml')
  await expect(requireWritableFile({ ...images, path })).rejects.toMatchObject({
    code: 'USAGE',
    message: 'testfleet.yaml cannot be written: no such file or folder',
  })
  await expect(requireWritableFile({ ...images, path: import.meta.filename })).resolves.toBeUndefined()
})
