import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../tests/support/eventually.ts'
import { findListener, readSocketTables } from './find-listener.ts'
import { listProcesses, readCommand, readMemoryBytes, readName, readProcess, send } from './process-table.ts'
import { findTree, lookAround } from './process-tree.ts'

describe.runIf(process.platform === 'linux')('the table of processes', () => {
  test('has this process, with its parent, its start and its memory', () => {
    const own = readProcess(process.pid)
    expect(own).toMatchObject({ pid: process.pid, parentPid: process.ppid, startedAt: expect.stringMatching(/^\d+$/) })
    expect(listProcesses().get(process.pid)).toEqual(own)
    expect(readCommand(process.pid)[0]).toContain('node')
    expect(readMemoryBytes(process.pid)).toBeGreaterThan(1_000_000)
  })

  test('names a program of Node by its script', async () => {
    const child = spawn(process.execPath, ['-e', "process.stdin.on('data', () => process.exit())", 'x'])
    await once(child, 'spawn')
    try {
      await eventually(() => expect(readName(child.pid ?? 0)).toBe('node'))
      expect(readName(process.pid)).not.toBe('MainThread')
    } finally {
      child.stdin.end('end')
    }
  })

  test('has no process that does not exist', () => {
    const nobody = 2 ** 31 - 1
    expect(readProcess(nobody)).toBeUndefined()
    expect(readCommand(nobody)).toEqual([])
    expect(readMemoryBytes(nobody)).toBe(0)
  })

  test('sends a signal to those that are left, and returns those of another user', () => {
    const nobody = 2 ** 31 - 1
    expect(send([nobody, process.pid], 'SIGCONT')).toEqual([])
    expect(() => send([process.pid], 'SIGNONE' as NodeJS.Signals)).toThrow(/SIGNONE/)
    if (process.getuid?.() !== 0) return expect(send([1, nobody], 'SIGCONT')).toEqual([1])
    // In a session of its own: SIGCONT reaches all processes of one's session.
    const child = spawn('sleep', ['600'], { uid: 65_534, detached: true, stdio: 'ignore' })
    const pid = child.pid ?? 0
    // Root without its effective user id has no right to signal others.
    process.seteuid?.(1)
    try {
      expect(send([pid, nobody], 'SIGCONT')).toEqual([pid])
    } finally {
      process.seteuid?.(0)
      child.kill('SIGKILL')
    }
  })

  test('takes no process for a program whose id it has got', () => {
    const root = { pid: process.pid, startedAt: '1' }
    expect(findTree({ id: 'process-none', userId: process.getuid?.(), root, known: [root] })).toEqual([])
    expect(lookAround({ root, known: [root] })).toEqual([])
  })

  test('has what a program started and was seen with it, although nothing else tells any more', async () => {
    const text = 'env -i PATH="$PATH" setsid sleep 1000 & echo $!; read end'
    const child = spawn('sh', ['-c', text], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] })
    const hidden = Number(String((await once(child.stdout, 'data'))[0]))
    try {
      await eventually(() => expect(readProcess(hidden)?.session).toBe(hidden))
      const tree = { id: 'process-none', userId: process.getuid?.(), root: readProcess(child.pid ?? 0) }
      const known = lookAround(tree)
      expect(findTree(tree)).toContain(hidden)
      child.stdin.end('end\n')
      await once(child, 'exit')
      expect(findTree(tree)).toEqual([])
      expect(findTree({ ...tree, known })).toEqual([hidden])
    } finally {
      child.kill('SIGKILL')
      process.kill(hidden, 'SIGKILL')
    }
  })
})

describe.runIf(process.platform === 'linux')('who listens at a port', () => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    test(`is found at ${host}, with the process`, async () => {
      const server = createServer().listen(0, host)
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      expect(findListener(port, 'tcp')).toEqual({ pid: process.pid })
      expect(findListener(port, 'udp')).toBeUndefined()
      server.close()
      await once(server, 'close')
      expect(findListener(port, 'tcp')).toBeUndefined()
    })
  }

  test('has rows in the tables of sockets that are only those of the processes asked for', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const place = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} `
    expect(readSocketTables([process.pid])).toContain(place)
    const others = readSocketTables([process.ppid])
    expect(others).toContain('local_address')
    expect(others).not.toContain(place)
    server.close()
  })

  test('is found for UDP, too', async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    expect(findListener(port, 'udp')).toEqual({ pid: process.pid })
    socket.close()
  })
})
