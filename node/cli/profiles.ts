import { Option } from 'commander'

/** Settings for a purpose, as in kubo. */
const PROFILES = {
  local: {},
  server: { 'network.listen': '/ip4/0.0.0.0/tcp/18789' },
  test: { 'network.listen': '/ip4/127.0.0.1/tcp/0', 'api.port': '0' },
} satisfies Record<string, Record<string, string>>

export interface ProfileFlags {
  profile?: keyof typeof PROFILES
  listen?: string[]
}

export function profileOption(): Option {
  const purposes = 'local: loopback; server: all addresses; test: free ports'
  return new Option('--profile <profile>', purposes).choices(Object.keys(PROFILES))
}

/** @returns the values of the profile, by dotted key; an address that was given goes before its */
export function profileSettings({ profile = 'local', listen }: ProfileFlags): Record<string, string> {
  return { ...PROFILES[profile], ...(listen === undefined ? {} : { 'network.listen': listen.join(',') }) }
}
