/**
 * Money is a decimal string of CNY with up to six places. It is added in integer micro-yuan
 * (BigInt) and never becomes a floating-point number, except as the length of a chart's bar.
 */
const microPerYuan = 1_000_000n;

/** Exact micro-yuan; null when the text is not a decimal number of at most six places. */
export function parseMoney(text: string): bigint | null {
  const parts = /^([+-]?)(\d+)(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (!parts) return null;
  const micro = BigInt(parts[2]!) * microPerYuan + BigInt((parts[3] ?? '').padEnd(6, '0'));
  return parts[1] === '-' ? -micro : micro;
}

/** The shortest decimal text of an amount: "18.4", "-0.000001", "0". */
export function printMoney(micro: bigint): string {
  const size = micro < 0n ? -micro : micro;
  const places = (size % microPerYuan).toString().padStart(6, '0').replace(/0+$/, '');
  return `${micro < 0n ? '-' : ''}${size / microPerYuan}${places && '.'}${places}`;
}

/** For people: "¥1,234,567.50"; at least two places, as many as are needed. */
export function showMoney(text: string): string {
  const micro = parseMoney(text);
  return micro === null ? text || '—' : showMicro(micro);
}

/** For glances: rounded to two places, half away from zero. */
export function showMoneyRounded(text: string): string {
  const micro = parseMoney(text);
  if (micro === null) return text || '—';
  const size = micro < 0n ? -micro : micro;
  const rounded = ((size + 5_000n) / 10_000n) * 10_000n;
  return showMicro(micro < 0n ? -rounded : rounded);
}

function showMicro(micro: bigint): string {
  const [whole = '0', places = ''] = printMoney(micro < 0n ? -micro : micro).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${micro < 0n ? '−' : ''}¥${grouped}.${places.padEnd(2, '0')}`;
}

/** The exact sum; texts that are not money count as nothing. */
export function sumMoney(texts: Iterable<string>): string {
  let sum = 0n;
  for (const text of texts) sum += parseMoney(text) ?? 0n;
  return printMoney(sum);
}

export function isZero(text: string): boolean {
  return (parseMoney(text) ?? 0n) === 0n;
}

/** How long a chart draws an amount. Inexact past 2^53; for drawing only. */
export function chartLength(text: string): number {
  return Number(parseMoney(text) ?? 0n) / 1e6;
}
