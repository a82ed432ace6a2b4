import { describe, expect, test } from 'vitest'
import { readOutput } from '../../engine/conformance/harness.ts'
import { label } from '../../model/labels.ts'
import type { Harness } from './harness.ts'

/** Fills a volume with everything that is easily lost on the way. */
const fill = `
set -e
mkdir -p "/data/sub folder" /data/inner /etc/made
echo hello > "/data/sub folder/file"
chown 1234:55 "/data/sub folder/file"; chmod 4750 "/data/sub folder/file"
ln -s file "/data/sub folder/link"; ln "/data/sub folder/file" /data/hard; mkfifo /data/pipe
touch "/data/$(printf 'ü%.0s' $(seq 120))"
truncate -s 8M /data/sparse; printf end >> /data/sparse
chown 77:78 /data; chmod 0711 /data
echo inner > /data/inner/file
echo own > /etc/made/file; rm /etc/issue
echo secret > /run/secrets/PASSWORD; echo memory > /memory/file; echo named > /data/named/file
echo odd > '/odd $PATH x/file'
`

const list = `
cd /data && stat -c %h hard && find . -path ./named -prune -o -printf '%p %y %m %U:%G %l\\n' | sort
tail -c 3 sparse; wc -c < sparse; cat 'sub folder/file'
cat /data/inner/file /etc/made/file; ls /etc/issue; find /run/secrets /memory -type f; cat '/odd $PATH x/file'
`

export function describeSaved(open: () => Harness): void {
  describe('a saved server', () => {
    test('has its files, also those of the volumes of its image, and nothing of its secrets and mounts', async () => {
      const { runtime, labels, name, session, makeImage, describeImage, start, find } = open()
      const [image, reference, volume] = [`testfleet/${name()}:1`, `testfleet/${name()}:2`, name()]
      const lines = ['ENV A=b', 'ENV C=d', 'VOLUME ["/data", "/data/inner", "/odd \\\\$PATH x"]']
      await makeImage({ brought: 'yes' }, image, lines.join('\n'))
      await runtime.createVolume(volume, labels)
      const own = { kind: 'ownVolume', to: '/run/secrets', writable: true, labels: {} } as const
      const memory = { to: '/memory', sizeBytes: undefined, mode: undefined, uid: undefined, gid: undefined }
      const { id } = await start({
        image,
        environment: { A: 'changed', PASSWORD: 'geheim' },
        labels: { [label.server]: 'db', mine: 'yes' },
        tmpfs: [memory],
        mounts: [own, { kind: 'volume', volume, to: '/data/named', writable: true }],
      })
      const run = async (server: string, text: string): Promise<string> => {
        const { stdout, stderr } = await readOutput(
          (await runtime.exec(server, { command: ['sh', '-c', text] })).output,
        )
        return stdout + stderr
      }
      expect(await run(id, fill)).toBe('')
      const before = await run(id, list)
      expect(before).toContain('./sub folder/file f 4750 1234:55 \n')
      await runtime.pauseServer(id)
      await runtime.saveServer(id, { reference, labels: { kept: 'yes', [label.session]: session } })
      await runtime.resumeServer(id)
      expect(await describeImage(reference)).toMatchObject({
        environment: { A: 'b', C: 'd', PASSWORD: '' },
        labels: { brought: 'yes', mine: '', kept: 'yes', [label.session]: session, [label.server]: '' },
      })
      expect(await describeImage(`${reference}-commit`)).toBeUndefined()
      // A person can make an image of a server, too: it has the same labels.
      await makeImage(labels, `mine/${name()}:1`)
      expect((await runtime.listSavedImages(session)).flatMap(({ references }) => references)).toEqual([reference])
      const copy = await start({ image: reference, tmpfs: [memory], mounts: [own] })
      const files = /^\/(?:run\/secrets|memory)\/.*\n/gm
      expect(await run(copy.id, list)).toBe(before.replace(files, ''))
      await expect(runtime.saveServer('nowhere', { reference, labels })).rejects.toMatchObject({ code: 'NOT_FOUND' })
      for (const server of [id, copy.id]) await runtime.removeServer(await find(server))
      await runtime.removeImage(reference)
      expect(await runtime.listSavedImages(session)).toEqual([])
    })
  })
}
