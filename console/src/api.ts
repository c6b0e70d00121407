import { uuid7 } from './uuid7';
import type { Problem } from './views';
import { sleep } from './watch';

export type Params = Record<string, string | number | boolean | undefined>;

/** An answer that is not the one asked for, as RFC 9457 problem details. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title || problem.code);
  }
}

/** No answer came; the request may or may not have had its effect. */
export const unreachable = 'unreachable';
/** An answer came that is not of this API. */
export const unreadable = 'unreadable';

export interface Change {
  method: 'POST' | 'DELETE';
  path: string;
  body?: unknown;
}

/**
 * Names the changes a person makes: the same change gets the same UUIDv7 until it is settled, so
 * trying again after a lost answer cannot do it twice.
 */
export class Intent {
  private id = '';
  private change = '';

  idOf(change: Change): string {
    const text = JSON.stringify([change.method, change.path, change.body ?? null]);
    if (!this.id || text !== this.change) {
      this.id = uuid7();
      this.change = text;
    }
    return this.id;
  }

  /** The domain has answered: the next change is another one, even if it reads the same. */
  settle(): void {
    this.id = '';
  }
}

const readTimeoutMs = 20_000;
const changeTries = 4;

/** Talks to one domain with one key. */
export class Api {
  constructor(
    private readonly key: string,
    /** Called when the domain no longer takes the key. */
    private readonly onUnauthorised: () => void = () => undefined,
    private readonly send: typeof fetch = (input, init) => fetch(input, init),
    private readonly base = '',
  ) {}

  /** Reads a record; rejects with ApiError, or AbortError when `signal` ends it. */
  async get<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
    const timeout = AbortSignal.timeout(readTimeoutMs);
    const both = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const response = await this.fetch(path + query(params), { signal: both }, signal);
    return this.read<T>(response);
  }

  /** Makes a change, at most once however often it is sent; retries what got no answer. */
  async change<T>(change: Change, intent: Intent): Promise<T> {
    const id = intent.idOf(change);
    for (let tries = 1; ; ++tries) {
      try {
        const value = await this.changeOnce<T>(change, id);
        intent.settle();
        return value;
      } catch (error) {
        const problem = problemOf(error);
        const isOpen = problem.code === unreachable || problem.status >= 500 ||
          problem.status === 429;
        if (!isOpen) intent.settle();
        if (!isOpen || tries === changeTries) throw error;
      }
      await sleep(300 * 2 ** tries, new AbortController().signal);
    }
  }

  /** Opens a streamed answer; the caller reads or cancels its body. Never rejects by status. */
  async stream(path: string, params: Params, signal: AbortSignal, headers: HeadersInit = {}) {
    return this.send(this.base + path + query(params), {
      signal,
      headers: { Authorization: `Bearer ${this.key}`, ...headers },
      cache: 'no-store',
    });
  }

  private async changeOnce<T>(change: Change, id: string): Promise<T> {
    const headers: Record<string, string> = { 'Idempotency-Key': id };
    const init: RequestInit = { method: change.method, headers };
    if (change.body !== undefined) {
      headers['Content-Type'] = 'application/json';
      init.body = JSON.stringify(change.body);
    }
    init.signal = AbortSignal.timeout(readTimeoutMs);
    return this.read<T>(await this.fetch(change.path, init));
  }

  private async fetch(path: string, init: RequestInit, abort?: AbortSignal): Promise<Response> {
    const headers = { Accept: 'application/json', ...init.headers };
    try {
      return await this.send(this.base + path, {
        ...init,
        headers: { ...headers, Authorization: `Bearer ${this.key}` },
        cache: 'no-store',
      });
    } catch (error) {
      if (abort?.aborted) throw error;
      throw new ApiError(blankProblem(unreachable));
    }
  }

  private async read<T>(response: Response): Promise<T> {
    if (response.status === 401) this.onUnauthorised();
    if (!response.ok) throw new ApiError(await readProblem(response));
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError(blankProblem(unreadable, response.status));
    }
  }
}

/** The problem document of a bad answer, made up from its status where it has none. */
export async function readProblem(response: Response): Promise<Problem> {
  const blank = blankProblem(unreadable, response.status);
  try {
    return { ...blank, ...((await response.json()) as Partial<Problem>) };
  } catch {
    return blank;
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return blankProblem(unreachable);
}

function blankProblem(code: string, status = 0): Problem {
  return { type: '', title: '', status, code, detail: '', pointer: '', suggestion: '', errors: [] };
}

/** "?a=1&b=x", or "" when nothing is set; undefined and "" are left out. */
export function query(params: Params): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') pairs.set(name, String(value));
  }
  const text = pairs.toString();
  return text && `?${text}`;
}

/** A path with its segments escaped: path`/v1/jobs/${id}/why`. */
export function path(parts: TemplateStringsArray, ...segments: (string | number)[]): string {
  return parts.reduce((text, part, i) => text + encodeURIComponent(segments[i - 1] ?? '') + part);
}
