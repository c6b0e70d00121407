import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { firstLanguage, say, sayName } from '../src/i18n';
import { en } from '../src/words/en';
import { zh } from '../src/words/zh';

const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('words'))
  .map((name) => readFileSync(`src/${name}`, 'utf8'))
  .join('\n');

const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1]).sort();

describe('the words', () => {
  it('have the same keys in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(zh).sort());
  });

  it('are never empty and take the same values', () => {
    for (const [key, text] of Object.entries(zh)) {
      const other = en[key as keyof typeof en];
      expect(text.trim(), key).not.toBe('');
      expect(other.trim(), key).not.toBe('');
      expect(holes(other), key).toEqual(holes(text));
    }
  });

  it('are Chinese in the Chinese table', () => {
    const foreign = Object.entries(zh).filter(([, text]) => !/[\u4e00-\u9fff]/.test(text));
    expect(foreign.map(([key]) => key)).toEqual([]);
  });

  it('are all used', () => {
    const families = [...source.matchAll(/name\(\s*'(\w+(?:\.\w+)?)',/g)].map((use) => use[1]!);
    families.push('live', 'code');
    const unused = Object.keys(zh).filter(
      (key) =>
        !source.includes(`'${key}'`) && !families.some((family) => key.startsWith(`${family}.`)),
    );
    expect(unused).toEqual([]);
  });

  it('fill in values and leave unknown holes alone', () => {
    expect(say('zh', 'rows.shown', { count: 12 })).toBe('已显示 12 条');
    expect(say('en', 'rows.shown')).toBe('{count} shown');
  });

  it('name enumerators, and make unknown ones readable', () => {
    expect(sayName('zh', 'state', 'running')).toBe('运行中');
    expect(sayName('en', 'event', 'some_new_event')).toBe('some new event');
  });
});

describe('the first language', () => {
  it('is the one chosen before, else that of the browser', () => {
    expect(firstLanguage('en', ['zh-CN'])).toBe('en');
    expect(firstLanguage(null, ['zh-TW', 'en'])).toBe('zh');
    expect(firstLanguage(null, ['fr', 'zh'])).toBe('en');
    expect(firstLanguage('klingon', [])).toBe('en');
  });
});
