import { describe, expect, test } from 'vitest'
import { fakeDocker } from '../../../tests/support/fake-engine.ts'
import { speakAs } from '../../model/surface.ts'
import type { Engine } from '../engine.ts'
import { missingProgram, takenPort } from './dialect.ts'
import { commandNotFound } from './errors.ts'
import { explainStart } from './explain-container.ts'

// Messages are quoted as the command words them.
speakAs('command')

const connectivity = 'driver failed programming external connectivity on endpoint web (d62d32a95eb7f20d): '

describe('a taken port is named', () => {
  test.each([
    [
      '20.10, by a container',
      `${connectivity}Bind for 127.0.0.1:8998 failed: port is already allocated`,
      '127.0.0.1:8998',
    ],
    [
      '20.10, by a process',
      `${connectivity}Error starting userland proxy: listen tcp4 127.0.0.1:8999: bind: address already in use`,
      '127.0.0.1:8999',
    ],
    [
      '20.10, IPv6',
      `${connectivity}Error starting userland proxy: listen tcp6 [::1]:80: bind: address already in use`,
      '[::1]:80',
    ],
    ['20.10, UDP', 'Error starting userland proxy: listen udp4 0.0.0.0:53: bind: address already in use', '0.0.0.0:53'],
    [
      '28',
      `failed to set up container networking: ${connectivity}failed to bind host port for 127.0.0.1:8080:172.18.0.2:80/tcp: address already in use`,
      '127.0.0.1:8080',
    ],
    ['28.3', `${connectivity}failed to bind host port 127.0.0.1:8080/tcp: address already in use`, '127.0.0.1:8080'],
    [
      'Podman 4.3',
      'cannot listen on the TCP port: listen tcp4 127.0.0.1:8080: bind: address already in use',
      '127.0.0.1:8080',
    ],
    ['rootless Podman', 'rootlessport listen tcp 127.0.0.1:8080: bind: address already in use', '127.0.0.1:8080'],
  ])('%s', (_, words, port) => {
    expect(takenPort(words)).toBe(port)
    expect(explainStart({ status: 500, words })).toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(`${port.replace(/[[\]]/g, '\\$&')}$`),
    })
  })
})

describe('a program that cannot be run is named', () => {
  const runc =
    'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: '
  test.each([
    ['20.10', `${runc}exec: "nosuch": executable file not found in $PATH: unknown`, 'nosuch'],
    ['20.10, a path', `${runc}exec: "/nosuch": stat /nosuch: no such file or directory: unknown`, '/nosuch'],
    ['20.10, no program', `${runc}exec: "/etc/passwd": permission denied: unknown`, '/etc/passwd'],
    [
      '28',
      `failed to create task for container: ${runc}error during container init: exec: "/x": is a directory: unknown`,
      '/x',
    ],
    [
      'crun',
      'crun: executable file `nosuch` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found',
      'nosuch',
    ],
  ])('%s', (_, words, program) => {
    expect(missingProgram(words)).toBe(program)
    expect(explainStart({ status: 400, words })).toMatchObject({
      code: 'COMMAND_NOT_FOUND',
      message: expect.stringContaining(`"${program}"`),
    })
  })
})

test.each([
  ['./start.sh', 'set `workingDir`'],
  ['bin/start', 'set `workingDir`'],
  ['/opt/start', 'on the PATH'],
  ['start', 'on the PATH'],
  ['sh ./start.sh', 'Write the command as a list'],
])('the hint for a missing program: %s', (program, hint) => {
  expect(commandNotFound(program, '').hint).toContain(hint)
})

describe('another failed start is START_FAILED', () => {
  test.each([
    ['a mount', 'error mounting "/x" to rootfs at "/y": mount /x:/y: not a directory: unknown'],
    ['a missing mount', 'OCI runtime create failed: error mounting "/x": stat /x: no such file or directory: unknown'],
    ['a port below 1024', 'listen tcp4 127.0.0.1:80: bind: permission denied'],
    ['a user', 'unable to find user nobodyx: no matching entries in passwd file'],
  ])('%s', (_, words) => {
    expect(explainStart({ status: 500, words })).toMatchObject({ code: 'START_FAILED' })
  })

  test('with only the last error of the chain', () => {
    const words =
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: chdir to cwd ("/x") set in config.json failed: permission denied: unknown'
    expect(explainStart({ status: 500, words })?.message).toBe(
      'the container could not be started: chdir to cwd ("/x") set in config.json failed: permission denied',
    )
  })

  test.each([
    ['unable to find user nobodyx: no matching entries in passwd file', '`useradd NAME`'],
    ['unable to find group nobodyx: no matching entries in group file', '`groupadd NAME`'],
  ])('with a hint: %s', (words, hint) => {
    expect(explainStart({ status: 400, words })?.hint).toContain(hint)
  })

  test('with one sentence and a hint for a full disk', () => {
    const words = 'mkdir /var/lib/docker/overlay2/x/merged: no space left on device'
    expect(explainStart({ status: 500, words })).toMatchObject({
      message: "the container could not be started: the engine's disk is full (no space left on device)",
      hint: expect.stringContaining('docker system df'),
    })
  })

  test('except for a container that does not exist', () => {
    expect(explainStart({ status: 404, words: 'No such container: x' })).toBeUndefined()
  })

  test('of a container that another request is removing: it counts as gone', () => {
    const words = 'container is marked for removal and cannot be started'
    expect(explainStart({ status: 409, words })).toMatchObject({ code: 'NOT_FOUND' })
  })
})

test.each([
  ['unlinkat /etc/hosts: device or resource busy', '/etc/hosts is a mount, which cannot be replaced'],
  ['unexpected EOF', 'the tar archive is not sound: unexpected EOF'],
  ['"../x" is outside of "/srv"', 'the tar archive is not sound: "../x" is outside of "/srv"'],
  ['something else', 'something else'],
])('says why files cannot be unpacked: %s', async (words, message) => {
  await using fake = await fakeDocker((incoming, response) => {
    const body = JSON.stringify({ message: `Error processing tar file(exit status 1): ${words}` })
    incoming.resume().on('end', () => response.writeHead(500).end(body))
  })
  const unpacking = fake.engine.putArchive('x', '/', Buffer.from('tar'))
  await expect(unpacking).rejects.toMatchObject({ code: 'ENGINE_REFUSED', message })
})

test.each([
  ['creating a volume', (engine: Engine) => engine.createVolume('x', {})],
  ['unpacking files', (engine: Engine) => engine.putArchive('x', '/', Buffer.from('tar'))],
  ['creating a network', (engine: Engine) => engine.createNetwork('x', {})],
])('on a full disk, %s fails with one sentence and a hint', async (_, ask) => {
  await using fake = await fakeDocker((incoming, response) => {
    const message = 'mkdir /var/lib/docker/volumes/x: no space left on device'
    incoming.resume().on('end', () => response.writeHead(500).end(JSON.stringify({ message })))
  })
  await expect(ask(fake.engine)).rejects.toMatchObject({
    code: 'ENGINE_REFUSED',
    message: "the engine's disk is full (no space left on device)",
    hint: expect.stringContaining('testfleet prune --images'),
  })
})
