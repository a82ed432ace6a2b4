import { describe, expect, test } from 'vitest'
import { type Harness, readBytes, readOutput, readUntil } from './harness.ts'

export function describeExec(open: () => Harness): void {
  describe('a command inside', () => {
    const container = (): Promise<string> => open().idle()
    describeOutcome(open, container)
    describeInput(open, container)
    describeTerminal(open, container)
  })
}

type Container = () => Promise<string>

function describeOutcome(open: () => Harness, container: Container): void {
  test('has an exit code and separate streams', async () => {
    const finished = await open().shell(await container(), 'echo out; echo err >&2; exit 9')
    expect(finished).toEqual({ exitCode: 9, stdout: 'out\n', stderr: 'err\n' })
  })

  test('keeps every byte of both streams', async () => {
    const write = 'print join("", map chr, 0..255) x 2000; print STDERR join("", map chr, reverse 0..255) x 2000'
    const process = await open().engine.exec(await container(), { command: ['perl', '-e', write] })
    const { stdout, stderr } = await readBytes(process.output)
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    expect(stdout.equals(Buffer.concat(Array(2000).fill(all)))).toBe(true)
    expect(stderr.equals(Buffer.concat(Array(2000).fill(Buffer.from(all).reverse())))).toBe(true)
  })

  test('has the requested environment, user and folder', async () => {
    const changes = { environment: { A: 'x  y' }, user: '33', workingDir: '/var' }
    const { stdout } = await open().shell(await container(), 'echo "$A"; id -u; pwd', changes)
    expect(stdout).toBe('x  y\n33\n/var\n')
  })

  test('gets its arguments unchanged', async () => {
    const { engine } = open()
    const process = await engine.exec(await container(), { command: ['printf', '[%s]', 'a b', '$HOME; true', "'"] })
    expect((await readOutput(process.output)).stdout).toBe("[a b][$HOME; true][']")
  })

  test('has an exit code even if its output is not read', async () => {
    const process = await open().engine.exec(await container(), { command: ['sh', '-c', 'seq 100000; exit 3'] })
    expect(await process.exitCode()).toBe(3)
  })

  test.each(['nosuchprogram', '/no/such/program'])(
    'that does not exist (%s) fails with COMMAND_NOT_FOUND',
    async (program) => {
      const { engine } = open()
      const run = async () => readOutput((await engine.exec(await container(), { command: [program] })).output)
      await expect(run()).rejects.toMatchObject({
        code: 'COMMAND_NOT_FOUND',
        message: expect.stringContaining(program),
      })
      const code = async () => (await engine.exec(await container(), { command: [program] })).exitCode()
      await expect(code()).rejects.toMatchObject({ code: 'COMMAND_NOT_FOUND' })
    },
  )

  test('that exits with 126 or 127 by itself does not fail', async () => {
    expect(await open().shell(await container(), 'exit 127')).toEqual({ exitCode: 127, stdout: '', stderr: '' })
    expect((await open().shell(await container(), 'nosuchprogram')).exitCode).toBe(127)
  })

  test('fails in a container that does not run', async () => {
    const { engine, spec } = open()
    const id = await engine.createContainer(spec())
    await expect(engine.exec(id, { command: ['true'] })).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
  })
}

function describeInput(open: () => Harness, container: Container): void {
  test('reads its input to the end', async () => {
    const process = await open().engine.exec(await container(), { command: ['wc', '-c'], stdin: true })
    for (let i = 0; i < 64; i++) await process.write(Buffer.alloc(16_384, i))
    process.endInput()
    expect((await readOutput(process.output)).stdout).toBe(`${64 * 16_384}\n`)
    expect(await process.exitCode()).toBe(0)
  })

  test('can exchange input and output', async () => {
    const process = await open().engine.exec(await container(), { command: ['cat'], stdin: true })
    const said = process.output[Symbol.asyncIterator]()
    for (const word of ['one\n', 'two\n']) {
      await process.write(Buffer.from(word))
      const { value } = await said.next()
      expect(Buffer.from(value.bytes).toString()).toBe(word)
    }
    process.endInput()
    expect(await said.next()).toMatchObject({ done: true })
    expect(await process.exitCode()).toBe(0)
  })

  test('may end before its input', async () => {
    const process = await open().engine.exec(await container(), { command: ['true'], stdin: true })
    expect(await process.exitCode()).toBe(0)
    await process.write(Buffer.from('too late'))
    process.endInput()
  })
}

function describeTerminal(open: () => Harness, container: Container): void {
  const sizes = 'while :; do stty size; sleep 0.05; done'

  test('can have a terminal whose size changes', async () => {
    const tty = { rows: 31, columns: 97 }
    const request = { command: ['sh', '-c', `test -t 1 && echo terminal; ${sizes}`], tty, stdin: true }
    const process = await open().engine.exec(await container(), request)
    const said = process.output[Symbol.asyncIterator]()
    const output = { [Symbol.asyncIterator]: () => ({ next: () => said.next() }) }
    expect(await readUntil(output, '31 97')).toContain('terminal')
    await process.resize(12, 34)
    await readUntil(output, '12 34')
    await process.write(Buffer.from('\u0003'))
    while (!(await said.next()).done);
    expect(await process.exitCode()).toBe(130)
  })
}
