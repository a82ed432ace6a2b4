const { useFleet } = require('testfleet/jest')

const fleet = useFleet()

test('a note is stored', async () => {
  const note = `${fleet.exports.WEB_URL}/dav/note.txt`
  await fetch(note, { method: 'PUT', body: 'buy milk' })
  const response = await fetch(note)
  expect(await response.text()).toBe('buy milk')
})
