import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const startMs = 20_000;

/** A `suan serve` of its own, on a free port and in a directory that goes away with it. */
export class Domain {
  #child = null;
  #said = '';

  /** `flags` are of `suan serve`; `env` is added to ours. */
  static async start(program, { name = 'e2e', flags = [], env = {} } = {}) {
    const domain = new Domain();
    Object.assign(domain, { program, name, flags, env });
    domain.state = await mkdtemp(join(tmpdir(), 'suan-e2e-'));
    domain.port = await freePort();
    domain.url = `http://127.0.0.1:${domain.port}`;
    await domain.serve();
    domain.key = (await readFile(join(domain.state, 'operator.key'), 'utf8')).trim();
    return domain;
  }

  /** Starts the program on the same state; resolves once it is ready. */
  async serve() {
    const words = ['serve', '--name', this.name, '--listen', `127.0.0.1:${this.port}`];
    this.#child = spawn(this.program, [...words, '--state', this.state, ...this.flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.env },
    });
    const hear = (text) => (this.#said = (this.#said + text).slice(-20_000));
    this.#child.stdout.on('data', hear);
    this.#child.stderr.on('data', hear);
    const until = Date.now() + startMs;
    while (!(await this.isReady())) {
      if (this.#child.exitCode !== null || Date.now() > until) {
        throw new Error(`the domain did not start:\n${this.#said}`);
      }
      await sleep(50);
    }
  }

  async isReady() {
    try {
      return (await fetch(`${this.url}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  /** Ends the program as a power cut would. */
  async kill() {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await gone;
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      await Promise.race([gone, sleep(10_000).then(() => this.kill())]);
    }
    await rm(this.state, { recursive: true, force: true });
  }

  async get(path) {
    return this.#call('GET', path);
  }

  async post(path, body) {
    return this.#call('POST', path, body);
  }

  async #call(method, path, body) {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        Authorization: `Bearer ${this.key}`,
        'Content-Type': 'application/json',
        'Idempotency-Key': requestId(),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Waits until a member is there and as wanted. */
  async awaitMember(name, isWanted, ms = 20_000) {
    const until = Date.now() + ms;
    for (;;) {
      const { members } = await this.get('/v1/members');
      const member = members.find((each) => each.name === name);
      if (member && isWanted(member)) return member;
      if (Date.now() > until) throw new Error(`${name} is ${JSON.stringify(member)}`);
      await sleep(100);
    }
  }

  /** Waits until a job is in one of the states. */
  async awaitJob(id, states, ms = 30_000) {
    const until = Date.now() + ms;
    for (;;) {
      const job = await this.get(`/v1/jobs/${id}`);
      if (states.includes(job.state)) return job;
      if (Date.now() > until) throw new Error(`${id} is ${job.state}, not ${states}: ${job.reason}`);
      await sleep(100);
    }
  }
}

// A UUIDv7 made here on its own: what the console makes is what is being tested.
function requestId() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
