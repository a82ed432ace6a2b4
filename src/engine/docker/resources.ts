import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { Labels } from '../../model/labels.ts'
import { say } from '../../model/surface.ts'
import type { CallOptions, Engine } from '../engine.ts'
import type { ImageDetails } from '../image-types.ts'
import { type Client, labelFilter, type Maybe, type MaybeTexts, path } from './client.ts'
import { type EnvironmentJson, readEnvironment, readTime } from './container-json.ts'
import { isAddressPoolExhausted, isMissing, isNetworkInUse, isNetworkNameTaken, type Refusal } from './dialect.ts'
import { engineLost, undefinedIfMissing } from './errors.ts'

interface NetworkJson extends MaybeTexts<'Name' | 'Created'> {
  readonly Id: string
  readonly Labels?: Maybe<Labels>
}

interface NetworkDetailsJson {
  /** Containers with an endpoint on the network. */
  readonly Containers?: Maybe<Readonly<Record<string, MaybeTexts<'Name'>>>>
  readonly Name?: Maybe<string>
}

/**
 * Changes have a long deadline, because the engine makes them one after the other: the last of twenty waits half a
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
        // Before API 1.44 an engine creates a second network of the same name unless asked to check.
        json: { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: labels },
        deadline: 'long',
        explainRefusal: (refusal) => explainCreate(refusal, name),
      })
      return created.Id
    },
    async removeNetwork(id, options) {
      try {
        await client.send(path`DELETE /networks/${id}`, options, { deadline: 'long', acceptsRefusal: isMissing })
      } catch (error) {
        if (isFailure(error, 'ENGINE_REFUSED') && isNetworkInUse(error.message)) {
          const route = path`GET /networks/${id}`
          const { Containers, Name: network } = await client.readObject<NetworkDetailsJson>(route, options)
          const names = Object.entries(Containers ?? {}).map(([container, { Name }]) => Name ?? container.slice(0, 12))
          throw names.length === 0 ? miscounted(error) : inUse(network ?? id, names, error)
        }
        throw error
      }
    },
  } satisfies Partial<Engine>
}

function inUse(network: string, containers: readonly string[], cause: TestfleetError): TestfleetError {
  const which = containers.length === 1 ? 'the container' : 'the containers'
  return new TestfleetError(
    'ENGINE_REFUSED',
    `the network ${network} is still used by ${which} ${containers.join(', ')}`,
    { cause },
  )
}

/**
 * Docker Engine 20.10 can miscount a network's endpoints under load. It then refuses to remove the network until it is
 * restarted, which its log reports as "Fixing inconsistent endpoint_cnt".
 */
function miscounted(cause: TestfleetError): TestfleetError {
  return new TestfleetError(
    'ENGINE_REFUSED',
    `the engine has miscounted the endpoints of a network: ${cause.message}`,
    {
      hint: 'Restart the engine, which corrects its count, and try again. No container uses the network.',
      cause,
    },
  )
}

function explainCreate(refusal: Refusal, name: string): TestfleetError | undefined {
  const { words } = refusal
  if (isNetworkNameTaken(refusal)) {
    return new TestfleetError('NAME_TAKEN', `a network named ${name} already exists`, { cause: words })
  }
  if (!isAddressPoolExhausted(refusal)) return undefined
  return new TestfleetError(
    'ENGINE_REFUSED',
    `the engine has no address range left for the network ${name}: ${words}`,
    {
      hint:
        `Every session has a network. Remove sessions that nobody uses (${say('listUnused')} lists them) ` +
        "or unused networks (docker network prune), or widen default-address-pools in the engine's daemon.json.",
    },
  )
}

interface VolumeJson {
  readonly Name: string
  readonly CreatedAt?: Maybe<string>
  readonly Labels?: Maybe<Labels>
}

export function volumeVerbs(client: Client) {
  return {
    async listVolumes(labels, options) {
      const query = { filters: labelFilter(labels) }
      const { Volumes } = await client.readObject<{ readonly Volumes?: Maybe<readonly VolumeJson[]> }>(
        'GET /volumes',
        options,
        { query },
      )
      return (Volumes ?? []).map(({ Name, Labels, CreatedAt }) => ({
        name: Name,
        labels: Labels ?? {},
        createdAtMs: readTime(CreatedAt),
      }))
    },
    async createVolume(name, labels, options) {
      // For a name that is in use, the engine returns the existing volume.
      const request = { json: { Name: name, Labels: labels }, isRepeatable: true }
      return (await client.readObject<VolumeJson>('POST /volumes/create', options, request)).Labels ?? {}
    },
    async removeVolume(name, options) {
      await client.send(path`DELETE /volumes/${name}`, options, { acceptsRefusal: isMissing })
    },
  } satisfies Partial<Engine>
}

interface ImageSummaryJson {
  readonly Id: string
  /** In seconds since 1970. */
  readonly Created?: Maybe<number>
  readonly RepoTags?: Maybe<readonly string[]>
  readonly Labels?: Maybe<Labels>
}

interface ImageJson {
  readonly Id: string
  readonly RepoDigests?: Maybe<readonly string[]>
  /** RFC 3339. */
  readonly Created?: Maybe<string>
  readonly Size?: Maybe<number>
  readonly Config?: Maybe<{
    readonly Labels?: Maybe<Labels>
    readonly User?: Maybe<string>
    readonly Env?: EnvironmentJson
  }>
  readonly Metadata?: Maybe<{ readonly LastTagTime?: Maybe<string> }>
}

export function imageVerbs(client: Client) {
  return {
    async inspectImage(reference, options) {
      const asked = client.readObject<ImageJson>(path`GET /images/${reference}/json`, options)
      const json = await asked.catch(undefinedIfMissing)
      return json && readImage(json)
    },
    async listImages(labels, options) {
      const query = { filters: labelFilter(labels) }
      const images = await client.readList<ImageSummaryJson>('GET /images/json', options, { query })
      const { familiarName } = await client.dialect(options)
      return images.map(({ Id, RepoTags, Labels, Created }) => {
        const references = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').map(familiarName)
        return { id: Id, references, labels: Labels ?? {}, createdAtMs: (Created ?? 0) * 1000 }
      })
    },
    async commitContainer(id, reference, options) {
      const tagAt = reference.lastIndexOf(':')
      const [repo, tag] = [reference.slice(0, tagAt), reference.slice(tagAt + 1)]
      // Podman requires a body, and pauses by itself what it cannot pause without root.
      const request = { query: { container: id, repo, tag, pause: false }, json: {}, deadline: 'none' } as const
      await client.send('POST /commit', options, request)
    },
    async removeImage(reference, options) {
      await client.send(path`DELETE /images/${reference}`, options, { acceptsRefusal: isMissing })
    },
  } satisfies Partial<Engine>
}

function readImage(json: ImageJson): ImageDetails {
  return {
    id: json.Id,
    repositoryDigests: (json.RepoDigests ?? []).filter((digest) => !digest.startsWith('<none>')),
    createdAtMs: readTime(json.Created),
    namedAtMs: Math.max(readTime(json.Created), readTime(json.Metadata?.LastTagTime)),
    sizeBytes: json.Size ?? 0,
    labels: json.Config?.Labels ?? {},
    user: json.Config?.User ?? '',
    environment: readEnvironment(json.Config?.Env),
  }
}

/**
 * Fails with ENGINE_LOST when a pull or a build has not created its image. A stream that is cut between two lines looks
 * like one that has ended.
 */
export async function expectImage(client: Client, reference: string, { signal }: CallOptions): Promise<void> {
  if ((await imageVerbs(client).inspectImage(reference, { signal })) !== undefined) return
  throw engineLost(`the engine at ${client.location.url} stopped reporting on ${reference} before the image existed`)
}
