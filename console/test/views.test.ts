import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { jobStates } from '../src/views';

const headers = [
  'api/views.h', 'api/members.h', 'api/problem.h', 'model/supply.h', 'model/hourly.h',
  'model/attempt.h',
]
  .map((name) => readFileSync(`../src/${name}`, 'utf8'))
  .join('\n');

/** The JSON names of each C++ record. */
const records = new Map(
  [...headers.matchAll(/^struct (\w+) \{\n([\s\S]*?)^\};/gm)].map(([, name, body]) => [
    name!,
    [...body!.matchAll(/visit\(\d+, "(\w+)"/g)].map((field) => field[1]!),
  ]),
);

/** The fields of each interface here. */
const interfaces = [
  ...readFileSync('src/views.ts', 'utf8').matchAll(/^export interface (\w+) \{\n([\s\S]*?)^\}/gm),
].map(([, name, body]) => ({
  name: name!,
  fields: [...body!.matchAll(/^  (\w+)\??:/gm)].map((field) => field[1]!),
}));

describe('the records of the console', () => {
  it('are found at all', () => {
    expect(interfaces.length).toBeGreaterThan(20);
    expect(records.size).toBeGreaterThan(20);
  });

  it.each(interfaces)('$name has the fields of the C++ record', ({ name, fields }) => {
    expect(fields).toEqual(records.get(name));
  });

  it('know every state of a job', () => {
    const states = /enum class JobState[^{]*\{([^}]*)\}/.exec(headers)?.[1];
    expect(jobStates.join()).toBe(states?.replace(/\s/g, ''));
  });
});
