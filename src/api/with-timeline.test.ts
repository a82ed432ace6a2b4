import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Testfleet } from './testfleet.ts'

let folder: string
/** The start of an earlier timeline. */
const earlier = '<!doctype html>\n<title>testfleet up: 1 s</title>'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-timeline-'))
  await mkdir(join(folder, 'there'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Fails before an engine is needed. */
function fail(timeline: unknown) {
  return new Testfleet({ folder }).up('missing.yaml', { timeline } as never)
}

describe('the option `timeline`', () => {
  test('writes a page and a trace of a call that fails, for their user alone', async () => {
    await writeFile(join(folder, 'old.html'), earlier)
    await expect(fail(['old.html', 'there/trace.JSON', './old.html'])).rejects.toMatchObject({
      code: 'FLEET_FILE_NOT_FOUND',
    })
    const page = await readFile(join(folder, 'old.html'), 'utf8')
    expect(page).toMatch(/Failed after [\d.]+\sm?s: /)
    const { otherData } = JSON.parse(await readFile(join(folder, 'there/trace.JSON'), 'utf8'))
    expect(otherData).toMatchObject({ outcome: 'failed', message: expect.stringContaining('missing.yaml') })
    expect((await stat(join(folder, 'old.html'))).mode & 0o777).toBe(0o600)
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test.each([
    ['in a folder that does not exist', 'nowhere/x.html', /"nowhere\/x\.html": its folder does not exist/],
    ['that is a folder', 'there', /it exists and is not a file/],
    ['without a name', '', /it is not a file name/],
    ['that ends with a slash', 'there/', /it is not a file name/],
    ['that is no path', 7, /`timeline` takes a path, or a list of paths, not 7/],
    ['in a list with something else', ['x.html', 7], /a path, or a list of paths/],
  ])('refuses a file %s, before anything is done', async (_, timeline, message) => {
    await expect(fail(timeline)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringMatching(message) })
  })

  test('replaces a link, and not the file that it leads to', async () => {
    await writeFile(join(folder, 'other'), earlier)
    await symlink(join(folder, 'other'), join(folder, 'link.html'))
    await expect(fail('link.html')).rejects.toMatchObject({ code: 'FLEET_FILE_NOT_FOUND' })
    expect(await readFile(join(folder, 'other'), 'utf8')).toBe(earlier)
    expect(await readFile(join(folder, 'link.html'), 'utf8')).toContain('Failed after')
  })

  test('says in a warning that a file could not be written, and keeps the result of the call', async () => {
    const events: string[] = []
    const gone = join(folder, 'gone')
    await mkdir(gone)
    const client = new Testfleet({
      folder,
      onEvent: ({ kind, data }) => events.push('message' in data ? `${kind}: ${data.message}` : kind),
    })
    // A fleet file that is a program runs after the path of the timeline was checked.
    await writeFile(
      join(folder, 'fleet.mjs'),
      `import { rmSync } from 'node:fs'\nrmSync(${JSON.stringify(gone)}, { recursive: true })\nexport default {}\n`,
    )
    await expect(client.up('fleet.mjs', { timeline: 'gone/x.html' })).rejects.toMatchObject({
      code: 'FLEET_FILE_INVALID',
    })
    expect(events.join('\n')).toMatch(/warning: the timeline could not be written to .*x\.html: no such file/i)
  })
})
