import { TestfleetError } from '../../model/failures.ts'
import type { Labels } from '../../model/labels.ts'
import type { Engine } from '../engine.ts'
import { type Client, labelFilter, type Maybe, type MaybeTexts, path } from './client.ts'
import { readTime } from './container-json.ts'
import { isAddressPoolExhausted, isMissing, isNetworkNameTaken, type Refusal } from './dialect.ts'

interface NetworkJson extends MaybeTexts<'Name' | 'Created'> {
  readonly Id: string
  readonly Labels?: Maybe<Labels>
}

/**
 * Changes have a long deadline: the engine makes them one after the other, and of twenty at once, the last waits half a
 * minute (20.10, two cores).
 */
export function networkVerbs(client: Client) {
  return {
    async listNetworks(labels, options) {
      const query = { filters: labelFilter(labels) }
      const networks = await client.readList<NetworkJson>('GET /networks', options, { query })
      return networks.map(({ Id, Name, Labels, Created }) => ({
        id: Id,
        name: Name ?? '',
        labels: Labels ?? {},
        createdAtMs: readTime(Created),
      }))
    },
    async createNetwork(name, labels, options) {
      const created = await client.readObject<{ readonly Id: string }>('POST /networks/create', options, {
        // Until API 1.44 an engine makes a second network of the same name unless asked to check.
        json: { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: labels },
        deadline: 'long',
        explainRefusal: (refusal) => explainCreate(refusal, name),
      })
      return created.Id
    },
    async removeNetwork(id, options) {
      await client.send(path`DELETE /networks/${id}`, options, { deadline: 'long', acceptsRefusal: isMissing })
    },
  } satisfies Partial<Engine>
}

function explainCreate(refusal: Refusal, name: string): TestfleetError | undefined {
  const { words } = refusal
  if (isNetworkNameTaken(refusal)) {
    return new TestfleetError('NAME_TAKEN', `there is a network named ${name} already`, { cause: words })
  }
  if (!isAddressPoolExhausted(refusal)) return undefined
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
