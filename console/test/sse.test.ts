import { describe, expect, it } from 'vitest';
import { SseParser, type SseMessage } from '../src/sse';

const parse = (...pieces: string[]): SseMessage[] => {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.feed(piece));
};

describe('the parser of server-sent events', () => {
  it('reads id, event and data', () => {
    expect(parse('id: 7\nevent: change\ndata: {"a":1}\n\n')).toEqual([
      { id: '7', event: 'change', data: '{"a":1}' },
    ]);
  });

  it('joins data lines, keeps the last id, and names a nameless event "message"', () => {
    expect(parse('id:1\ndata: a\ndata:  b\n\ndata\n\n')).toEqual([
      { id: '1', event: 'message', data: 'a\n b' },
      { id: '1', event: 'message', data: '' },
    ]);
  });

  it('gives the same messages however the text is cut, and whatever its line ends', () => {
    const text = '\ufeff: hello\n\nid: 1\nevent: change\ndata: 一\ndata: b\n\nid: 2\ndata: c\n\n';
    const whole = parse(text);
    expect(whole).toHaveLength(2);
    for (const end of ['\n', '\r\n', '\r']) {
      // A CR at the very end waits for a possible LF, so something follows it.
      const ended = text.replaceAll('\n', end) + ': end\n';
      for (let at = 0; at <= ended.length; ++at) {
        expect(parse(ended.slice(0, at), ended.slice(at))).toEqual(whole);
      }
      expect(parse(...ended)).toEqual(whole);
    }
  });

  it('drops comments, unknown fields, events without data, and the unfinished last one', () => {
    expect(parse(': ping\n\nfoo: bar\nevent: x\n\ndata: cut')).toEqual([]);
  });

  it('does not resume from an id whose event was cut off', () => {
    const parser = new SseParser();
    parser.feed('id: 5\ndata: a\n\nid: 6\ndata: b\n');
    expect(parser.lastId).toBe('5');
  });

  it('ignores an id with NUL and a retry that is no number', () => {
    const parser = new SseParser();
    parser.feed('id: a\0b\nretry: soon\ndata: x\n\n');
    expect([parser.lastId, parser.retryMs]).toEqual(['', null]);
    parser.feed('retry: 1500\n\n');
    expect(parser.retryMs).toBe(1500);
  });
});
