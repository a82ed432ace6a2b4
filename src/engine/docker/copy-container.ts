import type { PublishedPort } from '../../model/container.ts'
import type { Labels } from '../../model/labels.ts'
import type { CallOptions, ContainerCopy } from '../engine.ts'
import { type Client, type Maybe, path } from './client.ts'
import { explainCreate } from './explain-container.ts'

interface CopiedJson {
  readonly Id: string
  readonly Config: Readonly<Record<string, unknown>> & { readonly Labels?: Maybe<Labels> }
  readonly HostConfig: Readonly<Record<string, unknown>> & {
    readonly NetworkMode?: Maybe<string>
    readonly PortBindings?: Maybe<Bindings>
  }
  readonly NetworkSettings?: Maybe<{
    readonly Networks?: Maybe<Readonly<Record<string, { readonly Aliases?: Maybe<readonly string[]> }>>>
  }>
}

type Bindings = Readonly<Record<string, Maybe<readonly Binding[]>>>
type Binding = { readonly HostIp?: Maybe<string>; readonly HostPort?: Maybe<string> }

/** Creates a container from the engine's own description of another one, which has the form of a request to create it. */
export async function copyContainer(
  client: Client,
  id: string,
  { name, image, labels, published }: ContainerCopy,
  options?: CallOptions,
): Promise<string> {
  const { Id, Config, HostConfig, NetworkSettings } = await client.readObject<CopiedJson>(
    path`GET /containers/${id}/json`,
    options,
  )
  const networks = Object.entries(NetworkSettings?.Networks ?? {}).map(([network, { Aliases }]) => {
    // Before API 1.45, an engine adds the start of the container's id.
    const aliases = (Aliases ?? []).filter((alias) => alias !== Id.slice(0, 12))
    return [network, { Aliases: aliases }] as const
  })
  const json = {
    ...Config,
    Image: image,
    Labels: { ...Config.Labels, ...labels },
    HostConfig: { ...HostConfig, PortBindings: bindTo(HostConfig.PortBindings, published) },
    NetworkingConfig: { EndpointsConfig: Object.fromEntries(networks) },
  }
  const created = await client.readObject<{ readonly Id: string }>('POST /containers/create', options, {
    query: { name },
    json,
    deadline: 'long',
    explainRefusal: (refusal) => explainCreate(refusal, name, image),
  })
  return created.Id
}

function bindTo(wanted: Maybe<Bindings>, published: readonly PublishedPort[]): Bindings {
  const fill = (key: string, binding: Binding): Binding => {
    if (binding.HostPort) return binding
    const bound = published.filter(({ container, protocol }) => key === `${container}/${protocol}`)
    const found = bound.find(({ address }) => !binding.HostIp || address === binding.HostIp)
    return { ...binding, HostPort: found === undefined ? '' : String(found.port) }
  }
  const entries = Object.entries(wanted ?? {})
  return Object.fromEntries(entries.map(([key, bindings]) => [key, (bindings ?? []).map((one) => fill(key, one))]))
}
