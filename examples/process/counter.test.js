import assert from 'node:assert/strict'
import test from 'node:test'

const visit = async (path) => (await fetch(new URL(path, process.env.APP_URL))).text()

test('each visit of a page is counted', async () => {
  assert.equal(await visit('/a'), '1')
  assert.equal(await visit('/a'), '2')
})

test('pages are counted apart', async () => {
  assert.equal(await visit('/b'), '1')
})
