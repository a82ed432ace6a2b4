import { describe, expect, test } from 'vitest'
import { loadText, mistakesIn } from '../../tests/support/load-text.ts'
import { mergeServer } from './merge-server.ts'

const web = (...lines: readonly string[]): string =>
  `servers:\n  web:\n    image: debian:bookworm-slim\n${lines.map((line) => `    ${line}\n`).join('')}`

const load = async (...lines: readonly string[]) => {
  const server = (await loadText(web(...lines))).servers.get('web')
  if (server === undefined) throw new Error('there is no server web')
  return server
}

describe('commands of preStart, postStart and preStop', () => {
  test('are lists of arguments, or objects with more keys', async () => {
    const { preStart, postStart, preStop } = await load(
      'secrets: { S: { generate: 8 } }',
      'execEnvironment: { PGUSER: pg, A: exec }',
      'preStart: [[migrate, --all]]',
      'postStart:',
      '  - { command: [seed], user: 0042, workingDir: /srv, environment: { A: 1.10, B: { secret: S } }, timeout: 90s }',
      'preStop: [[sh, -c, "echo $HOME"]]',
    )
    const plain = { user: undefined, workingDir: undefined }
    expect(preStart).toEqual([{ ...plain, command: ['migrate', '--all'], environment: {}, timeoutMs: 300_000 }])
    const own = { A: { kind: 'text', text: '1.10' }, B: { kind: 'secret', secret: 'S' } }
    const environment = { PGUSER: { kind: 'text', text: 'pg' }, A: { kind: 'text', text: 'exec' } }
    expect(postStart).toEqual([
      {
        command: ['seed'],
        user: '0042',
        workingDir: '/srv',
        environment: { ...environment, ...own },
        timeoutMs: 90_000,
      },
    ])
    expect(preStop).toEqual([{ ...plain, command: ['sh', '-c', 'echo $HOME'], environment, timeoutMs: 10_000 }])
  })

  test.each([
    ['postStart: [seed --all]', '4:16 servers.web.postStart: must be a list of commands'],
    ['postStart: seed', '4:16 servers.web.postStart: must be a list'],
    ['preStart: [[]]', '4:16 servers.web.preStart[0]: needs at least one item'],
    ['preStart: [{ user: root }]', '4:16 servers.web.preStart[0].command: is missing'],
    [
      'preStop: [{ command: [a], shell: true }]',
      '4:31 servers.web.preStop[0].shell: unknown key; known here: command, user',
    ],
    ['preStop: [{ command: [a], timeout: 11m }]', '4:40 servers.web.preStop[0].timeout: must be from 1s to 10m'],
    ['preStop: [{ command: [a], timeout: 500ms }]', '4:40 servers.web.preStop[0].timeout: must be from 1s to 10m'],
    [
      'postStart: [{ command: [a], timeout: 0 }]',
      '4:42 servers.web.postStart[0].timeout: must be from 1 ms to 24 days',
    ],
    ['postStart: [{ command: [a], timeout: 25d }]', '4:42 servers.web.postStart[0].timeout: must be a time such as'],
    ['postStart: [{ command: ["a\\0b"] }]', 'servers.web.postStart[0].command[0]: cannot hold a NUL character'],
    ['postStart: [{ command: [a], workingDir: srv }]', '4:45 servers.web.postStart[0].workingDir: must be an absolute'],
    [
      'postStart: [{ command: [a], environment: { A: { secret: S } } }]',
      '4:61 servers.web.postStart[0].environment.A.secret: there is no secret `S`; declare it in `secrets`',
    ],
  ])('%s is reported with its position', async (line, told) => {
    const mistakes = await mistakesIn(web(line))
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toContain(told)
  })

  test('are at most 32', async () => {
    const many = (count: number): string => web(`preStop: [${Array(count).fill('[a]').join(', ')}]`)
    expect(await mistakesIn(many(32))).toEqual([])
    expect(await mistakesIn(many(33))).toEqual([
      '4:14 servers.web.preStop: must be at most 32 commands; put more into a script',
    ])
  })

  test('of postStart contradict an `exit` check', async () => {
    expect(await mistakesIn(web('ready: [{ exit: 0 }]', 'postStart: [[a]]', 'preStart: [[a]]'))).toEqual([
      '5:16 servers.web.postStart: cannot go with an `exit` check, as the server has ended when that check passes',
    ])
  })

  test('of a preset come before those of the fleet file', () => {
    const preset = { preStart: [['a']], postStart: [['b']], preStop: [['c']] }
    expect(mergeServer(preset, { postStart: [['d']] })).toEqual({ ...preset, postStart: [['b'], ['d']] })
  })
})
