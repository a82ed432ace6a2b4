import type { Diagnosis } from '../api/types/doctor.ts'
import { answer, formatCopies, formatTable } from './answer.ts'
import { type Call, clientOf } from './call.ts'

export async function run(call: Call): Promise<number> {
  const diagnosis = await clientOf(call).doctor({ signal: call.signal })
  const { location, version, info, standby, findings } = diagnosis
  const { product, api, apiMin, apiMax, os, arch } = version
  const apis = `, API ${api} (it speaks ${apiMin} to ${apiMax})`
  const memory = `${Math.round(info.memoryBytes / 1024 ** 3)} GiB`
  const table = formatTable([
    ['engine', `${location.url} (${location.because})`],
    ['version', `${product} ${version.version}${location.url.startsWith('local:') ? '' : apis}`],
    ['system', `${info.operatingSystem}, ${os}/${arch}, ${info.cpus} CPUs, ${memory}`],
    ...(standby === undefined ? [] : [['standby', formatStandby(standby)]]),
    ['storage', `${info.storageDriver}, cgroup v${info.cgroupVersion}${info.isRootless ? ', rootless' : ''}`],
  ])
  const problems = findings.map(({ problem, advice }) => `! ${problem}\n  ${advice}\n`)
  return answer(call, diagnosis, table + (problems.join('') || 'Nothing is wrong with it.\n'))
}

function formatStandby({ copies, memoryBytes, fleets }: NonNullable<Diagnosis['standby']>): string {
  const memory = memoryBytes === undefined ? '' : `, ${Math.round(memoryBytes / 1024 ** 2)} MiB of memory`
  return `${formatCopies(copies)} of ${fleets.join(', ')}${memory}`
}
