import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { vi } from 'vitest'
import { SOON_MS } from './command.ts'

const shells = {
  bash: ['bash --norc --noprofile -i', "PS1='READY> '; source <(testfleet completion bash)"],
  zsh: ['zsh -f -i', "PS1='READY> '; autoload -U compinit; compinit -u -D; source <(testfleet completion zsh)"],
  fish: [
    'fish --no-config -i',
    "function fish_prompt; echo 'READY> '; end; function fish_greeting; end; testfleet completion fish | source",
  ],
} as const

export type ShellName = keyof typeof shells

/** A shell at a terminal, with the completion of testfleet. */
export class TypedShell {
  private readonly child: ChildProcessWithoutNullStreams
  private shown = ''

  private constructor(program: string, folder: string, env: NodeJS.ProcessEnv) {
    this.child = spawn('script', ['-qefc', program, '/dev/null'], { cwd: folder, env })
    this.child.stdout.on('data', (bytes) => {
      this.shown += bytes
    })
  }

  static async open(name: ShellName, folder: string, path: string): Promise<TypedShell> {
    // A shell that is ended writes its history, which could be after its folder was removed.
    const [program, setUp] = shells[name]
    const env = {
      ...process.env,
      HOME: folder,
      PATH: `${path}:${process.env.PATH}`,
      TERM: 'xterm',
      COLUMNS: '200',
      HISTFILE: '/dev/null',
    }
    const shell = new TypedShell(program, folder, env)
    // Whatever its first prompt is.
    await vi.waitFor(() => shell.expectShown(/[$#%>]/), SOON_MS)
    shell.child.stdin.write(`${setUp}\r`)
    await vi.waitFor(() => shell.expectShown(/READY> [^;]*$/), SOON_MS)
    return shell
  }

  /** Types a line, in which a tab asks for completion, and returns what the program that it starts has printed. */
  async type(line: string): Promise<string> {
    this.shown = ''
    this.child.stdin.write(`${line}\r`)
    return vi.waitFor(() => this.expectShown(/ARGS(.*) END/), SOON_MS)
  }

  private expectShown(pattern: RegExp): string {
    const found = pattern.exec(this.shown)
    if (found === null) throw new Error(`the shell has not shown ${pattern}, but ${JSON.stringify(this.shown)}`)
    return found[1] ?? ''
  }

  close(): void {
    this.child.stdin.end()
    this.child.kill('SIGKILL')
  }
}
