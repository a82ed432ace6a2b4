import { describe, expect, test } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import type { ContainerSummary } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Port, Server } from '../model/fleet.ts'
import type { Holder, Lifetime, Machine } from '../model/session.ts'
import { findContainerId, markGone, refuseForeignLoopback } from './own-container.ts'
import { judgeHolders, judgeLifetime, readMachine } from './processes.ts'

const id = '42a3f9162ed7b30ee7a5a2c5a91be160a7630c81958463ab506856ce0e8823b8'

test.each([
  [
    'Docker',
    `421 350 254:0 /var/lib/docker/containers/${id}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw`,
    id,
  ],
  ['a separate partition', `421 350 254:0 /docker/containers/${id}/hosts /etc/hosts rw - ext4 /dev/vda rw`, id],
  [
    'Podman',
    `9 3 0:2 /run/containers/storage/overlay-containers/${id}/userdata/hostname /etc/hostname rw - tmpfs t rw`,
    id,
  ],
  ['no container', '22 25 0:20 / /proc rw - proc proc rw\n30 25 0:3 / /etc/hostname rw - ext4 /dev/vda rw', undefined],
  ['a mount of another one', `5 2 254:0 /var/lib/docker/containers/${id} /logs rw - ext4 /dev/vda rw`, undefined],
])("this process's container id is read from its mounts: %s", (_, mounts, found) => {
  expect(findContainerId(`1 0 0:1 / / rw - overlay overlay rw\n${mounts}\n`)).toBe(found)
})

describe('testfleet in a container', () => {
  const server = (name: string, ...addresses: (string | undefined)[]): Server =>
    ({
      name,
      ports: addresses.map((address): Port => ({ container: 80, protocol: 'tcp', host: undefined, address })),
    }) as unknown as Server
  const inside = (...names: string[]): ContainerSummary =>
    ({
      name: 'ci',
      networks: names.map((name) => ({ name, networkId: '', ip: '', gateway: '' })),
    }) as unknown as ContainerSummary

  test.each([[undefined], ['127.0.0.1'], ['::1'], ['127.0.0.9']])('refuses a port at %s', (address) => {
    expect(() => refuseForeignLoopback(inside('bridge'), [server('db'), server('web', '192.0.2.7', address)])).toThrow(
      expect.objectContaining({
        code: 'PORT_UNREACHABLE',
        message: expect.stringMatching(/^testfleet runs in the container ci, which cannot reach the ports of web/),
        hint: expect.stringContaining('--network host'),
      }),
    )
  })

  test.each([
    ['it is on the network of the machine', inside('host'), server('web', undefined)],
    ['nothing is published', inside('bridge'), server('web')],
    ['the port is at an address of the network', inside('bridge'), server('web', '0.0.0.0', '192.0.2.7')],
  ])('accepts every port when %s', (_, container, one) => {
    expect(() => refuseForeignLoopback(container, [one])).not.toThrow()
  })
})

describe('a holder in a container that', () => {
  const machine: Machine = { ...readMachine(), name: 'c0ffee', id: '', pidSpace: 'pid:[7]', container: id }
  const holder: Holder = { machine, process: { pid: 1, startedAt: '1' } }
  const held: Lifetime = { kind: 'held', holders: [holder], keeper: { ...holder, socket: '' } }
  const judge = async (state: string | undefined, lifetime = held): Promise<string> => {
    const runtime = Object.assign(openMemory().runtime(), {
      async inspectServer() {
        if (state === undefined) throw new TestfleetError('NOT_FOUND', 'no such container')
        return { id, state } as ContainerSummary
      },
    })
    const [marked] = await markGone([{ ...idleSession, lifetime, revision: 1, writers: [] }], runtime, {})
    return judgeLifetime(marked?.lifetime ?? lifetime, readMachine(), Date.now())
  }

  test('has ended counts as dead, too, when it lends the servers of a session that lasts', async () => {
    const runtime = Object.assign(openMemory().runtime(), {
      async inspectServer() {
        return { id, state: 'exited' } as ContainerSummary
      },
    })
    const lender = { socket: '', by: holder }
    const [marked] = await markGone([{ ...idleSession, lender, revision: 1, writers: [] }], runtime, {})
    expect(judgeHolders(marked?.lender?.by ? [marked.lender.by] : [], readMachine())).toBe('dead')
    expect(marked?.lender?.by?.machine).toEqual(readMachine())
  })

  test('is gone or has ended counts as dead', async () => {
    expect(await judge(undefined)).toBe('dead')
    expect(await judge('exited')).toBe('dead')
  })

  test('runs, or whose state is unknown, is left alone', async () => {
    expect(await judge('running')).toBe('unknown')
    expect(await judge('paused')).toBe('unknown')
    const elsewhere = { ...holder, machine: { ...machine, container: undefined } }
    expect(await judge(undefined, { kind: 'held', holders: [elsewhere], keeper: undefined })).toBe('unknown')
  })
})
