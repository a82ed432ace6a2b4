import { readFile } from 'node:fs/promises'
import { arch, availableParallelism, totalmem } from 'node:os'
import type { CallOptions, Engine } from '../engine.ts'
import { findCgroups } from './oci/cgroups.ts'
import { callProgram } from './programs.ts'
import type { Local } from './types.ts'

/** Processors by Docker's names. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** The local engine has no API between programs, and so only one version of it. */
const API = '1.0'

/** What the local engine says about itself and its machine. */
export function systemVerbs({ machine, runtime }: Local): Pick<Engine, 'version' | 'info'> {
  return {
    async version({ signal, timeoutMs }: CallOptions = {}) {
      const name = await runtime()
      const words = await callProgram(machine, name, { arguments: ['--version'], signal, timeoutMs })
      const version = /version (\S+)/.exec(words)?.[1] ?? '0.0'
      return {
        ...{ product: `Local Engine, ${name}`, version },
        ...{ api: API, apiMax: API, apiMin: API },
        ...{ os: 'linux', arch: architectures[arch()] ?? arch() },
      }
    },
    async info() {
      const [release, cgroups] = await Promise.all([readFile('/etc/os-release', 'utf8').catch(() => ''), findCgroups()])
      return {
        operatingSystem: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? 'Linux',
        storageDriver: 'overlayfs',
        cgroupVersion: cgroups.unified === undefined ? '1' : '2',
        isRootless: machine.prefix.length > 0 || (await isInUserNamespace()),
        cpus: availableParallelism(),
        memoryBytes: totalmem(),
        warnings: [],
      }
    },
  }
}

/** In the first namespace, every id is what it seems to be. */
async function isInUserNamespace(): Promise<boolean> {
  const map = await readFile('/proc/self/uid_map', 'utf8').catch(() => '')
  return !/^\s*0\s+0\s+4294967295\s*$/.test(map)
}
