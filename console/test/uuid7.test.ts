import { describe, expect, it } from 'vitest';
import { uuid7 } from '../src/uuid7';

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('uuid7', () => {
  it('agrees with the example of RFC 9562, appendix A.6', () => {
    const random = new Uint8Array(16);
    random.set([0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f], 6);
    expect(uuid7(0x017f22e279b0, random)).toBe('017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
  });

  it('has its version and variant whatever the random bits', () => {
    for (const fill of [0x00, 0xff, 0x55]) {
      expect(uuid7(0, new Uint8Array(16).fill(fill))).toMatch(shape);
    }
  });

  it('never repeats and sorts by time', () => {
    const many = new Set(Array.from({ length: 1000 }, () => uuid7(1_700_000_000_000)));
    expect(many.size).toBe(1000);
    expect(uuid7(1_700_000_000_000) < uuid7(1_700_000_000_001)).toBe(true);
  });
});
