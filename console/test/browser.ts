import { webcrypto } from 'node:crypto';

// Node 18 has no global `crypto`, which every browser has.
if (!('crypto' in globalThis)) Object.assign(globalThis, { crypto: webcrypto });
