import { expect, test } from 'vitest'
import { aliasesOf } from './server-names.ts'

test.each([
  [['pay'], ['pay', 'pay.shop.test']],
  [['web'], ['web', 'web.shop.test']],
  [
    ['pay.example', 'MyDB', 'my_db'],
    ['pay.example', 'MyDB', 'MyDB.shop.test', 'my_db', 'my_db.shop.test'],
  ],
  [
    ['pay', 'pay.shop.test'],
    ['pay', 'pay.shop.test'],
  ],
  [[], []],
])('aliases %j give the names %j', (aliases, names) => {
  expect(aliasesOf({ name: 'web', hostname: 'web.shop.test', aliases })).toEqual(names)
})
