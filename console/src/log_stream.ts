import { readProblem, type Api, path } from './api';
import type { Problem } from './views';
import { backoffMs, sleep } from './watch';

export interface LogPlace {
  job: string;
  task: number;
  attempt: number;
  stream: 'stdout' | 'stderr';
}

export type LogState = 'opening' | 'following' | 'waiting' | 'reconnecting' | 'ended' | 'failed';

export interface LogOptions {
  place: LogPlace;
  /** True once the attempt can write no more. */
  isOver(): boolean;
  onText(text: string): void;
  onState(state: LogState, problem?: Problem): void;
  wait?(ms: number, signal: AbortSignal): Promise<void>;
}

const pollMs = 2000;

/** Follows one log from its first byte to its end; after a cut it goes on where it stopped. */
export class LogStream {
  /** Bytes seen. */
  offset = 0;
  private readonly whole = new AbortController();
  private readonly decoder = new TextDecoder();

  constructor(
    private readonly api: Api,
    private readonly options: LogOptions,
  ) {}

  async run(): Promise<void> {
    const wait = this.options.wait ?? sleep;
    let failures = 0;
    this.tell('opening');
    while (!this.whole.signal.aborted) {
      // Asked before reading: what is written up to the end is then surely read.
      const wasOver = this.options.isOver();
      const before = this.offset;
      const outcome = await this.readOnce(wasOver);
      if (this.whole.signal.aborted || outcome === 'failed') return;
      if (outcome === 'cut') {
        failures = this.offset > before ? 1 : failures + 1;
        this.tell('reconnecting');
        await wait(backoffMs(failures, Math.random()), this.whole.signal);
        continue;
      }
      failures = 0;
      if (wasOver) return this.tell('ended');
      this.tell(this.offset > 0 ? 'following' : 'waiting');
      await wait(pollMs, this.whole.signal);
    }
  }

  stop(): void {
    this.whole.abort();
  }

  // `done`: all there is has been read, or there is nothing yet.
  private async readOnce(isOver: boolean): Promise<'done' | 'cut' | 'failed'> {
    const { job, task, attempt, stream } = this.options.place;
    const params = { task, attempt, stream, offset: this.offset, follow: !isOver };
    try {
      const response = await this.api.stream(
        path`/v1/jobs/${job}/logs`,
        params,
        this.whole.signal,
        { Accept: 'text/plain' },
      );
      if (response.status === 404 || response.status === 409) return 'done';
      if (response.status >= 500 || response.status === 429) return 'cut';
      if (!response.ok || !response.body) {
        this.tell('failed', await readProblem(response));
        return 'failed';
      }
      this.tell('following');
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 'done';
        this.offset += value.byteLength;
        this.options.onText(this.decoder.decode(value, { stream: true }));
      }
    } catch {
      return 'cut';
    }
  }

  private tell(state: LogState, problem?: Problem): void {
    if (!this.whole.signal.aborted) this.options.onState(state, problem);
  }
}
