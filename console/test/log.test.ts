import { describe, expect, it } from 'vitest';
import type { Api } from '../src/api';
import { LogStream } from '../src/log_stream';
import { LogText } from '../src/log_text';

const linesOf = (...pieces: string[]) => {
  const text = new LogText();
  for (const piece of pieces) text.feed(piece);
  return text.blocks.flatMap((block) => block.lines);
};

describe('the text of a log', () => {
  it('shows an unfinished line and grows it', () => {
    expect(linesOf('a\nb')).toEqual(['a', 'b']);
    expect(linesOf('a\nb', 'c\n', 'd')).toEqual(['a', 'bc', 'd']);
    expect(linesOf('a\n\n')).toEqual(['a', '']);
  });

  it('drops colours and starts a line over at a carriage return', () => {
    expect(linesOf('\x1b[1;32mok\x1b[0m\n')).toEqual(['ok']);
    expect(linesOf('10%\r20%', '\r', '30%\r\nnext')).toEqual(['30%', 'next']);
  });

  it('gives the same lines however the text is cut', () => {
    const text = 'α\x1b[31mred\x1b[0m\r\n5%\r100%\n\x1b]0;title\x07tail';
    for (let at = 0; at <= text.length; ++at) {
      expect(linesOf(text.slice(0, at), text.slice(at))).toEqual(['αred', '100%', 'tail']);
    }
  });

  it('holds only the last lines, and says how many it let go', () => {
    const text = new LogText();
    for (let i = 0; i < 12_345; ++i) text.feed(`line ${i}\n`);
    const lines = text.blocks.flatMap((block) => block.lines);
    expect(lines.at(-1)).toBe('line 12344');
    expect(text.dropped + lines.length).toBe(12_345);
    expect(lines.length).toBeLessThanOrEqual(10_000);
    expect(text.blocks[0]?.first).toBe(text.dropped);
  });

  it('cuts endless lines', () => {
    expect(Math.max(...linesOf('x'.repeat(100_000)).map((line) => line.length))).toBe(16_384);
  });
});

describe('the stream of a log', () => {
  it('goes on at the byte where it was cut, and ends when the attempt is over', async () => {
    const whole = new TextEncoder().encode('一二三\nend\n');
    const asked: number[] = [];
    const states: string[] = [];
    let text = '';
    let isOver = false;
    const api = {
      stream: async (_path: string, params: { offset: number; follow: boolean }) => {
        asked.push(params.offset);
        if (asked.length === 1) return cut(whole.slice(0, 4));
        isOver = true;
        return new Response(whole.slice(params.offset));
      },
    } as unknown as Api;
    const stream = new LogStream(api, {
      place: { job: 'job-1', task: 0, attempt: 1, stream: 'stdout' },
      isOver: () => isOver,
      onText: (piece) => (text += piece),
      onState: (state) => states.push(state),
      wait: async () => undefined,
    });
    await stream.run();
    expect(text).toBe('一二三\nend\n');
    expect(asked).toEqual([0, 4, whole.length]);
    expect(states).toContain('reconnecting');
    expect(states.at(-1)).toBe('ended');
  });

  it('waits while there is no log yet, and shows a refusal', async () => {
    const answers = [404, 404, 403];
    const states: string[] = [];
    const api = {
      stream: async () =>
        new Response(JSON.stringify({ code: 'forbidden' }), { status: answers.shift() ?? 500 }),
    } as unknown as Api;
    const stream = new LogStream(api, {
      place: { job: 'job-1', task: 0, attempt: 1, stream: 'stderr' },
      isOver: () => false,
      onText: () => undefined,
      onState: (state, problem) => states.push(problem ? `${state}:${problem.code}` : state),
      wait: async () => undefined,
    });
    await stream.run();
    expect(states).toEqual(['opening', 'waiting', 'waiting', 'failed:forbidden']);
  });
});

function cut(bytes: Uint8Array): Response {
  let isGiven = false;
  return new Response(
    new ReadableStream<Uint8Array>({
      pull: (to) => {
        if (isGiven) to.error(new Error('cut'));
        else to.enqueue(bytes);
        isGiven = true;
      },
    }),
  );
}
