/** A key or value as the key of a map. */
export function keyOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
