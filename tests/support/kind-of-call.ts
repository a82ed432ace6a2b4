import type { IncomingMessage } from 'node:http'

/** What a call asks for, whichever thing it asks it of: `GET /containers/{id}/json`. */
export function kindOf({ method, url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>): string {
  const { pathname, searchParams } = new URL(url, 'http://engine')
  const path = pathname
    .replace(/^\/v\d+\.\d+(?=\/)/, '')
    .replace(/^\/images\/(?!(?:json|create|load)$)(.+?)(\/(?:json|get))?$/, '/images/{name}$2')
    .replace(/^\/(containers|networks|exec)\/(?!(?:json|create|prune)$)[^/]+/, '/$1/{id}')
    .replace(/^\/volumes\/(?!create$)[^/]+/, '/volumes/{name}')
  const isFollowed = ['1', 'true'].includes(searchParams.get('follow') ?? '')
  return `${method} ${path}${isFollowed ? ' followed' : ''}${headers.upgrade === undefined ? '' : ' upgraded'}`
}
