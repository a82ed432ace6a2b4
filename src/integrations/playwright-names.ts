import type {
  PlaywrightTestArgs,
  PlaywrightTestOptions,
  PlaywrightWorkerArgs,
  PlaywrightWorkerOptions,
} from '@playwright/test'

/** Names of Playwright's own fixtures and options, so that a server of that name is no fixture. */
export type Reserved = keyof (PlaywrightTestArgs &
  PlaywrightTestOptions &
  PlaywrightWorkerArgs &
  PlaywrightWorkerOptions) &
  string

/** The type checker finds a name that is missing here. */
const names: Readonly<Record<Reserved, true>> = {
  acceptDownloads: true,
  actionTimeout: true,
  baseURL: true,
  browser: true,
  browserName: true,
  bypassCSP: true,
  channel: true,
  clientCertificates: true,
  colorScheme: true,
  connectOptions: true,
  context: true,
  contextOptions: true,
  contrast: true,
  defaultBrowserType: true,
  deviceScaleFactor: true,
  extraHTTPHeaders: true,
  forcedColors: true,
  geolocation: true,
  hasTouch: true,
  headless: true,
  httpCredentials: true,
  ignoreHTTPSErrors: true,
  isMobile: true,
  javaScriptEnabled: true,
  launchOptions: true,
  locale: true,
  mount: true,
  navigationTimeout: true,
  offline: true,
  page: true,
  permissions: true,
  playwright: true,
  proxy: true,
  reducedMotion: true,
  request: true,
  reuseContext: true,
  screen: true,
  screenshot: true,
  serviceWorkers: true,
  storageState: true,
  testIdAttribute: true,
  timezoneId: true,
  trace: true,
  userAgent: true,
  video: true,
  viewport: true,
}

export const reserved: readonly string[] = Object.keys(names)
