import { test as base, expect } from '@playwright/test'
import { fleetTest } from 'testfleet/playwright'
import fleet from './testfleet.ts'

const test = fleetTest(base, fleet, { baseURL: 'web' })

test('the cart counts', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('button', { name: 'Add to cart' }).click()
  await expect(page.locator('#total')).toHaveText('1')
})
