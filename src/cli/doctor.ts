import { answer, formatTable } from './answer.ts'
import { type Call, clientOf } from './call.ts'

export async function run(call: Call): Promise<number> {
  const diagnosis = await clientOf(call).doctor({ signal: call.signal })
  const { location, version, info, findings } = diagnosis
  const { product, api, apiMin, apiMax, os, arch } = version
  const memory = `${Math.round(info.memoryBytes / 1024 ** 3)} GiB`
  const table = formatTable([
    ['engine', `${location.url} (${location.because})`],
    ['version', `${product} ${version.version}, API ${api} (it speaks ${apiMin} to ${apiMax})`],
    ['system', `${info.operatingSystem}, ${os}/${arch}, ${info.cpus} CPUs, ${memory}`],
    ['storage', `${info.storageDriver}, cgroup v${info.cgroupVersion}${info.isRootless ? ', rootless' : ''}`],
  ])
  const problems = findings.map(({ problem, advice }) => `! ${problem}\n  ${advice}\n`)
  return answer(call, diagnosis, table + (problems.join('') || 'Nothing is wrong with it.\n'))
}
