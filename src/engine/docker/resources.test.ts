import { describe, expect, test } from 'vitest'
import { fakeDocker } from '../../../tests/support/fake-engine.ts'

/** An engine with a network of these containers that it refuses to remove. */
function refusingEngine(containers: Record<string, object>) {
  return fakeDocker(({ method }, response) =>
    method === 'DELETE'
      ? response.writeHead(403).end('{"message":"error while removing network: network web has active endpoints"}')
      : response.end(JSON.stringify({ Id: 'n1', Name: 'shop', Containers: containers })),
  )
}

describe.concurrent('a network that the engine refuses to remove', () => {
  test('is reported as miscounted, with a hint, when no container uses it', async () => {
    await using fake = await refusingEngine({})
    await expect(fake.engine.removeNetwork('n1')).rejects.toMatchObject({
      code: 'ENGINE_REFUSED',
      message: expect.stringContaining('miscounted the endpoints'),
      hint: expect.stringContaining('Restart the engine'),
    })
  })

  test('is reported with the name of the container when a container uses it', async () => {
    await using fake = await refusingEngine({ c1: { Name: 'web' } })
    await expect(fake.engine.removeNetwork('n1')).rejects.toMatchObject({
      code: 'ENGINE_REFUSED',
      message: 'the network shop is still used by the container web',
    })
  })
})
