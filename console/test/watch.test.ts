import { describe, expect, it } from 'vitest';
import { backoffMaxMs, backoffMs, EventWatch, type WatchOptions } from '../src/watch';

const notice = (sequence: number, index = 0) =>
  `id: ${sequence}.${index}\nevent: change\ndata: ${JSON.stringify({ sequence, event: 'e' })}\n\n`;

type Answer = string | number | Error;

/** A server that gives one answer per connection: text that then ends, a status, or an error. */
async function watch(
  answers: Answer[],
  options: Partial<WatchOptions> = {},
  from: number | null = 3,
) {
  const asked: (string | null)[] = [];
  const seen: number[] = [];
  const states: string[] = [];
  const resumed: boolean[] = [];
  let isRefused = false;
  const stream = new EventWatch({
    open: async (after) => {
      asked.push(after);
      const answer = answers.shift();
      if (answers.length === 0) queueMicrotask(() => stream.stop());
      if (answer instanceof Error) throw answer;
      if (typeof answer === 'number') return new Response('', { status: answer });
      return new Response(answer ?? '');
    },
    newest: async () => 100,
    onNotice: (one) => seen.push(one.sequence),
    onStatus: (status) => states.push(status.state),
    onResumed: (isFresh) => resumed.push(isFresh),
    onUnauthorised: () => (isRefused = true),
    wait: async () => undefined,
    random: () => 1,
    ...options,
  });
  await stream.run(from);
  return { asked, seen, states, resumed, isRefused };
}

describe('the watch over events', () => {
  it('resumes after the last notice seen', async () => {
    const { asked, seen } = await watch([notice(4) + notice(5), notice(6), '', '']);
    expect(asked).toEqual(['3', '5.0', '6.0', '6.0']);
    expect(seen).toEqual([4, 5, 6]);
  });

  it('does not count a notice that was cut off', async () => {
    const { asked, seen } = await watch([notice(4) + notice(5).slice(0, -1), notice(5), '']);
    expect(asked).toEqual(['3', '4.0', '5.0']);
    expect(seen).toEqual([4, 5]);
  });

  it('resumes in the middle of a record', async () => {
    const cut = notice(4) + notice(4, 1) + notice(4, 2).slice(0, -1);
    const { asked, seen } = await watch([cut, notice(4, 2) + notice(5), '']);
    expect(asked).toEqual(['3', '4.1', '5.0']);
    expect(seen).toEqual([4, 4, 4, 5]);
  });

  it('says that it is reconnecting, and then that it is live again', async () => {
    const { states, resumed } = await watch([new Error('cut'), 503, notice(4), '']);
    expect(states.slice(0, 4)).toEqual(['connecting', 'reconnecting', 'reconnecting', 'live']);
    expect(states.at(-1)).toBe('stopped');
    expect(resumed[0]).toBe(false);
  });

  it('starts over from the newest sequence when the domain will not resume', async () => {
    const { asked, resumed } = await watch([410, notice(101), '']);
    expect(asked).toEqual(['3', '100', '101.0']);
    expect(resumed[0]).toBe(true);
  });

  it('starts from now when it does not know where it was', async () => {
    const { asked, seen } = await watch([new Error('away'), notice(9), ''], {}, null);
    expect(asked).toEqual([null, null, '9.0']);
    expect(seen).toEqual([9]);
  });

  it('notices a domain that counts from the beginning again', async () => {
    const asked: (string | null)[] = [];
    const resumed: boolean[] = [];
    const stream: EventWatch = new EventWatch({
      open: async (after, signal) => {
        asked.push(after);
        if (asked.length === 1) throw new Error('away');
        if (asked.length === 3) stream.stop();
        return endless(signal);
      },
      newest: async () => 2,
      onNotice: () => undefined,
      onStatus: () => undefined,
      onResumed: (isFresh) => resumed.push(isFresh),
      onUnauthorised: () => undefined,
      wait: async () => undefined,
    });
    await stream.run(1000);
    expect(asked).toEqual(['1000', '1000', '2']);
    expect(resumed.slice(0, 2)).toEqual([false, true]);
  });

  it('gives up when the key is no longer taken', async () => {
    const { isRefused, asked } = await watch([401, notice(4), '']);
    expect(isRefused).toBe(true);
    expect(asked).toEqual(['3']);
  });

  it('treats silence as a dead connection', async () => {
    let opened = 0;
    const { seen } = await watch([], {
      open: async () => {
        ++opened;
        const body = new ReadableStream<Uint8Array>({
          start: (to) => to.enqueue(new TextEncoder().encode(notice(opened + 3))),
        });
        return new Response(body);
      },
      silenceMs: 5,
      wait: async (_ms, signal) => {
        if (opened === 3) throw new Error('enough');
        expect(signal.aborted).toBe(false);
      },
    }).catch(() => ({ seen: [] as number[] }));
    expect(opened).toBe(3);
    expect(seen).toEqual([]);
  });
});

/** An answer that says nothing and breaks when the signal does, as that of fetch. */
function endless(signal: AbortSignal): Response {
  const start = (to: ReadableStreamDefaultController) => {
    if (signal.aborted) to.error(new Error('aborted'));
    else signal.addEventListener('abort', () => to.error(new Error('aborted')));
  };
  return new Response(new ReadableStream<Uint8Array>({ start }));
}

describe('the backoff', () => {
  it('doubles, stays within its bounds, and is spread', () => {
    expect([1, 2, 3].map((n) => backoffMs(n, 1))).toEqual([500, 1000, 2000]);
    expect(backoffMs(1000, 1)).toBe(backoffMaxMs);
    expect(backoffMs(2, 0)).toBe(500);
  });
});
