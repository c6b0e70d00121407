import { describe, expect, it } from 'vitest';
import {
  isZero, parseMoney, printMoney, showMoney, showMoneyRounded, sumMoney,
} from '../src/money';

describe('money', () => {
  it('is read exactly, in micro-yuan', () => {
    expect(parseMoney('18.4')).toBe(18_400_000n);
    expect(parseMoney('-0.000001')).toBe(-1n);
    expect(parseMoney('9223372036854.775807')).toBe(9_223_372_036_854_775_807n);
  });

  it('is refused when it is not a decimal of six places', () => {
    for (const text of ['', '1.', '.5', '1e3', '1.0000001', '1,000', 'NaN', '--1']) {
      expect(parseMoney(text), text).toBeNull();
    }
  });

  it('survives printing and reading', () => {
    for (const micro of [0n, 1n, -1n, 999_999n, -1_000_000n, 123_456_789_012_345n]) {
      expect(parseMoney(printMoney(micro))).toBe(micro);
    }
    expect(printMoney(18_400_000n)).toBe('18.4');
  });

  it('is shown with thousands separators and at least two places', () => {
    expect(showMoney('1234567.5')).toBe('¥1,234,567.50');
    expect(showMoney('0')).toBe('¥0.00');
    expect(showMoney('-1000.000001')).toBe('−¥1,000.000001');
    expect(showMoney('999')).toBe('¥999.00');
    expect(showMoney('')).toBe('—');
  });

  it('is rounded for glances, half away from zero', () => {
    expect(showMoneyRounded('1.004999')).toBe('¥1.00');
    expect(showMoneyRounded('1.005')).toBe('¥1.01');
    expect(showMoneyRounded('-1.005')).toBe('−¥1.01');
    expect(showMoneyRounded('999.999')).toBe('¥1,000.00');
  });

  it('adds up without loss where floating point would lose', () => {
    expect(sumMoney(['0.1', '0.2'])).toBe('0.3');
    expect(sumMoney(['9007199254740993', '0.000001'])).toBe('9007199254740993.000001');
    expect(sumMoney([])).toBe('0');
    expect(isZero('0.000000')).toBe(true);
    expect(isZero('0.000001')).toBe(false);
  });
});
