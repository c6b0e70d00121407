import { SseParser } from './sse';
import type { Notice } from './views';

export type WatchState = 'connecting' | 'live' | 'reconnecting' | 'stopped';

export interface WatchStatus {
  state: WatchState;
  /** Failures in a row. */
  failures: number;
  /** When the next try starts, in Unix milliseconds; 0 unless waiting. */
  retryAt: number;
}

export interface WatchOptions {
  /**
   * Opens the stream after an event's id or a sequence, or from now on where it is null. Rejects, or
   * answers with a bad status, on failure.
   */
  open(after: string | null, signal: AbortSignal): Promise<Response>;
  /** The newest sequence of the domain, to start over when the stream cannot be resumed. */
  newest(): Promise<number>;
  onNotice(notice: Notice): void;
  onStatus(status: WatchStatus): void;
  /** The stream was broken and is whole again; `isFresh` if notices may have been missed. */
  onResumed(isFresh: boolean): void;
  onUnauthorised(): void;
  wait?(ms: number, signal: AbortSignal): Promise<void>;
  random?(): number;
  /** No byte for this long means the connection is dead (the server speaks every 15 s). */
  silenceMs?: number;
}

export const backoffFirstMs = 500;
export const backoffMaxMs = 15_000;

/** How long to wait after so many failures in a row: doubling, capped, and 50–100 % of it. */
export function backoffMs(failures: number, random: number): number {
  const whole = Math.min(backoffMaxMs, backoffFirstMs * 2 ** Math.min(failures - 1, 10));
  return Math.round(whole * (0.5 + random / 2));
}

/** Follows /v1/events for ever: reconnects with backoff and resumes after the last notice seen. */
export class EventWatch {
  /** The id of the last event seen, or the sequence to begin after; null for neither. */
  after: string | null = null;
  private failures = 0;
  private readonly whole = new AbortController();
  private hurry: () => void = () => undefined;

  constructor(private readonly options: WatchOptions) {}

  /** Runs until `stop`; resolves then. */
  async run(after: number | null): Promise<void> {
    this.after = after === null ? null : String(after);
    this.tell('connecting');
    while (!this.whole.signal.aborted) {
      const outcome = await this.connect();
      if (this.whole.signal.aborted) break;
      if (outcome === 'unauthorised') {
        this.options.onUnauthorised();
        break;
      }
      ++this.failures;
      if (outcome === 'refused') await this.startOver();
      await this.pause();
    }
    this.tell('stopped');
  }

  stop(): void {
    this.whole.abort();
    this.hurry();
  }

  /** Tries again at once if it is waiting (the machine is online again). */
  retryNow(): void {
    this.hurry();
  }

  private async connect(): Promise<'ended' | 'refused' | 'unauthorised'> {
    const one = new AbortController();
    const forward = () => one.abort();
    this.whole.signal.addEventListener('abort', forward);
    try {
      const response = await this.options.open(this.after, one.signal);
      if (response.status === 401) return 'unauthorised';
      if (!response.ok || !response.body) {
        await response.body?.cancel();
        return [400, 404, 409, 410, 422].includes(response.status) ? 'refused' : 'ended';
      }
      this.opened(one);
      await this.read(response.body);
    } catch {
      // A broken connection: the next try resumes it.
    } finally {
      this.whole.signal.removeEventListener('abort', forward);
      one.abort();
    }
    return 'ended';
  }

  private opened(one: AbortController): void {
    const wasBroken = this.failures > 0;
    this.failures = 0;
    this.tell('live');
    if (!wasBroken) return;
    this.options.onResumed(false);
    void this.checkPast(one);
  }

  // A domain that was set up anew while we were away counts from the beginning again, and would
  // have nothing to say for a long time.
  private async checkPast(one: AbortController): Promise<void> {
    const newest = await this.options.newest().catch(() => null);
    if (newest === null || this.after === null || newest >= sequenceOf(this.after)) return;
    this.after = String(newest);
    this.options.onResumed(true);
    one.abort();
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    const silenceMs = this.options.silenceMs ?? 45_000;
    for (;;) {
      const timer = setTimeout(() => void reader.cancel().catch(() => undefined), silenceMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      for (const message of parser.feed(decoder.decode(value, { stream: true }))) {
        if (message.event !== 'change') continue;
        this.after = message.id;
        this.options.onNotice(JSON.parse(message.data) as Notice);
      }
    }
  }

  // The server will not resume from here (another journal, or too long ago).
  private async startOver(): Promise<void> {
    try {
      this.after = String(await this.options.newest());
      this.options.onResumed(true);
    } catch {
      // Still away: the next refusal tries again.
    }
  }

  private async pause(): Promise<void> {
    const ms = backoffMs(this.failures, (this.options.random ?? Math.random)());
    this.tell('reconnecting', Date.now() + ms);
    const wait = this.options.wait ?? sleep;
    const early = new AbortController();
    this.hurry = () => early.abort();
    await wait(ms, early.signal);
    this.hurry = () => undefined;
  }

  private tell(state: WatchState, retryAt = 0): void {
    this.options.onStatus({ state, failures: this.failures, retryAt });
  }
}

/** The record that an event's id ("17.2") or a bare sequence names. */
function sequenceOf(id: string): number {
  return Number.parseInt(id, 10);
}

/** Waits; returns early when aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
