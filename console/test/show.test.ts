import { describe, expect, it } from 'vitest';
import { printCsv } from '../src/csv';
import { showAge, showBytes, showMilli, showMs, showSpan, spanBetween } from '../src/format';
import { chipRows, hourRows } from '../src/pages/overview_charts';
import { parseRoute, printRoute } from '../src/route';
import { readShortcut } from '../src/shortcuts';
import type { ChargeView, PoolView } from '../src/views';

describe('CSV', () => {
  const columns = [{ name: 'text', value: (row: string) => row }];

  it('quotes what needs it', () => {
    expect(printCsv(columns, ['a,b', 'c"d', 'e\nf'])).toBe(
      '\ufefftext\r\n"a,b"\r\n"c""d"\r\n"e\nf"\r\n',
    );
  });

  it('keeps numbers, and defuses formulas', () => {
    expect(printCsv(columns, ['-3.20', '=1+1', '@x', '-a'])).toBe(
      "\ufefftext\r\n-3.20\r\n'=1+1\r\n'@x\r\n'-a\r\n",
    );
  });
});

describe('amounts for people', () => {
  it('are short and exact enough', () => {
    expect(showMilli(1500)).toBe('1.5');
    expect(showMilli(26_880_000)).toBe('26,880');
    expect(showBytes(0)).toBe('0 B');
    expect(showBytes(1.5 * 2 ** 30)).toBe('1.5 GiB');
    expect(showSpan(3723.4, 'en')).toBe('1 h 2 min');
    expect(showSpan(86_400, 'zh')).toBe('1 天');
    expect(showSpan(0.5, 'en')).toBe('0.5 s');
  });

  it('never show the past as the future', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(showAge('2026-01-01T00:00:02Z', now, 'en')).toBe('now');
    expect(showAge('2025-12-31T23:57:00Z', now, 'en')).toBe('3 minutes ago');
    expect(spanBetween('2026-01-01T00:00:02Z', null, now)).toBe(0);
  });
});

describe('the age and the round trip of a member', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();

  it('are told in the largest unit that fits', () => {
    expect([4, 59, 60, 3599, 7200, 200_000].map((age) => showAge(ago(age), now, 'en'))).toEqual([
      '4 seconds ago', '59 seconds ago', '1 minute ago', '59 minutes ago', '2 hours ago',
      '2 days ago',
    ]);
    expect(showAge(ago(4), now, 'zh')).toBe('4秒钟前');
    expect(showAge(null, now, 'en')).toBe('');
  });

  it('have three figures or so', () => {
    expect([0.3456, 9.999, 12.345, 141.4].map(showMs)).toEqual(['0.35', '10', '12.3', '141']);
  });
});

describe('routes', () => {
  it('survive printing and parsing', () => {
    const printed = printRoute('jobs', 'job-42', { tab: 'logs', none: '' });
    expect(printed).toBe('#/jobs/job-42?tab=logs');
    const route = parseRoute(printed);
    expect([route.page, route.id, route.query.get('tab')]).toEqual(['jobs', 'job-42', 'logs']);
    expect(parseRoute('').page).toBe('');
    expect(parseRoute('#/jobs/%').id).toBe('%');
  });
});

describe('shortcuts', () => {
  it('lead to pages after g, and do nothing else there', () => {
    expect(readShortcut('g', false)).toEqual({ kind: 'chord' });
    expect(readShortcut('j', true)).toEqual({ kind: 'go', page: 'jobs' });
    expect(readShortcut('j', false)).toBeNull();
    expect(readShortcut('x', true)).toBeNull();
    expect(readShortcut('?', false)).toEqual({ kind: 'help' });
  });
});

describe('the charts of the overview', () => {
  it('count cards by chip and leave out pools without any', () => {
    const pool = (chip: string, cards_total: number, cards_free_milli: number) =>
      ({ pool: { chip }, cards_total, cards_free_milli }) as PoolView;
    expect(chipRows([pool('A', 8, 2500), pool('B', 16, 0), pool('A', 8, 500), pool('', 0, 0)]))
      .toEqual([
        { chip: 'A', total: 16_000, free: 3000 },
        { chip: 'B', total: 16_000, free: 0 },
      ]);
  });

  it('add charges up by the hour, exactly', () => {
    const now = Date.parse('2026-01-02T12:30:00Z');
    const charge = (charge_period_end: string, billed_cost: string) =>
      ({ charge_period_end, billed_cost }) as ChargeView;
    const rows = hourRows(
      [
        charge('2026-01-02T12:00:00Z', '0.1'),
        charge('2026-01-02T12:29:00Z', '0.2'),
        charge('2026-01-02T11:59:59Z', '5'),
        charge('2025-12-31T00:00:00Z', '1000'),
      ],
      now,
    );
    expect(rows).toHaveLength(24);
    expect(rows.slice(-2).map((row) => row.amount)).toEqual(['5', '0.3']);
  });
});
