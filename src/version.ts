/** The version of testfleet; the package's own, which a test sees to. */
export const VERSION = '0.1.0'
