import { expect, it } from 'vitest'
import { fleetJsonSchema } from '../../src/config/json-schema.ts'
import { root } from '../run.ts'
import { readLibraryTypes } from './declarations.ts'

/** Names outside src/api that public types are made of; both are plain values. */
const allowed = ['Protocol', 'failureCodes']

it('the types of the package have no internal name: each is exported, or belongs to the public surface', () => {
  const names = readLibraryTypes(root, fleetJsonSchema()).collect()
  const internal = names.filter(
    ({ isPublic, file, name }) => !isPublic && !file.startsWith('src/api/') && !allowed.includes(name),
  )
  expect(internal.map(({ file, name }) => `${file}: ${name}`)).toEqual([])
})
