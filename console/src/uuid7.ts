/** A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then 74 random bits. */
export function uuid7(unixMs: number = Date.now(), random: Uint8Array = randomBytes()): string {
  const bytes = Uint8Array.from(random.subarray(0, 16));
  let rest = Math.floor(unixMs);
  for (let i = 5; i >= 0; --i) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join('-');
}

// Not crypto.randomUUID: that one exists only on https and localhost.
function randomBytes(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(16));
}
