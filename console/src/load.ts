import { useCallback, useEffect, useRef, useState } from 'react';
import { problemOf } from './api';
import { useFeed } from './feed';
import type { Notice, Problem } from './views';

export interface Loaded<T> {
  /** The last good answer; kept while a newer one is on its way. */
  value: T | undefined;
  /** Why the last try failed, if it did. */
  problem: Problem | undefined;
  isLoading: boolean;
  reload(): void;
}

export interface LoadOptions {
  /** Reads again soon after a notice for which this is true. */
  on?: (notice: Notice) => boolean;
  /** Reads again this often while the page is visible. */
  everyMs?: number | undefined;
}

const settleMs = 400;
const betweenMs = 1500;

/**
 * Reads something, and again whenever the domain says that it changed. At most one read is under
 * way, and notices cause at most one in 1.5 s. `key` names what is read: another key, another read.
 */
export function useLoad<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  options: LoadOptions = {},
): Loaded<T> {
  const feed = useFeed();
  const latest = useRef({ load, options });
  latest.current = { load, options };
  const reloadNow = useRef<() => void>(() => undefined);
  const [state, setState] = useState<Omit<Loaded<T>, 'reload'>>({
    value: undefined,
    problem: undefined,
    isLoading: true,
  });
  const { everyMs } = options;

  useEffect(() => {
    setState((old) => ({ ...old, isLoading: true }));
    const reader = startReader(
      (signal) => latest.current.load(signal),
      (change) => setState((old) => ({ ...old, ...change })),
    );
    reloadNow.current = reader.read;
    const unlisten = feed.listen((notice) => {
      if (!notice || latest.current.options.on?.(notice)) reader.readSoon();
    });
    const timer = everyMs
      ? setInterval(() => !document.hidden && reader.read(), everyMs)
      : undefined;
    reader.read();
    return () => {
      unlisten();
      clearInterval(timer);
      reader.stop();
    };
  }, [key, feed, everyMs]);

  const reload = useCallback(() => reloadNow.current(), []);
  return { ...state, reload };
}

type Outcome<T> = { value?: T; problem: Problem | undefined; isLoading: boolean };

function startReader<T>(
  load: (signal: AbortSignal) => Promise<T>,
  tell: (outcome: Outcome<T>) => void,
) {
  const abort = new AbortController();
  let isReading = false;
  let isStale = false;
  let lastAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const read = async (): Promise<void> => {
    if (isReading) {
      isStale = true;
      return;
    }
    isReading = true;
    isStale = false;
    lastAt = Date.now();
    let outcome: Outcome<T>;
    try {
      outcome = { value: await load(abort.signal), problem: undefined, isLoading: false };
    } catch (error) {
      outcome = { problem: problemOf(error), isLoading: false };
    }
    isReading = false;
    if (abort.signal.aborted) return;
    tell(outcome);
    if (isStale) readSoon();
  };
  const readSoon = (): void => {
    const ms = Math.max(settleMs, lastAt + betweenMs - Date.now());
    timer ??= setTimeout(() => {
      timer = undefined;
      void read();
    }, ms);
  };
  const stop = (): void => {
    clearTimeout(timer);
    abort.abort();
  };
  return { read: () => void read(), readSoon, stop };
}

export interface Page<T, Head> {
  rows: T[];
  next: string;
  head: Head;
}

export interface LoadedPages<T, Head> extends Loaded<Page<T, Head>> {
  /** Reads one page more. */
  more(): void;
}

/** A list that the API hands out in pages by `before`; all pages shown are kept fresh. */
export function usePages<T, Head>(
  key: string,
  load: (before: string, signal: AbortSignal) => Promise<Page<T, Head>>,
  options: LoadOptions = {},
): LoadedPages<T, Head> {
  const [wanted, setWanted] = useState({ key, count: 1 });
  const count = wanted.key === key ? wanted.count : 1;
  const loaded = useLoad(
    `${key}#${count}`,
    async (signal) => {
      const whole = await load('', signal);
      for (let i = 1; i < count && whole.next; ++i) {
        const page = await load(whole.next, signal);
        whole.rows.push(...page.rows);
        whole.next = page.next;
      }
      return whole;
    },
    options,
  );
  return { ...loaded, more: () => setWanted({ key, count: count + 1 }) };
}

/** The present time in Unix milliseconds, renewed every `everyMs`; 0 = never renewed. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs === 0) return undefined;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
