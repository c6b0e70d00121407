import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { chinese, tell } from '../src/sentences';

const sources = [
  'http/show_jobs.cc',
  'http/show_places.cc',
  'placement/change.cc',
  'placement/rank.cc',
  'domain/decide_ends.cc',
  'domain/decide_units.cc',
  'engine/supervisor.cc',
  'engine/attempt_table.cc',
  'engine/mover.cc',
  'slurm/slurm_loop.cc',
  'net/socket_session.cc',
  'uplink/above.cc',
  'uplink/below.cc',
  'uplink/workdirs.cc',
]
  .map((name) => readFileSync(`../src/${name}`, 'utf8'))
  .join('\n')
  .replaceAll(/"\s*\n\s*"/g, '');

/** The longest run of plain words in a pattern, as the server's source has it. */
function longestLiteral(pattern: RegExp): string {
  const pieces = pattern.source
    .replaceAll(/\\([./()])/g, '$1')
    .replace(/^\^/, '')
    .replace(/\$$/, '')
    .split(/\(\\?[.dS].*?\)|\(SIG\\w\+\)| \?/);
  return pieces.sort((a, b) => b.length - a.length)[0]!.replace(/ at $/, '').trim();
}

describe('what the server says', () => {
  it('is said in Chinese as the server says it today', () => {
    for (const [pattern, text] of chinese) {
      const literal = longestLiteral(pattern);
      expect(sources.includes(literal), `${literal} is in none of the sources`).toBe(true);
      expect(/[\u4e00-\u9fff]/.test(text), text).toBe(true);
    }
  });

  it('keeps its numbers and names', () => {
    expect(tell('zh', 'none of 12 pools can start it now')).toBe('共 12 个资源池，目前都不能启动它');
    expect(tell('zh', 'with price.max_hourly_cost 0.15 instead of 0.1')).toBe(
      '把 price.max_hourly_cost 从 0.1 改为 0.15',
    );
    expect(
      tell('zh', 'waits for capacity; a node of a/b is kept for it; free by 12:00 at the latest'),
    ).toBe('等待资源；已为它预留 a/b 的 1 个节点；最迟 12:00 空出');
    expect(tell('zh', 'without where.regions cn-sh')).toBe('去掉 where.regions cn-sh');
  });

  it('comes as it is in English, and where there is no Chinese for it', () => {
    expect(tell('en', 'waits for capacity')).toBe('waits for capacity');
    expect(tell('zh', 'something new')).toBe('something new');
  });
});
