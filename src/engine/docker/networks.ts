import { TestfleetError } from '../../model/failures.ts'
import type { Engine } from '../engine.ts'
import { type Client, labelFilter, path } from './client.ts'
import { readTime } from './container-details.ts'
import type { Refusal } from './refusal.ts'
import type { WireCreated, WireNetwork } from './wire.ts'

/** Networks are changed one after the other: of twenty at once, the last waits for half a minute (20.10, two cores). */
const changeAnswers = 4

export function networkVerbs(client: Client): Pick<Engine, 'listNetworks' | 'createNetwork' | 'removeNetwork'> {
  return {
    async listNetworks(labels, options) {
      const query = { filters: labelFilter(labels) }
      const networks = await client.list<WireNetwork>({
        method: 'GET',
        path: '/networks',
        query,
        ...client.within(options),
      })
      return networks.map(({ Id, Name, Labels, Created }) => ({
        id: Id,
        name: Name ?? '',
        labels: Labels ?? {},
        createdAtMs: readTime(Created),
      }))
    },
    async createNetwork(name, labels, options) {
      const created = await client.object<WireCreated>({
        method: 'POST',
        path: '/networks/create',
        // Until API 1.44 an engine makes a second network of the same name unless it is told to look.
        json: { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: labels },
        ...client.within(options, changeAnswers),
        refine: (refusal) => explainCreate(refusal, name),
      })
      return created.Id
    },
    async removeNetwork(id, options) {
      const call = { method: 'DELETE', path: path`/networks/${id}`, ...client.within(options, changeAnswers) } as const
      await client.done({ ...call, isFine: ({ status }) => status === 404 })
    },
  }
}

function explainCreate({ status, words }: Refusal, name: string): TestfleetError | undefined {
  // Podman 4.3 answers 500 to a name that is taken.
  if (status === 409 || /network name \S+ already used/i.test(words)) {
    return new TestfleetError('NAME_TAKEN', `there is a network named ${name} already`, { cause: words })
  }
  // Docker up to 26 names the pool, from 27 on it says that all are subnetted.
  if (!/non-overlapping .*address pool|predefined address pools|subnet .*exhausted/i.test(words)) return undefined
  return new TestfleetError(
    'ENGINE_REFUSED',
    `the engine has no address range left for the network ${name}: ${words}`,
    {
      hint:
        'Every session has a network. Remove sessions that nobody uses (testfleet prune --all --dry-run lists them), ' +
        "networks of others (docker network prune), or widen default-address-pools in the engine's daemon.json.",
    },
  )
}
