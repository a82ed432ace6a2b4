import { describe, expect, test } from 'vitest'
import type { ContainerSpec } from '../../model/container.ts'
import { type Harness, readOutput } from './harness.ts'

/** Tests what a container sees of its specification. */
export function describeCommands(open: () => Harness): void {
  const say = async (text: string, changes: Partial<ContainerSpec>): Promise<string> => {
    const { engine, start } = open()
    const id = await start({ ...changes, command: ['sh', '-c', text] })
    await engine.waitContainer(id)
    const { stdout, stderr } = await readOutput(engine.readLogs(id, { follow: false }))
    return stdout + stderr
  }

  describe('inside a container', () => {
    test('hostname, environment, user, folder and extra hosts are as specified', async () => {
      const changes = {
        hostname: 'web.fleet.test',
        environment: { GREETING: 'a "b" $c' },
        user: '33:33',
        workingDir: '/tmp',
        extraHosts: { 'other.test': '192.0.2.7' },
      }
      const said = await say('hostname; echo "$GREETING"; id -u; id -g; pwd; getent hosts other.test', changes)
      const [resolved, ...rest] = said.split('\n').reverse().slice(1)
      expect(rest.reverse()).toEqual(['web.fleet.test', 'a "b" $c', '33', '33', '/tmp'])
      expect(resolved).toMatch(/^192\.0\.2\.7\s/)
    })

    test('everything is read-only on request, except tmpfs', async () => {
      const tmpfs = [{ to: '/scratch', sizeBytes: 1024 * 1024, mode: 0o750, uid: 33, gid: 33 }]
      const said = await say('echo x > /scratch/x && cat /scratch/x; stat -c %a:%u:%g /scratch; echo x > /x', {
        readOnly: true,
        tmpfs,
      })
      expect(said).toMatch(/^x\n750:33:33\n.*Read-only file system/s)
    })

    test('processes gain no privileges, and limits apply', async () => {
      const said = await say('grep NoNewPrivs /proc/self/status; ulimit -Sn; ulimit -Hn', {
        ulimits: { nofile: { soft: 512, hard: 1024 } },
        limits: { memoryBytes: 64 * 1024 * 1024, cpus: 0.5, pids: 32 },
      })
      expect(said).toBe('NoNewPrivs:\t1\n512\n1024\n')
    })

    test('running out of memory is reported', async () => {
      const { engine, start } = open()
      const limits = { memoryBytes: 16 * 1024 * 1024, cpus: undefined, pids: undefined }
      const command = ['perl', '-e', '$x = "x" x 1e9']
      const ids: string[] = []
      // An engine may report this after the end of the container, and a busy one misses it for some containers (20.10).
      const isReported = async (): Promise<boolean> => {
        const id = await start({ command, limits, init: false })
        ids.push(id)
        expect(await engine.waitContainer(id)).toBe(137)
        const seen = await Promise.all(ids.map((one) => engine.inspectContainer(one)))
        return seen.some(({ isOutOfMemory }) => isOutOfMemory)
      }
      await expect.poll(isReported).toBe(true)
    })

    test('the entrypoint is started', async () => {
      const { engine, start } = open()
      const id = await start({ entrypoint: ['echo', 'one'], command: ['two'] })
      await engine.waitContainer(id)
      expect(await readOutput(engine.readLogs(id, { follow: false }))).toEqual({ stdout: 'one two\n', stderr: '' })
    })
  })
  describeFailedStarts(open)
}

function describeFailedStarts(open: () => Harness): void {
  describe('a container that cannot start', () => {
    test.each(['nosuchprogram', '/no/such/program', '/etc/passwd'])(
      'because the program %s cannot be run fails with COMMAND_NOT_FOUND',
      async (program) => {
        const { engine, spec } = open()
        const id = await engine.createContainer(spec({ command: [program], init: false }))
        const failure = { code: 'COMMAND_NOT_FOUND', message: expect.stringContaining(program) }
        await expect(engine.startContainer(id)).rejects.toMatchObject(failure)
      },
    )

    test('for another reason fails with START_FAILED', async () => {
      const { engine, spec } = open()
      const id = await engine.createContainer(spec({ user: 'nobody-of-this-name' }))
      const failure = { code: 'START_FAILED', message: expect.stringContaining('nobody-of-this-name') }
      await expect(engine.startContainer(id)).rejects.toMatchObject(failure)
    })

    test('because a mounted folder does not exist names the folder', async () => {
      const { engine, spec } = open()
      const mounts = [{ kind: 'bind', from: '/no/such/folder', to: '/mnt', writable: false }] as const
      const starting = engine.createContainer(spec({ mounts })).then((id) => engine.startContainer(id))
      await expect(starting).rejects.toThrow('/no/such/folder')
    })

    test('leaves its specification object unchanged', async () => {
      const { engine, spec } = open()
      const wanted = deepFreeze(
        spec({ ports: [{ container: 80, protocol: 'tcp', host: undefined, address: '127.0.0.1' }] }),
      )
      await engine.createContainer(wanted)
    })
  })
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
