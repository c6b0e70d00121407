import { describe, expect, it, vi } from 'vitest';
import { Api, ApiError, Intent, path, query, type Change } from '../src/api';

type Call = { url: string; init: RequestInit };

function domain(answers: (Response | Error)[]) {
  const calls: Call[] = [];
  const expired = vi.fn();
  const send = async (url: RequestInfo | URL, init?: RequestInit) => {
    calls.push({ url: String(url), init: init ?? {} });
    const answer = answers.shift();
    if (!answer || answer instanceof Error) throw answer ?? new Error('no more answers');
    return answer;
  };
  return { api: new Api('suan_k', expired, send), calls, expired };
}

const headersOf = (call: Call | undefined) => call?.init.headers as Record<string, string>;
const change: Change = { method: 'POST', path: '/v1/jobs/job-1/cancel' };
const problem = (status: number, code: string) =>
  new Response(JSON.stringify({ status, code, detail: 'd', suggestion: 's' }), { status });

describe('a change', () => {
  it('carries a UUIDv7, and the same one until it is answered', async () => {
    vi.useFakeTimers();
    const { api, calls } = domain([
      new Error('cut'), problem(503, 'journal_full'), Response.json({ id: 'job-1' }),
    ]);
    const done = api.change(change, new Intent());
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect(await done).toEqual({ id: 'job-1' });
    const ids = calls.map((call) => headersOf(call)['Idempotency-Key']);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('is not sent again after a refusal, and the next try has another id', async () => {
    const { api, calls } = domain([problem(409, 'state_wrong'), Response.json({})]);
    const intent = new Intent();
    await expect(api.change(change, intent)).rejects.toThrow('d');
    await api.change(change, intent);
    const ids = calls.map((call) => headersOf(call)['Idempotency-Key']);
    expect(new Set(ids).size).toBe(2);
  });

  it('keeps its id over a failure that left it open, unless it is another change', () => {
    const intent = new Intent();
    const first = intent.idOf({ ...change, body: { a: 1 } });
    expect(intent.idOf({ ...change, body: { a: 1 } })).toBe(first);
    const second = intent.idOf({ ...change, body: { a: 2 } });
    expect(second).not.toBe(first);
    intent.settle();
    expect(intent.idOf({ ...change, body: { a: 2 } })).not.toBe(second);
  });
});

describe('a read', () => {
  it('sends the key and only the parameters that are set', async () => {
    const { api, calls } = domain([Response.json({ ok: 1 })]);
    await api.get('/v1/jobs', { state: '', project: 'lab a', limit: 5, before: undefined });
    expect(calls[0]?.url).toBe('/v1/jobs?project=lab+a&limit=5');
    expect(headersOf(calls[0])['Authorization']).toBe('Bearer suan_k');
  });

  it('turns a problem document into an error that keeps all of it', async () => {
    const { api } = domain([problem(422, 'project_unknown')]);
    const error = await api.get('/v1/jobs').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).problem).toMatchObject({
      status: 422, code: 'project_unknown', detail: 'd', suggestion: 's', pointer: '',
    });
  });

  it('tells an unreachable domain from an answer that is not ours', async () => {
    const { api } = domain([new Error('refused'), new Response('<html>', { status: 502 })]);
    await expect(api.get('/v1/me')).rejects.toMatchObject({ problem: { code: 'unreachable' } });
    await expect(api.get('/v1/me')).rejects.toMatchObject({
      problem: { code: 'unreadable', status: 502 },
    });
  });

  it('says when the key is no longer taken', async () => {
    const { api, expired } = domain([problem(401, 'key_revoked')]);
    await expect(api.get('/v1/me')).rejects.toThrow();
    expect(expired).toHaveBeenCalledOnce();
  });
});

describe('addresses', () => {
  it('escape what is put into them', () => {
    expect(path`/v1/jobs/${'../x?y'}/why`).toBe('/v1/jobs/..%2Fx%3Fy/why');
    expect(query({ a: undefined })).toBe('');
  });
});
